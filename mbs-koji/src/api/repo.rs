//! Repositories that the hub makes of tags, and its events.

use std::collections::BTreeSet;

use mbs_core::build_system::RepoSeen;
use mbs_core::ident::{RepoId, TagEvent, TagName, TaskId};

use super::{Odd, Row};
use crate::xmlrpc::{Call, Struct, Value};

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

/// How many requests are looked at: the newest, for each has what failed before forgotten.
const REQUESTS: i64 = 20;

/// Asks for the requests for repositories of a tag that show an event, live ones and those that ended of late, the newest
/// first. From version 1.35 on.
pub fn requests(tag: &TagName, event: TagEvent) -> Call {
    let is_of_tag: Value = [Value::from("tag_name"), "=".into(), tag.as_str().into()].into();
    let shows_enough: Value = [Value::from("min_event"), ">=".into(), event.0.into()].into();
    let opts = Struct::from([("order", Value::from("-id")), ("limit", REQUESTS.into())]);
    Call::new("repo.queryQueue")
        .keyword("clauses", Value::from([is_of_tag, shows_enough]))
        .keyword("fields", ["id", "opts", "task_id"])
        .keyword("opts", opts)
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

/// Reads the tasks of requests, the last of each; `None` if there is no request. Requests with options are somebody else's.
///
/// # Errors
/// They are none.
pub fn read_requests(value: &Value) -> Result<Option<BTreeSet<TaskId>>, Odd> {
    let rows = Row::all("repo.queryQueue", value)?;
    let has_options = |row: &Row<'_>| {
        row.member("opts").and_then(Value::as_struct).is_some_and(|options| !options.is_empty())
    };
    let mut tasks = None;
    for row in rows.into_iter().filter(|row| !has_options(row)) {
        tasks.get_or_insert_with(BTreeSet::new).extend(row.maybe_int("task_id")?.map(TaskId));
    }
    Ok(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(task: Option<i64>, option: Option<&str>) -> Value {
        let opts: Struct = option.into_iter().map(|name| (name.into(), true.into())).collect();
        Struct::from([("id", Value::from(5)), ("opts", opts.into()), ("task_id", task.into())]).into()
    }

    #[test]
    fn a_request_without_a_task_is_not_the_same_as_no_request() {
        let tasks = |rows: Vec<Value>| read_requests(&Value::Array(rows)).unwrap();
        assert_eq!(tasks(vec![]), None);
        assert_eq!(tasks(vec![request(None, None)]), Some(BTreeSet::new()));
        let both = vec![request(None, None), request(Some(7), None), request(Some(9), Some("src"))];
        assert_eq!(tasks(both), Some([TaskId(7)].into()));
        assert_eq!(tasks(vec![request(Some(9), Some("src"))]), None);
        assert!(read_requests(&Value::from(3)).is_err());
    }
}
