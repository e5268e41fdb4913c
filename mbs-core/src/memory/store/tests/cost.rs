//! What calls cost does not depend on how many other builds there are: rows are counted, nothing is timed.

use super::*;
use crate::bus::Hint;
use crate::ident::TaskId;
use crate::memory::samples::id;
use crate::model::Failure;

/// Builds that run a task each, wait in line for one of 0 slots, sleep, and have a tag.
fn crowd(count: i64) -> Bench {
    let bench = Bench::new();
    bench.set(Settings { paused: true, ..Settings::default() });
    for number in 1..=count {
        let build = bench.create_asleep(&format!("m{number}:1:1:a"));
        bench.look(build, |b| runs(b, number)).unwrap();
    }
    bench.set(Settings { limit: Some(0), ..Settings::default() });
    bench.pass(10);
    bench
}

fn runs(build: &mut ModuleBuild, number: i64) {
    enter(build, State::Wait, 1);
    enter(build, State::Build, 1);
    build.koji_tag = Some(id(&format!("module-m{number}")));
    build.components = vec![running("liba", Some(number)).into()];
    wait_in_line(build, number, 1);
}

/// Counts the rows that calls read beside 10 and beside 1,000 others, after what `before` did; they must be as many.
#[track_caller]
fn rows_read(before: impl Fn(&Bench), calls: impl Fn(&Bench)) -> u64 {
    let [few, many] = [10, 1_000].map(|others| {
        let bench = crowd(others);
        before(&bench);
        let read = bench.store.rows_read();
        calls(&bench);
        bench.store.rows_read() - read
    });
    assert_eq!(few, many);
    many
}

fn wake(bench: &Bench, hint: Hint) -> usize {
    now_or_panic(bench.store.wake(&[hint])).unwrap()
}

#[test]
fn a_wake_reads_the_rows_of_those_it_names() {
    let hints: [(Hint, usize); 4] = [
        (Hint::Tag(id("module-m7-build")), 1),
        (Hint::Task(TaskId(7)), 1),
        (Hint::Task(TaskId(5_000)), 0),
        (Hint::Build(BuildId(7)), 1),
    ];
    for (hint, named) in hints {
        let read = rows_read(|_| {}, |bench| assert_eq!(wake(bench, hint.clone()), named));
        assert_eq!(read, named as u64, "{hint:?}");
    }
}

#[test]
fn a_claim_reads_as_many_rows_as_it_gives() {
    let all_are_due = |bench: &Bench| assert!(wake(bench, Hint::Everything) >= 10);
    assert_eq!(rows_read(all_are_due, |bench| assert_eq!(bench.claim(3), [1, 2, 3])), 3);
    let all_were_left_behind = |bench: &Bench| {
        all_are_due(bench);
        bench.claim(2_000);
        bench.pass(60);
    };
    assert_eq!(rows_read(all_were_left_behind, |bench| assert_eq!(bench.claim(2), [1, 2])), 2);
    assert_eq!(rows_read(|_| {}, |bench| assert_eq!(bench.claim(9), NOBODY)), 0);
}

#[test]
fn a_new_limit_reads_the_rows_of_those_who_can_take_a_slot() {
    let limit = |bench: &Bench, more| {
        let in_use = bench.load(BuildId(1)).slots.in_use;
        bench.set(Settings { limit: Some(in_use + more), ..Settings::default() });
    };
    assert_eq!(rows_read(|_| {}, |bench| limit(bench, 0)), 1, "the one that is loaded");
    assert_eq!(rows_read(|_| {}, |bench| limit(bench, 2)), 3);
}

#[test]
fn no_hint_but_its_id_reads_the_row_of_a_build_that_ended() {
    let bench = crowd(10);
    let ended = BuildId(4);
    bench.amend(ended, |b| b.life.fail("Canceled".into(), Failure::User, at(9)).unwrap()).unwrap();
    bench.amend(ended, |b| b.life.settle()).unwrap();
    let read = bench.store.rows_read();
    assert_eq!(wake(&bench, Hint::Everything), 9);
    assert_eq!(wake(&bench, Hint::Tag(id("module-m4"))) + wake(&bench, Hint::Task(TaskId(4))), 0);
    assert_eq!(bench.store.rows_read() - read, 9);
    assert_eq!(wake(&bench, Hint::Build(ended)), 1);
}

#[test]
fn the_end_of_a_drain_reads_no_row_of_a_build_in_build() {
    let limit = Some(0);
    let drains = |bench: &Bench| bench.set(Settings { limit, draining: true, ..Settings::default() });
    assert_eq!(rows_read(drains, |bench| bench.set(Settings { limit, ..Settings::default() })), 0);
}
