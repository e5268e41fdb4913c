//! The state `build` where a graph orders the components: the same as barriers, but per edge.

use super::samples::{ComponentWords, component, graph, just_in_build};
use super::*;
use crate::ident::{Batch, TagEvent, TaskId};
use crate::model::{Failure, Ordering, RepoWait};

#[test]
fn everything_without_predecessors_starts_together_longest_path_first() {
    let build = graph(vec![
        component("alone", 2).weighing(5.0),
        component("liba", 2).weighing(1.0),
        component("prog", 3).weighing(9.0).after(&["liba"]),
    ]);
    assert_eq!(acts(&step(&build, Seen::as_recorded(&build))), ["submit liba 1", "submit alone 1"]);
}

#[test]
fn a_component_starts_when_its_own_predecessors_are_in_the_repository_whatever_else_runs() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let slow = component("slow", 2).running(100);
    let prog = component("prog", 3).after(&["liba"]);
    let build = graph(vec![liba, slow, prog, component("tool", 3).after(&["slow"])]);
    let plan = step(&build, Seen::as_recorded(&build));
    assert_eq!(acts(&plan), ["submit prog 1"]);
    let search = missing(&build, &Observation::default(), &Policy::default()).build.search.unwrap();
    assert_eq!(search.packages, [(id("prog"), id(TAG))].into());
}

#[test]
fn a_complete_component_is_tagged_at_once_and_its_repository_asked_for() {
    let build = graph(vec![
        component("liba", 2).running(100),
        component("slow", 2).running(101),
        component("prog", 3).after(&["liba"]),
    ]);
    let tagging = step(&build, Seen::as_recorded(&build).task(100).closed("liba-1-1"));
    assert_eq!(acts(&tagging), ["liba-1-1 into build tag", "liba-1-1 into final tag"]);
    let seen = Seen::as_recorded(&tagging.build);
    let seen = seen.tagged(BUILD_TAG, "liba-1-1", 61).tagged(TAG, "liba-1-1", 62);
    assert_eq!(acts(&step(&tagging.build, seen)), ["repository"]);
}

#[test]
fn nothing_starts_behind_a_predecessor_that_is_tagged_but_in_no_repository() {
    let liba = component("liba", 2).complete("liba-1-1").in_both_tags();
    let build = graph(vec![liba, component("prog", 3).after(&["liba"])]);
    let plan = step(&build, Seen::as_recorded(&build).repo_at(59));
    assert_eq!(acts(&plan), ["repository"]);
}

#[test]
fn nothing_of_a_graph_starts_before_the_macros_are_in_the_repository() {
    let mut build = graph(vec![component("liba", 2), component("prog", 3).after(&["liba"])]);
    build.batch = Batch(1);
    let early = step(&build, Seen::as_recorded(&build).repo_at(50));
    assert_eq!((acts(&early), early.build.batch), (vec!["repository".to_owned()], Batch(1)));
    let plan = step(&build, Seen::as_recorded(&build).repo_at(51));
    assert_eq!((acts(&plan), plan.build.batch), (vec!["submit liba 1".to_owned()], Batch(3)));
}

#[test]
fn what_does_not_follow_a_failed_component_is_still_built() {
    let build = graph(vec![
        component("liba", 2).failed("no compiler"),
        component("other", 2),
        component("prog", 3).after(&["liba"]),
    ]);
    let plan = step(&build, Seen::as_recorded(&build));
    assert_eq!(acts(&plan), ["submit other 1"]);
    let running = plan.build.component("other").unwrap().clone();
    assert!(running.holds_slot());
    let build = graph(vec![
        component("liba", 2).failed("no compiler"),
        component("other", 2).complete("other-1-1").in_both_tags(),
        component("prog", 3).after(&["liba"]),
    ]);
    let plan = step(&build, Seen::as_recorded(&build));
    assert_fails(&plan, "Component(s) liba failed to build.", Failure::User);
}

#[test]
fn a_graph_that_is_reused_whole_needs_no_repository() {
    let liba = component("liba", 2).reusable("liba-0-1");
    let prog = component("prog", 3).after(&["liba"]).reusable("prog-0-1");
    let mut build = just_in_build(vec![liba, prog], Batch(3));
    build.ordering = Ordering::Graph;
    let plan = step(&build, Seen::as_recorded(&build).without_repo());
    assert_eq!(acts(&plan).len(), 4);
    assert!(plan.build.components.iter().all(|component| component.is_complete()));
}

/// Two that are tagged at the events 61 and 62, each awaited by one, and a repository under way that shows the first.
fn with_a_repo_under_way() -> ModuleBuild {
    let mut build = graph(vec![
        component("liba", 2).complete("liba-1-1").in_both_tags(),
        component("libb", 2).complete("libb-1-1").in_both_tags(),
        component("prog", 3).after(&["liba"]),
        component("tool", 3).after(&["libb"]),
    ]);
    build.repo = Some(RepoWait { asked_at: at(8, 0), task: Some(TaskId(99)), shows: TagEvent(61) });
    build
}

fn seen_tagged(build: &ModuleBuild) -> Seen {
    let seen = Seen::as_recorded(build).task(99).is(TaskState::Open, &[]).repo_at(60);
    seen.tagged(BUILD_TAG, "liba-1-1", 61).tagged(BUILD_TAG, "libb-1-1", 62)
}

#[test]
fn what_is_tagged_while_a_repository_is_made_gets_one_more_at_once() {
    let build = with_a_repo_under_way();
    let plan = step(&build, seen_tagged(&build));
    assert_eq!(acts(&plan), ["repository"]);
    assert_eq!(plan.build.repo_before, build.repo);
    assert_eq!(plan.build.repo.as_ref().map(|repo| repo.shows), Some(TagEvent(62)));
}

#[test]
fn a_third_repository_is_not_asked_for_while_two_are_made() {
    let mut build = with_a_repo_under_way();
    build.repo_before = Some(RepoWait { asked_at: at(7, 0), task: Some(TaskId(98)), shows: TagEvent(60) });
    let two = seen_tagged(&build).task(98).is(TaskState::Open, &[]);
    assert_eq!(acts(&step(&build, two)), Vec::<String>::new());
    let one = seen_tagged(&build).task(98).is(TaskState::Closed, &[]);
    let plan = step(&build, one);
    assert_eq!(acts(&plan), ["repository"]);
    assert_eq!(plan.build.repo_before, build.repo);
}

#[test]
fn the_older_of_two_repositories_is_remembered_when_the_younger_is_done_first() {
    let mut build = with_a_repo_under_way();
    let older = RepoWait { asked_at: at(7, 0), task: Some(TaskId(98)), shows: TagEvent(60) };
    build.repo_before = Some(older.clone());
    let seen =
        seen_tagged(&build).task(98).is(TaskState::Open, &[]).task(99).is(TaskState::Closed, &[]).repo_at(62);
    let plan = step(&build, seen);
    assert_eq!(acts(&plan), ["submit prog 1", "submit tool 1"]);
    assert_eq!((plan.build.repo, plan.build.repo_before), (Some(older), None));
}

#[test]
fn a_repository_that_fails_beside_a_younger_one_is_no_trouble() {
    let mut build = with_a_repo_under_way();
    build.repo_before = Some(RepoWait { asked_at: at(7, 0), task: Some(TaskId(98)), shows: TagEvent(60) });
    build.repo.as_mut().unwrap().shows = TagEvent(62);
    let plan = step(&build, seen_tagged(&build).task(98).aborted("createrepo failed"));
    assert_eq!((plan.build.repo_before, plan.build.trouble), (None, None));
    assert_eq!(plan.build.repo, build.repo);
}

#[test]
fn no_repository_is_made_that_lets_nobody_begin() {
    let build = graph(vec![
        component("liba", 2).complete("liba-1-1").in_both_tags(),
        component("slow", 2).running(100),
        component("prog", 3).after(&["liba", "slow"]),
    ]);
    let plan = step(&build, Seen::as_recorded(&build).repo_at(59));
    assert_eq!(acts(&plan), Vec::<String>::new());
}
