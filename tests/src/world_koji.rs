//! Koji's build system over HTTP in a simulated world: its calls end before the world goes on.
//!
//! A world has an executor of its own, which knows no sockets. So each call runs on a runtime beside it until it has ended, as
//! if it took no time. The fake hub goes by the world's clock; the world plays with it directly, as strangers and builders do.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use mbs_core::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, FinishedModule,
    RepoSeen, TagRequest, TaggedBuild, TaskFailure,
};
use mbs_core::bus::Hint;
use mbs_core::ident::{Nvr, Package, TagEvent, TagName, TaskId, Weight};
use mbs_core::memory::TaskSummary;
use mbs_core::model::ComponentSource;
use mbs_core::sim::Grounds;
use mbs_koji::build_system::KojiBuildSystem;
use mbs_koji::fake_hub::FakeHub;
use tokio::runtime::Handle;

/// A build system on a fake hub, whose calls end at once.
pub struct WorldKoji {
    /// The build system.
    pub system: KojiBuildSystem,
    /// The hub behind it.
    pub hub: FakeHub,
    /// Where its calls run: not on the thread of the world.
    pub runtime: Handle,
}

impl fmt::Debug for WorldKoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorldKoji").field("system", &self.system).finish_non_exhaustive()
    }
}

#[async_trait]
impl BuildSystem for WorldKoji {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        self.runtime.block_on(self.system.observe(questions))
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        self.runtime.block_on(self.system.ensure_buildroot(spec))
    }

    /// Repositories of worlds have an address that no hub takes.
    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        let mut job = job.clone();
        if let ComponentSource::Git { url, .. } = &mut job.source {
            *url = url.replace("memory:", "git+https://src.example.com/rpms/");
        }
        self.runtime.block_on(self.system.submit(&job))
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.runtime.block_on(self.system.ensure_tagged(requests))
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.runtime.block_on(self.system.ensure_untagged(requests))
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        self.runtime.block_on(self.system.request_repo(tag))
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        self.runtime.block_on(self.system.cancel(tasks))
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        self.runtime.block_on(self.system.import_module(module))
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        self.runtime.block_on(self.system.remove_target(target))
    }
}

impl Grounds for WorldKoji {
    fn finish(&self, task: TaskId) -> Result<(), BuildSystemError> {
        self.hub.finish(task)
    }

    fn fail(&self, task: TaskId, failure: TaskFailure) -> Result<(), BuildSystemError> {
        self.hub.fail(task, failure)
    }

    fn cancel_by_stranger(&self, task: TaskId) {
        self.hub.cancel_by_stranger(task);
    }

    fn forget_task(&self, task: TaskId) {
        self.hub.forget_task(task);
    }

    fn remove_tag(&self, tag: &TagName) {
        self.hub.remove_tag(tag);
    }

    fn take_out(&self, tag: &TagName, nvr: &Nvr) {
        self.hub.take_out(tag, nvr);
    }

    fn set_weight(&self, package: &Package, weight: Weight) {
        self.hub.set_weight(package, weight);
    }

    fn delete_build(&self, nvr: &Nvr) {
        self.hub.delete_build(nvr);
    }

    fn live_tasks(&self) -> Vec<TaskSummary> {
        self.hub.live_tasks()
    }

    fn builds_in(&self, tag: &TagName) -> Vec<TaggedBuild> {
        self.hub.builds_in(tag)
    }

    fn newest_repo(&self, tag: &TagName) -> Option<RepoSeen> {
        self.hub.newest_repo(tag)
    }

    fn builds_of(&self, package: &Package) -> Vec<Nvr> {
        self.hub.builds_of(package)
    }

    fn tags(&self) -> Vec<TagName> {
        self.hub.tags()
    }

    fn take_hints(&self) -> Vec<Hint> {
        self.hub.take_hints()
    }

    fn generation(&self) -> u64 {
        self.hub.generation()
    }
}
