//! The limit and the line.

use super::*;
use crate::bus::Hint;
use crate::model::AttemptEnd;

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
fn a_look_is_shown_the_first_sixteen_in_line() {
    let bench = Bench::with_limit(0);
    let since: Vec<i64> = (0..20).rev().collect();
    let ids = line(&bench, &since);
    let head: Vec<_> = bench.load(ids[0]).slots.head.iter().map(|place| place.build).collect();
    assert_eq!(head, ids.into_iter().rev().take(16).collect::<Vec<_>>());
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
