//! The state `failed`: cancelling, settling, retiring.

use super::samples::{ComponentWords, broken, building, component, document, submitted};
use super::*;
use crate::ident::Batch;
use crate::model::{AttemptEnd, BuildState, RepoWait};
use crate::plan::Why;

/// A failed build with a running, a complete and an unstarted component.
fn cancelled() -> ModuleBuild {
    broken(building(vec![
        component("liba", 2).running(100),
        component("libb", 2).complete("libb-1-1"),
        component("prog", 3),
    ]))
}

fn settled() -> ModuleBuild {
    let build = broken(building(vec![component("liba", 2).complete("liba-1-1").in_both_tags()]));
    let build = step(&build, Seen::as_recorded(&build)).build;
    assert!(build.life.is_settled());
    build
}

#[test]
fn live_tasks_are_cancelled_and_what_is_unfinished_gets_the_modules_reason() {
    let build = cancelled();
    let plan = step(&build, Seen::as_recorded(&build));
    assert_eq!(acts(&plan), ["cancel 100"]);
    for package in ["liba", "prog"] {
        let component = component_after(&plan, package);
        let seen = (component.state, component.reason.as_deref());
        assert_eq!(seen, (Some(BuildState::Failed), Some("Canceled by mary.")), "{package}");
    }
    assert!(component_after(&plan, "libb").is_complete());
    assert!(!plan.build.life.is_settled() && plan.build.slots_held() == 1);
}

#[test]
fn a_component_that_failed_by_itself_keeps_its_own_reason() {
    let build = broken(building(vec![component("liba", 2).failed("no compiler"), component("libb", 2)]));
    let plan = step(&build, Seen::as_recorded(&build));
    assert_eq!(component_after(&plan, "liba").reason.as_deref(), Some("no compiler"));
}

#[test]
fn tasks_are_cancelled_once_a_look_and_watched_until_they_ended() {
    let build = step(&cancelled(), Seen::as_recorded(&cancelled())).build;
    let seen = || Seen::as_recorded(&build);
    let waits = step(&build, seen().outcome(ActionKey::Cancel, Ok(Outcome::Done)));
    assert_quiet(&waits, &build);
    assert_eq!(waits.why, Why::Cancelling { tasks: vec![TaskId(100)] });
    assert_eq!(
        (waits.why.to_string().as_str(), waits.wake_at),
        ("cancelling; tasks still live: 100", Some(at(9, 30)))
    );
    assert_eq!(acts(&step(&build, seen())), ["cancel 100"]);
}

#[test]
fn a_failed_build_settles_when_its_tasks_are_seen_ended() {
    let build = cancelled();
    let plan = step(&build, Seen::as_recorded(&build).task(100).cancelled());
    assert!(plan.build.life.is_settled() && acts(&plan).is_empty());
    assert_eq!((plan.build.slots_held(), plan.build.line), (0, None));
    let asked = missing(&plan.build, &Observation::default(), &Policy::default());
    assert!(asked.is_empty());
}

#[test]
fn a_task_that_ends_well_while_it_is_cancelled_completes_nothing() {
    let build = step(&cancelled(), Seen::as_recorded(&cancelled())).build;
    let plan = step(&build, Seen::as_recorded(&build).task(100).closed("liba-1-1"));
    let liba = component_after(&plan, "liba");
    assert_eq!(
        (liba.state, liba.attempts[0].end.clone()),
        (Some(BuildState::Failed), Some(AttemptEnd::Complete(id("liba-1-1"))))
    );
}

#[test]
fn the_repository_task_is_cancelled_too() {
    let mut build = broken(building(vec![component("liba", 2)]));
    build.repo = Some(RepoWait { asked_at: at(4, 0), task: Some(TaskId(99)), shows: TagEvent(0) });
    assert_eq!(acts(&step(&build, Seen::as_recorded(&build))), ["cancel 99"]);
    let plan = step(&build, Seen::as_recorded(&build).task(99).is(TaskState::Closed, &[]));
    assert_eq!((plan.build.repo.clone(), plan.build.life.is_settled()), (None, true));
}

#[test]
fn an_attempt_in_doubt_is_watched_until_no_call_can_arrive_any_more() {
    let build = step(&broken(building(vec![component("liba", 2).in_doubt()])), Seen::nothing()).build;
    let asked = missing(&build, &Observation::default(), &Policy::default()).build;
    assert_eq!(asked.search.unwrap().packages, [(id("liba"), id(TAG))].into());
    let early = step_at(&build, Seen::as_recorded(&build), at(8, 40));
    assert_quiet(&early, &build);
    assert_eq!(early.why, Why::InDoubt { component: id("liba"), until: at(9, 0) });
    assert_eq!(early.wake_at, Some(at(9, 0)));
    assert!(step(&build, Seen::as_recorded(&build)).build.life.is_settled());
}

#[test]
fn a_task_that_turns_up_for_an_attempt_in_doubt_is_cancelled() {
    let build = broken(building(vec![component("liba", 2).in_doubt()]));
    let plan = step_at(&build, Seen::as_recorded(&build).found_live("liba", 102), at(8, 40));
    assert_eq!(acts(&plan), ["cancel 102"]);
    assert!(!plan.build.life.is_settled());
}

#[test]
fn a_task_of_a_lost_attempt_is_cancelled_before_the_build_settles() {
    let build = broken(building(vec![component("liba", 2).tried(AttemptEnd::Lost)]));
    let asked = missing(&build, &Observation::default(), &Policy::default()).build;
    assert_eq!(asked.search.unwrap().packages, [(id("liba"), id(TAG))].into());
    let plan = step(&build, Seen::as_recorded(&build).found_live("liba", 102));
    assert_eq!(acts(&plan), ["cancel 102"]);
    assert!(!plan.build.life.is_settled());
    assert!(step(&plan.build, Seen::as_recorded(&plan.build)).build.life.is_settled());
}

#[test]
fn a_build_that_failed_in_init_settles_without_a_question() {
    let build = broken(submitted(document(&[])));
    assert!(missing(&build, &Observation::default(), &Policy::default()).is_empty());
    let plan = step(&build, Seen::nothing());
    assert!(plan.build.life.is_settled());
}

#[test]
fn cancelling_survives_a_build_system_that_refuses_for_days() {
    let build = cancelled();
    let seen = || Seen::as_recorded(&build).outcome(ActionKey::Cancel, Err(denied()));
    let plan = step(&build, seen());
    assert_eq!((plan.build.state(), plan.build.trouble.as_ref().unwrap().tries), (State::Failed, 1));
    let later = step_at(&plan.build, seen(), days(3));
    assert_eq!((later.build.state(), later.build.life.is_settled()), (State::Failed, false));
}

#[test]
fn a_settled_build_waits_for_its_target_and_then_for_its_end() {
    let build = settled();
    let plan = step(&build, Seen::nothing());
    assert_quiet(&plan, &build);
    assert_eq!(plan.wake_at, Some(at(5 + 24 * 60, 0)));
    let plan = step_at(&build, Seen::nothing(), at(5 + 24 * 60, 0));
    assert_eq!(acts(&plan), ["remove target"]);
    let outcome = || Seen::nothing().outcome(ActionKey::RemoveTarget, Ok(Outcome::Done));
    let removed = step_at(&build, outcome(), at(5 + 24 * 60, 1)).build;
    assert!(removed.is_target_removed);
    let plan = step_at(&removed, Seen::nothing(), at(5 + 24 * 60, 2));
    assert_eq!(plan.wake_at, Some(at(5 + 180 * 24 * 60, 0)));
    assert_eq!(
        plan.why.to_string(),
        format!("nothing to do until {}: the failed build is retired", at(5 + 180 * 24 * 60, 0))
    );
}

#[test]
fn a_failed_build_is_untagged_and_retired_after_its_time() {
    let mut build = settled();
    build.is_target_removed = true;
    let plan = step_at(&build, Seen::nothing(), days(181));
    assert_eq!(
        acts(&plan)[2..],
        ["liba-1-1 out of build tag".to_owned(), "liba-1-1 out of final tag".to_owned()]
    );
    assert_eq!(plan.build.state(), State::Failed);
    let untagged = Seen::nothing().outcome(ActionKey::Untag, Ok(Outcome::Done));
    let plan = step_at(&build, untagged, days(181));
    assert_eq!(plan.build.state(), State::Garbage);
    let reason = "The module was garbage collected since it has failed over 180 days ago";
    assert_eq!((plan.build.life.reason(), acts(&plan)), (Some(reason), vec![]));
}

#[test]
fn a_failed_build_with_nothing_built_is_retired_without_an_action() {
    let build = step(&broken(submitted(document(&[]))), Seen::nothing()).build;
    let plan = step_at(&build, Seen::nothing(), days(181));
    assert_eq!((plan.build.state(), acts(&plan)), (State::Garbage, vec![]));
}

#[test]
fn a_module_that_fails_leaves_the_line_and_no_actions() {
    let mut build = building(vec![component("liba", 2).failed("no compiler")]);
    build.line = Some(crate::model::Line { since: at(1, 0), wants: 1 });
    let plan = step(&build, Seen::as_recorded(&build));
    assert_eq!((plan.build.state(), plan.build.line, plan.build.batch), (State::Failed, None, Batch(2)));
    assert_eq!((plan.why, plan.wake_at), (Why::GoingOn, Some(at(9, 0))));
}

#[test]
fn a_failed_build_that_nobody_may_untag_is_retired_with_a_note() {
    let build = settled();
    let refused = Seen::nothing().outcome(ActionKey::Untag, Err(denied()));
    let plan = step_at(&build, refused, days(400));
    assert_eq!(plan.build.state(), State::Garbage);
    assert_eq!(plan.notes.len(), 1);
}
