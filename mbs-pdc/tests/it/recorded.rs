//! Recorded traffic of a PDC that tests replay. It finds and reads it; what it means is up to each test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// A recorded scenario.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Scenario {
    /// Its name.
    pub(crate) scenario: String,
    /// What was POSTed before, in order, by a user with all rights, to a store that was empty.
    pub(crate) setup: Vec<Posted>,
    /// The requests in the order in which the server saw them, each with its answer.
    pub(crate) exchanges: Vec<Exchange>,
    /// What a real client made of the answers; empty if none took part.
    #[serde(default)]
    pub(crate) client_results: Vec<Value>,
}

/// One step before a scenario.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Posted {
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// A request and its answer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) response: Response,
}

/// A request: the path has no query, the query is as it was sent, the headers are those that matter and were sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: BTreeMap<String, String>,
    /// JSON; `Null`: none; an object with `__text__`: something else.
    pub(crate) body: Value,
}

/// An answer: a selection of headers, and the body as in a request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// Reads all scenarios from the folder that `MBS_PDC_GOLDEN` names, else from the reference beside the project, by name.
///
/// Empty if it is not there; beside the project that is no failure unless `MBS_REFERENCE_REQUIRED` is set.
///
/// # Panics
/// The folder is missing though required, holds nothing, or a file is no scenario.
pub(crate) fn scenarios() -> Vec<Scenario> {
    let named = std::env::var_os("MBS_PDC_GOLDEN").map(PathBuf::from);
    let is_required = named.is_some() || std::env::var_os("MBS_REFERENCE_REQUIRED").is_some();
    let folder =
        named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pdc-golden"));
    let files = match std::fs::read_dir(&folder) {
        Ok(files) => files,
        Err(error) if !is_required => {
            println!("not checked, {} cannot be read: {error}", folder.display());
            return Vec::new();
        }
        Err(error) => panic!("{} cannot be read: {error}", folder.display()),
    };
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no recordings", folder.display());
    paths.iter().map(|path| scenario(path)).collect()
}

/// Says whether these are the recordings of the reference, of which is known how much there is to find.
pub(crate) fn are_the_usual(scenarios: &[Scenario]) -> bool {
    !scenarios.is_empty() && std::env::var_os("MBS_PDC_GOLDEN").is_none()
}

fn scenario(path: &Path) -> Scenario {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
