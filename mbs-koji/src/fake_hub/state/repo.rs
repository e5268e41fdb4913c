//! Repositories of tags, and requests for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Id, State};
use crate::fake_hub::time::Moment;
use crate::xmlrpc::{Struct, Value};

/// Numbers of a repository's states.
pub(crate) mod repo_state {
    pub(crate) const INIT: i64 = 0;
    pub(crate) const READY: i64 = 1;
    pub(crate) const EXPIRED: i64 = 2;
    pub(crate) const DELETED: i64 = 3;
    pub(crate) const PROBLEM: i64 = 4;
}

/// A repository.
#[derive(Debug, Clone)]
pub(crate) struct Repo {
    pub(crate) tag: Id,
    pub(crate) state: i64,
    pub(crate) event: Id,
    pub(crate) begin_event: Option<Id>,
    pub(crate) task: Option<Id>,
    pub(crate) created: Moment,
    pub(crate) changed: Moment,
    /// What was asked for beside the defaults.
    pub(crate) options: BTreeMap<Arc<str>, Value>,
}

/// A request for a repository.
#[derive(Debug, Clone)]
pub(crate) struct RepoRequest {
    pub(crate) tag: Id,
    pub(crate) owner: Id,
    pub(crate) priority: i64,
    pub(crate) is_active: bool,
    pub(crate) min_event: Option<Id>,
    pub(crate) at_event: Option<Id>,
    pub(crate) options: BTreeMap<Arc<str>, Value>,
    pub(crate) task: Option<Id>,
    pub(crate) repo: Option<Id>,
    pub(crate) tries: i64,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
}

impl State {
    /// Begins a repository of a tag as it is at an event; without one, at a new one.
    pub(crate) fn begin_repo(
        &mut self,
        tag: Id,
        event: Option<Id>,
        task: Option<Id>,
        options: BTreeMap<Arc<str>, Value>,
    ) -> Id {
        let begin_event = self.last_tag_change(tag);
        let event = event.unwrap_or_else(|| self.stamp().event);
        let repo = Repo {
            tag,
            state: repo_state::INIT,
            event,
            begin_event,
            task,
            created: self.now,
            changed: self.now,
            options,
        };
        self.touch();
        let id = self.next_id(&self.repos);
        Arc::make_mut(&mut self.repos).insert(id, repo);
        self.tell_repo(id, false);
        id
    }

    /// Gives a repository another state; requests that wait for it are served by one that is ready.
    pub(crate) fn set_repo_state(&mut self, id: Id, state: i64) {
        self.touch();
        let now = self.now;
        let Some(repo) = Arc::make_mut(&mut self.repos).get_mut(&id) else { return };
        repo.state = state;
        repo.changed = now;
        let task = repo.task;
        if state == repo_state::READY {
            self.tell_repo(id, true);
            for request in Arc::make_mut(&mut self.repo_requests).values_mut() {
                if request.is_active && request.task.is_some() && request.task == task {
                    request.repo = Some(id);
                    request.is_active = false;
                    request.updated = now;
                }
            }
        }
    }

    /// Returns the newest repository of a tag in a state that a question chooses.
    pub(crate) fn newest_repo(&self, tag: Id, state: i64, chosen: impl Fn(&Repo) -> bool) -> Option<Id> {
        let repos =
            self.repos.iter().filter(|(_, repo)| repo.tag == tag && repo.state == state && chosen(repo));
        repos.max_by_key(|(id, repo)| (repo.event, **id)).map(|(id, _)| *id)
    }

    /// Returns what `repoInfo` says; hubs before 1.35 say less.
    pub(crate) fn repo_row(&self, id: Id, is_recent: bool) -> Option<Struct> {
        let repo = self.repos.get(&id)?;
        let mut row = Struct::from([
            ("id", Value::from(id)),
            ("state", repo.state.into()),
            ("create_event", repo.event.into()),
            ("create_ts", self.event_time(repo.event).map(Moment::seconds).into()),
            ("creation_time", repo.created.text().into()),
            ("creation_ts", repo.created.seconds().into()),
            ("dist", false.into()),
            ("task_id", repo.task.into()),
        ]);
        if is_recent {
            self.add_recent(&mut row, repo);
        }
        Some(row)
    }

    fn add_recent(&self, row: &mut Struct, repo: &Repo) {
        let mut options =
            Struct::from(["debuginfo", "maven", "separate_src", "src"].map(|name| (name, false)));
        repo.options.iter().for_each(|(name, value)| drop(options.insert(Arc::clone(name), value.clone())));
        let task_state = repo.task.and_then(|task| self.tasks.get(&task)).map(|task| task.state);
        let begin = repo.begin_event.and_then(|event| self.event_time(event));
        for (name, value) in [
            ("tag_id", Value::from(repo.tag)),
            ("tag_name", Value::from(&*self.tag_name(repo.tag))),
            ("task_state", task_state.into()),
            ("state_time", repo.changed.text().into()),
            ("state_ts", repo.changed.seconds().into()),
            ("begin_event", repo.begin_event.into()),
            ("begin_ts", begin.map(Moment::seconds).into()),
            ("end_event", Value::Nil),
            ("end_ts", Value::Nil),
            ("opts", options.into()),
            ("custom_opts", options_value(&repo.options)),
        ] {
            row.insert(name, value);
        }
    }

    /// Returns what `repo.request` says of a request.
    pub(crate) fn request_row(&self, id: Id) -> Option<Struct> {
        let request = self.repo_requests.get(&id)?;
        let task_state = request.task.and_then(|task| self.tasks.get(&task)).map(|task| task.state);
        Some(Struct::from([
            ("id", Value::from(id)),
            ("tag_id", request.tag.into()),
            ("tag_name", Value::from(&*self.tag_name(request.tag))),
            ("owner", request.owner.into()),
            ("owner_name", Value::from(&*self.user_name(request.owner))),
            ("priority", request.priority.into()),
            ("active", request.is_active.into()),
            ("min_event", request.min_event.into()),
            ("at_event", request.at_event.into()),
            ("opts", options_value(&request.options)),
            ("task_id", request.task.into()),
            ("task_state", task_state.into()),
            ("repo_id", request.repo.into()),
            ("tries", request.tries.into()),
            ("create_time", request.created.text().into()),
            ("create_ts", request.created.seconds().into()),
            ("update_time", request.updated.text().into()),
            ("update_ts", request.updated.seconds().into()),
        ]))
    }
}

fn options_value(options: &BTreeMap<Arc<str>, Value>) -> Value {
    Value::Struct(options.iter().map(|(name, value)| (Arc::clone(name), value.clone())).collect())
}
