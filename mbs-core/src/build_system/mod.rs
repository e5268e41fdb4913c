//! The trait of whatever builds packages: Koji, this machine, memory.
//!
//! A build system knows *tags* (sets of finished builds), *targets* (a build tag and a destination tag under one name),
//! *tasks* (units of work), *builds* (one NVR each) and *repositories* generated from tags. It is asked in batches and told
//! in *ensures*: doing one twice is doing it once. It never decides; [`crate::plan`] does.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use futures_util::future::join_all;

use crate::ident::{Arch, TagEvent, TagName, TaskId};
use crate::model::ModuleBuild;
use crate::modulemd::ModuleStream;

mod answers;
mod error;
mod jobs;

pub use answers::{
    AskedRepo, BuildAnswers, BuildQuestions, Found, FoundBuild, RepoSeen, Search, TaggedBuild, TaskFailure,
    TaskSeen, TaskState,
};
pub use error::{BuildSystemError, Effect};
pub use jobs::{BuildrootSpec, ComponentJob, FinishedModule, TagRequest};

/// Builds packages. Implementations are shared (`Arc<dyn BuildSystem>`) and called from many looks at once.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait BuildSystem: Debug + Send + Sync + 'static {
    /// Answers what is so, all parts in as few round trips as it can. Every part that was asked is `Some` in the answer, except
    /// [`BuildAnswers::repo_tries`].
    ///
    /// # Errors
    /// Any: nothing is known; ask again later.
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError>;

    /// Makes tags, target, package lists, groups and inheritance as described. After `Ok` they are so, and repositories of
    /// the build tag show it from the returned event on: that of the last change, or a later one that a request for a
    /// repository will reach.
    ///
    /// # Errors
    /// `Conflict` if a target of that name has other tags, `Denied` if a permission lacks; otherwise it may hold in part.
    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError>;

    /// Starts the build of one component and returns its task. Not an ensure: the plan looks for an earlier attempt first.
    ///
    /// # Errors
    /// An error whose [`BuildSystemError::effect`] is unknown may have started it. `NotFound` is for the target and its tags;
    /// a source that does not exist is `Rejected`, or fails the task.
    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError>;

    /// Starts the builds of several components, and returns in their order what became of each, as [`submit`](Self::submit)
    /// would. It is for build systems that can be told all in one go; the others need not write it.
    async fn submit_all(&self, jobs: &[ComponentJob]) -> Vec<Result<TaskId, BuildSystemError>> {
        join_all(jobs.iter().map(|job| self.submit(job))).await
    }

    /// Puts finished builds into tags. After `Ok` each is there, or will be without further asking.
    ///
    /// # Errors
    /// `BuildsGone` names every build that does not exist, `NotFound` a tag; the others may be tagged.
    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError>;

    /// Takes builds out of tags; those that are not there are fine, and so are builds and tags that do not exist.
    ///
    /// # Errors
    /// Any: ask again.
    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError>;

    /// Asks for a new repository of a tag. `None` if the build system gives no task for it, or none yet
    /// ([`BuildAnswers::repo_tries`]); the repository is then seen when it is there.
    ///
    /// # Errors
    /// `NotFound` if there is no such tag. Any other: ask again, one repository too many does no harm.
    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError>;

    /// Cancels tasks; those that ended are left alone. After `Ok` none of them is seen live.
    ///
    /// # Errors
    /// Any: ask again.
    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError>;

    /// Takes a finished module in as a build of its own. "Exists already" is `Ok`.
    ///
    /// # Errors
    /// `NotFound` if a tag is gone: its own is made again, another is waited for. Any other: ask again.
    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError>;

    /// Removes a target; one that does not exist is fine.
    ///
    /// # Errors
    /// Any: ask again.
    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError>;

    /// Returns the finished document of each architecture, from what is in the build's tag.
    ///
    /// # Errors
    /// `Unsupported` unless implemented.
    async fn final_documents(
        &self,
        build: &ModuleBuild,
    ) -> Result<BTreeMap<Arch, ModuleStream>, BuildSystemError> {
        let _ = build;
        Err(BuildSystemError::Unsupported { what: "final documents" })
    }

    /// Returns the tags that hold the build of an RPM, by the RPM's file name; empty if it is in none or unknown.
    ///
    /// # Errors
    /// `Unsupported` unless implemented.
    async fn tags_of_rpm(&self, file_name: &str) -> Result<Vec<TagName>, BuildSystemError> {
        let _ = file_name;
        Err(BuildSystemError::Unsupported { what: "the tags of an RPM" })
    }
}
