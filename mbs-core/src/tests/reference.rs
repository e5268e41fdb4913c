//! Recorded answers that tests replay. It finds and reads them; what they mean is up to each test.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::policy::Policy;

/// Reads a file of recorded logic, one value a line, from the folder that `MBS_LOGIC_GOLDEN` names, else from the reference
/// beside the project.
///
/// `None` if it is not there; beside the project that is no failure unless `MBS_REFERENCE_REQUIRED` is set.
///
/// # Panics
/// The file is missing though required, is no JSON, or holds nothing.
#[expect(clippy::disallowed_methods, reason = "tests read recorded answers beside the workspace")]
pub(crate) fn golden(file: &str) -> Option<Vec<Value>> {
    let named = std::env::var_os("MBS_LOGIC_GOLDEN").map(PathBuf::from);
    let is_required = named.is_none() && std::env::var_os("MBS_REFERENCE_REQUIRED").is_some();
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/logic-golden");
    let path = named.unwrap_or_else(beside).join(file);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if !is_required => {
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

/// Returns the policy of a recorded line: what its configuration says, the defaults else.
///
/// # Panics
/// A value does not fit.
pub(crate) fn configured(input: &Value) -> Policy {
    let config = input.get("config").filter(|config| !config.is_null()).cloned();
    let config = config.unwrap_or_else(|| serde_json::json!({}));
    serde_json::from_value(config).expect("the recorded configuration is one of ours")
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
