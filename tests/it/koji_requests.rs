//! How often is a hub asked while a module of a hundred components is built? And what becomes of a module whose repositories
//! fail on a hub that makes them on demand?
//!
//! The real engine and the real client run on a hub whose builder works by the same clock. Time passes second by second whenever
//! nothing is under way, so builds take minutes and cost none; messages arrive within the second.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::select;
use jiff::Timestamp;
use mbs_core::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, FinishedModule,
    TagRequest, TaskFailure,
};
use mbs_core::clock::Clock as _;
use mbs_core::context::Contexts;
use mbs_core::engine::Engine;
use mbs_core::ident::{BuildId, Nsvc, TagEvent, TagName, TaskId};
use mbs_core::memory::{ManualClock, MemoryResolver, MemorySourceControl, MemoryStore};
use mbs_core::model::{ModuleBuild, NewBuild, RebuildStrategy, State};
use mbs_core::modulemd::{ModuleStream, RpmComponent, Xmd};
use mbs_core::plan::Standard;
use mbs_core::policy::Policy;
use mbs_core::resolver::KnownModule;
use mbs_core::sim::Chance;
use mbs_core::store::{Builds as _, Create, Work as _, WorkerId};
use mbs_koji::build_system::KojiBuildSystem;
use mbs_koji::content_generator::GENERATOR;
use mbs_koji::fake_hub::{Builder, FakeHub, Setup, Tagging};
use mbs_tests::world_koji::system;
use tokio::sync::Notify;

const COMPONENTS: usize = 100;
const BATCHES: usize = 5;
const BASE: &str = "platform:f40:1:00000000";
const BASE_TAG: &str = "f40-build";
/// Builds take between one minute and ten, most of them little.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(600);

/// A build system that knows how many calls of it are under way.
#[derive(Debug)]
struct Watched {
    system: KojiBuildSystem,
    under_way: AtomicUsize,
    ended: Notify,
}

impl Watched {
    async fn pass<T>(&self, call: impl Future<Output = T>) -> T {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let answer = call.await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.ended.notify_one();
        answer
    }
}

#[async_trait]
impl BuildSystem for Watched {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        self.pass(self.system.observe(questions)).await
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        self.pass(self.system.ensure_buildroot(spec)).await
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        self.pass(self.system.submit(job)).await
    }

    async fn submit_all(&self, jobs: &[ComponentJob]) -> Vec<Result<TaskId, BuildSystemError>> {
        self.pass(self.system.submit_all(jobs)).await
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.pass(self.system.ensure_tagged(requests)).await
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.pass(self.system.ensure_untagged(requests)).await
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        self.pass(self.system.request_repo(tag)).await
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        self.pass(self.system.cancel(tasks)).await
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        self.pass(self.system.import_module(module)).await
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        self.pass(self.system.remove_target(target)).await
    }
}

fn package(place: usize) -> String {
    format!("package{place:03}")
}

fn repository(place: usize) -> String {
    format!("git+https://src.example.com/rpms/{}", package(place))
}

fn document(components: usize) -> ModuleStream {
    let rpm = |place: usize| {
        let component = RpmComponent {
            repository: Some(repository(place)),
            git_ref: Some("main".into()),
            rationale: "It is part of the module.".into(),
            buildorder: i64::try_from(place % BATCHES).expect("there are few batches"),
            ..RpmComponent::default()
        };
        (package(place), component)
    };
    let map = |key: &str, value: Xmd| Xmd::Map(vec![(key.to_owned(), value)]);
    let mut base = Xmd::default();
    let entries = [("stream", "f40"), ("version", "1"), ("context", "00000000"), ("koji_tag", BASE_TAG)];
    entries.into_iter().for_each(|(key, value)| base.set(key, value.into()));
    ModuleStream {
        name: Some("app".into()),
        stream: Some("1".into()),
        summary: "A module".into(),
        description: "A module.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        xmd: map("mbs", map("buildrequires", map("platform", base))),
        rpms: (0..components).map(rpm).collect(),
        ..ModuleStream::default()
    }
}

fn base() -> Nsvc {
    BASE.parse().expect("four parts are an identity")
}

fn submission(components: usize) -> NewBuild {
    NewBuild {
        document: Arc::new(document(components)),
        nsvc: "app:1:20260101000000:c0ffee00".parse().expect("four parts are an identity"),
        owner: "mary".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::All,
        reuse_from: None,
        origin: None,
        contexts: Contexts::default(),
        srpms: BTreeMap::new(),
        given_srpms: Vec::new(),
        base_modules: vec![base()],
    }
}

/// A hub on which builds and repositories end by themselves.
async fn hub(clock: &Arc<ManualClock>) -> FakeHub {
    let tagging = Tagging::After(Duration::from_secs(5));
    let setup = Setup { clock: Some(clock.clone()), tagging, ..Setup::default() };
    let hub = FakeHub::start(setup).await.expect("there are ports");
    hub.plant_tag(BASE_TAG, &["x86_64"]);
    hub.plant_generator(GENERATOR, &["mbs"]);
    let chance = Chance::of(1);
    let takes = |place: usize| (package(place), chance.heavy_tailed(SHORTEST, LONGEST, ("takes", place)));
    hub.auto(Builder {
        build: SHORTEST,
        packages: (0..COMPONENTS).map(takes).collect(),
        repo: Duration::from_secs(120),
        ..Builder::default()
    });
    hub
}

fn engine(clock: &Arc<ManualClock>, store: &Arc<MemoryStore>, system: Arc<Watched>) -> Engine {
    let platform =
        ModuleStream { name: Some("platform".into()), stream: Some("f40".into()), ..ModuleStream::default() };
    let tag = BASE_TAG.parse().ok();
    let base = KnownModule { nsvc: base(), tag, document: Arc::new(platform), is_ready: true };
    let sources = MemorySourceControl::new();
    for place in 0..COMPONENTS {
        sources.commit(&repository(place), "main", Timestamp::UNIX_EPOCH, &[("a.spec", "")]);
    }
    Engine {
        store: store.clone(),
        build_system: system,
        resolver: Arc::new(MemoryResolver::new([base]).expect("one module does not conflict with itself")),
        source_control: Arc::new(sources),
        clock: clock.clone(),
        planner: Arc::new(Standard),
        policy: Arc::new(policy()),
        worker: WorkerId("backend".to_owned()),
        looks_at_once: 8,
    }
}

fn policy() -> Policy {
    Policy { rpms_allow_repository: true, ..Policy::default() }
}

/// Builds a module on a hub until it is ready, and shows its record `each` second.
async fn build(
    components: usize,
    clock: &Arc<ManualClock>,
    hub: &FakeHub,
    mut each: impl FnMut(&ModuleBuild),
) {
    let store = Arc::new(MemoryStore::new(clock.clone(), Timestamp::UNIX_EPOCH, &policy()));
    let system = Arc::new(Watched {
        system: system(hub, clock.clone()),
        under_way: AtomicUsize::new(0),
        ended: Notify::new(),
    });
    let create = Create { new: vec![submission(components)], ..Create::default() };
    store.create(create).await.expect("the store takes builds");
    let woken = Notify::new();
    let engine = engine(clock, &store, system.clone());
    let mut running = pin!(engine.run(|| woken.notified(), std::future::pending()));
    loop {
        let polled = poll_fn(|context| Poll::Ready(running.as_mut().poll(context))).await;
        assert!(polled.is_pending(), "an engine works until it is stopped");
        if system.under_way.load(Ordering::SeqCst) > 0 {
            select(running.as_mut(), pin!(system.ended.notified())).await;
            continue;
        }
        let hints = hub.take_hints();
        if !hints.is_empty() && store.wake(&hints).await.expect("the store is there") > 0 {
            woken.notify_one();
        }
        let build = store.load(BuildId(1)).await.expect("it was created").build;
        if build.state() == State::Ready {
            break;
        }
        assert_ne!(build.state(), State::Failed, "{:?}", build.life.reason());
        assert!(clock.reading() < Duration::from_secs(24 * 3_600), "it takes a day");
        each(&build);
        clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_component_costs_the_hub_three_requests_at_most() {
    let clock = Arc::new(ManualClock::new());
    let hub = hub(&clock).await;
    build(COMPONENTS, &clock, &hub, |_| ()).await;
    let counters = hub.counters();
    println!(
        "{COMPONENTS} components in {BATCHES} batches took {} minutes: {} requests, {} calls in them; {:?}",
        clock.reading().as_secs() / 60,
        counters.requests,
        counters.inner_calls,
        counters.methods
    );
    assert_eq!(counters.calls_of("build"), COMPONENTS as u64 + 1, "the macros and each component once");
    assert!(counters.requests <= 3 * COMPONENTS as u64, "{} requests", counters.requests);
}

/// Builds a module of one component, and breaks the first so many repository tasks that the record names, one a minute. Returns
/// those, what the record said then, each once, and how often a repository was asked for.
async fn with_broken_repositories(count: usize) -> (Vec<TaskId>, Vec<String>, u64) {
    let clock = Arc::new(ManualClock::new());
    let hub = hub(&clock).await;
    let (mut broken, mut told, mut next) = (Vec::new(), Vec::new(), Duration::ZERO);
    build(1, &clock, &hub, |build| {
        let failure = TaskFailure { reason: "no space left".into(), is_package_fault: false };
        let may_break = broken.len() < count && clock.reading() >= next;
        let named = build.repo.as_ref().and_then(|wait| wait.task);
        if let Some(task) = named.filter(|task| may_break && !broken.contains(task))
            && hub.fail(task, failure).is_ok()
        {
            broken.push(task);
            next = clock.reading() + Duration::from_secs(60);
        }
        told.extend(build.trouble.as_ref().map(|trouble| trouble.last.clone()));
        told.dedup();
    })
    .await;
    (broken, told, hub.counters().calls_of("repo.request"))
}

#[tokio::test]
async fn a_repository_that_fails_is_told_and_what_the_hub_tries_next_lets_the_build_go_on() {
    let (_, told, asked) = with_broken_repositories(0).await;
    assert_eq!(told, [""; 0]);
    let (broken, told, asked_with_failures) = with_broken_repositories(3).await;
    let of = |task: &TaskId| {
        format!("the repository task {task} made no repository: the task failed: no space left (task {task})")
    };
    assert_eq!(told, broken.iter().map(of).collect::<Vec<_>>());
    assert_eq!((broken.len(), asked_with_failures), (3, asked), "the hub tries again by itself");
}
