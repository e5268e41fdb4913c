//! How long one step of a module of 150 components takes: what is asked, and what is decided. The aim is below 100 µs.
//!
//! Five batches of 30: two are in the repository, of the third 20 are complete and 10 run. In the first case nothing
//! happened, in the second a task has ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;

use mbs_core::build_system::{BuildAnswers, RepoSeen, TaggedBuild, TaskSeen, TaskState};
use mbs_core::context::Contexts;
use mbs_core::ident::{Batch, BuildId, CommitId, Package, RepoId, TagEvent, TaskId};
use mbs_core::model::{
    Attempt, BuildState, Buildroot, ComponentBuild, ComponentSource, ModuleBuild, NewBuild, RebuildStrategy,
    State, Verdict, WhyRebuild,
};
use mbs_core::modulemd::{ModuleStream, RpmComponent};
use mbs_core::plan::{Observation, missing, plan};
use mbs_core::policy::Policy;
use mbs_core::shared::Shared;

const BATCHES: u32 = 5;
const PER_BATCH: u32 = 30;
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn component(number: u32) -> ComponentBuild {
    let package = Package::new(format!("package{number:03}")).expect("a word is a package name");
    let commit = CommitId::new("a".repeat(40)).expect("40 digits are a commit");
    let source = ComponentSource::Git { url: format!("https://src.example.com/rpms/{package}"), commit };
    let mut component = ComponentBuild::new(package, source, Batch(2 + number / PER_BATCH));
    component.verdict = Some(Verdict::Rebuild(WhyRebuild::NoSource));
    if number < 80 {
        component.state = Some(BuildState::Complete);
        component.nvr = format!("{}-1-1", component.package).parse().ok();
        (component.tagged, component.tagged_in_final) = (number < 60, number < 60);
    } else if number < 90 {
        let task = Some(TaskId(i64::from(number)));
        component.state = Some(BuildState::Building);
        component.attempts = vec![Attempt { number: 1, intended_at: NOW, not_after: NOW, task, end: None }];
    }
    component
}

fn module() -> ModuleBuild {
    let components: Vec<Shared<ComponentBuild>> =
        (0..BATCHES * PER_BATCH).map(component).map(Shared::from).collect();
    let rpms = components.iter().map(|component| (component.package.to_string(), RpmComponent::default()));
    let document = ModuleStream { rpms: rpms.collect(), ..ModuleStream::default() };
    let new = NewBuild {
        nsvc: "app:1:2020:c0ffee00".parse().expect("four parts are an identity"),
        owner: "mary".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
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
    let mut build = ModuleBuild::begin(new, BuildId(7), BuildId(7), NOW);
    for state in [State::Wait, State::Build] {
        build.enter(state, None, NOW).expect("the arrows lead from init to build");
    }
    build.life.take_unsaved();
    build.koji_tag = "module-app-1-2020-c0ffee00".parse().ok();
    build.batch = Batch(4);
    build.components = components;
    build
}

/// What the build system shows when nothing happened since the record was saved.
fn observation(build: &ModuleBuild) -> Observation {
    let tagged = build.components.iter().filter(|component| component.tagged);
    let tagged = tagged.filter_map(|component| {
        let (package, nvr) = (component.package.clone(), component.nvr.clone()?);
        Some(TaggedBuild { package, nvr, task: None, event: TagEvent(50) })
    });
    let tagged: Vec<TaggedBuild> = tagged.collect();
    let tags = build.koji_tag.clone().into_iter().chain(build.build_tag());
    let open = || Some(TaskSeen { state: TaskState::Open, builds: Vec::new() });
    let build = BuildAnswers {
        tasks: Some((80..90).map(|task| (TaskId(task), open())).collect()),
        tags: Some(tags.map(|tag| (tag, Some(tagged.clone()))).collect()),
        repo: Some(Some(RepoSeen { id: RepoId(1), event: TagEvent(60) })),
        ..BuildAnswers::default()
    };
    Observation { build, ..Observation::default() }
}

fn step(build: &ModuleBuild, seen: &Observation, policy: &Policy) -> ModuleBuild {
    assert!(missing(build, seen, policy).is_empty(), "everything is known");
    plan(build, seen, policy, NOW).expect("record and observation agree").build
}

fn steps(criterion: &mut Criterion) {
    let policy = Policy::default();
    let mut build = module();
    let mut seen = observation(&build);
    // The first plan wants the buildroot; its digest is what the record holds from then on.
    let wanted = plan(&build, &seen, &policy, NOW).expect("record and observation agree");
    if let Some(mbs_core::plan::Action::EnsureBuildroot(_, digest)) = wanted.actions.first() {
        build.buildroot = Some(Buildroot { digest: digest.clone(), event: TagEvent(0) });
    }
    assert_eq!(step(&build, &seen, &policy), build);
    criterion.bench_function("a step of 150 components in which nothing happened", |bencher| {
        bencher.iter(|| step(&build, &seen, &policy));
    });
    let closed =
        TaskSeen { state: TaskState::Closed, builds: vec!["package080-1-1".parse().expect("an NVR")] };
    seen.build.tasks.get_or_insert_default().insert(TaskId(80), Some(closed));
    assert_ne!(step(&build, &seen, &policy), build);
    criterion.bench_function("a step of 150 components in which one was finished", |bencher| {
        bencher.iter(|| step(&build, &seen, &policy));
    });
}

criterion_group!(benches, steps);
criterion_main!(benches);
