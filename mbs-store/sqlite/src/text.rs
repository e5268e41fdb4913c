//! JSON in the file, and names that rows are told apart by.

use mbs_core::store::StoreError;
use mbs_core::store::checks::rejected;
use serde::Serialize;

/// Longest key, worker or sink, in bytes.
const LONGEST_NAME: usize = 1_000;

/// Checks a text that rows are told apart by; `kind` is how errors call it.
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
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| rejected(format!("this cannot be written as JSON: {error}")))
}
