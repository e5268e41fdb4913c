//! Members of a message, each of the type it must have.

use mbs_core::bus::Hint;
use mbs_core::ident::{TagName, TaskId};
use serde_json::{Map, Value as Json};

use super::{Heard, Ignored};

/// The members of an object.
pub(super) type Members = Map<String, Json>;

/// How reading ends early: with what came of the message.
pub(super) type Read<T> = Result<T, Heard>;

/// Returns the members of what must be an object.
pub(super) fn members<'j>(json: &'j Json, or: &'static str) -> Read<&'j Members> {
    json.as_object().ok_or(Heard::Malformed(or))
}

/// Returns a hint about the tag that a member names.
pub(super) fn tag(members: &Members) -> Read<Hint> {
    let name = members.get("tag").and_then(Json::as_str);
    let tag = name.and_then(|name| TagName::new(name).ok());
    tag.map(Hint::Tag).ok_or(Heard::Malformed("no name of a tag"))
}

/// Returns a hint about the task that a member names.
pub(super) fn task(members: &Members, name: &str) -> Read<Hint> {
    let number = members.get(name).and_then(Json::as_i64).filter(|number| *number > 0);
    number.map(|number| Hint::Task(TaskId(number))).ok_or(Heard::Malformed("no number of a task"))
}

/// Returns a hint about the task of a build, which imports do not have.
pub(super) fn task_of_build(build: &Members) -> Read<Hint> {
    match build.get("task_id") {
        None | Some(Json::Null) => Err(Heard::Ignored(Ignored::NoTask)),
        Some(_) => task(build, "task_id"),
    }
}

/// Ends reading if what changed is something else than the state.
pub(super) fn is_about_state(members: &Members) -> Read<()> {
    match members.get("attribute") {
        None => Ok(()),
        Some(Json::String(attribute)) if attribute == "state" => Ok(()),
        Some(Json::String(_)) => Err(Heard::Ignored(Ignored::NoNews)),
        Some(_) => Err(Heard::Malformed("an attribute that is no text")),
    }
}

/// Makes of either end of reading what came of the message.
pub(super) fn outcome(read: Read<Hint>) -> Heard {
    read.map_or_else(|ended| ended, Heard::Hint)
}
