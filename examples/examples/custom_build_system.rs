//! Brings a build system of one's own: an invented farm, held to the contract of its trait, then driven by the engine.
//!
//! The farm builds nothing for real, but all that a real one must know is here: tags, targets, tasks, builds, repositories,
//! and a counter of events that tells whether a repository shows a build. Ends with a status other than 0 if it breaks a promise.
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use mbs_core::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, FinishedModule,
    Found, FoundBuild, RepoSeen, Search, TagRequest, TaggedBuild, TaskFailure, TaskSeen, TaskState,
};
use mbs_core::contract::{self, BuildSystemGround, Unable};
use mbs_core::engine::Engine;
use mbs_core::ident::{Arch, CommitId, Nevra, Nvr, Package, RepoId, TagEvent, TagName, TaskId};
use mbs_core::memory::{ManualClock, MemoryResolver, MemorySourceControl, MemoryStore};
use mbs_core::model::{ComponentSource, State};
use mbs_core::plan::Standard;
use mbs_core::policy::Policy;
use mbs_core::store::{Builds, WorkerId};
use mbs_examples::{base_module, submission};

type Answer<T> = Result<T, BuildSystemError>;

/// The invented farm. Its hands work when [`Farm::finish`] says so.
#[derive(Debug, Default)]
struct Farm(Mutex<Yard>);

#[derive(Debug, Default)]
struct Yard {
    /// Counts every change that a repository may have to show.
    event: i64,
    tags: BTreeMap<TagName, Tag>,
    /// Target → build tag and destination tag.
    targets: BTreeMap<TagName, (TagName, TagName)>,
    tasks: BTreeMap<TaskId, Task>,
    imported: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Tag {
    arches: Vec<Arch>,
    set_up: Option<(BuildrootSpec, TagEvent)>,
    builds: Vec<TaggedBuild>,
    repo: Option<RepoSeen>,
}

#[derive(Debug)]
struct Task {
    job: ComponentJob,
    state: TaskState,
}

impl Task {
    /// What it builds, or would.
    fn nvr(&self) -> Nvr {
        Nvr::of(self.job.package.as_str(), "1", &format!("1{}", self.job.dist))
    }

    fn built(&self) -> Option<Nvr> {
        (self.state == TaskState::Closed).then(|| self.nvr())
    }
}

impl Farm {
    fn yard(&self) -> MutexGuard<'_, Yard> {
        self.0.lock().expect("nothing panics in the yard")
    }

    /// Ends a task that lives.
    fn finish(&self, task: TaskId, state: TaskState) {
        if let Some(task) = self.yard().tasks.get_mut(&task).filter(|task| task.state.is_live()) {
            task.state = state;
        }
    }

    fn finish_all(&self) {
        let all: Vec<TaskId> = self.yard().tasks.keys().copied().collect();
        all.into_iter().for_each(|task| self.finish(task, TaskState::Closed));
    }
}

impl Yard {
    fn next_event(&mut self) -> TagEvent {
        self.event += 1;
        TagEvent(self.event)
    }

    fn tag(&mut self, name: &TagName) -> Answer<&mut Tag> {
        self.tags.get_mut(name).ok_or_else(|| missing("tag", name.as_str()))
    }

    fn task_that_built(&self, nvr: &Nvr) -> Option<TaskId> {
        let mut tasks = self.tasks.iter().filter(|(_, task)| task.built().as_ref() == Some(nvr));
        tasks.next().map(|(id, _)| *id)
    }

    fn search(&self, search: &Search) -> Found {
        let mut found = Found { is_final: true, ..Found::default() };
        for (package, target) in &search.packages {
            let ours = |task: &&Task| task.job.package == *package && task.job.dist == search.dist_suffix;
            let live =
                self.tasks.iter().filter(|(_, task)| task.state.is_live() && task.job.target == *target);
            let live = live.filter(|(_, task)| ours(task));
            found.live.extend(live.map(|(id, _)| (package.clone(), *id)));
            let in_tag = |name: &TagName| {
                let build =
                    self.tags.get(name)?.builds.iter().rev().find(|build| build.package == *package)?;
                Some((build.nvr.clone(), build.task, Some(name.clone())))
            };
            let untagged = || {
                let mut tasks = self.tasks.iter().rev().filter(|(_, task)| ours(task));
                tasks.find_map(|(id, task)| Some((task.built()?, Some(*id), None)))
            };
            if let Some((nvr, task, tag)) = search.tags.iter().find_map(in_tag).or_else(untagged) {
                found.builds.push(FoundBuild { package: package.clone(), nvr, task, tag });
            }
        }
        found
    }

    /// Those of its builds, and what it inherits.
    fn rpms_of_tag(&self, name: &TagName) -> Option<Vec<Nevra>> {
        let tag = self.tags.get(name)?;
        let own = tag.builds.iter().filter_map(|build| self.rpms_of(&build.nvr)).flatten();
        let inherited = tag.set_up.iter().flat_map(|(spec, _)| &spec.inherits);
        let inherited = inherited.filter_map(|name| self.rpms_of_tag(name)).flatten();
        Some(own.chain(inherited).collect())
    }

    /// A source RPM and one that fits every architecture.
    fn rpms_of(&self, nvr: &Nvr) -> Option<Vec<Nevra>> {
        self.task_that_built(nvr)?;
        let rpm =
            |arch: &str| format!("{}-0:{}-{}.{arch}", nvr.name(), nvr.version(), nvr.release()).parse().ok();
        Some(["src", "noarch"].iter().filter_map(|arch| rpm(arch)).collect())
    }
}

fn missing(kind: &str, name: &str) -> BuildSystemError {
    BuildSystemError::NotFound { what: format!("the {kind} {name}") }
}

/// Answers a part per thing asked; `None` if nothing was asked.
fn per<K: Ord + Clone, V>(asked: &BTreeSet<K>, answer: impl Fn(&K) -> Option<V>) -> Option<BTreeMap<K, V>> {
    let answers = asked.iter().filter_map(|key| Some((key.clone(), answer(key)?)));
    (!asked.is_empty()).then(|| answers.collect())
}

#[async_trait]
impl BuildSystem for Farm {
    async fn observe(&self, asked: &BuildQuestions) -> Answer<BuildAnswers> {
        let yard = &*self.yard();
        let seen = |task: &Task| TaskSeen { state: task.state, builds: task.built().into_iter().collect() };
        let failure = |task: &TaskId| {
            let has_failed = yard.tasks.get(task)?.state == TaskState::Failed;
            has_failed.then(|| TaskFailure { reason: "the hail ruined it".into(), is_package_fault: true })
        };
        let arches = |tag: &TagName| yard.tags.get(tag).map(|tag| tag.arches.clone());
        Ok(BuildAnswers {
            tasks: per(&asked.tasks, |task| Some(yard.tasks.get(task).map(seen))),
            tags: per(&asked.tags, |tag| Some(yard.tags.get(tag).map(|tag| tag.builds.clone()))),
            repo: asked.repo_of.as_ref().map(|tag| yard.tags.get(tag).and_then(|tag| tag.repo)),
            repo_tries: None,
            search: asked.search.as_ref().map(|search| yard.search(search)),
            failures: per(&asked.failures, failure),
            rpms_of_builds: per(&asked.rpms_of_builds, |nvr| yard.rpms_of(nvr)),
            tag_arches: per(&asked.tag_arches, |tag| Some(arches(tag).filter(|arches| !arches.is_empty()))),
            tag_rpms: per(&asked.tag_rpms, |tag| yard.rpms_of_tag(tag)),
            weights: per(&asked.weights, |_| None),
        })
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Answer<TagEvent> {
        let mut yard = self.yard();
        let tags = (spec.build_tag.clone(), spec.tag.clone());
        if yard.targets.get(&spec.target).is_some_and(|other| *other != tags) {
            return Err(BuildSystemError::Conflict { what: format!("{} has other tags", spec.target) });
        }
        yard.targets.insert(spec.target.clone(), tags);
        for name in [&spec.tag, &spec.build_tag] {
            yard.tags.entry(name.clone()).or_default().arches = spec.arches.clone();
        }
        match &yard.tag(&spec.build_tag)?.set_up {
            Some((same, event)) if same == spec => Ok(*event),
            _ => {
                let event = yard.next_event();
                yard.tag(&spec.build_tag)?.set_up = Some((spec.clone(), event));
                Ok(event)
            }
        }
    }

    async fn submit(&self, job: &ComponentJob) -> Answer<TaskId> {
        let mut yard = self.yard();
        yard.targets.get(&job.target).ok_or_else(|| missing("target", job.target.as_str()))?;
        let id = TaskId(yard.tasks.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        yard.tasks.insert(id, Task { job: job.clone(), state: TaskState::Open });
        Ok(id)
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Answer<()> {
        let mut yard = self.yard();
        let mut gone = Vec::new();
        for TagRequest { tag, package, nvr } in requests {
            let Some(task) = yard.task_that_built(nvr) else {
                gone.push(nvr.clone());
                continue;
            };
            if yard.tag(tag)?.builds.iter().any(|build| build.nvr == *nvr) {
                continue;
            }
            let event = yard.next_event();
            let (package, nvr) = (package.clone(), nvr.clone());
            yard.tag(tag)?.builds.push(TaggedBuild { package, nvr, task: Some(task), event });
        }
        if gone.is_empty() { Ok(()) } else { Err(BuildSystemError::BuildsGone { builds: gone }) }
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Answer<()> {
        let mut yard = self.yard();
        yard.next_event();
        for request in requests {
            if let Some(tag) = yard.tags.get_mut(&request.tag) {
                tag.builds.retain(|build| build.nvr != request.nvr);
            }
        }
        Ok(())
    }

    /// The farm makes repositories at once, so there is no task to give.
    async fn request_repo(&self, tag: &TagName) -> Answer<Option<TaskId>> {
        let mut yard = self.yard();
        let event = yard.event;
        yard.tag(tag)?.repo = Some(RepoSeen { id: RepoId(event), event: TagEvent(event) });
        Ok(None)
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Answer<()> {
        tasks.iter().for_each(|task| self.finish(*task, TaskState::Canceled));
        Ok(())
    }

    async fn import_module(&self, module: &FinishedModule) -> Answer<()> {
        self.yard().imported.insert(module.build.nsvc().to_string());
        Ok(())
    }

    async fn remove_target(&self, target: &TagName) -> Answer<()> {
        self.yard().targets.remove(target);
        Ok(())
    }
}

/// What the suite needs beside the trait: names that are valid on this farm, and hands that work when told.
#[async_trait]
impl BuildSystemGround for Farm {
    fn build_system(&self) -> &dyn BuildSystem {
        self
    }

    fn buildroot(&self) -> BuildrootSpec {
        BuildrootSpec {
            tag: name("module-trial"),
            build_tag: name("module-trial-build"),
            target: name("module-trial"),
            arches: vec![name("x86_64")],
            packages: ["liba", "libb", "libc"].map(name).to_vec(),
            owner: "anna".into(),
            blocked: Vec::new(),
            unblocked: Vec::new(),
            build_group: Vec::new(),
            srpm_build_group: Vec::new(),
            inherits: Vec::new(),
            repo_include_all: None,
            dynamic_buildrequires: None,
        }
    }

    fn job(&self, package: &Package) -> ComponentJob {
        let commit = name::<CommitId>(&"a".repeat(40));
        ComponentJob {
            build: mbs_core::ident::BuildId(1),
            package: package.clone(),
            source: ComponentSource::Git { url: format!("memory:{package}"), commit },
            target: name("module-trial"),
            module_target: name("module-trial"),
            build_tag: Some(name("module-trial-build")),
            dist: ".trial".into(),
            macros: None,
            arch_override: Vec::new(),
            not_after: jiff::Timestamp::MAX,
        }
    }

    async fn end(&self, task: TaskId) {
        self.finish(task, TaskState::Closed);
    }

    async fn end_repo(&self, _: &TagName, _: Option<TaskId>) {}

    async fn fail(&self, package: &Package) -> Result<TaskId, Unable> {
        let task = self.submit(&self.job(package)).await.expect("the buildroot was ensured");
        self.finish(task, TaskState::Failed);
        Ok(task)
    }

    async fn cancel_by_stranger(&self, task: TaskId) -> Result<(), Unable> {
        self.finish(task, TaskState::Canceled);
        Ok(())
    }
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the names above are valid")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("{}", contract::build_system(async || Farm::default()).await?);

    let policy = Policy { rpms_allow_repository: true, ..Policy::default() };
    let (clock, start) = (Arc::new(ManualClock::new()), "2026-01-01T00:00:00Z".parse()?);
    let store = Arc::new(MemoryStore::new(clock.clone(), start, &policy));
    let base = base_module("f40-build")?;
    let farm = Arc::new(Farm::default());
    farm.yard().tags.entry(name("f40-build")).or_default().arches = vec![name("x86_64")];
    let sources = MemorySourceControl::new();
    for package in ["libapp", "app"] {
        sources.commit(&format!("memory:{package}"), "main", start, &[]);
    }
    let created = store.create(submission(&base, &policy).await?.into()).await?;
    let id = created.builds.first().context("one build was made")?.id;
    let engine = Engine {
        store: store.clone(),
        build_system: farm.clone(),
        resolver: Arc::new(MemoryResolver::new([base])?),
        source_control: Arc::new(sources),
        clock: clock.clone(),
        planner: Arc::new(Standard),
        policy: Arc::new(policy),
        worker: WorkerId("example".into()),
        looks_at_once: 1,
    };
    while !matches!(store.load(id).await?.build.state(), State::Ready | State::Failed) {
        engine.round().await?;
        farm.finish_all();
        clock.advance(Duration::from_secs(30));
    }
    store.trace(id).await?.iter().for_each(|step| println!("{} {}", step.at, step.to));
    ensure!(store.load(id).await?.build.state() == State::Ready, "the farm did not build the module");
    Ok(())
}
