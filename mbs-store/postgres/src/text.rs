//! Text as PostgreSQL takes it: without NUL. Records are JSON, which writes NUL as an escape, and so are kept exactly.

use std::borrow::Cow;

use mbs_core::store::StoreError;
use mbs_core::store::checks::rejected;

/// Longest key, worker or sink, in bytes.
const LONGEST_NAME: usize = 1_000;

/// Returns what stands in a column for a text that may hold NUL; filters ask for the same.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// As [`plain`], for a text that may be missing.
pub(crate) fn plain_or_none(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| plain(text))
}

/// As [`plain`], and at most 300 characters of it: for hashes and names, which are shorter, in columns indexed as a whole.
pub(crate) fn bounded(text: &str) -> String {
    plain(text).chars().take(300).collect()
}

/// Checks a text that rows are told apart by.
pub(crate) fn checked<'t>(kind: &str, text: &'t str) -> Result<&'t str, StoreError> {
    if text.len() > LONGEST_NAME {
        return Err(rejected(format!("{kind} has {} bytes; at most {LONGEST_NAME} are taken", text.len())));
    }
    if text.contains('\0') {
        return Err(rejected(format!("{kind} holds a NUL character")));
    }
    Ok(text)
}

/// Writes a value as JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| rejected(format!("this cannot be written as JSON: {error}")))
}
