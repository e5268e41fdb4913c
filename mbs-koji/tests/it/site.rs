//! A fake hub with a distribution on it, and a build system that builds one module there.

use std::sync::Arc;

use mbs_core::build_system::{BuildrootSpec, ComponentJob};
use mbs_core::clock::Clock;
use mbs_core::ident::{Arch, BuildId, CommitId, Package};
use mbs_core::memory::{ManualClock, MemorySourceControl};
use mbs_core::model::ComponentSource;
use mbs_koji::build_system::{KojiBuildSystem, KojiSettings};
use mbs_koji::content_generator::{GENERATOR, Program, Settings};
use mbs_koji::fake_hub::{FakeHub, Setup};
use mbs_koji::hub::Hub;
use mbs_koji::profile::{Login, Profile, Secret};
use mbs_koji::repodata::Repodata;

/// The dist tag of everything that is built in the distribution.
pub(crate) const DIST: &str = ".module+f40+1+c0ffee00";
/// The tag that buildroots of modules inherit.
pub(crate) const BASE: &str = "f40-build";

pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A hub and its client.
pub(crate) struct Site {
    pub(crate) hub: FakeHub,
    pub(crate) system: KojiBuildSystem,
}

impl Site {
    /// Starts a hub of a version, on which the macros of the base define [`DIST`].
    pub(crate) async fn new(version: &str) -> Self {
        Self::with(Setup { version: version.to_owned(), ..Setup::default() }).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let hub = FakeHub::start(setup).await.unwrap();
        hub.plant_tag(BASE, &["x86_64"]);
        hub.plant_packages(BASE, &["module-build-macros"]);
        let release = format!("1{DIST}");
        hub.plant_build("module-build-macros", "0.1", &release, &["noarch"]);
        hub.plant_tagged(BASE, &format!("module-build-macros-0.1-{release}"));
        let system = system(&hub, "mbs", "mbspw");
        Self { hub, system }
    }
}

/// Makes the build system of a user.
pub(crate) fn system(hub: &FakeHub, user: &str, password: &str) -> KojiBuildSystem {
    let login = Login::Password { user: user.to_owned(), password: Secret::new(password) };
    let profile = Profile::new("koji", hub.url(), login).without_retries();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
    let client = Hub::new(&profile, clock).unwrap();
    let generator = Program { name: GENERATOR.to_owned(), version: "1".to_owned() };
    let import =
        Settings { generator, host_os: "Linux".to_owned(), host_arch: id("x86_64"), tools: Vec::new() };
    let settings = KojiSettings { tag_permission: "tag".to_owned(), ..KojiSettings::new(import) };
    let repodata = Repodata::new(std::time::Duration::from_secs(10)).unwrap();
    KojiBuildSystem::new(client, repodata, Arc::new(MemorySourceControl::new()), settings)
}

/// The buildroot of the module, for these packages.
pub(crate) fn spec(packages: &[&str]) -> BuildrootSpec {
    BuildrootSpec {
        tag: id("module-app"),
        build_tag: id("module-app-build"),
        target: id("module-app"),
        arches: vec![id("aarch64"), id("x86_64")],
        packages: packages.iter().map(|package| id(package)).collect(),
        owner: "mary".to_owned(),
        blocked: Vec::new(),
        unblocked: Vec::new(),
        build_group: vec!["bash".to_owned()],
        srpm_build_group: Vec::new(),
        inherits: vec![id(BASE)],
        repo_include_all: None,
        dynamic_buildrequires: None,
    }
}

/// A job that builds a package of the module from git.
pub(crate) fn job(package: &Package) -> ComponentJob {
    let commit = CommitId::new("a".repeat(40)).unwrap();
    ComponentJob {
        build: BuildId(1),
        package: package.clone(),
        source: ComponentSource::Git { url: format!("git+https://src.example.com/rpms/{package}"), commit },
        target: id("module-app"),
        module_target: id("module-app"),
        build_tag: Some(id("module-app-build")),
        macros: None,
        dist: DIST.to_owned(),
        arch_override: Vec::<Arch>::new(),
        not_after: jiff::Timestamp::UNIX_EPOCH,
    }
}
