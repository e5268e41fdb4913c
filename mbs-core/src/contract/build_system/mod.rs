//! The suite of [`BuildSystem`]: ensures hold and may be repeated, and what was done is seen.

use async_trait::async_trait;

use super::promise::{Promise, promises, run};
use super::{Broken, Kept, Unable};
use crate::build_system::{BuildSystem, BuildrootSpec, ComponentJob};
use crate::ident::{Nvr, Package, TagName, TaskId};

mod bench;
mod observing;
mod searching;
mod tags;
mod tasks;

use bench::Bench;

/// A build system, and one module that it can build: of the packages `liba`, `libb` and `libc`, of which no task lives.
///
/// Methods that answer [`Unable`] unless written are optional; promises that need them are then left out.
#[async_trait]
pub trait BuildSystemGround: Send + Sync + 'static {
    /// The build system under test, the same each time.
    fn build_system(&self) -> &dyn BuildSystem;

    /// The module's buildroot: these packages in its list, nothing blocked. What it inherits exists.
    fn buildroot(&self) -> BuildrootSpec;

    /// A job that builds one of the packages in the module's own target, and takes a while. It comes without `arch_override`.
    fn job(&self, package: &Package) -> ComponentJob;

    /// A task that built `liba` or `libb` already, by the ground's own job; `None`: the suite has it built. For build systems
    /// that take long, which can be set up with builds that were made once. Of `libc` nothing exists.
    async fn built(&self, package: &Package) -> Option<TaskId> {
        let _ = package;
        None
    }

    /// Ends a task of [`job`](Self::job) well, or waits until it has.
    async fn end(&self, task: TaskId);

    /// Has a repository of a tag that was asked for finished, or waits until it is; `task` is what the request gave.
    async fn end_repo(&self, tag: &TagName, task: Option<TaskId>);

    /// Has a package built so that it does not build, and returns its task once that ended.
    async fn fail(&self, package: &Package) -> Result<TaskId, Unable> {
        let _ = package;
        Err(Unable("let a package fail"))
    }

    /// Cancels a task as somebody else would.
    async fn cancel_by_stranger(&self, task: TaskId) -> Result<(), Unable> {
        let _ = task;
        Err(Unable("cancel a task as a stranger"))
    }

    /// Makes the build system forget a task that ended.
    async fn forget(&self, task: TaskId) -> Result<(), Unable> {
        let _ = task;
        Err(Unable("make a task forgotten"))
    }

    /// Removes a tag, as an administrator may, with the targets that need it.
    async fn remove_tag(&self, tag: &TagName) -> Result<(), Unable> {
        let _ = tag;
        Err(Unable("remove a tag"))
    }

    /// Deletes a build.
    async fn delete_build(&self, nvr: &Nvr) -> Result<(), Unable> {
        let _ = nvr;
        Err(Unable("delete a build"))
    }
}

/// Tries every promise of [`BuildSystem`], each on what `make` gives: a ground without tags, targets and tasks of its module.
///
/// # Errors
/// `Broken` names the promises that were broken.
pub async fn build_system<G: BuildSystemGround, F: Future<Output = G>>(
    make: impl Fn() -> F,
) -> Result<Kept, Broken> {
    run("BuildSystem", PROMISES, make, |ground: &G| ground as &dyn BuildSystemGround).await
}

const PROMISES: &[Promise<dyn BuildSystemGround>] = promises![Bench:
    observing::only_what_was_asked_is_answered,
    observing::what_is_unknown_is_answered_so,
    observing::a_build_has_its_source_and_what_was_made_of_it,
    observing::the_rpms_of_a_tag_are_those_of_its_builds,
    observing::the_rpms_of_a_tag_include_inherited_ones,
    observing::the_tags_of_an_rpm_are_those_of_its_build,
    tags::a_buildroot_has_its_tags_and_architectures,
    tags::a_buildroot_ensured_twice_is_ensured_once,
    tags::a_repository_that_is_asked_for_reaches_the_buildroot,
    tags::a_target_with_other_tags_is_a_conflict,
    tags::a_tagged_build_is_seen_once_with_the_event_of_its_tagging,
    tags::builds_in_a_tag_come_newest_tagging_last,
    tags::a_repository_shows_what_was_tagged_before_it_was_asked_for,
    tags::builds_that_do_not_exist_are_all_named,
    tags::what_needs_an_unknown_tag_is_not_found,
    tags::untagging_takes_out_and_may_be_repeated,
    tags::a_removed_target_is_gone_until_it_is_ensured_again,
    tags::a_removed_tag_is_unknown_until_it_is_ensured_again,
    tags::a_deleted_build_is_in_no_tag_and_gone,
    tags::a_module_is_imported_once,
    tasks::a_task_is_seen_until_it_ends_with_its_build,
    tasks::a_submission_into_an_unknown_target_does_nothing,
    tasks::a_failed_task_says_why,
    tasks::cancelling_ends_live_tasks_and_leaves_ended_ones_alone,
    tasks::a_task_that_a_stranger_cancelled_is_seen_so,
    tasks::a_forgotten_task_is_unknown,
    searching::a_live_task_is_found_by_package_and_target,
    searching::a_finished_build_is_found_by_its_dist_tag,
    searching::the_first_of_the_tags_that_has_a_build_decides,
];
