//! Repositories whose tasks the build system begins by itself, some time after they were asked for.

use super::samples::{ComponentWords, broken, building, component};
use super::*;
use crate::build_system::AskedRepo;
use crate::ident::Batch;
use crate::model::{Ordering, OverWhen, RepoWait};
use crate::plan::Why;

/// Batch 2 is tagged, and the repository that shows it was asked for at the beginning of the day; `task` was noted since.
fn asked(task: Option<i64>) -> ModuleBuild {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let mut build = building(vec![liba, component("prog", 3)]);
    build.repo = Some(RepoWait { asked_at: at(0, 0), task: task.map(TaskId), shows: TagEvent(61) });
    build.repo_task = Some(TaskId(task.unwrap_or(90)));
    build
}

fn seen(build: &ModuleBuild) -> Seen {
    Seen::as_recorded(build).untagged(BUILD_TAG, "liba-1-1").tagged(BUILD_TAG, "liba-1-1", 61)
}

/// The build after its task 99 failed at 1:00; by then the build system had begun `tries`.
fn failed(tries: &[i64]) -> ModuleBuild {
    let build = asked(Some(99));
    let plan = step_at(&build, seen(&build).task(99).aborted("no disk (task 99)").tries(tries), at(1, 0));
    assert!(acts(&plan).is_empty());
    plan.build
}

#[test]
fn what_is_done_for_a_repository_is_asked_in_the_same_round_as_all_else() {
    let question = |build: &ModuleBuild| missing(build, &Observation::default(), &Policy::default()).build;
    let round = question(&asked(None));
    assert_eq!(round.repo_asked, Some(AskedRepo { tag: id(BUILD_TAG), shows: TagEvent(61) }));
    assert_eq!(round.repo_of, Some(id(BUILD_TAG)));
    let idle = ModuleBuild { repo: None, ..asked(None) };
    assert_eq!(question(&idle).repo_asked, None);
}

#[test]
fn a_task_that_is_begun_late_is_noted_and_named() {
    let build = asked(None);
    let plan = step(&build, seen(&build).tries(&[95, 99]));
    assert_eq!(plan.build.repo_tasks().collect::<Vec<_>>(), [TaskId(99)]);
    assert_eq!(plan.build.repo_task, Some(TaskId(99)));
    let waits = step(&plan.build, seen(&plan.build).tries(&[95, 99]));
    assert_quiet(&waits, &plan.build);
    assert_eq!(waits.why, Why::WaitingForRepo { task: Some(TaskId(99)), since: at(0, 0) });
}

#[test]
fn a_failure_is_told_once_and_the_repository_asked_for_no_sooner_than_without_it() {
    let build = failed(&[99]);
    let trouble = build.trouble.clone().unwrap();
    assert_eq!(trouble.last, "the repository task 99 made no repository: no disk (task 99)");
    assert_eq!((trouble.tries, trouble.over_when), (1, OverWhen::Repository));
    for known in [[99], [95]] {
        let waits = step_at(&build, seen(&build).tries(&known), at(5, 0));
        assert_quiet(&waits, &build);
        assert_eq!(waits.why, Why::WaitingForRepo { task: None, since: at(0, 0) });
    }
    assert_eq!(acts(&step_at(&build, seen(&build).tries(&[99]), at(10, 0))), ["repository"]);
}

#[test]
fn the_next_try_is_watched_in_its_turn() {
    let build = failed(&[101]);
    let wait = RepoWait { asked_at: at(0, 0), task: Some(TaskId(101)), shows: TagEvent(61) };
    assert_eq!((build.repo.clone(), build.repo_task), (Some(wait), Some(TaskId(101))));
    let again = seen(&build).task(101).aborted("no disk (task 101)").tries(&[101]);
    let trouble = step_at(&build, again, at(2, 0)).build.trouble.unwrap();
    assert_eq!(
        (trouble.tries, trouble.last.as_str()),
        (2, "the repository task 101 made no repository: no disk (task 101)")
    );
}

#[test]
fn a_repository_that_always_fails_fails_the_build_when_patience_is_used_up() {
    let build = failed(&[101]);
    let late = seen(&build).task(101).aborted("no disk (task 101)").tries(&[101]);
    let reason = "the repository task 101 made no repository: no disk (task 101)";
    assert_fails(&step_at(&build, late, at(24 * 60 + 1, 0)), reason, crate::model::Failure::Infra);
}

#[test]
fn a_repository_that_a_later_try_brings_ends_the_pause() {
    let build = failed(&[99]);
    let mut build = step_at(&build, seen(&build).tries(&[101]), at(1, 1)).build;
    build.trouble.as_mut().unwrap().next_try = at(9, 0);
    let done = seen(&build).task(101).is(TaskState::Closed, &[]).repo_at(63).tries(&[101]);
    let plan = step_at(&build, done, at(2, 0));
    assert_eq!((acts(&plan), plan.build.batch), (vec!["submit prog 1".to_owned()], Batch(3)));
    let submitted =
        (ActionKey::Submit { package: id("prog"), attempt: 1 }, Ok(Outcome::Submitted(TaskId(120))));
    let seen = seen(&plan.build).repo_at(63).outcome(submitted.0, submitted.1);
    let quiet = step_at(&plan.build, seen, at(2, 0)).build;
    assert_eq!((quiet.repo, quiet.trouble), (None, None));
}

#[test]
fn a_task_of_an_earlier_request_is_not_taken_for_that_of_the_next() {
    let build = asked(None);
    let outcome = Ok(Outcome::RepoRequested(None));
    let plan = step(&build, seen(&build).tries(&[99]).outcome(ActionKey::Repo, outcome));
    assert_eq!(plan.build.repo, build.repo);
}

#[test]
fn no_second_repository_is_asked_for_beside_one_that_the_build_system_tends() {
    let mut build = building(vec![
        component("liba", 2).complete("liba-1-1").in_both_tags(),
        component("prog", 3).after(&["liba"]),
    ]);
    (build.ordering, build.batch) = (Ordering::Graph, Batch(3));
    build.repo = Some(RepoWait { asked_at: at(0, 0), task: Some(TaskId(99)), shows: TagEvent(60) });
    let seen = || seen(&build).repo_at(59);
    assert_eq!(acts(&step(&build, seen())), ["repository"]);
    assert_quiet(&step_at(&build, seen().tries(&[99]), at(50, 0)), &build);
    let mut changed = build.clone();
    changed.buildroot.as_mut().unwrap().event = TagEvent(62);
    assert_eq!(acts(&step(&changed, seen().tries(&[99]))), ["repository"]);
}

#[test]
fn a_failed_build_leaves_the_build_systems_own_task_alone() {
    let mut build = broken(asked(Some(99)));
    build.repo_before = Some(RepoWait { asked_at: at(0, 0), task: Some(TaskId(97)), shows: TagEvent(55) });
    let question = missing(&build, &Observation::default(), &Policy::default()).build;
    assert_eq!(question.repo_asked, Some(AskedRepo { tag: id(BUILD_TAG), shows: TagEvent(55) }));
    let both = Seen::as_recorded(&build);
    assert_eq!(acts(&step(&build, both)), ["cancel 97", "cancel 99"]);
    let plan = step(&build, Seen::as_recorded(&build).tries(&[97, 99]));
    assert!(acts(&plan).is_empty());
    assert!(plan.build.life.is_settled());
}
