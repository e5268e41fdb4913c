//! The states `done`, `ready` and `garbage`: timers only.

use super::samples::{building, enter};
use super::*;
use crate::plan::Why;
use crate::store::Note;

fn done() -> ModuleBuild {
    enter(building(vec![]), State::Done)
}

fn ready() -> ModuleBuild {
    enter(done(), State::Ready)
}

#[test]
fn a_build_that_is_done_becomes_ready_and_a_scratch_build_stays() {
    let plan = step(&done(), Seen::nothing());
    assert_eq!((plan.build.state(), acts(&plan)), (State::Ready, vec![]));
    let mut scratch = done();
    scratch.new.scratch = true;
    assert_quiet(&step(&scratch, Seen::nothing()), &scratch);
}

#[test]
fn an_ended_build_asks_nothing() {
    let garbage = enter(ready(), State::Garbage);
    for build in [done(), ready(), garbage] {
        assert!(missing(&build, &Observation::default(), &Policy::default()).is_empty());
    }
}

#[test]
fn the_target_is_removed_a_day_after_the_end() {
    let build = ready();
    let waits = step(&build, Seen::nothing());
    assert_quiet(&waits, &build);
    assert_eq!(
        (waits.why.to_string(), waits.wake_at),
        (format!("nothing to do until {}: the target {TAG} is removed", days(1)), Some(days(1)))
    );
    assert_eq!(acts(&step_at(&build, Seen::nothing(), days(1))), ["remove target"]);
    let removed = Seen::nothing().outcome(ActionKey::RemoveTarget, Ok(Outcome::Done));
    let plan = step_at(&build, removed, days(1));
    assert!(plan.build.is_target_removed);
    let over = step_at(&plan.build, Seen::nothing(), days(1));
    assert_quiet(&over, &plan.build);
    assert_eq!((over.why, over.wake_at), (Why::Finished, None));
}

#[test]
fn a_target_without_one_of_our_prefixes_is_left_alone() {
    let policy = Policy { koji_tag_prefixes: vec!["mod".into()], ..Policy::default() };
    let plan = step_by(&policy, &ready(), Seen::nothing(), days(2));
    assert_eq!((acts(&plan), plan.why), (vec![], Why::Finished));
}

#[test]
fn a_build_that_never_had_a_target_is_finished() {
    let mut build = ready();
    build.koji_tag = None;
    assert_eq!(step_at(&build, Seen::nothing(), days(2)).why, Why::Finished);
}

/// Looks whether the removal of a target is paused after an error.
fn removal_backs_off(build: &ModuleBuild) {
    let refused = || Seen::nothing().outcome(ActionKey::RemoveTarget, Err(unavailable(Effect::Unknown)));
    let plan = step_at(build, refused(), days(2));
    assert_eq!((acts(&plan), plan.build.trouble.as_ref().unwrap().tries), (vec![], 1));
    let again = step_at(&plan.build, refused(), days(2));
    assert_quiet(&again, &plan.build);
    let late = step_at(&plan.build, refused(), days(9));
    assert_eq!(late.build.state(), build.state());
}

#[test]
fn a_target_that_cannot_be_removed_neither_fails_the_build_nor_is_tried_without_pause() {
    let mut scratch = done();
    scratch.new.scratch = true;
    scratch.koji_tag = Some(id("scrmod-app-1-2020-c0ffee00+7"));
    removal_backs_off(&scratch);
    removal_backs_off(&ready());
    removal_backs_off(&enter(ready(), State::Garbage));
}

#[test]
fn a_target_that_nobody_may_remove_is_left_with_a_note() {
    let refused = Seen::nothing().outcome(ActionKey::RemoveTarget, Err(denied()));
    let plan = step_at(&ready(), refused, days(2));
    assert!(plan.build.is_target_removed);
    let why = "not allowed: the permission is missing";
    assert_eq!(plan.notes, [Note::from(format!("the target stays, since it cannot be removed: {why}"))]);
    assert_eq!(acts(&step_at(&plan.build, Seen::nothing(), days(3))), Vec::<String>::new());
}
