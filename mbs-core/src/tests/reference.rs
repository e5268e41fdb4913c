//! Recorded answers that tests replay. It finds and reads them; what they mean is up to each test.

use std::path::Path;

use serde_json::Value;

/// Reads a file of recorded logic, one value a line.
///
/// `None` if the reference folder is missing and `MBS_REFERENCE_REQUIRED` is not set.
///
/// # Panics
/// The file is missing though required, is no JSON, or holds nothing.
#[expect(clippy::disallowed_methods, reason = "tests read recorded answers beside the workspace")]
pub(crate) fn golden(file: &str) -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/logic-golden").join(file);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if std::env::var_os("MBS_REFERENCE_REQUIRED").is_none() => {
            println!("not checked, {} cannot be read: {error}", path.display());
            return None;
        }
        Err(error) => panic!("{} cannot be read: {error}", path.display()),
    };
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert!(!lines.is_empty(), "{} is empty", path.display());
    Some(lines)
}

/// Returns the text under a JSON pointer.
///
/// # Panics
/// There is none.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no text at {pointer} of {value}"))
}
