//! Koji's build system over HTTP in a simulated world: its calls end before the world goes on.
//!
//! A world has an executor of its own, which knows no sockets. So each call runs on a runtime beside it until it has ended, as
//! if it took no time. The fake hub goes by the world's clock; the world plays with it directly, as strangers and builders do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mbs_core::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, FinishedModule,
    RepoSeen, TagRequest, TaggedBuild, TaskFailure,
};
use mbs_core::bus::Hint;
use mbs_core::clock::Clock;
use mbs_core::ident::{Nvr, Package, TagEvent, TagName, TaskId, Weight};
use mbs_core::memory::{MemorySourceControl, TaskSummary};
use mbs_core::model::ComponentSource;
use mbs_core::sim::Grounds;
use mbs_koji::build_system::{KojiBuildSystem, KojiSettings};
use mbs_koji::content_generator::{GENERATOR, Program, Settings};
use mbs_koji::fake_hub::FakeHub;
use mbs_koji::hub::Hub;
use mbs_koji::profile::{Login, Profile, Secret};
use mbs_koji::repodata::Repodata;
use tokio::runtime::Handle;

/// A build system on a fake hub, whose calls end at once.
pub struct WorldKoji {
    /// The build system.
    pub system: KojiBuildSystem,
    /// The hub behind it.
    pub hub: FakeHub,
    /// Where its calls run: not on the thread of the world.
    pub runtime: Handle,
    /// Is told of each call before it is sent.
    pub watch: Box<dyn Fn() + Send + Sync>,
}

impl WorldKoji {
    fn run<T>(&self, call: impl Future<Output = T>) -> T {
        (self.watch)();
        self.runtime.block_on(call)
    }
}

/// Makes the client and build system of a hub's user `mbs`, who repeats nothing: the engine does.
///
/// # Panics
/// The profile cannot be used.
pub fn system(hub: &FakeHub, clock: Arc<dyn Clock>) -> KojiBuildSystem {
    let login = Login::Password { user: "mbs".to_owned(), password: Secret::new("mbspw") };
    let profile = Profile::new("koji", hub.url(), login).without_retries();
    let client = Hub::new(&profile, clock).expect("the profile is sound");
    let generator = Program { name: GENERATOR.to_owned(), version: "1".to_owned() };
    let host_arch = "x86_64".parse().expect("it is an architecture");
    let import = Settings { generator, host_os: "Linux".to_owned(), host_arch, tools: Vec::new() };
    let settings = KojiSettings { tag_permission: "tag".to_owned(), ..KojiSettings::new(import) };
    let repodata = Repodata::new(Duration::from_secs(10)).expect("this machine has certificates");
    KojiBuildSystem::new(client, repodata, Arc::new(MemorySourceControl::new()), settings)
}

impl fmt::Debug for WorldKoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorldKoji").field("system", &self.system).finish_non_exhaustive()
    }
}

#[async_trait]
impl BuildSystem for WorldKoji {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        self.run(self.system.observe(questions))
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        self.run(self.system.ensure_buildroot(spec))
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        self.run(self.system.submit(&on_a_hub(job)))
    }

    async fn submit_all(&self, jobs: &[ComponentJob]) -> Vec<Result<TaskId, BuildSystemError>> {
        let jobs: Vec<ComponentJob> = jobs.iter().map(on_a_hub).collect();
        self.run(self.system.submit_all(&jobs))
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.run(self.system.ensure_tagged(requests))
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.run(self.system.ensure_untagged(requests))
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        self.run(self.system.request_repo(tag))
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        self.run(self.system.cancel(tasks))
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        self.run(self.system.import_module(module))
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        self.run(self.system.remove_target(target))
    }
}

/// Repositories of worlds have an address that no hub takes.
fn on_a_hub(job: &ComponentJob) -> ComponentJob {
    let mut job = job.clone();
    if let ComponentSource::Git { url, .. } = &mut job.source {
        *url = url.replace("memory:", "git+https://src.example.com/rpms/");
    }
    job
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
