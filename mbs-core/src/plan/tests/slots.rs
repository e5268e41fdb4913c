//! Slots: never above the limit, only what those ahead in line leave free.

use super::samples::{ComponentWords, building, component};
use super::*;
use crate::ident::BuildId;
use crate::model::Line;
use crate::plan::Why;

fn three() -> ModuleBuild {
    building(vec![component("liba", 2), component("libb", 2), component("libc", 2)])
}

/// The place of another build that waits since a moment.
fn place(build: i64, since: Timestamp, wants: u32) -> PlaceInLine {
    PlaceInLine { priority: std::cmp::Reverse(0), turn: since, build: BuildId(build), wants }
}

fn submits(seen: impl FnOnce(Seen) -> Seen) -> (usize, Option<Line>) {
    let build = three();
    let plan = step(&build, seen(Seen::as_recorded(&build)));
    (plan.actions.len(), plan.build.line)
}

#[test]
fn without_a_limit_everything_that_may_start_does() {
    assert_eq!(submits(|seen| seen), (3, None));
}

#[test]
fn no_more_than_the_free_slots_are_taken_and_the_rest_waits_in_line() {
    let waits = |wants| Some(Line { since: at(9, 0), wants });
    assert_eq!(submits(|seen| seen.slots(0, 3)), (3, None));
    assert_eq!(submits(|seen| seen.slots(48, 50)), (2, waits(1)));
    assert_eq!(submits(|seen| seen.slots(50, 50)), (0, waits(3)));
}

#[test]
fn a_limit_that_was_lowered_below_what_is_in_use_frees_nothing() {
    assert_eq!(submits(|seen| seen.slots(50, 3)), (0, Some(Line { since: at(9, 0), wants: 3 })));
}

#[test]
fn those_ahead_in_line_are_served_first() {
    let earlier = place(17, at(8, 0), 2);
    assert_eq!(submits(|seen| seen.slots(47, 50).ahead(earlier)).0, 1);
    assert_eq!(submits(|seen| seen.slots(48, 50).ahead(earlier)).0, 0);
    assert_eq!(submits(|seen| seen.slots(40, 50).ahead(earlier)).0, 3);
}

#[test]
fn those_behind_in_line_and_the_build_itself_take_nothing_away() {
    let mut build = three();
    build.line = Some(Line { since: at(8, 0), wants: 3 });
    let own = crate::share::place_in_line(&build, build.line.unwrap(), Policy::default().tau);
    let seen = Seen::as_recorded(&build).slots(47, 50).ahead(own).ahead(place(17, at(8, 30), 3));
    assert_eq!(acts(&step(&build, seen)).len(), 3);
}

#[test]
fn slots_that_are_held_put_a_build_further_back() {
    let mut build = three();
    build.components[1] = component("liba", 2).running(100).into();
    build.line = Some(Line { since: at(8, 0), wants: 2 });
    let seen = || Seen::as_recorded(&build).slots(48, 50);
    assert_eq!(acts(&step(&build, seen().ahead(place(17, at(8, 59), 2)))), Vec::<String>::new());
    assert_eq!(acts(&step(&build, seen().ahead(place(17, at(9, 1), 2)))).len(), 2);
}

#[test]
fn the_place_in_line_is_kept_until_a_grant_moves_the_build_to_the_back() {
    let build = three();
    let line = |plan: &Plan| plan.build.line;
    let first = step(&build, Seen::as_recorded(&build).slots(50, 50));
    let second = step_at(&first.build, Seen::as_recorded(&first.build).slots(50, 50), at(9, 20));
    assert_eq!(line(&second), Some(Line { since: at(9, 0), wants: 3 }));
    let third = step_at(&second.build, Seen::as_recorded(&second.build).slots(49, 50), at(9, 30));
    assert_eq!(line(&third), Some(Line { since: at(9, 30), wants: 2 }));
    let last = step_at(&third.build, Seen::as_recorded(&third.build).slots(10, 50), at(9, 40));
    assert_eq!(line(&last), None);
}

#[test]
fn a_build_that_was_given_a_slot_leaves_the_next_to_one_that_waited_meanwhile() {
    let mut build = three();
    build.line = Some(Line { since: at(8, 0), wants: 3 });
    let newcomer = place(17, at(8, 30), 1);
    let first = step(&build, Seen::as_recorded(&build).slots(49, 50).ahead(newcomer));
    assert_eq!((acts(&first).len(), first.build.line), (1, Some(Line { since: at(9, 0), wants: 2 })));
    let seen = Seen::as_recorded(&first.build).slots(49, 50).ahead(newcomer);
    assert_eq!(acts(&step_at(&first.build, seen, at(9, 10))), Vec::<String>::new());
}

#[test]
fn who_waits_says_for_whom() {
    let mut build = three();
    build.line = Some(Line { since: at(8, 0), wants: 3 });
    let seen = Seen::as_recorded(&build).slots(50, 50);
    let seen =
        seen.ahead(place(17, at(7, 0), 1)).ahead(place(21, at(7, 30), 1)).ahead(place(30, at(8, 30), 1));
    let plan = step(&build, seen);
    assert_quiet(&plan, &build);
    let why = "waiting for a slot: 50 of 50 in use, next in line after modules 17, 21";
    assert_eq!((plan.why.to_string().as_str(), plan.wake_at), (why, Some(at(19, 0))));
}

#[test]
fn a_pause_stops_submissions_and_nothing_else() {
    let build = three();
    let plan = step(&build, Seen::as_recorded(&build).paused());
    assert_eq!((acts(&plan), plan.build.slots_held()), (vec![], 0));
    let waits = step(&plan.build, Seen::as_recorded(&plan.build).paused());
    assert_eq!((waits.why, waits.wake_at), (Why::Paused, Some(at(19, 0))));
    let running = building(vec![component("liba", 2).running(100)]);
    let plan = step(&running, Seen::as_recorded(&running).paused().task(100).closed("liba-1-1"));
    assert_eq!(acts(&plan), ["liba-1-1 into build tag", "liba-1-1 into final tag"]);
}

#[test]
fn adopting_a_live_task_takes_a_slot() {
    let build = three();
    let seen = || Seen::as_recorded(&build).found_live("liba", 102);
    let plan = step(&build, seen().slots(49, 50));
    assert_eq!((acts(&plan), component_after(&plan, "liba").task), (vec![], Some(TaskId(102))));
    assert_eq!(step(&build, seen().slots(50, 50)).build.slots_held(), 0);
}

#[test]
fn adopting_a_finished_build_and_reuse_take_no_slot() {
    let build = building(vec![component("liba", 2), component("libb", 2).reusable("libb-0-1")]);
    let seen = Seen::as_recorded(&build).slots(50, 50).found_built("liba-1-1", None);
    let plan = step(&build, seen);
    assert!(plan.build.components.iter().all(|component| component.is_complete()));
    assert_eq!(plan.build.line, None);
}

#[test]
fn who_backs_off_leaves_the_line_and_has_his_turn_again_when_he_is_back() {
    let mut build = three();
    let waits = Some(Line { since: at(8, 0), wants: 3 });
    build.line = waits;
    let plan = step(&build, Seen::as_recorded(&build).slots(50, 50).trouble("the hub is down"));
    assert_eq!(plan.build.line, None);
    let pausing = step_at(&plan.build, Seen::as_recorded(&plan.build).slots(50, 50), at(9, 1)).build;
    let back = step_at(&pausing, Seen::as_recorded(&pausing).slots(50, 50), at(9, 30));
    assert_eq!((back.build.line, back.build.kept_turn), (waits, None));
}

#[test]
fn who_waits_in_line_with_something_under_way_is_looked_at_by_the_poll_floor() {
    let build = building(vec![component("liba", 2).running(100), component("libb", 2)]);
    let in_line = step(&build, Seen::as_recorded(&build).slots(50, 50)).build;
    let waits = step(&in_line, Seen::as_recorded(&in_line).slots(50, 50));
    assert_eq!(waits.wake_at, Some(at(9, 30)));
    let alone = step(&three(), Seen::as_recorded(&three()).slots(50, 50)).build;
    let waits = step(&alone, Seen::as_recorded(&alone).slots(50, 50));
    assert!(matches!(waits.why, Why::WaitingForSlot { .. }));
    assert_eq!(waits.wake_at, Some(at(19, 0)));
}

#[test]
fn a_slot_that_an_ended_attempt_leaves_is_taken_in_the_same_plan() {
    let build = building(vec![component("liba", 2).running(5), component("libb", 2)]);
    let seen = |ahead: &[PlaceInLine]| {
        let mut seen = Seen::as_recorded(&build).slots(1, 1).task(5).closed("liba-1-1");
        seen.0.slots.head = ahead.to_vec();
        seen
    };
    assert_eq!(acts(&step(&build, seen(&[]))), ["submit libb 1"]);
    let other = place(17, at(8, 0), 1);
    assert_eq!(acts(&step(&build, seen(&[other]))), [] as [&str; 0], "who is ahead is served first");
}
