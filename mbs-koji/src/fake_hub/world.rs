//! Direct access for tests that play the world or a stranger: no HTTP, no permissions, no session.

use mbs_core::build_system::{BuildSystemError, RepoSeen, TaggedBuild, TaskFailure, TaskState};
use mbs_core::bus::Hint;
use mbs_core::ident::{Nvr, Package, RepoId, TagEvent, TagName, TaskId, Weight};
use mbs_core::memory::{TaskKind, TaskSummary};

use super::FakeHub;
use super::builder::{self, Builder, Recipe, Stage, source_package};
use super::messages::Message;
use super::shared::Inner;
use super::state::{Id, State, Task, build_state, repo_state, task_state};
use crate::xmlrpc::{Fault, FaultCode, Value};

/// What happens to tasks.
impl FakeHub {
    /// Ends a task well: what it makes is there, and its children have ended.
    ///
    /// # Errors
    /// `NotFound` for an unknown task, `Conflict` if the build exists already, `Rejected` for all else, with the words the task
    /// would fail with; it lives on.
    pub fn finish(&self, task: TaskId) -> Result<(), BuildSystemError> {
        self.change(|inner| builder::finish(&mut inner.state, &inner.scripts, task.0))
    }

    /// Ends a task badly: the package's fault is a build error, that of others a buildroot error.
    ///
    /// # Errors
    /// `NotFound` for an unknown task, `Rejected` for one that ended.
    pub fn fail(&self, task: TaskId, failure: TaskFailure) -> Result<(), BuildSystemError> {
        let TaskFailure { reason, is_package_fault } = failure;
        let code = if is_package_fault { FaultCode::BuildError } else { FaultCode::BuildrootError };
        self.fail_with(task, Fault::new(code, reason))
    }

    /// Ends a task with a fault.
    ///
    /// # Errors
    /// `NotFound` for an unknown task, `Rejected` for one that ended.
    pub fn fail_with(&self, task: TaskId, fault: Fault) -> Result<(), BuildSystemError> {
        self.change(move |inner| builder::fail(&mut inner.state, task.0, &fault))
    }

    /// Brings the task of a build to a stage. One of a repository begins that with any stage behind `Open`.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn advance(&self, task: TaskId, stage: Stage) -> Result<(), BuildSystemError> {
        self.change(|inner| builder::advance(&mut inner.state, &inner.scripts, task.0, stage))
    }

    /// Lets a builder take a task of any kind.
    pub fn open(&self, task: TaskId) {
        self.alter(|state| {
            state.open_task(task.0);
            Some(())
        });
    }

    /// Cancels a task as a stranger would; one that ended is left alone.
    pub fn cancel_by_stranger(&self, task: TaskId) {
        self.alter(|state| {
            state.cancel_task(task.0);
            Some(())
        });
    }

    /// Forgets a task, as after a purge.
    pub fn forget_task(&self, task: TaskId) {
        self.alter(|state| {
            state.forget_task(task.0);
            Some(())
        });
    }

    /// Makes tasks of the repository requests that wait.
    pub fn serve_requests(&self) {
        self.alter(|state| {
            builder::serve_requests(state);
            Some(())
        });
    }

    /// Lets tasks end by themselves from here on, by the hub's clock.
    pub fn auto(&self, builder: Builder) {
        self.shared.inner().scripts.automatic = Some(builder);
    }

    /// Says what comes out when a package is built.
    pub fn set_recipe(&self, package: &str, recipe: Recipe) {
        self.shared.inner().scripts.recipes.insert(package.to_owned(), recipe);
    }

    fn change(&self, act: impl FnOnce(&mut Inner) -> Result<(), Fault>) -> Result<(), BuildSystemError> {
        let mut inner = self.shared.inner();
        let savepoint = inner.state.clone();
        let done = act(&mut inner);
        if let Err(fault) = done {
            inner.state = savepoint;
            return Err(error_of(fault));
        }
        inner.settle();
        Ok(())
    }
}

/// What strangers do to tags and builds.
impl FakeHub {
    /// Removes a tag with its targets and repositories.
    pub fn remove_tag(&self, tag: &TagName) {
        self.alter(|state| {
            let id = state.find_tag(&tag.as_str().into(), None).ok()??;
            state.delete_tag(id);
            let repos: Vec<Id> =
                state.repos.iter().filter(|(_, repo)| repo.tag == id).map(|(id, _)| *id).collect();
            repos.into_iter().for_each(|repo| state.set_repo_state(repo, repo_state::DELETED));
            Some(())
        });
        self.shared.inner().hints.insert(Hint::Tag(tag.clone()));
    }

    /// Takes a build out of a tag; one that is not there is no error.
    pub fn take_out(&self, tag: &TagName, nvr: &Nvr) {
        self.alter(|state| {
            let id = state.find_tag(&tag.as_str().into(), None).ok()??;
            let build = state.find_build(&nvr.to_string().into()).ok()??;
            state.untag_build(id, build).then_some(())
        });
    }

    /// Puts a complete build into a tag whatever its package list says.
    pub fn put_in(&self, tag: &TagName, nvr: &Nvr) {
        self.alter(|state| {
            let id = state.find_tag(&tag.as_str().into(), None).ok()??;
            let build = state.find_build(&nvr.to_string().into()).ok()??;
            state.tag_build(id, build).ok()
        });
    }

    /// Deletes a build and takes it out of every tag. Its row stays, canceled and without RPMs, as `resetBuild` leaves it: what
    /// was deleted can be built again.
    pub fn delete_build(&self, nvr: &Nvr) {
        self.alter(|state| {
            let build = state.find_build(&nvr.to_string().into()).ok()??;
            for tag in state.tags_of_build(build) {
                state.untag_build(tag, build);
            }
            state.remove_rpms(build);
            state.end_build(build, build_state::CANCELED);
            Some(())
        });
    }

    /// Says what a package is expected to cost, in seconds as [`Weight`] has it.
    pub fn set_weight(&self, package: &Package, weight: Weight) {
        self.alter(|state| {
            let id = state.packages.ensure(package.as_str());
            std::sync::Arc::make_mut(&mut state.weights).insert(id, weight.cost());
            Some(())
        });
    }

    /// Changes the state; `None` from the change means that there was nothing to do, and leaves it as it was.
    pub(super) fn alter(&self, act: impl FnOnce(&mut State) -> Option<()>) {
        let mut inner = self.shared.inner();
        let savepoint = inner.state.clone();
        if act(&mut inner.state).is_none() {
            inner.state = savepoint;
        }
        inner.settle();
    }
}

/// How things stand.
impl FakeHub {
    /// Returns the tasks of builds and repositories that have not ended, oldest first.
    pub fn live_tasks(&self) -> Vec<TaskSummary> {
        let inner = self.shared.inner();
        let live = inner.state.live_tasks.iter().filter_map(|id| inner.state.tasks.get(id));
        live.filter_map(|task| summary(task)).collect()
    }

    /// Returns the builds in a tag, oldest tagging first; empty for an unknown one.
    pub fn builds_in(&self, tag: &TagName) -> Vec<TaggedBuild> {
        let inner = self.shared.inner();
        let state = &inner.state;
        let Ok(Some(tag)) = state.find_tag(&tag.as_str().into(), None) else { return Vec::new() };
        let rows = state.tagged.rows((tag, Id::MIN)..(tag + 1, Id::MIN), None).into_iter();
        let tagged = rows.filter_map(|row| {
            let build = state.builds.get(&row.key.1)?;
            Some(TaggedBuild {
                package: Package::new(build.name.to_string()).ok()?,
                nvr: Nvr::of(&build.name, &build.version, &build.release),
                task: build.task.map(TaskId),
                event: TagEvent(row.made.event),
            })
        });
        tagged.collect()
    }

    /// Returns the newest repository of a tag.
    pub fn newest_repo(&self, tag: &TagName) -> Option<RepoSeen> {
        let inner = self.shared.inner();
        let tag = inner.state.find_tag(&tag.as_str().into(), None).ok()??;
        let id = inner.state.newest_repo(tag, repo_state::READY, |_| true)?;
        Some(RepoSeen { id: RepoId(id), event: TagEvent(inner.state.repos.get(&id)?.event) })
    }

    /// Returns the complete builds of a package, by NVR.
    pub fn builds_of(&self, package: &Package) -> Vec<Nvr> {
        let inner = self.shared.inner();
        let builds = inner.state.builds.values();
        let complete =
            builds.filter(|build| build.state == build_state::COMPLETE && *build.name == *package.as_str());
        let mut nvrs: Vec<Nvr> =
            complete.map(|build| Nvr::of(&build.name, &build.version, &build.release)).collect();
        nvrs.sort();
        nvrs
    }

    /// Returns all tags, in order.
    pub fn tags(&self) -> Vec<TagName> {
        let inner = self.shared.inner();
        let rows = inner.state.tag_settings.rows(.., None).into_iter();
        let mut tags: Vec<TagName> =
            rows.filter_map(|row| TagName::new(inner.state.tag_name(row.key).to_string()).ok()).collect();
        tags.sort();
        tags
    }

    /// Takes what a message bus would have hinted at since this was last asked, without doubles.
    pub fn take_hints(&self) -> Vec<Hint> {
        std::mem::take(&mut self.shared.inner().hints).into_iter().collect()
    }

    /// Takes the messages that Fedora's plugin would have published since this was last asked, oldest first.
    pub fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut self.shared.inner().messages)
    }

    /// Returns a number that grows with every change.
    pub fn generation(&self) -> u64 {
        self.shared.inner().generation
    }
}

fn summary(task: &Task) -> Option<TaskSummary> {
    let text = |at: usize| task.request.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, place, package) = match &*task.method {
        "build" => (TaskKind::Build, text(1), source_package(task).and_then(|name| Package::new(name).ok())),
        "newRepo" => (TaskKind::Repo, text(0), None),
        _ => return None,
    };
    let state = match task.state {
        task_state::FREE => TaskState::Free,
        task_state::OPEN => TaskState::Open,
        task_state::CLOSED => TaskState::Closed,
        task_state::CANCELED => TaskState::Canceled,
        task_state::ASSIGNED => TaskState::Assigned,
        _ => TaskState::Failed,
    };
    Some(TaskSummary { id: TaskId(task.id), kind, state, package, place: TagName::new(place).ok()? })
}

fn error_of(fault: Fault) -> BuildSystemError {
    let text = fault.text;
    match text.strip_prefix("No such ") {
        Some(what) => BuildSystemError::NotFound { what: what.to_owned() },
        None if text.starts_with("Build already") || text.contains("already tagged") => {
            BuildSystemError::Conflict { what: text }
        }
        None => BuildSystemError::Rejected { reason: text },
    }
}
