//! What somebody may have meant whose key PDC does not know: keys of modules with the same name.
//!
//! Nothing can be read from a key, since there were several spellings; so the beginnings of one are tried as names.

use std::collections::BTreeSet;

use mbs_pdc::api::{Entries, Filter};
use mbs_pdc::client::PdcError;

/// So many are named.
const MOST: usize = 5;
/// So many names are tried.
const MOST_NAMES: usize = 6;

/// Tells that there is no such entry, and which ones are near.
///
/// # Errors
/// Any of the lookups.
pub(super) async fn told(entries: &Entries, uid: &str) -> Result<String, PdcError> {
    // Filters take no notice of case, paths do.
    let same_but_case = Filter { uid: Some(uid.to_owned()), ..Filter::default() };
    let mut known: BTreeSet<String> = uids(entries, &same_but_case).await?;
    for name in names(uid).into_iter().take(MOST_NAMES) {
        let of_name = Filter { name: Some(name.to_owned()), ..Filter::default() };
        known.extend(uids(entries, &of_name).await?);
    }
    Ok(sentence(uid, &nearest(uid, known)))
}

async fn uids(entries: &Entries, filter: &Filter) -> Result<BTreeSet<String>, PdcError> {
    Ok(entries.find(filter).await?.into_iter().map(|entry| entry.uid).collect())
}

/// Returns what may be the name in a key, the shortest first.
fn names(uid: &str) -> Vec<&str> {
    let ends = uid.char_indices().filter(|(_, letter)| matches!(letter, ':' | '-')).map(|(end, _)| end);
    let beginnings = ends.chain([uid.len()]).map(|end| &uid[..end]);
    beginnings.filter(|name| !name.is_empty() && !name.contains(':')).collect()
}

/// Returns the keys that begin most like the wanted one, the nearest first.
fn nearest(uid: &str, known: BTreeSet<String>) -> Vec<String> {
    let likeness = |other: &str| {
        let same = |(a, b): &(char, char)| a.eq_ignore_ascii_case(b);
        uid.chars().zip(other.chars()).take_while(same).count()
    };
    let mut known: Vec<String> = known.into_iter().collect();
    known.sort_by_key(|other| std::cmp::Reverse(likeness(other)));
    known.truncate(MOST);
    known
}

fn sentence(uid: &str, near: &[String]) -> String {
    if near.is_empty() {
        return format!("PDC has no entry {uid}, nor one of a module of that name");
    }
    format!("PDC has no entry {uid}; did you mean {}?", near.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_a_key_may_be_names() {
        assert_eq!(names("platform-f40-1"), ["platform", "platform-f40", "platform-f40-1"]);
        assert_eq!(names("perl-app:5.30:1:c0ffee"), ["perl", "perl-app"]);
        assert_eq!(names("perl"), ["perl"]);
        assert_eq!(names("-"), ["-"]);
    }

    #[test]
    fn the_keys_that_begin_alike_come_first() {
        let known = ["p-f39-1", "P-F40-2", "p-f40-1", "p:x:1", "p:y:1", "p:z:1"].map(str::to_owned);
        let near = nearest("p-f40-2", known.into());
        assert_eq!(near[..3], ["P-F40-2", "p-f40-1", "p-f39-1"]);
        assert_eq!(near.len(), MOST);
    }

    #[test]
    fn that_nothing_is_near_is_said() {
        assert_eq!(sentence("a-1", &[]), "PDC has no entry a-1, nor one of a module of that name");
        assert_eq!(
            sentence("a-1", &["a-2".into(), "a-3".into()]),
            "PDC has no entry a-1; did you mean a-2 or a-3?"
        );
    }
}
