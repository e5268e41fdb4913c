//! Tasks and their trees.

use std::sync::Arc;

use super::{Answer, Id, State, refuse};
use crate::fake_hub::time::{self, Moment};
use crate::xmlrpc::{Call, Fault, Struct, Value, encode_call, encode_response};

/// Numbers of a task's states.
pub(crate) mod task_state {
    pub(crate) const FREE: i64 = 0;
    pub(crate) const OPEN: i64 = 1;
    pub(crate) const CLOSED: i64 = 2;
    pub(crate) const CANCELED: i64 = 3;
    pub(crate) const ASSIGNED: i64 = 4;
    pub(crate) const FAILED: i64 = 5;

    /// Says whether a task in this state may still do something.
    pub(crate) fn is_live(state: i64) -> bool {
        matches!(state, FREE | OPEN | ASSIGNED)
    }
}

/// A task.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) id: Id,
    pub(crate) method: Arc<str>,
    pub(crate) request: Arc<[Value]>,
    pub(crate) state: i64,
    pub(crate) parent: Option<Id>,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) owner: Id,
    pub(crate) arch: Arc<str>,
    pub(crate) channel: Id,
    pub(crate) host: Option<Id>,
    pub(crate) priority: i64,
    pub(crate) weight: f64,
    pub(crate) waiting: Option<bool>,
    pub(crate) awaited: Option<bool>,
    pub(crate) created: Moment,
    pub(crate) started: Option<Moment>,
    pub(crate) completed: Option<Moment>,
    pub(crate) result: Option<Result<Value, Fault>>,
    /// The newest event when it was made.
    pub(crate) made_at: Id,
}

/// A task to be made.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewTask {
    pub(crate) method: &'static str,
    pub(crate) request: Vec<Value>,
    pub(crate) parent: Option<Id>,
    pub(crate) label: Option<String>,
    pub(crate) arch: Option<String>,
    /// `None`: the usual one, 20.
    pub(crate) priority: Option<i64>,
    pub(crate) channel: Option<Id>,
    pub(crate) weight: Option<f64>,
    pub(crate) owner: Option<Id>,
}

impl State {
    /// Makes a task.
    pub(crate) fn make_task(&mut self, new: NewTask) -> Id {
        self.touch();
        self.last_task += 1;
        let id = self.last_task;
        let parent = new.parent.and_then(|parent| self.tasks.get(&parent).cloned());
        let usual = parent.as_ref().map_or(20, |parent| parent.priority - 1);
        let task = Task {
            id,
            method: new.method.into(),
            request: new.request.into(),
            state: task_state::FREE,
            parent: new.parent,
            label: new.label.map(Into::into),
            owner: new.owner.unwrap_or_else(|| parent.as_ref().map_or(self.actor, |parent| parent.owner)),
            arch: new.arch.map_or_else(|| "noarch".into(), Into::into),
            channel: new.channel.unwrap_or(1),
            host: None,
            priority: new.priority.unwrap_or(usual),
            weight: new.weight.unwrap_or(1.0),
            waiting: None,
            awaited: new.parent.map(|_| true),
            created: self.now,
            started: None,
            completed: None,
            result: None,
            made_at: self.last_event().0,
        };
        self.insert_task(task);
        id
    }

    /// Adds a task as it stands.
    pub(crate) fn insert_task(&mut self, task: Task) {
        self.touch();
        self.last_task = self.last_task.max(task.id);
        if let Some(parent) = task.parent {
            let children = Arc::make_mut(&mut self.children).entry(parent).or_default();
            if !children.contains(&task.id) {
                children.push(task.id);
            }
        }
        self.note_life(task.id, task.state);
        Arc::make_mut(&mut self.tasks).insert(task.id, Arc::new(task));
    }

    fn note_life(&mut self, id: Id, state: i64) {
        if task_state::is_live(state) {
            Arc::make_mut(&mut self.live_tasks).insert(id);
        } else {
            Arc::make_mut(&mut self.live_tasks).remove(&id);
        }
    }

    /// Returns a task.
    pub(crate) fn task(&self, id: Id) -> Answer<&Task> {
        self.tasks.get(&id).map(|task| &**task).ok_or_else(|| refuse(format!("No such task: {id}")))
    }

    /// Changes a task, if there is one.
    pub(crate) fn change_task(&mut self, id: Id, change: impl FnOnce(&mut Task)) {
        self.touch();
        if let Some(task) = Arc::make_mut(&mut self.tasks).get_mut(&id) {
            let task = Arc::make_mut(task);
            change(task);
            let state = task.state;
            self.note_life(id, state);
        }
    }

    /// Returns the ids of a task's children, oldest first.
    pub(crate) fn children_of(&self, task: Id) -> &[Id] {
        self.children.get(&task).map_or(&[], Vec::as_slice)
    }

    /// Lets a builder take a task.
    pub(crate) fn open_task(&mut self, id: Id) {
        let now = self.now;
        let Some(former) = self.tasks.get(&id).map(|task| task.state) else { return };
        if !matches!(former, task_state::FREE | task_state::ASSIGNED) {
            return;
        }
        for (old, new) in [(former, task_state::ASSIGNED), (task_state::ASSIGNED, task_state::OPEN)] {
            self.change_task(id, |task| {
                task.state = new;
                task.host = Some(1);
                task.started = (new == task_state::OPEN).then_some(now);
            });
            self.tell_task(id, old, new);
        }
    }

    /// Ends a task, well or badly.
    pub(crate) fn end_task(&mut self, id: Id, result: Result<Value, Fault>) {
        let state = if result.is_ok() { task_state::CLOSED } else { task_state::FAILED };
        let now = self.now;
        let Some(former) = self.tasks.get(&id).map(|task| task.state) else { return };
        self.change_task(id, |task| {
            task.state = state;
            task.completed = Some(now);
            task.awaited = task.awaited.map(|_| false);
            if result.is_ok() {
                task.waiting = task.waiting.map(|_| false);
            }
            task.result = Some(result);
        });
        self.tell_task(id, former, state);
    }

    /// Cancels a task with all below it, and the build it was making; what has ended stays.
    pub(crate) fn cancel_task(&mut self, id: Id) {
        let Some(state) = self.tasks.get(&id).map(|task| task.state) else { return };
        if !task_state::is_live(state) {
            return;
        }
        let now = self.now;
        self.change_task(id, |task| {
            task.state = task_state::CANCELED;
            task.completed = Some(now);
        });
        self.tell_task(id, state, task_state::CANCELED);
        for build in self.builds_of_task(id) {
            self.cancel_build(build);
        }
        for child in self.children_of(id).to_vec() {
            self.cancel_task(child);
        }
    }

    /// Forgets a task, as after a purge; builds keep its number.
    pub(crate) fn forget_task(&mut self, id: Id) {
        self.touch();
        Arc::make_mut(&mut self.tasks).remove(&id);
        Arc::make_mut(&mut self.live_tasks).remove(&id);
    }
}

impl Task {
    /// Returns what `getTaskInfo` says, without the request.
    pub(crate) fn row(&self) -> Struct {
        Struct::from([
            ("id", Value::from(self.id)),
            ("method", Value::from(&*self.method)),
            ("state", self.state.into()),
            ("parent", self.parent.into()),
            ("label", self.label.as_deref().into()),
            ("owner", self.owner.into()),
            ("arch", Value::from(&*self.arch)),
            ("channel_id", self.channel.into()),
            ("host_id", self.host.into()),
            ("priority", self.priority.into()),
            ("weight", self.weight.into()),
            ("waiting", self.waiting.into()),
            ("awaited", self.awaited.into()),
            ("create_time", self.created.text().into()),
            ("create_ts", self.created.seconds().into()),
            ("start_time", time::text(self.started)),
            ("start_ts", time::seconds(self.started)),
            ("completion_time", time::text(self.completed)),
            ("completion_ts", time::seconds(self.completed)),
        ])
    }

    /// Returns the request as a list.
    pub(crate) fn request_value(&self) -> Value {
        Value::Array(self.request.to_vec())
    }

    /// Returns the request as it is stored.
    pub(crate) fn request_xml(&self) -> String {
        encode_call(&Call::from_params(&*self.method, self.request.to_vec()))
    }

    /// Returns the result as it is stored.
    pub(crate) fn result_xml(&self) -> Option<String> {
        let result = self.result.as_ref()?;
        // Results are stored as a list of one.
        Some(encode_response(result.as_ref()))
    }

    /// Returns a failure as a struct.
    pub(crate) fn fault_row(fault: &Fault) -> Value {
        let members =
            [("faultCode", Value::from(fault.code.number())), ("faultString", (&fault.text).into())];
        Value::Struct(Struct::from(members))
    }
}
