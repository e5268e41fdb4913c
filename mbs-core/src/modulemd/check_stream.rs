//! Checks what must hold between the parts of a stream document, once all of it is read.

use std::collections::{BTreeMap, BTreeSet};

use super::cursor::{Cursor, push_key, shown};
use super::findings::{Findings, Remark};
use super::problem::Severity;
use super::read_stream::Form;
use super::stream::{ModuleStream, RpmComponent};
use super::tree::Node;
use crate::ident::Name;

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
    let places = Places::of(data);
    order(&stream.rpms, &places, out);
    if form == Form::Two {
        arches(&stream.rpms, &stream.buildopts.arches, &places, out);
    }
}

/// Where the packages of a document stand, by key; of a key given several times the last, which counts.
pub(super) struct Places<'a> {
    path: String,
    packages: BTreeMap<&'a str, &'a Node>,
}

impl<'a> Places<'a> {
    /// Looks through the map of `data`.
    pub(super) fn of(data: &Cursor<'a>) -> Self {
        let components = data.node().entries_under("components");
        let rpms = components.flat_map(|components| components.entries_under("rpms"));
        let packages = rpms.flat_map(Node::text_entries).collect();
        Self { path: format!("{}.components.rpms", data.path()), packages }
    }

    /// Notes what is wrong with a field of a package, at the field if it is there.
    fn note(&self, key: &str, field: &str, out: &mut Findings, remark: Remark) {
        let Some(package) = self.packages.get(key) else { return };
        let at_field = package.entries_under(field).next_back();
        let path = || {
            let mut path = self.path.clone();
            push_key(&mut path, key);
            if at_field.is_some() {
                push_key(&mut path, field);
            }
            path
        };
        out.note(at_field.unwrap_or(package).place, path, remark);
    }
}

fn static_context(context: Option<&str>, data: &Cursor<'_>, out: &mut Findings) {
    let hint = "a static context is 1 to 13 of the characters a-z, A-Z, 0-9 and '_'";
    let Some(at) = data.last("context") else {
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

/// Warns of a stream that stands on no base module, unless it is one itself: nothing says what to build it on.
///
/// What the contexts in `xmd` buildrequire is for them to say.
pub(super) fn base_module(
    stream: &ModuleStream,
    base_modules: &[Name],
    data: &Cursor<'_>,
    out: &mut Findings,
) {
    let is_base = |name: &str| base_modules.iter().any(|base| base.as_str() == name);
    let stands_on_one =
        stream.dependencies.iter().any(|pair| pair.buildrequires.keys().any(|name| is_base(name)));
    let has_contexts = stream.xmd.at(&["mbs_options", "contexts"]).is_some();
    let Some(usual) = base_modules.first() else { return };
    if stands_on_one || has_contexts || stream.name.as_deref().is_some_and(is_base) {
        return;
    }
    let remark = Remark::warning("no base module is buildrequired; without one the module cannot be built");
    let remark = remark.hint(format!("'buildrequires: {{{usual}: []}}' takes any"));
    data.last("dependencies").as_ref().unwrap_or(data).note(out, remark);
}

/// Checks `buildorder` and `buildafter`: never both in one document, and only keys that are there.
pub(super) fn order(rpms: &BTreeMap<String, RpmComponent>, places: &Places<'_>, out: &mut Findings) {
    let ordered = rpms.iter().find(|(_, rpm)| rpm.buildorder != 0).map(|(key, _)| key);
    for (key, rpm) in rpms.iter().filter(|(_, rpm)| !rpm.buildafter.is_empty()) {
        if let Some(other) = ordered {
            let remark = Remark::error(format!("mixed with 'buildorder' of component {}", shown(other)));
            places.note(key, "buildafter", out, remark.hint("use one of the two in the whole document"));
        }
        for before in rpm.buildafter.iter().filter(|before| !rpms.contains_key(*before)) {
            if !out.has_room(Severity::Error) {
                return;
            }
            let remark = Remark::error(format!("there is no component {}", shown(before)));
            places.note(key, "buildafter", out, remark.hint("name keys of data.components.rpms"));
        }
    }
    for key in waiting_for_each_other(rpms) {
        let remark = Remark::warning("the components wait for each other in a circle");
        places.note(key, "buildafter", out, remark.hint("take out one of the names"));
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
    places: &Places<'_>,
    out: &mut Findings,
) {
    if allowed.is_empty() {
        return;
    }
    for (key, rpm) in rpms {
        for arch in rpm.arches.difference(allowed) {
            if !out.has_room(Severity::Error) {
                return;
            }
            let message = format!("{} is no architecture of the module", shown(arch));
            let remark = Remark::error(message);
            places.note(
                key,
                "arches",
                out,
                remark.hint("use those of data.buildopts.arches, or extend that list"),
            );
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
