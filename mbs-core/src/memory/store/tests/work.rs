//! Leases, releases and wakes.

use super::*;
use crate::bus::Hint;
use crate::ident::TaskId;
use crate::memory::samples::{component, id};
use crate::model::{Failure, RepoWait};

fn next_due(bench: &Bench) -> Option<Timestamp> {
    now_or_panic(bench.store.next_due()).unwrap()
}

fn wake(bench: &Bench, hints: &[Hint]) -> usize {
    now_or_panic(bench.store.wake(hints)).unwrap()
}

#[test]
fn a_claimed_build_is_claimed_by_nobody_else_until_the_lease_expires() {
    let bench = Bench::new();
    bench.create("app:1:1:a");
    assert_eq!(bench.claim(9), [1]);
    bench.pass(59);
    assert_eq!(bench.claim(9), NOBODY);
    bench.pass(1);
    assert_eq!(bench.claim(9), [1]);
}

#[test]
fn the_oldest_due_is_claimed_first_whether_or_not_it_was_claimed_before() {
    let bench = Bench::new();
    for nsvc in ["a:1:1:a", "b:1:1:a", "c:1:1:a"] {
        bench.create(nsvc);
        bench.pass(1);
    }
    assert_eq!(bench.claim(2), [1, 2]);
    bench.pass(100);
    assert_eq!(bench.claim(1), [1], "its lease expired, but it has been due longest");
    assert_eq!(bench.claim(9), [2, 3]);
}

#[test]
fn a_claim_tells_the_time_of_the_store_and_a_later_token() {
    let bench = Bench::new();
    bench.create("app:1:1:a");
    let first = now_or_panic(bench.store.claim(&worker("w"), 1)).unwrap().remove(0);
    bench.pass(60);
    let second = now_or_panic(bench.store.claim(&worker("v"), 1)).unwrap().remove(0);
    assert_eq!((first.store_now, second.store_now), (at(0), at(60)));
    assert!(second.lease.token > first.lease.token);
    assert_eq!(now_or_panic(bench.store.now()), Ok(at(60)));
}

#[test]
fn a_renewed_lease_lives_its_full_length_again() {
    let bench = Bench::new();
    let build = bench.create("app:1:1:a");
    let lease = bench.claim_only(build);
    bench.pass(50);
    now_or_panic(bench.store.renew(&lease)).unwrap();
    bench.pass(50);
    assert_eq!(bench.claim(9), NOBODY);
    bench.pass(10);
    assert_eq!(now_or_panic(bench.store.renew(&lease)), Err(StoreError::LeaseLost(build)));
    assert_eq!(bench.claim(9), [1]);
}

#[test]
fn a_lease_is_only_as_good_as_its_worker_and_token() {
    let bench = Bench::new();
    let build = bench.create("app:1:1:a");
    let lease = bench.claim_only(build);
    let other = Lease { build, worker: worker("v"), token: lease.token };
    assert_eq!(now_or_panic(bench.store.renew(&other)), Err(StoreError::LeaseLost(build)));
    bench.release(&other, Some(at(5)));
    assert_eq!(now_or_panic(bench.store.renew(&lease)), Ok(()), "the release of another did nothing");
}

#[test]
fn a_released_build_is_due_when_it_said_and_explains_itself() {
    let bench = Bench::new();
    let build = bench.create("app:1:1:a");
    assert_eq!(now_or_panic(bench.store.explain(build)), Ok(None));
    let lease = bench.claim_only(build);
    now_or_panic(bench.store.release(&lease, Some(at(30)), Why::Paused, Signal::Quiet)).unwrap();
    assert_eq!(now_or_panic(bench.store.explain(build)), Ok(Some(Why::Paused)));
    assert_eq!(bench.load(build).revision.0, 0);
    assert_eq!(next_due(&bench), Some(at(30)));
    bench.pass(29);
    assert_eq!(bench.claim(9), NOBODY);
    bench.pass(1);
    assert_eq!(bench.claim(9), [1]);
}

#[test]
fn a_release_after_the_lease_was_lost_does_nothing() {
    let bench = Bench::new();
    let build = bench.create("app:1:1:a");
    let lost = bench.claim_only(build);
    bench.pass(60);
    bench.release(&lost, None);
    assert_eq!(now_or_panic(bench.store.explain(build)), Ok(None));
    assert_eq!(bench.claim(9), [1]);
}

#[test]
fn a_wake_makes_due_now_but_not_before_the_gap() {
    let bench = Bench::new();
    let build = bench.create_asleep("app:1:1:a");
    assert_eq!(next_due(&bench), None);
    assert_eq!(wake(&bench, &[Hint::Build(build)]), 1);
    assert_eq!((next_due(&bench), bench.claim(9)), (Some(at(1)), vec![]));
    bench.pass(1);
    bench.release(&bench.claim_only(build), Some(at(100)));
    bench.pass(9);
    wake(&bench, &[Hint::Build(build)]);
    assert_eq!(bench.claim(9), [1], "the gap is over");
}

#[test]
fn a_wake_never_postpones_a_look() {
    let bench = Bench::new();
    let build = bench.create("app:1:1:a");
    bench.release(&bench.claim_only(build), Some(at(0)));
    wake(&bench, &[Hint::Build(build)]);
    assert_eq!(next_due(&bench), Some(at(0)));
}

#[test]
fn a_wake_during_a_look_is_not_lost() {
    let bench = Bench::new();
    let build = bench.create("app:1:1:a");
    let lease = bench.claim_only(build);
    wake(&bench, &[Hint::Build(build)]);
    bench.pass(10);
    bench.release(&lease, Some(at(100)));
    assert_eq!(next_due(&bench), Some(at(11)));
    bench.pass(1);
    bench.release(&bench.claim_only(build), Some(at(100)));
    assert_eq!(next_due(&bench), Some(at(100)), "one wake is worth one look");
}

#[test]
fn an_amendment_during_a_look_is_looked_at_soon() {
    let bench = Bench::new();
    let build = bench.create("app:1:1:a");
    let lease = bench.claim_only(build);
    bench.amend(build, |b| b.life.fail("Canceled".into(), Failure::User, at(0)).unwrap()).unwrap();
    bench.release(&lease, None);
    assert_eq!(next_due(&bench), Some(at(1)));
}

#[test]
fn hints_name_builds_by_tag_build_tag_and_task() {
    let bench = Bench::new();
    let one = bench.create("app:1:1:a");
    let lease = bench.claim_only(one);
    bench
        .save(&lease, |b| {
            b.koji_tag = Some(id("module-app"));
            b.components = vec![running("liba", Some(7)), component("libb")];
            b.repo =
                Some(RepoWait { asked_at: at(0), task: Some(TaskId(8)), shows: crate::ident::TagEvent(0) });
        })
        .unwrap();
    bench.create("app:1:1:b");
    let count = |hint: Hint| wake(&bench, &[hint]);
    assert_eq!(count(Hint::Tag(id("module-app"))), 1);
    assert_eq!(count(Hint::Tag(id("module-app-build"))), 1);
    assert_eq!(count(Hint::Tag(id("module-ap"))), 0);
    assert_eq!(count(Hint::Tag(id("module-app-build-build"))), 0);
    assert_eq!(count(Hint::Task(TaskId(7))), 1);
    assert_eq!(count(Hint::Task(TaskId(8))), 1);
    assert_eq!(count(Hint::Task(TaskId(9))), 0);
    assert_eq!(count(Hint::Build(BuildId(9))), 0);
    assert_eq!(wake(&bench, &[Hint::Task(TaskId(7)), Hint::Tag(id("module-app")), Hint::Build(one)]), 1);
    assert_eq!(count(Hint::Everything), 2);
}

#[test]
fn everything_leaves_out_what_has_ended_and_settled() {
    let bench = Bench::new();
    let settled = bench.create_asleep("app:1:1:a");
    bench.amend(settled, |b| b.life.fail("x".into(), Failure::User, at(0)).unwrap()).unwrap();
    assert_eq!(wake(&bench, &[Hint::Everything]), 1);
    bench.release(&bench.claim_only(settled), None);
    bench.amend(settled, |b| b.life.settle()).unwrap();
    assert_eq!(wake(&bench, &[Hint::Everything]), 0);
}

#[test]
fn a_worker_that_restarts_voids_its_own_leases_only() {
    let bench = Bench::new();
    bench.create("app:1:1:a");
    let mine = bench.claim_leases(1).remove(0);
    bench.create("app:1:1:b");
    now_or_panic(bench.store.claim(&worker("v"), 1)).unwrap();
    assert_eq!(now_or_panic(bench.store.void_leases(&worker("w"))), Ok(1));
    assert_eq!(now_or_panic(bench.store.renew(&mine)), Err(StoreError::LeaseLost(BuildId(1))));
    assert_eq!(bench.claim(9), [1]);
}

#[test]
fn the_next_due_counts_leases_that_may_be_abandoned() {
    let bench = Bench::new();
    assert_eq!(next_due(&bench), None);
    bench.create("app:1:1:a");
    assert_eq!(next_due(&bench), Some(at(0)));
    bench.claim(1);
    assert_eq!(next_due(&bench), Some(at(60)));
}
