//! Records as the tests begin with them: the module `app:1` on `platform:f28`, in a state, with components.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{TAG, at, id};
use crate::context::Contexts;
use crate::ident::{Batch, BuildId, CommitId, TagEvent, TaskId, Weight};
use crate::model::{
    Attempt, AttemptEnd, BuildState, Buildroot, ComponentBuild, ComponentSource, Failure, MACROS_PACKAGE,
    ModuleBuild, NewBuild, Ordering, RebuildStrategy, State, Verdict, WhyRebuild,
};
use crate::modulemd::{Dependencies, ModuleStream, RpmComponent, Xmd};
use crate::plan::buildroot::{buildroot_spec, digest};
use crate::resolver::KnownModule;

pub(super) const MACROS_NVR: &str = "module-build-macros-0.1-1";

/// Makes a map of `xmd`.
pub(super) fn map(entries: &[(&str, Xmd)]) -> Xmd {
    Xmd::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

pub(super) fn list(texts: &[&str]) -> Xmd {
    Xmd::Seq(texts.iter().map(|text| Xmd::from(*text)).collect())
}

/// Returns what a stored document says of a buildrequired module.
pub(super) fn entry(nsvc: &str, tag: &str) -> Xmd {
    let parts: Vec<&str> = nsvc.split(':').collect();
    map(&[
        ("stream", parts[1].into()),
        ("version", parts[2].into()),
        ("context", parts[3].into()),
        ("ref", "null".into()),
        ("koji_tag", tag.into()),
    ])
}

/// Sets a value of `xmd.mbs`.
pub(super) fn set_mbs(document: &mut ModuleStream, key: &str, value: Xmd) {
    let mut mbs = document.xmd.remove("mbs").unwrap_or_default();
    mbs.set(key, value);
    document.xmd.set("mbs", mbs);
}

/// Returns a module that can be required, with what it says in `xmd.mbs`.
pub(super) fn module(nsvc: &str, tag: Option<&str>, mbs: &[(&str, Xmd)]) -> KnownModule {
    let mut document = ModuleStream { dependencies: vec![Dependencies::default()], ..empty_document() };
    mbs.iter().for_each(|(key, value)| set_mbs(&mut document, key, value.clone()));
    KnownModule { nsvc: id(nsvc), tag: tag.map(id), document: Arc::new(document), is_ready: true }
}

fn empty_document() -> ModuleStream {
    ModuleStream {
        summary: "A module".into(),
        description: "A module of the tests.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        ..ModuleStream::default()
    }
}

/// The expanded document of `app:1` with components by key.
pub(super) fn document(rpms: &[(&str, RpmComponent)]) -> ModuleStream {
    let mut document = ModuleStream {
        name: Some("app".into()),
        stream: Some("1".into()),
        version: Some(2020),
        context: Some("c0ffee00".into()),
        rpms: rpms.iter().map(|(key, rpm)| ((*key).to_owned(), rpm.clone())).collect(),
        ..empty_document()
    };
    set_mbs(
        &mut document,
        "buildrequires",
        map(&[("platform", entry("platform:f28:3:00000000", "f28-build"))]),
    );
    document
}

/// A component of a document.
pub(super) fn rpm(buildorder: i64) -> RpmComponent {
    RpmComponent { rationale: "wanted".into(), buildorder, ..RpmComponent::default() }
}

/// Build 7, just submitted at 0:00 by mary.
pub(super) fn submitted(document: ModuleStream) -> ModuleBuild {
    let new = NewBuild {
        nsvc: id("app:1:2020:c0ffee00"),
        owner: "mary".into(),
        priority: 0,
        scratch: false,
        scmurl: Some("https://src.example.com/modules/app?#abcdef".into()),
        commit: None,
        strategy: RebuildStrategy::default(),
        reuse_from: None,
        origin: None,
        document: Arc::new(document),
        contexts: Contexts::default(),
        srpms: BTreeMap::new(),
        given_srpms: Vec::new(),
        base_modules: Vec::new(),
    };
    let mut build = ModuleBuild::begin(new, BuildId(7), BuildId(7), at(0, 0));
    build.life.take_unsaved();
    build
}

/// The build in `wait`, with components of which nothing is decided.
pub(super) fn waiting(components: Vec<ComponentBuild>) -> ModuleBuild {
    let mut build = submitted(document(&[]));
    build.arches = vec![id("x86_64")];
    build.surroundings.dist_marking = Some("f28".into());
    build.surroundings.inherits = vec![id("f28-build")];
    build.components = components.into_iter().map(Into::into).collect();
    enter(build, State::Wait)
}

/// The build in `build`: the macros are built and in the repository of event 60, batch 2 has begun.
pub(super) fn building(components: Vec<ComponentBuild>) -> ModuleBuild {
    let mut all = vec![macros().complete(MACROS_NVR).in_build_tag()];
    all.extend(components);
    just_in_build(all, Batch(2))
}

/// The build in `build` with exactly these components, its buildroot ensured.
pub(super) fn just_in_build(components: Vec<ComponentBuild>, batch: Batch) -> ModuleBuild {
    let mut build = waiting(components);
    for component in build.components.iter_mut().filter(|c| !c.is_macros() && c.verdict.is_none()) {
        component.verdict = Some(Verdict::Rebuild(WhyRebuild::NoSource));
    }
    build.koji_tag = Some(id(TAG));
    build.cg_tag = Some(id("f28-modular-updates-candidate"));
    build.batch = batch;
    with_buildroot(enter(build, State::Build))
}

/// The build whose components are ordered by a graph.
pub(super) fn graph(components: Vec<ComponentBuild>) -> ModuleBuild {
    let mut build = building(components);
    build.ordering = Ordering::Graph;
    build.batch = build.components.iter().map(|c| c.batch).max().unwrap();
    build
}

/// Notes the wanted buildroot as ensured.
pub(super) fn with_buildroot(mut build: ModuleBuild) -> ModuleBuild {
    let digest = buildroot_spec(&build).as_ref().map(digest);
    build.buildroot = digest.map(|digest| Buildroot { digest, event: TagEvent(50) });
    build
}

pub(super) fn enter(mut build: ModuleBuild, state: State) -> ModuleBuild {
    build.enter(state, None, at(0, 0)).unwrap();
    build.life.take_unsaved();
    build
}

/// The build failed at 5:00 by its packager's fault and is not settled yet.
pub(super) fn broken(mut build: ModuleBuild) -> ModuleBuild {
    build.life.fail("Canceled by mary.".into(), Failure::Unspec, at(5, 0)).unwrap();
    build.life.take_unsaved();
    build
}

pub(super) fn component(package: &str, batch: u32) -> ComponentBuild {
    let commit = CommitId::new("a".repeat(40)).unwrap();
    let source = ComponentSource::Git { url: format!("https://src.example.com/rpms/{package}"), commit };
    let mut component = ComponentBuild::new(id(package), source, Batch(batch));
    component.arches = vec![id("x86_64")];
    component
}

pub(super) fn macros() -> ComponentBuild {
    let mut macros = ComponentBuild::new(id(MACROS_PACKAGE), ComponentSource::Macros, Batch(1));
    macros.arches = vec![id("noarch")];
    macros.build_time_only = true;
    macros
}

/// What a component has come to, in words.
pub(super) trait ComponentWords: Sized {
    /// It is expected to cost so much.
    fn weighing(self, cost: f64) -> Self;
    /// On graphs: it follows these.
    fn after(self, packages: &[&str]) -> Self;
    /// An attempt begun at 8:00 has this task.
    fn running(self, task: i64) -> Self;
    /// An attempt intended at 8:00 has no task; a call may arrive until 8:30.
    fn in_doubt(self) -> Self;
    /// An attempt begun at 8:00 ended so.
    fn tried(self, end: AttemptEnd) -> Self;
    fn complete(self, nvr: &str) -> Self;
    fn in_build_tag(self) -> Self;
    fn in_both_tags(self) -> Self;
    fn failed(self, reason: &str) -> Self;
    /// It is to be reused from build 3.
    fn reusable(self, nvr: &str) -> Self;
    fn buildonly(self) -> Self;
}

impl ComponentWords for ComponentBuild {
    fn weighing(mut self, cost: f64) -> Self {
        self.weight = Weight::new(cost);
        self
    }

    fn after(mut self, packages: &[&str]) -> Self {
        self.after = packages.iter().map(|package| id(package)).collect();
        self
    }

    fn running(mut self, task: i64) -> Self {
        self = self.in_doubt();
        self.live_attempt_mut().unwrap().task = Some(TaskId(task));
        self.task = Some(TaskId(task));
        self
    }

    fn in_doubt(mut self) -> Self {
        let number = self.attempts.last().map_or(1, |attempt| attempt.number + 1);
        let (intended_at, not_after) = (at(8, 0), at(8, 30));
        self.attempts.push(Attempt { number, intended_at, not_after, task: None, end: None });
        self.state = Some(BuildState::Building);
        self
    }

    fn tried(mut self, end: AttemptEnd) -> Self {
        self = self.in_doubt();
        self.live_attempt_mut().unwrap().end = Some(end);
        self.state = None;
        self
    }

    fn complete(mut self, nvr: &str) -> Self {
        self.state = Some(BuildState::Complete);
        self.nvr = Some(id(nvr));
        self
    }

    fn in_build_tag(mut self) -> Self {
        self.tagged = true;
        self
    }

    fn in_both_tags(mut self) -> Self {
        (self.tagged, self.tagged_in_final) = (true, true);
        self
    }

    fn failed(mut self, reason: &str) -> Self {
        self = self.tried(AttemptEnd::Failed { reason: reason.into(), failure: Failure::User });
        self.state = Some(BuildState::Failed);
        self.reason = Some(reason.into());
        self
    }

    fn reusable(mut self, nvr: &str) -> Self {
        let (nvr, task) = (id(nvr), Some(TaskId(33)));
        self.verdict = Some(Verdict::Reuse { from: None, build: BuildId(3), nvr, task });
        self
    }

    fn buildonly(mut self) -> Self {
        self.buildonly = true;
        self
    }
}
