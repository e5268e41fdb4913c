//! Repositories that the hub makes of tags, and its events.

use mbs_core::build_system::RepoSeen;
use mbs_core::ident::{RepoId, TagEvent, TagName, TaskId};

use super::{Odd, Row};
use crate::xmlrpc::{Call, Value};

/// Asks for the newest finished repository of a tag; nil if there is none yet, a fault if the tag is unknown.
pub fn newest(tag: &TagName) -> Call {
    Call::new("getRepo").arg(tag.as_str())
}

/// Asks for the hub's last event.
pub fn last_event() -> Call {
    Call::new("getLastEvent")
}

/// Tells the hub to make a repository at once; answers with a task.
pub fn make(tag: &TagName) -> Call {
    Call::new("newRepo").arg(tag.as_str())
}

/// Tells the hub that a repository is wanted that shows an event; it makes one if it has none. From version 1.35 on.
pub fn request(tag: &TagName, event: TagEvent) -> Call {
    Call::new("repo.request").arg(tag.as_str()).keyword("min_event", event.0)
}

/// Reads a repository; `None` if there is none.
///
/// # Errors
/// It is none.
pub fn read(value: &Value) -> Result<Option<RepoSeen>, Odd> {
    let Some(row) = Row::maybe("getRepo", value)? else { return Ok(None) };
    Ok(Some(RepoSeen { id: RepoId(row.int("id")?), event: TagEvent(row.int("create_event")?) }))
}

/// Reads the number of an event.
///
/// # Errors
/// It is none.
pub fn read_event(value: &Value) -> Result<TagEvent, Odd> {
    Ok(TagEvent(Row::of("getLastEvent", value)?.int("id")?))
}

/// Reads the task of a request; `None` if it has none yet, or needs none.
///
/// # Errors
/// It is no request.
pub fn read_request(value: &Value) -> Result<Option<TaskId>, Odd> {
    let answer = Row::of("repo.request", value)?;
    let Some(request) = answer.member("request") else { return Ok(None) };
    Ok(Row::of("repo.request", request)?.maybe_int("task_id")?.map(TaskId))
}
