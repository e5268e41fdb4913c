//! The form of `mbs-build local --json`: one object a line, its member `event` says what it is.
//!
//! | `event` | members |
//! | --- | --- |
//! | `state` | `build`, `nsvc`, `state`, `reason` |
//! | `component` | `build`, `component`, `state` (Koji's words), `task`, `attempt`, `nvr`, `reused_from`, `seconds`, `reason`, `log` |
//! | `note`, `trouble` | `build`, `text` |
//! | `message` | `text`: about the run itself |
//! | `result` | last: `status`, `error`, `builds` with their `components` |
//!
//! What is not known is null or left out; more members may come.

use mbs_core::model::{BuildState, ComponentBuild, ModuleBuild, Verdict};
use serde_json::{Value, json};

use super::machine::Places;
use super::news::{By, News};
use crate::exit::Exit;

/// Returns a piece of news as a line.
pub fn news(build: &ModuleBuild, news: &News, places: &dyn Places) -> String {
    let id = build.id;
    let value = match news {
        News::Module { state, reason } => {
            json!({"event": "state", "build": id, "nsvc": build.nsvc(), "state": state, "reason": reason})
        }
        News::Began { package, task, attempt } => json!({
            "event": "component", "build": id, "component": package, "state": BuildState::Building.name(),
            "task": task, "attempt": attempt, "log": places.log_of(*task),
        }),
        News::Complete { package, nvr, by } => {
            let (reused_from, seconds) = match by {
                By::Reuse(build) => (Some(build), None),
                By::Building(time) => (None, Some(time.as_secs_f64())),
            };
            json!({
                "event": "component", "build": id, "component": package, "state": BuildState::Complete.name(),
                "nvr": nvr.as_ref().map(ToString::to_string), "reused_from": reused_from, "seconds": seconds,
            })
        }
        News::Unsuccessful { package, state, task, reason } => json!({
            "event": "component", "build": id, "component": package, "state": state.name(), "task": task,
            "reason": reason, "log": task.map(|task| places.log_of(task)),
        }),
        News::Trouble(text) => json!({"event": "trouble", "build": id, "text": text}),
        News::Note(text) => json!({"event": "note", "build": id, "text": text}),
    };
    value.to_string()
}

/// Returns a line about the run itself.
pub fn said(text: &str) -> String {
    json!({"event": "message", "text": text}).to_string()
}

/// Returns the last line of a run that came to builds.
pub fn result(exit: Exit, builds: &[ModuleBuild], places: &dyn Places) -> String {
    let builds: Vec<Value> = builds.iter().map(|build| of_build(build, places)).collect();
    json!({"event": "result", "status": exit.status(), "error": null, "builds": builds}).to_string()
}

/// Returns the last line of a run that stopped before its end.
pub fn stopped(exit: Exit, error: &str) -> String {
    json!({"event": "result", "status": exit.status(), "error": error, "builds": []}).to_string()
}

fn of_build(build: &ModuleBuild, places: &dyn Places) -> Value {
    let repository = (Exit::of_build(build) == Exit::Done).then(|| places.repository_of(build));
    let components: Vec<Value> = build.components.iter().map(|one| of_component(one, places)).collect();
    json!({
        "build": build.id, "nsvc": build.nsvc(), "state": build.state(), "reason": build.life.reason(),
        "repository": repository, "components": components,
    })
}

fn of_component(component: &ComponentBuild, places: &dyn Places) -> Value {
    let (reused_from, rebuilt_since) = match &component.verdict {
        Some(Verdict::Reuse { build, .. }) => (Some(build), None),
        Some(Verdict::Rebuild(why)) => (None, Some(why.to_string())),
        None => (None, None),
    };
    json!({
        "component": component.package, "state": component.state.map(BuildState::name),
        "nvr": component.nvr.as_ref().map(ToString::to_string), "task": component.task,
        "reason": component.reason, "log": component.task.map(|task| places.log_of(task)),
        "reused_from": reused_from, "rebuilt_since": rebuilt_since,
    })
}

#[cfg(test)]
mod tests {
    use mbs_core::ident::{BuildId, TaskId};
    use mbs_core::model::State;

    use super::super::testing::{Folder, component, module_build};
    use super::*;

    fn parsed(line: &str) -> Value {
        assert_eq!(line.lines().count(), 1, "{line}");
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_change_of_state_is_an_object() {
        let change = News::Module { state: State::Failed, reason: Some("two\nlines".into()) };
        let line = parsed(&news(&module_build("app:1:2:c"), &change, &Folder));
        let expected = json!({
            "event": "state", "build": 1, "nsvc": "app:1:2:c", "state": "failed", "reason": "two\nlines",
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn a_reused_component_says_from_where() {
        let package = component("a").package;
        let complete = News::Complete { package, nvr: "a-1-1".parse().ok(), by: By::Reuse(BuildId(4)) };
        let line = parsed(&news(&module_build("app:1:2:c"), &complete, &Folder));
        assert_eq!(
            (&line["nvr"], &line["reused_from"], &line["seconds"]),
            (&json!("a-1-1"), &json!(4), &Value::Null)
        );
    }

    #[test]
    fn the_result_holds_every_component_with_its_log() {
        let mut build = module_build("app:1:2:c");
        build.components = vec![ComponentBuild { task: Some(TaskId(7)), ..component("a") }.into()];
        let line = parsed(&result(Exit::Failed, &[build], &Folder));
        assert_eq!((&line["event"], &line["status"]), (&json!("result"), &json!(1)));
        assert_eq!(line["builds"][0]["repository"], Value::Null);
        assert_eq!(line["builds"][0]["components"][0]["log"], json!("/logs/7"));
    }

    #[test]
    fn a_run_that_stopped_has_a_result_too() {
        let line = parsed(&stopped(Exit::Machine, "no space"));
        assert_eq!((&line["status"], &line["error"]), (&json!(3), &json!("no space")));
    }
}
