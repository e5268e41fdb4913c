//! What a world needs of a build system beside the trait: to end its tasks, to do harm behind its callers' backs, and to
//! see how things really stand.

use std::fmt::Debug;

use crate::build_system::{BuildSystem, BuildSystemError, RepoSeen, TaggedBuild, TaskFailure};
use crate::bus::Hint;
use crate::ident::{Nvr, Package, TagName, TaskId, Weight};
use crate::memory::{MemoryBuildSystem, TaskSummary};

/// A build system that a world may play with. Tasks end only when the world says so.
pub trait Grounds: BuildSystem + Debug {
    /// Ends a task well.
    ///
    /// # Errors
    /// It does not live, or what it makes exists already; the world lets it fail then.
    fn finish(&self, task: TaskId) -> Result<(), BuildSystemError>;

    /// Ends a task badly.
    ///
    /// # Errors
    /// It does not live.
    fn fail(&self, task: TaskId, failure: TaskFailure) -> Result<(), BuildSystemError>;

    /// Cancels a task as a stranger would; one that ended is left alone.
    fn cancel_by_stranger(&self, task: TaskId);

    /// Forgets a task, as after a purge.
    fn forget_task(&self, task: TaskId);

    /// Removes a tag with its targets and repositories.
    fn remove_tag(&self, tag: &TagName);

    /// Takes a build out of a tag.
    fn take_out(&self, tag: &TagName, nvr: &Nvr);

    /// Says what a package is expected to cost.
    fn set_weight(&self, package: &Package, weight: Weight);

    /// Deletes a build and takes it out of every tag.
    fn delete_build(&self, nvr: &Nvr);

    /// Returns the tasks that have not ended, oldest first.
    fn live_tasks(&self) -> Vec<TaskSummary>;

    /// Returns the builds in a tag, oldest tagging first; empty for an unknown one.
    fn builds_in(&self, tag: &TagName) -> Vec<TaggedBuild>;

    /// Returns the newest repository of a tag.
    fn newest_repo(&self, tag: &TagName) -> Option<RepoSeen>;

    /// Returns the complete builds of a package.
    fn builds_of(&self, package: &Package) -> Vec<Nvr>;

    /// Returns all tags, in order.
    fn tags(&self) -> Vec<TagName>;

    /// Takes what a message bus would have said since this was last asked, without doubles.
    fn take_hints(&self) -> Vec<Hint>;

    /// Returns a number that grows with every change.
    fn generation(&self) -> u64;
}

impl Grounds for MemoryBuildSystem {
    fn finish(&self, task: TaskId) -> Result<(), BuildSystemError> {
        MemoryBuildSystem::finish(self, task)
    }

    fn fail(&self, task: TaskId, failure: TaskFailure) -> Result<(), BuildSystemError> {
        MemoryBuildSystem::fail(self, task, failure)
    }

    fn cancel_by_stranger(&self, task: TaskId) {
        // An unknown task has nothing to cancel.
        drop(MemoryBuildSystem::cancel_by_stranger(self, task));
    }

    fn forget_task(&self, task: TaskId) {
        drop(MemoryBuildSystem::forget_task(self, task));
    }

    fn remove_tag(&self, tag: &TagName) {
        drop(MemoryBuildSystem::remove_tag(self, tag));
    }

    fn take_out(&self, tag: &TagName, nvr: &Nvr) {
        MemoryBuildSystem::take_out(self, tag, nvr);
    }

    fn set_weight(&self, package: &Package, weight: Weight) {
        MemoryBuildSystem::set_weight(self, package, weight);
    }

    fn delete_build(&self, nvr: &Nvr) {
        drop(MemoryBuildSystem::delete_build(self, nvr));
    }

    fn live_tasks(&self) -> Vec<TaskSummary> {
        MemoryBuildSystem::live_tasks(self)
    }

    fn builds_in(&self, tag: &TagName) -> Vec<TaggedBuild> {
        MemoryBuildSystem::builds_in(self, tag)
    }

    fn newest_repo(&self, tag: &TagName) -> Option<RepoSeen> {
        MemoryBuildSystem::newest_repo(self, tag)
    }

    fn builds_of(&self, package: &Package) -> Vec<Nvr> {
        MemoryBuildSystem::builds_of(self, package)
    }

    fn tags(&self) -> Vec<TagName> {
        MemoryBuildSystem::tags(self)
    }

    fn take_hints(&self) -> Vec<Hint> {
        MemoryBuildSystem::take_hints(self)
    }

    fn generation(&self) -> u64 {
        MemoryBuildSystem::generation(self)
    }
}
