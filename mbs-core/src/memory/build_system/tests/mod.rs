//! Tests of the build system in memory.

use std::collections::BTreeSet;

use super::*;
use crate::build_system::{Effect, RepoSeen, Search, TaskState};
use crate::ident::{Arch, BuildId, CommitId, Nvr, Package};
use crate::macros::MacrosPackage;
use crate::memory::samples::{at, id, now_or_panic};
use crate::model::{ComponentSource, MACROS_PACKAGE};

mod answers;
mod tags;
mod tasks;

const DIST: &str = ".module+f29+1+abc";

/// A build system with one module's buildroot: tag `module-app` and what belongs to it.
fn plant() -> MemoryBuildSystem {
    let plant = MemoryBuildSystem::new();
    plant.add_tag(&id("f29-build"), &[id("x86_64")]);
    now_or_panic(plant.ensure_buildroot(&spec())).unwrap();
    plant
}

fn spec() -> BuildrootSpec {
    BuildrootSpec {
        tag: id("module-app"),
        build_tag: id("module-app-build"),
        target: id("module-app"),
        arches: vec![id("i686"), id("x86_64")],
        packages: vec![id("liba"), id("libb")],
        owner: "mary".into(),
        blocked: vec![id("libb")],
        unblocked: vec![],
        build_group: vec!["bash".into()],
        srpm_build_group: vec![],
        inherits: vec![id("f29-build")],
        repo_include_all: None,
        dynamic_buildrequires: None,
    }
}

fn job(package: &str) -> ComponentJob {
    let commit = CommitId::new("a".repeat(40)).unwrap();
    ComponentJob {
        build: BuildId(1),
        package: id(package),
        source: ComponentSource::Git { url: "https://src.example.com/rpms/x".into(), commit },
        target: id("module-app"),
        module_target: id("module-app"),
        build_tag: Some(id("module-app-build")),
        macros: None,
        dist: DIST.into(),
        arch_override: vec![],
        not_after: at(30),
    }
}

fn macros_job() -> ComponentJob {
    let macros = Some(MacrosPackage { spec: String::new(), macros: String::new() });
    ComponentJob { source: ComponentSource::Macros, macros, ..job(MACROS_PACKAGE) }
}

fn submit(plant: &MemoryBuildSystem, job: &ComponentJob) -> TaskId {
    now_or_panic(plant.submit(job)).unwrap()
}

/// Builds a package and returns its NVR.
fn build(plant: &MemoryBuildSystem, package: &str) -> Nvr {
    let task = submit(plant, &job(package));
    plant.finish(task).unwrap();
    id(&format!("{package}-1-1{DIST}"))
}

fn observe(plant: &MemoryBuildSystem, questions: &BuildQuestions) -> BuildAnswers {
    now_or_panic(plant.observe(questions)).unwrap()
}

/// Observes one task: its state and the builds it made.
fn look(plant: &MemoryBuildSystem, task: TaskId) -> Option<(TaskState, Vec<String>)> {
    let questions = BuildQuestions { tasks: [task].into(), ..BuildQuestions::default() };
    let seen = observe(plant, &questions).tasks.unwrap().remove(&task).unwrap()?;
    Some((seen.state, seen.builds.iter().map(ToString::to_string).collect()))
}

fn newest_repo(plant: &MemoryBuildSystem, tag: &str) -> Option<RepoSeen> {
    let questions = BuildQuestions { repo_of: Some(id(tag)), ..BuildQuestions::default() };
    observe(plant, &questions).repo.unwrap()
}

fn tag(plant: &MemoryBuildSystem, tag: &str, nvr: &Nvr) -> Result<(), BuildSystemError> {
    let package = id(nvr.name());
    now_or_panic(plant.ensure_tagged(&[TagRequest { tag: id(tag), package, nvr: nvr.clone() }]))
}

fn is_missing<T>(outcome: &Result<T, BuildSystemError>, what: &str) -> bool {
    matches!(outcome, Err(BuildSystemError::NotFound { what: missing }) if missing == what)
}

fn is_gone<T>(outcome: &Result<T, BuildSystemError>, nvr: &Nvr) -> bool {
    matches!(outcome, Err(BuildSystemError::BuildsGone { builds }) if *builds == [nvr.clone()])
}

fn is_conflict<T>(outcome: &Result<T, BuildSystemError>) -> bool {
    matches!(outcome, Err(BuildSystemError::Conflict { .. }))
}

fn is_rejected<T>(outcome: &Result<T, BuildSystemError>) -> bool {
    matches!(outcome, Err(BuildSystemError::Rejected { .. }))
}

#[test]
fn an_injected_fault_hits_one_call_before_or_after_its_effect() {
    let plant = plant();
    let error = BuildSystemError::Unavailable {
        reason: "time-out".into(),
        retry_after: None,
        effect: Effect::Unknown,
    };
    plant.inject(Call::Submit, Fault::Before(error.clone()));
    plant.inject(Call::Submit, Fault::After(error.clone()));
    assert_eq!(now_or_panic(plant.submit(&job("liba"))), Err(error.clone()));
    assert_eq!(plant.live_tasks(), []);
    assert_eq!(now_or_panic(plant.submit(&job("liba"))), Err(error));
    assert_eq!(plant.live_tasks().len(), 1);
    submit(&plant, &job("libb"));
    assert_eq!((plant.calls(Call::Submit), plant.calls(Call::Cancel)), (3, 0));
}

#[test]
fn a_refusal_is_told_even_if_the_answer_was_to_be_lost() {
    let plant = plant();
    let lost = BuildSystemError::Protocol { what: "cut off".into(), effect: Effect::Unknown };
    plant.inject(Call::RequestRepo, Fault::After(lost));
    assert!(is_missing(&now_or_panic(plant.request_repo(&id("nope"))), "the tag nope"));
}

#[test]
fn what_changed_is_told_once_as_hints() {
    use crate::bus::Hint;
    let plant = plant();
    let task = submit(&plant, &job("liba"));
    assert_eq!(plant.take_hints(), []);
    plant.finish(task).unwrap();
    tag(&plant, "module-app", &id(&format!("liba-1-1{DIST}"))).unwrap();
    assert_eq!(plant.take_hints(), [Hint::Tag(id("module-app")), Hint::Task(task)]);
    assert_eq!(plant.take_hints(), []);
}

#[test]
fn what_only_koji_can_do_is_unsupported() {
    use crate::memory::samples::new_build;
    use crate::model::ModuleBuild;
    let build = ModuleBuild::begin(new_build("app:1:1:a"), BuildId(1), BuildId(1), at(0));
    let outcome = now_or_panic(plant().final_documents(&build));
    assert!(matches!(outcome, Err(BuildSystemError::Unsupported { .. })));
}
