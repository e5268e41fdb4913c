//! What an import would do, given what PDC has: make an entry, leave the same one alone, or refuse to touch another.

use mbs_pdc::api::{Dependency, Entry, NO_CONTEXT, NewEntry};

use crate::manager::pdc::show::{dependencies, yes_no};

/// No value is told at greater length.
const LONGEST: usize = 60;

/// What is to be done about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is not there.
    Make,
    /// It is there, under this key, as it should be.
    There { uid: String, is_active: bool },
    /// Another one is in its place: its key, and what is different, a line for each field.
    Taken { uid: String, differences: Vec<String> },
}

/// Decides what is to be done about an entry. `same` is the one with its name, stream, version and context; `holder` the one with
/// its key. A key that nobody asked for may be another; so may its packages, and whether it is active unless that was asked for.
pub(super) fn verdict(
    wanted: &NewEntry,
    is_uid_asked: bool,
    same: Option<&Entry>,
    holder: Option<&Entry>,
) -> Verdict {
    let Some(there) = same.or(holder) else { return Verdict::Make };
    let differences = differences(wanted, is_uid_asked, there);
    let uid = there.uid.clone();
    if differences.is_empty() {
        Verdict::There { uid, is_active: there.active }
    } else {
        Verdict::Taken { uid, differences }
    }
}

fn differences(wanted: &NewEntry, is_uid_asked: bool, there: &Entry) -> Vec<String> {
    let mut all = Vec::new();
    let mut note = |field: &str, there: &str, here: &str| {
        // White space around a text is cut by PDC.
        if there.trim() != here.trim() {
            all.push(format!("{field}: {} in PDC, {} here", clipped(there), clipped(here)));
        }
    };
    let context = wanted.context.as_deref().unwrap_or(NO_CONTEXT);
    if is_uid_asked {
        note("uid", &there.uid, &wanted.uid);
    }
    note("name", &there.name, &wanted.name);
    note("stream", &there.stream, &wanted.stream);
    note("version", &there.version, &wanted.version);
    note("context", &there.context, context);
    note("koji_tag", &there.koji_tag, &wanted.koji_tag);
    let told = |all: &Option<Vec<Dependency>>| dependencies(all.as_deref().unwrap_or_default());
    note("runtime_deps", &dependencies(&there.runtime_deps), &told(&wanted.runtime_deps));
    note("build_deps", &dependencies(&there.build_deps), &told(&wanted.build_deps));
    if let Some(active) = wanted.active {
        note("active", yes_no(there.active), yes_no(active));
    }
    all.extend(first_other_line(&there.modulemd, &wanted.modulemd));
    all
}

/// Tells the first line in which two documents differ, counted from where they begin.
fn first_other_line(there: &str, here: &str) -> Option<String> {
    let (mut there, mut here) = (there.trim().lines(), here.trim().lines());
    for number in 1.. {
        let (old, new) = (there.next(), here.next());
        if old.is_none() && new.is_none() {
            break;
        }
        if old != new {
            let quoted = |line: Option<&str>| {
                line.map_or_else(|| "nothing".to_owned(), |line| format!("`{}`", clipped(line.trim())))
            };
            return Some(format!("modulemd, line {number}: {} in PDC, {} here", quoted(old), quoted(new)));
        }
    }
    None
}

fn clipped(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(LONGEST).collect();
    match (start.as_str(), letters.next()) {
        ("", _) => "nothing".to_owned(),
        (_, Some(_)) => format!("{start}…"),
        (_, None) => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::pdc::testing::entry;

    fn there() -> Entry {
        Entry { modulemd: "document: modulemd".into(), ..entry("platform-f40-1", "platform", "1") }
    }

    fn wanted() -> NewEntry {
        NewEntry {
            uid: "platform-f40-1".into(),
            name: "platform".into(),
            stream: "f40".into(),
            version: "1".into(),
            koji_tag: "module-platform-f40".into(),
            modulemd: "document: modulemd\n".into(),
            runtime_deps: Some(Vec::new()),
            build_deps: Some(Vec::new()),
            ..NewEntry::default()
        }
    }

    fn taken(wanted: &NewEntry, is_uid_asked: bool, there: &Entry) -> Vec<String> {
        match verdict(wanted, is_uid_asked, Some(there), None) {
            Verdict::Taken { differences, .. } => differences,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_there_is_made_and_what_is_there_stays() {
        assert_eq!(verdict(&wanted(), false, None, None), Verdict::Make);
        let there = there();
        assert!(wanted().is(&there));
        let same = Verdict::There { uid: "platform-f40-1".into(), is_active: false };
        assert_eq!(verdict(&wanted(), false, Some(&there), Some(&there)), same);
    }

    #[test]
    fn whether_it_is_active_counts_only_if_it_was_asked_for() {
        let active = Entry { active: true, ..there() };
        let is_there = Verdict::There { uid: "platform-f40-1".into(), is_active: true };
        assert_eq!(verdict(&wanted(), false, Some(&active), None), is_there);
        let asked = NewEntry { active: Some(true), ..wanted() };
        assert_eq!(verdict(&asked, false, Some(&active), None), is_there);
        assert_eq!(taken(&asked, false, &there()), ["active: no in PDC, yes here"]);
    }

    #[test]
    fn another_key_counts_only_if_one_was_asked_for() {
        let other = Entry { uid: "platform:f40:1:00000000".into(), ..there() };
        let is_there = Verdict::There { uid: other.uid.clone(), is_active: false };
        assert_eq!(verdict(&wanted(), false, Some(&other), None), is_there);
        assert_eq!(
            taken(&wanted(), true, &other),
            ["uid: platform:f40:1:00000000 in PDC, platform-f40-1 here"]
        );
    }

    #[test]
    fn a_key_that_another_module_has_is_taken() {
        let other = Entry { name: "boot".into(), version: "2".into(), ..there() };
        let Verdict::Taken { uid, differences } = verdict(&wanted(), false, None, Some(&other)) else {
            panic!("it is free")
        };
        assert_eq!(uid, "platform-f40-1");
        assert_eq!(differences, ["name: boot in PDC, platform here", "version: 2 in PDC, 1 here"]);
    }

    #[test]
    fn each_field_that_differs_is_named_shortly() {
        let dependency = Dependency { dependency: "perl".into(), stream: "5.30".into() };
        let changed = NewEntry {
            context: Some("c0ffee".into()),
            koji_tag: "x".repeat(100),
            modulemd: "document: modulemd\nversion: 2\n".into(),
            build_deps: Some(vec![dependency]),
            ..wanted()
        };
        let differences = taken(&changed, false, &there());
        assert_eq!(differences[0], "context: 00000000 in PDC, c0ffee here");
        assert_eq!(differences[1], format!("koji_tag: module-platform-f40 in PDC, {}… here", "x".repeat(60)));
        assert_eq!(differences[2], "build_deps: nothing in PDC, perl:5.30 here");
        assert_eq!(differences[3], "modulemd, line 2: nothing in PDC, `version: 2` here");
        assert_eq!(differences.len(), 4);
    }
}
