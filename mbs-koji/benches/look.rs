//! How long one look at a module of 150 components takes, over HTTP on this machine. Prints; asserts nothing.
//!
//! Half of the components are tagged in both tags, the others are being built, and some are searched for: what a look asks
//! in the middle of a build. The fake hub runs in this process, so what it takes to answer is in the figures.

#![expect(clippy::print_stdout, reason = "a measurement shows its figures")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use mbs_core::build_system::{
    BuildQuestions, BuildSystem as _, BuildrootSpec, ComponentJob, Search, TagRequest,
};
use mbs_core::ident::{BuildId, CommitId, Nvr, TaskId};
use mbs_core::memory::{ManualClock, MemorySourceControl};
use mbs_core::model::ComponentSource;
use mbs_koji::build_system::{KojiBuildSystem, KojiSettings};
use mbs_koji::content_generator::{GENERATOR, Program, Settings};
use mbs_koji::fake_hub::{FakeHub, Setup};
use mbs_koji::hub::Hub;
use mbs_koji::profile::{Login, Profile, Secret};
use mbs_koji::repodata::Repodata;

const COMPONENTS: usize = 150;
const ROUNDS: usize = 101;
const BASE: &str = "f40-build";
const DIST: &str = ".module+f40+1+c0ffee00";

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("it is valid")
}

fn package(place: usize) -> String {
    format!("package-{place:03}")
}

fn system(hub: &FakeHub) -> KojiBuildSystem {
    let login = Login::Password { user: "mbs".to_owned(), password: Secret::new("mbspw") };
    let profile = Profile::new("koji", hub.url(), login);
    let client = Hub::new(&profile, Arc::new(ManualClock::new())).expect("the profile is sound");
    let generator = Program { name: GENERATOR.to_owned(), version: "1".to_owned() };
    let import =
        Settings { generator, host_os: "Linux".to_owned(), host_arch: id("x86_64"), tools: Vec::new() };
    let settings = KojiSettings { tag_permission: "tag".to_owned(), ..KojiSettings::new(import) };
    let repodata = Repodata::new(Duration::from_secs(10)).expect("this machine has certificates");
    KojiBuildSystem::new(client, repodata, Arc::new(MemorySourceControl::new()), settings)
}

fn spec() -> BuildrootSpec {
    BuildrootSpec {
        tag: id("module-app"),
        build_tag: id("module-app-build"),
        target: id("module-app"),
        arches: vec![id("aarch64"), id("x86_64")],
        packages: (0..COMPONENTS).map(|place| id(&package(place))).collect(),
        owner: "mbs".to_owned(),
        blocked: Vec::new(),
        unblocked: Vec::new(),
        build_group: vec!["bash".to_owned()],
        srpm_build_group: Vec::new(),
        inherits: vec![id(BASE)],
        repo_include_all: None,
        dynamic_buildrequires: None,
    }
}

fn job(place: usize) -> ComponentJob {
    let package = package(place);
    ComponentJob {
        build: BuildId(1),
        package: id(&package),
        source: ComponentSource::Git {
            url: format!("git+https://src.example.com/rpms/{package}"),
            commit: CommitId::new("a".repeat(40)).expect("it is a commit"),
        },
        target: id("module-app"),
        module_target: id("module-app"),
        build_tag: Some(id("module-app-build")),
        macros: None,
        dist: DIST.to_owned(),
        arch_override: Vec::new(),
        not_after: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Makes a module in the middle of its build, and returns what a look at it asks.
async fn module(hub: &FakeHub, system: &KojiBuildSystem) -> BuildQuestions {
    hub.plant_tag(BASE, &["x86_64"]);
    hub.plant_packages(BASE, &["module-build-macros"]);
    hub.plant_build("module-build-macros", "0.1", &format!("1{DIST}"), &["noarch"]);
    hub.plant_tagged(BASE, &format!("module-build-macros-0.1-1{DIST}"));
    system.ensure_buildroot(&spec()).await.expect("the buildroot is made");
    let jobs: Vec<ComponentJob> = (0..COMPONENTS).map(job).collect();
    let begun = system.submit_all(&jobs).await;
    let tasks: Vec<TaskId> = begun.into_iter().map(|task| task.expect("it is begun")).collect();
    let (built, live) = tasks.split_at(COMPONENTS / 2);
    let mut requests = Vec::new();
    for (place, task) in built.iter().enumerate() {
        hub.finish(*task).expect("it lives");
        let nvr: Nvr = id(&format!("{}-1.0-1{DIST}", package(place)));
        let request = |tag: &str| TagRequest { tag: id(tag), package: id(&package(place)), nvr: nvr.clone() };
        requests.extend(["module-app", "module-app-build"].map(request));
    }
    system.ensure_tagged(&requests).await.expect("they are tagged");
    let searched = (COMPONENTS / 2..COMPONENTS).step_by(5);
    BuildQuestions {
        tasks: live.iter().copied().collect(),
        tags: [id("module-app"), id("module-app-build")].into(),
        repo_of: Some(id("module-app-build")),
        search: Some(Search {
            packages: searched.map(|place| (id(&package(place)), id("module-app"))).collect(),
            module_target: id("module-app"),
            tags: vec![id("module-app-build"), id("module-app")],
            dist_suffix: DIST.to_owned(),
        }),
        ..BuildQuestions::default()
    }
}

#[tokio::main]
async fn main() {
    let hub = FakeHub::start(Setup::default()).await.expect("there are ports");
    let system = system(&hub);
    let questions = module(&hub, &system).await;
    system.observe(&questions).await.expect("the hub answers");
    hub.reset_counters();
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        system.observe(&questions).await.expect("the hub answers");
        times.push(began.elapsed());
    }
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let (figures, counters) = (system.hub().figures(), hub.counters());
    println!(
        "a look at {COMPONENTS} components: median {:.1} ms, 99 of 100 within {:.1} ms; {} requests in {ROUNDS} looks, {} calls each",
        milliseconds(times[ROUNDS / 2]),
        milliseconds(times[ROUNDS * 99 / 100]),
        counters.requests,
        counters.inner_calls / counters.requests,
    );
    println!("{figures:?}");
}
