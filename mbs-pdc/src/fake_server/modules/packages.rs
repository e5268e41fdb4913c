//! Packages in bodies: what exists is linked, what does not is made.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fields::{Wrong, missing, null, text};
use crate::fake_server::answer::Refusal;
use crate::fake_server::python;
use crate::fake_server::rows::Package;
use crate::fake_server::shared::Work;
use crate::fake_server::state::{Change, sorted};

/// What tells a package from others.
const KEYS: [&str; 5] = ["name", "epoch", "version", "release", "arch"];
const OTHERS: [&str; 8] = [
    "srpm_name",
    "srpm_nevra",
    "filename",
    "linked_releases",
    "dependencies",
    "built_for_release",
    "srpm_commit_hash",
    "srpm_commit_branch",
];
const READ_ONLY: [&str; 2] = ["id", "linked_composes"];
/// How long their texts may be.
const LONGEST: usize = 200;

/// Reads a list of packages, and makes those that do not exist.
///
/// # Errors
/// It is none, or one of them is none.
pub(super) fn read(work: &mut Work, value: &Value) -> Result<Vec<Arc<Package>>, Wrong> {
    let items = match value {
        Value::Null => return Err(null()),
        Value::Array(items) => items,
        // Python goes over the keys of an object, and none of them is a package.
        Value::Object(members) if members.is_empty() => &Vec::new(),
        Value::Object(_) => return Err(unsupported()),
        other => {
            let text = format!("Expected a list of items but got type \"{}\".", python::type_of(other));
            return Err(Wrong::Field(json!([text])));
        }
    };
    let read: Result<Vec<_>, _> = items.iter().map(|item| package(work, item)).collect();
    read.map(sorted)
}

fn unsupported() -> Wrong {
    Wrong::Field(json!(["Unsupported RPM input."]))
}

fn package(work: &mut Work, item: &Value) -> Result<Arc<Package>, Wrong> {
    let Value::Object(members) = item else { return Err(unsupported()) };
    let absent = KEYS.into_iter().filter(|name| !members.contains_key(*name));
    let absent: Map<String, Value> =
        absent.map(|name| (name.to_owned(), json!("This field is required."))).collect();
    if !absent.is_empty() {
        return Err(Wrong::Field(Value::Object(absent)));
    }
    let epoch = epoch(item)?;
    if let Some(epoch) = epoch.and_then(|epoch| u64::try_from(epoch).ok()) {
        let text = |name: &str| python::text(&members[name]);
        let key = (text("name"), epoch, text("version"), text("release"), text("arch"));
        if let Some(package) = work.state.package(&key) {
            return Ok(package);
        }
    }
    let package = checked(members, epoch)?;
    let (id, package) = work.state.add_package(package);
    work.changes.push(Change::of_package(id, &package));
    Ok(package)
}

/// Reads the epoch, a number or a text of one; `None`: `null`.
fn epoch(item: &Value) -> Result<Option<i64>, Wrong> {
    let problem = match &item["epoch"] {
        Value::Null => return Ok(None),
        Value::Bool(truth) => return Ok(Some((*truth).into())),
        Value::Number(number) => match number.as_i64() {
            Some(number) => return Ok(Some(number)),
            None => "the number is out of range".to_owned(),
        },
        Value::String(text) => match text.trim().parse() {
            Ok(number) => return Ok(Some(number)),
            Err(_) => format!("invalid literal for int() with base 10: '{text}'"),
        },
        other => {
            let kind = python::type_of(other);
            format!("int() argument must be a string or a number, not '{kind}'")
        }
    };
    let text = format!("Can not get or create RPM with your input({}): {problem}.", python::repr(item));
    Err(Wrong::Field(json!([text])))
}

fn checked(members: &Map<String, Value>, epoch: Option<i64>) -> Result<Package, Wrong> {
    let is_known = |name: &str| [&KEYS[..], &OTHERS, &READ_ONLY].iter().any(|names| names.contains(&name));
    super::check::known(members, is_known, |name| READ_ONLY.contains(&name)).map_err(Wrong::All)?;
    let mut errors = Map::new();
    let mut note = |name: &str, wrong: Wrong| {
        if let Wrong::Field(error) = wrong {
            errors.insert(name.to_owned(), error);
        }
    };
    let mut needed = |name: &str, longest: Option<usize>| {
        let read = members.get(name).ok_or_else(missing).and_then(|value| text(value, longest));
        read.unwrap_or_else(|wrong| {
            note(name, wrong);
            String::new()
        })
    };
    let mut package = Package {
        name: needed("name", Some(LONGEST)),
        version: needed("version", Some(LONGEST)),
        release: needed("release", Some(LONGEST)),
        arch: needed("arch", Some(LONGEST)),
        srpm_name: needed("srpm_name", Some(LONGEST)),
        ..Package::default()
    };
    for name in ["srpm_nevra", "filename"] {
        if members.contains_key(name) {
            let value = needed(name, None);
            match name {
                "filename" => package.filename = value,
                _ => package.srpm_nevra = Some(value),
            }
        }
    }
    match epoch.map(u64::try_from) {
        Some(Ok(epoch)) => package.epoch = epoch,
        Some(Err(_)) => {
            note("epoch", Wrong::Field(json!(["Ensure this value is greater than or equal to 0."])));
        }
        None => note("epoch", null()),
    }
    let optional = |name: &str| members.get(name).filter(|value| !value.is_null()).map(python::text);
    package.srpm_commit_hash = optional("srpm_commit_hash").filter(|text| !text.is_empty());
    package.srpm_commit_branch = optional("srpm_commit_branch").filter(|text| !text.is_empty());
    if !errors.is_empty() {
        return Err(Wrong::Field(Value::Object(errors)));
    }
    if (package.arch == "src") == package.srpm_nevra.is_some() {
        let text = "RPM's srpm_nevra should be empty if and only if arch is src";
        return Err(Wrong::Field(json!([text])));
    }
    Ok(package)
}

/// Refuses a body that names fields which nobody knows.
pub(super) fn unknown_fields(names: &[&str]) -> Refusal {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    Refusal::detail(400, &format!("Unknown fields: {}.", quoted.join(", ")))
}
