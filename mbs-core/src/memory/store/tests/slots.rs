//! The limit and the line.

use super::*;
use crate::bus::Hint;
use crate::model::{AttemptEnd, Failure};

/// Ends the live attempts of all components.
fn free_all(build: &mut ModuleBuild) {
    for component in &mut build.components {
        component.live_attempt_mut().unwrap().end = Some(AttemptEnd::Lost);
    }
}

/// Makes builds that sleep in line since the given times, with ids from `first` on.
fn line(bench: &Bench, since: &[i64]) -> Vec<BuildId> {
    let join = |(number, since): (usize, &i64)| {
        let id = bench.create_asleep(&format!("line:{number}:1:a"));
        bench.look(id, |b| wait_in_line(b, *since, 1)).unwrap();
        id
    };
    since.iter().enumerate().map(join).collect()
}

#[test]
fn a_save_beyond_the_limit_over_all_builds_is_refused_whole() {
    let bench = Bench::with_limit(2);
    let [a, b] = ["a:1:1:a", "b:1:1:a"].map(|nsvc| bench.create_asleep(nsvc));
    assert_eq!(bench.look(a, |build| take_slots(build, 1)).unwrap().slots.in_use, 1);
    let too_many = bench.look(b, |build| take_slots(build, 2));
    assert_eq!(too_many, Err(StoreError::NoSlot { in_use: 1, limit: 2 }));
    assert_eq!(bench.load(b).build.components, []);
    assert_eq!(bench.look(b, |build| take_slots(build, 1)).unwrap().slots.in_use, 2);
    assert_eq!(bench.load(a).slots.in_use, 2);
}

#[test]
fn a_failed_unsettled_build_still_counts() {
    let bench = Bench::with_limit(1);
    let [a, b] = ["a:1:1:a", "b:1:1:a"].map(|nsvc| bench.create_asleep(nsvc));
    bench.look(a, |build| take_slots(build, 1)).unwrap();
    bench.amend(a, |build| build.life.fail("x".into(), Failure::User, at(9)).unwrap()).unwrap();
    let lease = bench.claim_only(a);
    now_or_panic(bench.store.wake(&[Hint::Build(b)])).unwrap();
    bench.pass(1);
    let other = bench.claim_only(b);
    let refused = Err(StoreError::NoSlot { in_use: 1, limit: 1 });
    assert_eq!(bench.save(&other, |build| take_slots(build, 1)), refused);
    bench.save(&lease, free_all).unwrap();
    assert_eq!(bench.save(&other, |build| take_slots(build, 1)).unwrap().slots.in_use, 1);
}

#[test]
fn who_holds_more_than_a_lowered_limit_may_save_but_not_take_more() {
    let bench = Bench::with_limit(3);
    let a = bench.create_asleep("a:1:1:a");
    bench.look(a, |build| take_slots(build, 3)).unwrap();
    bench.set(Settings { limit: Some(1), ..Settings::default() });
    assert!(bench.look(a, |build| build.arches = vec!["x86_64".parse().unwrap()]).is_ok());
    let more = bench.look(a, |build| take_slots(build, 4));
    assert_eq!(more, Err(StoreError::NoSlot { in_use: 3, limit: 1 }));
}

#[test]
fn without_a_limit_nothing_is_refused() {
    let bench = Bench::new();
    let a = bench.create_asleep("a:1:1:a");
    assert_eq!(bench.look(a, |build| take_slots(build, 500)).unwrap().slots.in_use, 500);
}

#[test]
fn freed_slots_make_as_many_in_line_due() {
    let bench = Bench::with_limit(2);
    let holder = bench.create_asleep("a:1:1:a");
    bench.look(holder, |build| take_slots(build, 2)).unwrap();
    let ids = line(&bench, &[30, 10, 20]);
    bench.pass(10);
    bench.look(holder, free_all).unwrap();
    assert_eq!(bench.claim(9), [ids[1].0, ids[2].0]);
}

#[test]
fn a_freed_slot_that_is_still_beyond_the_limit_wakes_nobody() {
    let bench = Bench::with_limit(2);
    let holder = bench.create_asleep("a:1:1:a");
    bench.look(holder, |build| take_slots(build, 2)).unwrap();
    line(&bench, &[0]);
    bench.set(Settings { limit: Some(0), ..Settings::default() });
    bench.pass(10);
    bench.look(holder, free_all).unwrap();
    assert_eq!(bench.claim(9), NOBODY);
}

#[test]
fn a_build_that_leaves_the_line_without_its_slot_hands_it_on() {
    let bench = Bench::with_limit(1);
    let ids = line(&bench, &[10, 20]);
    bench.pass(10);
    bench
        .amend(ids[0], |build| {
            build.life.fail("Canceled".into(), Failure::User, at(15)).unwrap();
            build.line = None;
        })
        .unwrap();
    assert_eq!(bench.claim(9), [ids[0].0, ids[1].0]);
}

#[test]
fn the_one_that_frees_is_not_woken_by_itself() {
    let bench = Bench::with_limit(2);
    let holder = bench.create_asleep("a:1:1:a");
    bench.look(holder, |build| take_slots(build, 2)).unwrap();
    bench.pass(10);
    bench
        .look(holder, |build| {
            free_all(build);
            wait_in_line(build, 10, 1);
        })
        .unwrap();
    bench.pass(10);
    assert_eq!(bench.claim(9), NOBODY);
}

#[test]
fn every_free_slot_has_somebody_awake_when_several_are_freed_one_after_the_other() {
    let bench = Bench::with_limit(2);
    let [one, other] = ["a:1:1:a", "b:1:1:a"].map(|nsvc| bench.create_asleep(nsvc));
    bench.look(one, |build| take_slots(build, 1)).unwrap();
    bench.look(other, |build| take_slots(build, 1)).unwrap();
    let ids = line(&bench, &[10, 20, 30]);
    bench.pass(10);
    now_or_panic(bench.store.wake(&[Hint::Build(one), Hint::Build(other)])).unwrap();
    for lease in bench.claim_leases(9) {
        bench.save(&lease, free_all).unwrap();
    }
    assert_eq!(bench.claim(9), [ids[0].0, ids[1].0]);
}

#[test]
fn nobody_is_woken_for_a_slot_that_those_ahead_take_up() {
    let bench = Bench::with_limit(3);
    let holder = bench.create_asleep("a:1:1:a");
    bench.look(holder, |build| take_slots(build, 3)).unwrap();
    let [many, few] = ["m:1:1:a", "f:1:1:a"].map(|nsvc| bench.create_asleep(nsvc));
    bench.look(many, |b| wait_in_line(b, 10, 3)).unwrap();
    bench.look(few, |b| wait_in_line(b, 20, 1)).unwrap();
    bench.pass(10);
    bench.look(holder, free_all).unwrap();
    assert_eq!(bench.claim(9), [many.0]);
}

#[test]
fn the_head_of_the_line_is_by_priority_then_turn_and_held_slots_cost_time() {
    let bench = Bench::with_limit(9);
    let ids = line(&bench, &[10, 20, 30]);
    // τ is 60 s: one held slot puts the first behind the others.
    bench.look(ids[0], |build| take_slots(build, 1)).unwrap();
    let head: Vec<_> = bench.load(ids[0]).slots.head.iter().map(|place| (place.build, place.turn)).collect();
    assert_eq!(head, [(ids[1], at(20)), (ids[2], at(30)), (ids[0], at(70))]);
    bench.look(ids[2], |build| build.new.priority = 1).unwrap();
    assert_eq!(bench.load(ids[0]).slots.head[0].build, ids[2]);
}

#[test]
fn a_look_sees_pause_and_drain() {
    let bench = Bench::new();
    let a = bench.create("a:1:1:a");
    bench.set(Settings { limit: Some(5), paused: true, draining: true });
    let slots = bench.load(a).slots;
    assert_eq!((slots.limit, slots.is_paused, slots.is_draining), (Some(5), true, true));
}
