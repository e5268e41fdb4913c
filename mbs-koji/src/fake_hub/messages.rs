//! What the hub's plugins say on a message bus: hints for a simulated world, and bodies as Fedora publishes them.
//!
//! | topic ends with | said of |
//! | --- | --- |
//! | `build.state.change` | every build |
//! | `tag`, `untag` | every build in a tag |
//! | `repo.init`, `repo.done` | every repository |
//! | `package.list.change` | every change of a package list |
//! | `task.state.change` | scratch builds without a parent |

use mbs_core::bus::Hint;
use mbs_core::ident::{TagName, TaskId};
use serde_json::{Value as Json, json};

use super::state::{Id, State, Task, repo_state, task_state};
use super::time::Moment;
use crate::xmlrpc::Value;

/// The topic of every message begins so.
const PREFIX: &str = "org.fedoraproject.dev.buildsys.";
const FILES: &str = "http://127.0.0.1/kojifiles/work";
const STATE_NAMES: [&str; 6] = ["FREE", "OPEN", "CLOSED", "CANCELED", "ASSIGNED", "FAILED"];

/// A message as Fedora's plugin publishes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its topic, with the prefix of a development environment.
    pub topic: String,
    /// Its body.
    pub body: Json,
}

/// What a change has to say.
#[derive(Debug, Clone)]
pub(crate) struct News {
    pub(crate) hint: Option<Hint>,
    pub(crate) message: Option<Message>,
}

fn message(topic: &str, mut body: Json) -> Message {
    body["instance"] = "primary".into();
    body["base_url"] = "http://127.0.0.1".into();
    Message { topic: format!("{PREFIX}{topic}"), body }
}

impl State {
    pub(crate) fn tell_task(&mut self, id: Id, old: i64, new: i64) {
        let Some(task) = self.tasks.get(&id) else { return };
        let is_scratch = task.request.get(2).and_then(|options| options.member("scratch"));
        let is_public = is_scratch == Some(&Value::Bool(true)) && task.parent.is_none();
        let body = is_public.then(|| {
            let source = task.request.first().and_then(Value::as_str).unwrap_or_default();
            json!({
                "id": id, "method": &*task.method, "attribute": "state", "old": state_name(old),
                "new": state_name(new), "owner": &*self.user_name(task.owner),
                "srpm": source.rsplit('/').next(), "files_base_url": FILES, "info": self.task_json(task),
            })
        });
        let hint = (!task_state::is_live(new)).then_some(Hint::Task(TaskId(id)));
        self.news.push(News { hint, message: body.map(|body| message("task.state.change", body)) });
    }

    pub(crate) fn tell_build(&mut self, id: Id, old: Option<i64>, new: i64) {
        let Some(build) = self.builds.get(&id) else { return };
        let task = build.task.and_then(|task| self.tasks.get(&task));
        let mut body = json!({
            "name": &*build.name, "version": &*build.version, "release": &*build.release, "epoch": build.epoch,
            "attribute": "state", "old": old, "new": new, "build_id": id, "task_id": build.task,
            "owner": &*self.user_name(build.owner), "url": format!("http://127.0.0.1/koji/buildinfo?buildID={id}"),
            "creation_time": build.created.message_text(),
            "completion_time": build.completed.map(Moment::message_text),
            "request": task.map(|task| json_of(&task.request_value())),
            "task": task.map(|task| self.task_json(task)),
        });
        if build.task.is_some() {
            body["files_base_url"] = FILES.into();
        }
        let hint = build.task.map(|task| Hint::Task(TaskId(task)));
        self.news.push(News { hint, message: Some(message("build.state.change", body)) });
    }

    pub(crate) fn tell_tagged(&mut self, tag: Id, build: Id, is_in: bool) {
        let Some(build) = self.builds.get(&build) else { return };
        let body = json!({
            "tag": &*self.tag_name(tag), "tag_id": tag, "name": &*build.name, "version": &*build.version,
            "release": &*build.release, "build_id": build.id, "user": &*self.user_name(self.actor),
            "owner": &*self.user_name(build.owner),
        });
        let topic = if is_in { "tag" } else { "untag" };
        self.news.push(News { hint: self.tag_hint(tag), message: Some(message(topic, body)) });
    }

    pub(crate) fn tell_repo(&mut self, id: Id, is_done: bool) {
        let Some(repo) = self.repos.get(&id) else { return };
        debug_assert!(repo.state <= repo_state::PROBLEM, "a repository has one of five states");
        let body = json!({ "tag": &*self.tag_name(repo.tag), "tag_id": repo.tag, "repo_id": id });
        let topic = if is_done { "repo.done" } else { "repo.init" };
        self.news.push(News { hint: self.tag_hint(repo.tag), message: Some(message(topic, body)) });
    }

    pub(crate) fn tell_package(&mut self, tag: Id, package: Id, action: &str, details: &PackageChange) {
        let body = json!({
            "tag": &*self.tag_name(tag), "package": &*self.package_name(package), "action": action,
            "owner": details.owner.map(|owner| self.user_name(owner).to_string()), "block": details.block,
            "extra_arches": null, "force": details.force, "update": details.force.map(|_| false),
        });
        self.news.push(News { hint: None, message: Some(message("package.list.change", body)) });
    }

    fn tag_hint(&self, tag: Id) -> Option<Hint> {
        TagName::new(self.tag_name(tag).to_string()).ok().map(Hint::Tag)
    }

    fn task_json(&self, task: &Task) -> Json {
        let seconds = |moment: Option<Moment>| moment.map(|moment| moment.seconds().floor());
        let children = self.children_of(task.id).iter().filter_map(|child| self.tasks.get(child));
        let children: Vec<Json> = children.map(|child| self.task_json(child)).collect();
        let result = task.result.as_ref().and_then(|result| result.as_ref().ok());
        let mut body = json!({
            "id": task.id, "method": &*task.method, "state": task.state, "parent": task.parent,
            "label": task.label.as_deref(), "arch": &*task.arch, "channel_id": task.channel, "host_id": task.host,
            "host_name": task.host.map(|_| "buildhost1"), "priority": task.priority, "waiting": task.waiting,
            "awaited": task.awaited, "owner": &*self.user_name(task.owner), "create_time": seconds(Some(task.created)),
            "start_time": seconds(task.started), "completion_time": seconds(task.completed),
            "url": format!("http://127.0.0.1/koji/taskinfo?taskID={}", task.id),
            "result": result.map(json_of), "children": children,
        });
        if task.parent.is_none() {
            body["request"] = json_of(&task.request_value());
        }
        body
    }
}

/// What a change of a package list was asked to do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PackageChange {
    pub(crate) owner: Option<Id>,
    pub(crate) block: Option<bool>,
    pub(crate) force: Option<bool>,
}

fn state_name(state: i64) -> &'static str {
    usize::try_from(state).ok().and_then(|state| STATE_NAMES.get(state)).copied().unwrap_or("?")
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::Double(number) => (*number).into(),
        Value::String(text) | Value::DateTime(text) => (&**text).into(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into(),
        Value::Array(values) => values.iter().map(json_of).collect(),
        Value::Struct(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.to_owned(), json_of(value))).collect())
        }
    }
}
