//! Recorded traffic of a hub that tests replay. It finds and reads it; what it means is up to each test.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mbs_koji::xmlrpc::{Fault, FaultCode, Value};
use serde_json::Value as Json;

/// A recorded file.
pub(crate) struct Recording {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// What went over the wire, or the messages, in order.
    pub(crate) entries: Vec<Json>,
}

/// Reads all recorded traffic from the folder that `MBS_KOJI_GOLDEN` names, else from the reference beside the project, by
/// name; files of messages begin with `events`.
///
/// Empty if it is not there; beside the project that is no failure unless `MBS_REFERENCE_REQUIRED` is set.
///
/// # Panics
/// The folder is missing though required, holds nothing, or a file is no list in JSON.
pub(crate) fn recordings() -> Vec<Recording> {
    let named = std::env::var_os("MBS_KOJI_GOLDEN").map(PathBuf::from);
    let is_required = named.is_some() || std::env::var_os("MBS_REFERENCE_REQUIRED").is_some();
    let folder =
        named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/koji-golden"));
    let files = match std::fs::read_dir(&folder) {
        Ok(files) => files,
        Err(error) if !is_required => {
            println!("not checked, {} cannot be read: {error}", folder.display());
            return Vec::new();
        }
        Err(error) => panic!("{} cannot be read: {error}", folder.display()),
    };
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("the folder can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no recordings", folder.display());
    paths.iter().map(|path| recording(path)).collect()
}

fn recording(path: &Path) -> Recording {
    let text = std::fs::read_to_string(path).expect("a recording can be read");
    let entries = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    Recording { name, entries }
}

/// Recorded calls and answers: what is no file of messages.
pub(crate) fn traffic() -> Vec<Recording> {
    recordings().into_iter().filter(|recording| !recording.name.starts_with("events")).collect()
}

/// Reads a value as recordings write it.
///
/// # Panics
/// It is none.
pub(crate) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64().expect("it is a number")),
        },
        Json::String(text) => Value::from(text),
        Json::Array(values) => values.iter().map(value).collect(),
        Json::Object(members) => {
            if let Some(text) = json.get("$base64").and_then(Json::as_str) {
                return Value::Bytes(STANDARD.decode(text).expect("it is base64").into());
            }
            if let Some(text) = json.get("$dateTime").and_then(Json::as_str) {
                return Value::DateTime(text.into());
            }
            Value::Struct(members.iter().map(|(name, json)| (name.as_str().into(), value(json))).collect())
        }
    }
}

/// Reads the recorded answer to a call; `None` if what came was no XML-RPC, or nothing came.
pub(crate) fn answer(exchange: &Json) -> Option<Result<Value, Fault>> {
    if let Some(fault) = exchange.get("fault") {
        let number = fault["faultCode"].as_i64().expect("a fault has a number");
        let text = fault["faultString"].as_str().expect("a fault has a text");
        return Some(Err(Fault::new(FaultCode::of(number), text)));
    }
    exchange.get("result").map(|result| Ok(value(result)))
}

/// Returns a text of an exchange.
pub(crate) fn text<'j>(exchange: &'j Json, member: &str) -> Option<&'j str> {
    exchange.get(member).and_then(Json::as_str)
}
