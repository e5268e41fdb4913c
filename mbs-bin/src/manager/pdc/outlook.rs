//! Which version of a stream services find: the greatest number among the active entries that make sense, in all its contexts.
//! It is told before a change, so that nobody is surprised by which builds are chosen after it.

use std::collections::BTreeSet;
use std::fmt;

use mbs_core::ident::Version;
use mbs_pdc::api::{Entry, NO_CONTEXT};
use mbs_pdc::resolver::known;

/// What services find of a stream; `None`: nothing.
type Found = Option<Newest>;

/// The newest version of a stream, and its contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Newest {
    version: Version,
    contexts: BTreeSet<String>,
}

/// Tells what becomes of what services find of a stream, given all its entries before and after a change.
pub(super) fn told(stream: &str, before: &[Entry], after: &[Entry]) -> String {
    let mut told = format!("  {}\n", sentence(stream, &found(before), &found(after)));
    let was_active = |entry: &Entry| before.iter().any(|old| old.uid == entry.uid && old.active);
    for entry in after.iter().filter(|entry| entry.active && !was_active(entry)) {
        if let Err(broken) = known(entry) {
            told.push_str(&format!("  {} will not be found: {broken}\n", entry.uid));
        }
    }
    told
}

fn found(entries: &[Entry]) -> Found {
    let mut newest: Found = None;
    for entry in entries.iter().filter(|entry| entry.active) {
        // What makes no sense is never found.
        let Ok(module) = known(entry) else { continue };
        let (version, context) = (module.nsvc.version, module.nsvc.context.to_string());
        match &mut newest {
            Some(known) if known.version > version => {}
            Some(known) if known.version == version => {
                known.contexts.insert(context);
            }
            _ => newest = Some(Newest { version, contexts: [context].into() }),
        }
    }
    newest
}

fn sentence(stream: &str, before: &Found, after: &Found) -> String {
    match (before, after) {
        (before, after) if before == after => match after {
            Some(newest) => format!("services go on finding {newest} of {stream}, the newest that is active"),
            None => format!("services go on finding nothing of {stream}"),
        },
        (None, Some(now)) => format!("services will find {now} of {stream}; so far they find nothing of it"),
        (Some(so_far), Some(now)) => {
            format!("services will find {now} of {stream}; so far they find {so_far}")
        }
        (so_far, None) => {
            let so_far = so_far.as_ref().map(|newest| format!("; so far they find {newest}"));
            format!("services will find nothing of {stream} any more{}", so_far.unwrap_or_default())
        }
    }
}

impl fmt::Display for Newest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contexts: Vec<&str> = self.contexts.iter().map(String::as_str).collect();
        match contexts[..] {
            [NO_CONTEXT] => write!(f, "version {}", self.version),
            [context] => write!(f, "version {} (context {context})", self.version),
            _ => write!(f, "version {} (contexts {})", self.version, contexts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manager::pdc::testing::entry;

    fn of(versions: &[(&str, &str, bool)]) -> Vec<Entry> {
        let entry = |(version, context, active): &(&str, &str, bool)| Entry {
            context: (*context).to_owned(),
            active: *active,
            ..entry(&format!("platform-f40-{version}"), "platform", version)
        };
        versions.iter().map(entry).collect()
    }

    fn version(number: &str) -> Found {
        found(&of(&[(number, NO_CONTEXT, true)]))
    }

    #[test]
    fn the_newest_is_the_greatest_number_that_is_active() {
        let all =
            [("9", NO_CONTEXT, true), ("10", NO_CONTEXT, true), ("11", NO_CONTEXT, false), ("x", "c", true)];
        assert_eq!(found(&of(&all)), version("10"));
        assert_eq!(found(&of(&[("x", NO_CONTEXT, true)])), None);
    }

    #[test]
    fn all_contexts_of_the_newest_version_are_found() {
        let shown = |versions| found(&of(versions)).unwrap().to_string();
        let all = [("2", "b", true), ("1", "old", true), ("2", "a", true)];
        assert_eq!(shown(&all), "version 2 (contexts a, b)");
        assert_eq!(shown(&all[..2]), "version 2 (context b)");
    }

    #[test]
    fn each_course_of_things_has_its_sentence() {
        for (before, after, wanted) in [
            (None, version("1"), "services will find version 1 of p:s; so far they find nothing of it"),
            (version("1"), version("2"), "services will find version 2 of p:s; so far they find version 1"),
            (
                version("2"),
                version("2"),
                "services go on finding version 2 of p:s, the newest that is active",
            ),
            (version("2"), None, "services will find nothing of p:s any more; so far they find version 2"),
            (None, None, "services go on finding nothing of p:s"),
        ] {
            assert_eq!(sentence("p:s", &before, &after), wanted);
        }
    }

    #[test]
    fn what_will_not_be_found_although_it_is_active_is_told() {
        let before = of(&[("1", NO_CONTEXT, true), ("x", NO_CONTEXT, false)]);
        let mut after = of(&[("1", NO_CONTEXT, true), ("x", NO_CONTEXT, true)]);
        let told_of = |after: &[Entry]| told("p:s", &before, after);
        let wanted = "  services go on finding version 1 of p:s, the newest that is active
  platform-f40-x will not be found: its version \"x\" is no number\n";
        assert_eq!(told_of(&after), wanted);
        after[1] = Entry { version: "2".into(), modulemd: String::new(), ..after[1].clone() };
        assert!(told_of(&after).ends_with("platform-f40-x will not be found: it has no document\n"));
        assert_eq!(told_of(&before).lines().count(), 1);
    }
}
