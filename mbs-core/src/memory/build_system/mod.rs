//! A build system in memory: tags, targets, tasks, builds and repositories as Koji has them, without building anything.
//!
//! Tasks stay open until a script ends them ([`MemoryBuildSystem::finish`] and its neighbours) or their [`Pace`] does. Any
//! call can be made to fail before or after it took effect. Events count changes, one each; tagging is at once.
//!
//! Refused, though a real one may let it pass: a second live task for a component, a second build of an NVR, tagging what
//! is unknown, unfinished or not in the tag's package list, lists that are not sorted, importing what is not wholly tagged.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use crate::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, FinishedModule,
    TagRequest,
};
use crate::ident::{TagEvent, TagName, TaskId};

mod answers;
mod plant;
mod script;
mod tags;
mod tasks;
#[cfg(test)]
mod tests;

pub use plant::{Pace, TagSummary, TaskKind, TaskSummary};

use plant::Plant;

/// Pretends to build packages.
#[derive(Default)]
pub struct MemoryBuildSystem {
    floor: Mutex<Floor>,
}

/// The plant, and what a test wants to do to its callers.
#[derive(Default)]
struct Floor {
    plant: Plant,
    faults: BTreeMap<Call, VecDeque<Fault>>,
    calls: BTreeMap<Call, u64>,
}

/// A method of [`BuildSystem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `observe`.
    Observe,
    /// `ensure_buildroot`.
    EnsureBuildroot,
    /// `submit`.
    Submit,
    /// `ensure_tagged`.
    EnsureTagged,
    /// `ensure_untagged`.
    EnsureUntagged,
    /// `request_repo`.
    RequestRepo,
    /// `cancel`.
    Cancel,
    /// `import_module`.
    ImportModule,
    /// `remove_target`.
    RemoveTarget,
    /// `tags_of_rpm`.
    TagsOfRpm,
}

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It has no effect.
    Before(BuildSystemError),
    /// It has its effect, and the answer is lost.
    After(BuildSystemError),
}

impl MemoryBuildSystem {
    /// Makes a build system without tags, whose tasks end by hand.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the next call of a kind go wrong; several faults wait for as many calls.
    pub fn inject(&self, call: Call, fault: Fault) {
        self.floor().faults.entry(call).or_default().push_back(fault);
    }

    /// Returns how often a method was called, failed calls included.
    pub fn calls(&self, call: Call) -> u64 {
        self.floor().calls.get(&call).copied().unwrap_or(0)
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().expect("nothing panics while it holds the floor")
    }

    /// Counts a call and carries it out, unless a fault says otherwise.
    fn perform<T>(
        &self,
        call: Call,
        act: impl FnOnce(&mut Plant) -> Result<T, BuildSystemError>,
    ) -> Result<T, BuildSystemError> {
        let mut floor = self.floor();
        *floor.calls.entry(call).or_default() += 1;
        match floor.faults.get_mut(&call).and_then(VecDeque::pop_front) {
            None => act(&mut floor.plant),
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::After(error)) => act(&mut floor.plant).and(Err(error)),
        }
    }
}

#[async_trait]
impl BuildSystem for MemoryBuildSystem {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        self.perform(Call::Observe, |plant| {
            plant.pass_an_observe();
            Ok(plant.answer(questions))
        })
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        self.perform(Call::EnsureBuildroot, |plant| plant.ensure_buildroot(spec))
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        self.perform(Call::Submit, |plant| plant.submit(job))
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.perform(Call::EnsureTagged, |plant| plant.tag_all(requests))
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.perform(Call::EnsureUntagged, |plant| {
            requests.iter().for_each(|request| plant.untag(&request.tag, &request.nvr));
            Ok(())
        })
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        self.perform(Call::RequestRepo, |plant| plant.request_repo(tag).map(Some))
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        self.perform(Call::Cancel, |plant| tasks.iter().try_for_each(|task| plant.cancel(*task)))
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        self.perform(Call::ImportModule, |plant| plant.import(module))
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        self.perform(Call::RemoveTarget, |plant| plant.remove_target(target))
    }

    async fn tags_of_rpm(&self, file_name: &str) -> Result<Vec<TagName>, BuildSystemError> {
        self.perform(Call::TagsOfRpm, |plant| plant.tags_of_rpm(file_name))
    }
}

impl fmt::Debug for MemoryBuildSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let floor = self.floor();
        f.debug_struct("MemoryBuildSystem")
            .field("tags", &floor.plant.tags.len())
            .field("tasks", &floor.plant.tasks.len())
            .field("builds", &floor.plant.builds.len())
            .finish_non_exhaustive()
    }
}

fn missing(kind: &str, name: &dyn fmt::Display) -> BuildSystemError {
    BuildSystemError::NotFound { what: format!("the {kind} {name}") }
}

fn rejected(reason: impl Into<String>) -> BuildSystemError {
    BuildSystemError::Rejected { reason: reason.into() }
}

fn conflict(what: impl Into<String>) -> BuildSystemError {
    BuildSystemError::Conflict { what: what.into() }
}
