//! How much memory 10,000 modules in flight take on one backend: records, documents, events and logs in the memory store,
//! the engine, and the build system in memory beside them. The aim is below 300 MB.
//!
//! Each module has 10 components and a document of 4 KiB; all of them are in `build` with their 10 tasks under way. What is
//! printed is what the resident memory of this process (`VmRSS` of `/proc/self/status`) grew by.
//!
//! The simulated build system is no part of the service. Its share is measured, not guessed: the same is done once more
//! with a second build system that is told all that the first is told, and what that run takes more is one build system.
//! The first run is kept meanwhile, so that no memory is used twice.
#![expect(clippy::print_stdout, reason = "a measurement shows its figures")]
#![expect(clippy::disallowed_methods, reason = "how much memory there is, only a file of the system says")]

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use async_trait::async_trait;
use jiff::Timestamp;

use mbs_core::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, FinishedModule,
    TagRequest,
};
use mbs_core::context::Contexts;
use mbs_core::engine::Engine;
use mbs_core::ident::{Nsvc, TagEvent, TagName, TaskId};
use mbs_core::memory::{
    Call, ManualClock, MemoryBuildSystem, MemoryResolver, MemorySourceControl, MemoryStore, Pace, TaskKind,
};
use mbs_core::model::{MACROS_PACKAGE, NewBuild, RebuildStrategy};
use mbs_core::modulemd::{ModuleStream, RpmComponent, Xmd};
use mbs_core::plan::Standard;
use mbs_core::policy::Policy;
use mbs_core::resolver::KnownModule;
use mbs_core::store::{Builds, Create, WorkerId};

const MODULES: usize = 10_000;
const COMPONENTS: usize = 10;
const DOCUMENT_BYTES: usize = 4_096;
const BASE: &str = "platform:f40:1:00000000";
const BASE_TAG: &str = "f40-build";

fn repository(place: usize) -> String {
    format!("https://src.example.com/rpms/package{place}")
}

/// Returns a document that takes so many bytes as text.
fn document(name: &str) -> ModuleStream {
    let rpm = |place| {
        let component = RpmComponent {
            repository: Some(repository(place)),
            git_ref: Some("main".into()),
            rationale: "It is part of the module.".into(),
            ..RpmComponent::default()
        };
        (format!("package{place}"), component)
    };
    let map = |key: &str, value: Xmd| Xmd::Map(vec![(key.to_owned(), value)]);
    let mut base = Xmd::default();
    let entries = [("stream", "f40"), ("version", "1"), ("context", "00000000"), ("koji_tag", BASE_TAG)];
    entries.into_iter().for_each(|(key, value)| base.set(key, value.into()));
    let mut document = ModuleStream {
        name: Some(name.to_owned()),
        stream: Some("1".into()),
        summary: "A module".into(),
        description: "A module. ".into(),
        module_licenses: ["MIT".to_owned()].into(),
        xmd: map("mbs", map("buildrequires", map("platform", base))),
        rpms: (0..COMPONENTS).map(rpm).collect(),
        ..ModuleStream::default()
    };
    let lacking = DOCUMENT_BYTES.saturating_sub(document.to_yaml().len());
    document.description.extend("It does much. ".chars().cycle().take(lacking));
    document.description.shrink_to_fit();
    document
}

fn submission(number: usize) -> NewBuild {
    let name = format!("module{number:05}");
    NewBuild {
        document: Arc::new(document(&name)),
        nsvc: format!("{name}:1:20260101000000:c0ffee00").parse().expect("four parts are an identity"),
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

fn base() -> Nsvc {
    BASE.parse().expect("four parts are an identity")
}

fn resolver() -> MemoryResolver {
    let document =
        ModuleStream { name: Some("platform".into()), stream: Some("f40".into()), ..ModuleStream::default() };
    let tag = BASE_TAG.parse().ok();
    let base = KnownModule { nsvc: base(), tag, document: Arc::new(document), is_ready: true };
    MemoryResolver::new([base]).expect("one module does not conflict with itself")
}

fn source_control() -> MemorySourceControl {
    let sources = MemorySourceControl::new();
    for place in 0..COMPONENTS {
        sources.commit(&repository(place), "main", Timestamp::UNIX_EPOCH, &[("a.spec", "")]);
    }
    sources
}

/// Build systems that are all told the same; the first one answers.
#[derive(Debug)]
struct Alike(Vec<MemoryBuildSystem>);

impl Alike {
    fn of(count: usize) -> Self {
        Self((0..count).map(|_| build_system()).collect())
    }

    fn first(&self) -> &MemoryBuildSystem {
        &self.0[0]
    }

    /// Lets every package of macros be built at once.
    fn finish_macros(&self) {
        for task in self.first().live_tasks() {
            if task.package.is_some_and(|package| package.as_str() == MACROS_PACKAGE) {
                self.0.iter().for_each(|system| system.finish(task.id).expect("it lives"));
            }
        }
    }
}

/// Tells all of them, and returns what the first one says.
macro_rules! tell {
    ($systems:expr, $call:ident($($argument:expr),*)) => {{
        for other in &$systems.0[1..] {
            other.$call($($argument),*).await?;
        }
        $systems.first().$call($($argument),*).await
    }};
}

#[async_trait]
impl BuildSystem for Alike {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        tell!(self, observe(questions))
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        tell!(self, ensure_buildroot(spec))
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        tell!(self, submit(job))
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        tell!(self, ensure_tagged(requests))
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        tell!(self, ensure_untagged(requests))
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        tell!(self, request_repo(tag))
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        tell!(self, cancel(tasks))
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        tell!(self, import_module(module))
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        tell!(self, remove_target(target))
    }
}

fn build_system() -> MemoryBuildSystem {
    let build_system = MemoryBuildSystem::new();
    let base_tag = BASE_TAG.parse().expect("it is a tag name");
    build_system.add_tag(&base_tag, &["x86_64".parse().expect("it is an architecture")]);
    build_system.set_pace(TaskKind::Repo, Pace::AtOnce);
    build_system
}

/// Returns the resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux keeps this file");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says so");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("it is a number of kB");
    kib * 1_024
}

/// What is in flight, and what it took.
struct Flight {
    engine: Engine,
    grown: u64,
}

/// Lets all modules take off with so many build systems.
fn take_off(systems: usize) -> Flight {
    let before = resident();
    let policy = Policy { rpms_allow_repository: true, ..Policy::default() };
    let clock = Arc::new(ManualClock::new());
    let store = Arc::new(MemoryStore::new(clock.clone(), Timestamp::UNIX_EPOCH, &policy));
    let build_systems = Arc::new(Alike::of(systems));
    let engine = Engine {
        store: store.clone(),
        build_system: build_systems.clone(),
        resolver: Arc::new(resolver()),
        source_control: Arc::new(source_control()),
        clock: clock.clone(),
        planner: Arc::new(Standard),
        policy: Arc::new(policy),
        worker: WorkerId("backend".into()),
        looks_at_once: 64,
    };
    let mut context = Context::from_waker(Waker::noop());
    for number in 0..MODULES {
        let create = Create { new: vec![submission(number)], ..Create::default() };
        let created = pin!(store.create(create)).poll(&mut context);
        assert!(created.is_ready(), "the store answers at once");
    }
    let mut working = Box::pin(engine.run(pending, pending()));
    let all = (MODULES * (COMPONENTS + 1)) as u64;
    for turn in 0.. {
        assert!(turn < 1_000_000, "it makes no progress");
        assert!(working.as_mut().poll(&mut context).is_pending(), "nobody stops it");
        if build_systems.first().calls(Call::Submit) == all {
            break;
        }
        if turn % 64 == 0 {
            build_systems.finish_macros();
        }
        clock.advance_to(clock.next_deadline().expect("the engine sleeps"));
    }
    let grown = resident() - before;
    drop(working);
    Flight { engine, grown }
}

fn main() {
    let first = take_off(1);
    let second = take_off(2);
    let mb = |bytes: u64| bytes / 1_000_000;
    let build_system = second.grown - first.grown;
    println!(
        "{MODULES} modules of {COMPONENTS} components, documents of {DOCUMENT_BYTES} bytes, all in flight"
    );
    println!("backend, store and build system: {} MB", mb(first.grown));
    println!("of that the build system: {} MB", mb(build_system));
    println!("backend and store: {} MB", mb(first.grown - build_system));
    drop((first.engine, second.engine));
}
