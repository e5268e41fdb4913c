//! The build system in memory, and build systems with a defect.

use std::sync::Mutex;

use async_trait::async_trait;

use super::{broken_by, keeps_all, run};
use crate::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, Effect,
    FinishedModule, RepoSeen, TagRequest, TaskFailure,
};
use crate::contract::samples::{at, commit, id};
use crate::contract::{BuildSystemGround, Unable, build_system};
use crate::ident::{BuildId, Nvr, Package, TagEvent, TagName, TaskId};
use crate::memory::MemoryBuildSystem;
use crate::model::ComponentSource;

/// What is wrong with a build system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    Nothing,
    RepeatsTheFirstRepository,
    MovesTheEventOfABuildroot,
    TagsAgainAndAgain,
    NamesOneLostBuild,
    FindsNoLiveTask,
    SaysTheUnknownFailed,
    CancelsOnce,
    AnswersWhatWasNotAsked,
}

/// A build system in memory, with a defect. Tasks end when the suite says so.
#[derive(Debug)]
struct Faulty {
    memory: MemoryBuildSystem,
    defect: Defect,
    first_repo: Mutex<Option<RepoSeen>>,
}

impl Faulty {
    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }
}

async fn ground(defect: Defect) -> Faulty {
    let memory = MemoryBuildSystem::new();
    memory.add_tag(&id("f29-build"), &[id("x86_64")]);
    Faulty { memory, defect, first_repo: Default::default() }
}

#[async_trait]
impl BuildSystem for Faulty {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        let mut answers = self.memory.observe(questions).await?;
        if let (Defect::RepeatsTheFirstRepository, Some(Some(repo))) = (self.defect, &mut answers.repo) {
            *repo = *self.first_repo.lock().unwrap().get_or_insert(*repo);
        }
        if let (Defect::FindsNoLiveTask, Some(found)) = (self.defect, &mut answers.search) {
            found.live.clear();
        }
        if self.has(Defect::AnswersWhatWasNotAsked) {
            answers.weights.get_or_insert_default();
        }
        Ok(answers)
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        let event = self.memory.ensure_buildroot(spec).await?;
        if self.has(Defect::MovesTheEventOfABuildroot) {
            let number = self.memory.last_event().0;
            self.memory.add_build(&id(&format!("x-{number}-1")), &[])?;
            return Ok(self.memory.last_event());
        }
        Ok(event)
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        match self.memory.submit(job).await {
            Err(BuildSystemError::NotFound { what }) if self.has(Defect::SaysTheUnknownFailed) => {
                Err(BuildSystemError::Protocol { what, effect: Effect::Unknown })
            }
            outcome => outcome,
        }
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        if self.has(Defect::TagsAgainAndAgain) {
            self.memory.ensure_untagged(requests).await?;
        }
        match self.memory.ensure_tagged(requests).await {
            Err(BuildSystemError::BuildsGone { mut builds }) if self.has(Defect::NamesOneLostBuild) => {
                builds.truncate(1);
                Err(BuildSystemError::BuildsGone { builds })
            }
            outcome => outcome,
        }
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.memory.ensure_untagged(requests).await
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        self.memory.request_repo(tag).await
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        let live: Vec<TaskId> = self.memory.live_tasks().into_iter().map(|task| task.id).collect();
        if self.has(Defect::CancelsOnce) && !tasks.iter().any(|task| live.contains(task)) && !tasks.is_empty()
        {
            return Err(BuildSystemError::Rejected { reason: "the task ended already".into() });
        }
        self.memory.cancel(tasks).await
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        self.memory.import_module(module).await
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        self.memory.remove_target(target).await
    }

    async fn tags_of_rpm(&self, file_name: &str) -> Result<Vec<TagName>, BuildSystemError> {
        self.memory.tags_of_rpm(file_name).await
    }
}

fn job(package: &Package) -> ComponentJob {
    let url = "https://src.example.com/rpms/x".into();
    ComponentJob {
        build: BuildId(1),
        package: package.clone(),
        source: ComponentSource::Git { url, commit: commit('a') },
        target: id("module-app"),
        module_target: id("module-app"),
        build_tag: Some(id("module-app-build")),
        macros: None,
        dist: ".module+f29+1+abc".into(),
        arch_override: vec![],
        not_after: at(30),
    }
}

fn spec() -> BuildrootSpec {
    BuildrootSpec {
        tag: id("module-app"),
        build_tag: id("module-app-build"),
        target: id("module-app"),
        arches: vec![id("i686"), id("x86_64")],
        packages: vec![id("liba"), id("libb"), id("libc")],
        owner: "mary".into(),
        blocked: vec![],
        unblocked: vec![],
        build_group: vec!["bash".into()],
        srpm_build_group: vec![],
        inherits: vec![id("f29-build")],
        repo_include_all: None,
        dynamic_buildrequires: None,
    }
}

#[async_trait]
impl BuildSystemGround for Faulty {
    fn build_system(&self) -> &dyn BuildSystem {
        self
    }

    fn buildroot(&self) -> BuildrootSpec {
        spec()
    }

    fn job(&self, package: &Package) -> ComponentJob {
        job(package)
    }

    async fn end(&self, task: TaskId) {
        self.memory.finish(task).unwrap();
    }

    async fn end_repo(&self, _: &TagName, task: Option<TaskId>) {
        self.memory.finish(task.unwrap()).unwrap();
    }

    async fn fail(&self, package: &Package) -> Result<TaskId, Unable> {
        let task = self.memory.submit(&job(package)).await.unwrap();
        let failure = TaskFailure { reason: "%build exited with 1".into(), is_package_fault: true };
        self.memory.fail(task, failure).unwrap();
        Ok(task)
    }

    async fn cancel_by_stranger(&self, task: TaskId) -> Result<(), Unable> {
        self.memory.cancel_by_stranger(task).unwrap();
        Ok(())
    }

    async fn forget(&self, task: TaskId) -> Result<(), Unable> {
        self.memory.forget_task(task).unwrap();
        Ok(())
    }

    async fn remove_tag(&self, tag: &TagName) -> Result<(), Unable> {
        self.memory.remove_tag(tag).unwrap();
        Ok(())
    }

    async fn delete_build(&self, nvr: &Nvr) -> Result<(), Unable> {
        self.memory.delete_build(nvr).unwrap();
        Ok(())
    }
}

#[test]
fn the_build_system_in_memory_keeps_its_contract() {
    keeps_all(build_system(|| ground(Defect::Nothing)));
}

#[test]
fn each_defect_of_a_build_system_is_named_by_its_promise() {
    for (defect, promises) in [
        (
            Defect::RepeatsTheFirstRepository,
            &[
                "a_repository_that_is_asked_for_reaches_the_buildroot",
                "a_repository_shows_what_was_tagged_before_it_was_asked_for",
            ][..],
        ),
        (Defect::MovesTheEventOfABuildroot, &["a_buildroot_ensured_twice_is_ensured_once"]),
        (Defect::TagsAgainAndAgain, &["a_tagged_build_is_seen_once_with_the_event_of_its_tagging"]),
        (Defect::NamesOneLostBuild, &["builds_that_do_not_exist_are_all_named"]),
        (Defect::FindsNoLiveTask, &["a_live_task_is_found_by_package_and_target"]),
        (
            Defect::SaysTheUnknownFailed,
            &[
                "a_removed_target_is_gone_until_it_is_ensured_again",
                "a_removed_tag_is_unknown_until_it_is_ensured_again",
                "a_submission_into_an_unknown_target_does_nothing",
            ],
        ),
        (Defect::CancelsOnce, &["cancelling_ends_live_tasks_and_leaves_ended_ones_alone"]),
        (Defect::AnswersWhatWasNotAsked, &["only_what_was_asked_is_answered"]),
    ] {
        assert_eq!(broken_by(build_system(|| ground(defect))), promises, "{defect:?}");
    }
}

/// A ground that can do what it must, and nothing more.
struct Plain(Faulty);

#[async_trait]
impl BuildSystemGround for Plain {
    fn build_system(&self) -> &dyn BuildSystem {
        &self.0
    }

    fn buildroot(&self) -> BuildrootSpec {
        spec()
    }

    fn job(&self, package: &Package) -> ComponentJob {
        job(package)
    }

    async fn end(&self, task: TaskId) {
        self.0.end(task).await;
    }

    async fn end_repo(&self, tag: &TagName, task: Option<TaskId>) {
        self.0.end_repo(tag, task).await;
    }
}

#[test]
fn what_the_ground_cannot_do_is_left_out_by_name() {
    let kept = run(build_system(async || Plain(ground(Defect::Nothing).await))).unwrap();
    let left_out: Vec<_> = kept.left_out.iter().map(|(promise, unable)| (*promise, unable.0)).collect();
    let wanted = [
        ("a_removed_tag_is_unknown_until_it_is_ensured_again", "remove a tag"),
        ("a_deleted_build_is_in_no_tag_and_gone", "delete a build"),
        ("a_failed_task_says_why", "let a package fail"),
        ("a_task_that_a_stranger_cancelled_is_seen_so", "cancel a task as a stranger"),
        ("a_forgotten_task_is_unknown", "make a task forgotten"),
    ];
    assert_eq!(left_out, wanted);
    assert!(
        kept.to_string().contains("left out: a_failed_task_says_why: the ground cannot let a package fail")
    );
}
