//! Recorded traffic of the original service. It finds and reads it; what it means is up to each test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// A request and the answer of the original.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) request_body: Option<String>,
    pub(crate) status: u16,
    /// By name in small letters.
    pub(crate) response_headers: BTreeMap<String, String>,
    /// JSON, or the text.
    pub(crate) response_body: Value,
}

impl Case {
    pub(crate) fn is_json(&self) -> bool {
        self.response_headers.get("content-type").is_some_and(|kind| kind.starts_with("application/json"))
    }
}

/// Reads all cases from the folder that `MBS_REST_GOLDEN` names, else from the reference beside the project.
///
/// Empty if it is not there; beside the project that is no failure unless `MBS_REFERENCE_REQUIRED` is set.
///
/// # Panics
/// The folder is missing though required, or a line is no case.
pub(crate) fn cases() -> Vec<Case> {
    let named = std::env::var_os("MBS_REST_GOLDEN").map(PathBuf::from);
    let is_required = named.is_some() || std::env::var_os("MBS_REFERENCE_REQUIRED").is_some();
    let folder =
        named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rest-golden"));
    if !folder.is_dir() {
        assert!(!is_required, "{} is not there", folder.display());
        println!("not checked, {} is not there", folder.display());
        return Vec::new();
    }
    let profiles = ["open", "strict", "oidc", "kerberos"];
    profiles.iter().flat_map(|profile| read(&folder.join(format!("cases-{profile}.jsonl")))).collect()
}

fn read(file: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
        .collect()
}
