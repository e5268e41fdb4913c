//! Events as Fedora publishes them: by topic, with flat bodies.

use mbs_core::bus::Hint;
use serde_json::Value as Json;

use super::read::{Members, Read, is_about_state, members, outcome, tag, task, task_of_build};
use super::{Heard, Ignored};

/// The instance whose builds are ours; bodies that name none mean it.
const OURS: &str = "primary";

/// Reads an event; `topic` is what follows our prefix.
pub(super) fn heard(topic: Option<&str>, body: &Json) -> Heard {
    let Some(event) = topic.and_then(|topic| topic.strip_prefix("buildsys.")) else {
        return Heard::Ignored(Ignored::Foreign);
    };
    outcome(hint(event, body))
}

fn hint(event: &str, body: &Json) -> Read<Hint> {
    let body = members(body, "a body that is no object")?;
    is_ours(body)?;
    match event {
        "build.state.change" => {
            is_about_state(body)?;
            task_of_build(body)
        }
        "tag" | "untag" | "repo.done" => tag(body),
        "task.state.change" => {
            is_about_state(body)?;
            task(body, "id")
        }
        "repo.init" | "package.list.change" | "rpm.sign" => Err(Heard::Ignored(Ignored::NoNews)),
        _ => Err(Heard::Ignored(Ignored::Unknown)),
    }
}

fn is_ours(body: &Members) -> Read<()> {
    match body.get("instance") {
        None => Ok(()),
        Some(Json::String(instance)) if instance == OURS => Ok(()),
        Some(Json::String(_)) => Err(Heard::Ignored(Ignored::OtherInstance)),
        Some(_) => Err(Heard::Malformed("an instance that is no text")),
    }
}
