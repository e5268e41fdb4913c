//! Events as Koji's own AMQP plugin publishes them: by address, with flat properties and deep bodies.
//!
//! A body holds whole records; what is needed stands in the properties, but for the task of a build.

use mbs_core::bus::Hint;
use serde_json::Value as Json;

use super::read::{Members, Read, is_about_state, members, outcome, tag, task, task_of_build};
use super::{Heard, Ignored};

/// Reads an event; `address` is what follows our prefix.
pub(super) fn heard(address: Option<&str>, properties: &Json, body: &Json) -> Heard {
    match address {
        Some(event) => outcome(hint(event, properties, body)),
        None => Heard::Ignored(Ignored::Foreign),
    }
}

fn hint(event: &str, properties: &Json, body: &Json) -> Read<Hint> {
    let properties = members(properties, "properties that are no object")?;
    let body = members(body, "a body that is no object")?;
    let subject = event.split_once('.').unwrap_or((event, ""));
    match subject {
        ("build", "tag") => of_type(properties, "Tag").and_then(|()| tag(properties)),
        ("build", "untag") => of_type(properties, "Untag").and_then(|()| tag(properties)),
        ("build", "promote") => Err(Heard::Ignored(Ignored::NoNews)),
        ("build", "building" | "complete" | "deleted" | "failed" | "canceled") => {
            of_type(properties, "BuildStateChange")?;
            is_about_state(properties)?;
            let build = body.get("info").and_then(Json::as_object);
            task_of_build(build.ok_or(Heard::Malformed("a body without the build"))?)
        }
        ("task", "free" | "open" | "closed" | "canceled" | "assigned" | "failed") => {
            of_type(properties, "TaskStateChange")?;
            is_about_state(properties)?;
            task(properties, "id")
        }
        ("repo", "done") => of_type(properties, "RepoDone").and_then(|()| tag(properties)),
        ("repo", "init") | ("package" | "import" | "sign", _) => Err(Heard::Ignored(Ignored::NoNews)),
        _ => Err(Heard::Ignored(Ignored::Unknown)),
    }
}

/// Ends reading if the properties say something else than the address.
fn of_type(properties: &Members, expected: &str) -> Read<()> {
    if properties.get("type").and_then(Json::as_str) == Some(expected) {
        return Ok(());
    }
    Err(Heard::Malformed("properties of another type than the address"))
}
