//! Checks what must hold between the parts of a stream document, once all of it is read.

use std::collections::{BTreeMap, BTreeSet};

use super::cursor::{Cursor, shown};
use super::findings::{Findings, Remark};
use super::read_stream::Form;
use super::stream::{ModuleStream, RpmComponent};

/// Longest static context.
const STATIC_CONTEXT_LENGTH: usize = 13;

/// Says whether a document may call a context static: 1 to 13 ASCII letters, digits and `_`.
pub fn is_static_context(context: &str) -> bool {
    (1..=STATIC_CONTEXT_LENGTH).contains(&context.len()) && context.chars().all(is_static_context_char)
}

fn is_static_context_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Checks a stream read from the map of `data`.
pub(super) fn stream(stream: &ModuleStream, form: Form, data: &Cursor<'_>, out: &mut Findings) {
    if stream.static_context {
        static_context(stream.context.as_deref(), data, out);
    }
    order(&stream.rpms, data, out);
    if form == Form::Two {
        arches(&stream.rpms, &stream.buildopts.arches, data, out);
    }
}

/// Gives a check the cursor of the deepest key that is there on a path below `data`.
fn at_path(data: &Cursor<'_>, path: &[&str], visit: &mut dyn FnMut(&Cursor<'_>)) {
    let Some((key, rest)) = path.split_first() else { return visit(data) };
    match data.first(key) {
        Some(below) => at_path(&below, rest, visit),
        None => visit(data),
    }
}

fn static_context(context: Option<&str>, data: &Cursor<'_>, out: &mut Findings) {
    let hint = "a static context is 1 to 13 of the characters a-z, A-Z, 0-9 and '_'";
    let Some(at) = data.first("context") else {
        let remark = Remark::warning("'static_context' has no effect without 'context'");
        return data.note(out, remark.hint(hint));
    };
    let wrong = match context.unwrap_or_default() {
        "" => "a static context must not be blank".to_owned(),
        text if text.len() > STATIC_CONTEXT_LENGTH => {
            format!("the static context {} is longer than {STATIC_CONTEXT_LENGTH} characters", shown(text))
        }
        text if !text.chars().all(is_static_context_char) => {
            format!("the static context {} has characters that are not allowed", shown(text))
        }
        _ => return,
    };
    at.note(out, Remark::error(wrong).hint(hint));
}

/// Checks `buildorder` and `buildafter`: never both in one document, and only keys that are there.
pub(super) fn order(rpms: &BTreeMap<String, RpmComponent>, data: &Cursor<'_>, out: &mut Findings) {
    let ordered = rpms.iter().find(|(_, rpm)| rpm.buildorder != 0).map(|(key, _)| key);
    for (key, rpm) in rpms.iter().filter(|(_, rpm)| !rpm.buildafter.is_empty()) {
        let mut note = |remark: Remark| {
            let mut remark = Some(remark);
            at_path(data, &["components", "rpms", key, "buildafter"], &mut |at| {
                if let Some(remark) = remark.take() {
                    at.note(out, remark);
                }
            });
        };
        if let Some(other) = ordered {
            let message = format!("mixed with 'buildorder' of component {}", shown(other));
            note(Remark::error(message).hint("use one of the two in the whole document"));
        }
        for before in rpm.buildafter.iter().filter(|before| !rpms.contains_key(*before)) {
            let message = format!("there is no component {}", shown(before));
            note(Remark::error(message).hint("name keys of data.components.rpms"));
        }
    }
    for key in waiting_for_each_other(rpms) {
        at_path(data, &["components", "rpms", key, "buildafter"], &mut |at| {
            let remark = Remark::warning("the components wait for each other in a circle");
            at.note(out, remark.hint("take out one of the names"));
        });
    }
}

/// Returns the components that can never start because what they wait for waits, in the end, for them.
fn waiting_for_each_other(rpms: &BTreeMap<String, RpmComponent>) -> BTreeSet<&str> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut after: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, rpm) in rpms {
        let known = rpm.buildafter.iter().filter(|before| rpms.contains_key(*before));
        left.insert(key, known.clone().count());
        known.for_each(|before| after.entry(before).or_default().push(key));
    }
    let mut ready: Vec<&str> = left.iter().filter(|(_, count)| **count == 0).map(|(key, _)| *key).collect();
    while let Some(done) = ready.pop() {
        left.remove(done);
        for next in after.get(done).into_iter().flatten() {
            if let Some(count) = left.get_mut(next) {
                *count -= 1;
                if *count == 0 {
                    ready.push(next);
                }
            }
        }
    }
    left.into_keys().collect()
}

/// Checks that components are built only for architectures of the module; none means all.
pub(super) fn arches(
    rpms: &BTreeMap<String, RpmComponent>,
    allowed: &BTreeSet<String>,
    data: &Cursor<'_>,
    out: &mut Findings,
) {
    if allowed.is_empty() {
        return;
    }
    for (key, rpm) in rpms {
        for arch in rpm.arches.difference(allowed) {
            let message = format!("{} is no architecture of the module", shown(arch));
            at_path(data, &["components", "rpms", key, "arches"], &mut |at| {
                let remark = Remark::error(message.as_str());
                at.note(out, remark.hint("use those of data.buildopts.arches, or extend that list"));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pairs: &[(&str, &[&str])]) -> BTreeMap<String, RpmComponent> {
        let rpm = |names: &[&str]| RpmComponent {
            buildafter: names.iter().map(|name| (*name).to_owned()).collect(),
            ..RpmComponent::default()
        };
        pairs.iter().map(|(key, names)| ((*key).to_owned(), rpm(names))).collect()
    }

    #[test]
    fn circles_are_found_with_what_waits_for_them() {
        let rpms = after(&[("a", &["b"]), ("b", &["a"]), ("c", &["a"]), ("d", &[]), ("e", &["d"])]);
        assert_eq!(waiting_for_each_other(&rpms), BTreeSet::from(["a", "b", "c"]));
    }

    #[test]
    fn chains_are_no_circles() {
        assert!(waiting_for_each_other(&after(&[("a", &["b"]), ("b", &["c"]), ("c", &[])])).is_empty());
    }
}
