//! Events and their sinks.

use super::*;
use crate::store::{EventNumber, Outbox, Retention, Sink, Trim, Trimmed};

fn sink(name: &str) -> Sink {
    Sink(name.into())
}

fn take(bench: &Bench, name: &str, n: usize) -> Vec<(u64, i64, u64)> {
    let events = now_or_panic(bench.store.take(&sink(name), n)).unwrap();
    events.into_iter().map(|e| (e.number.0, e.event.build.0, e.event.seq)).collect()
}

fn ack(bench: &Bench, name: &str, numbers: &[u64]) -> Result<(), StoreError> {
    let numbers: Vec<_> = numbers.iter().copied().map(EventNumber).collect();
    now_or_panic(bench.store.ack(&sink(name), &numbers))
}

/// Two builds; the first has two events.
fn bench() -> Bench {
    let bench = Bench::new();
    let first = bench.create_asleep("a:1:1:a");
    bench.look(first, |b| enter(b, State::Wait, 1)).unwrap();
    bench.create("b:1:1:a");
    bench
}

#[test]
fn an_event_that_never_was_cannot_be_acknowledged() {
    let bench = bench();
    assert!(matches!(ack(&bench, "bus", &[1, 4]), Err(StoreError::Rejected { .. })));
    assert_eq!(take(&bench, "bus", 1), [(1, 1, 1)], "nothing of it was noted");
}

#[test]
fn a_sink_that_comes_after_a_trim_sees_what_is_left() {
    let bench = bench();
    ack(&bench, "bus", &[1, 2]).unwrap();
    let old_events = Retention { events: Some(at(1000)), ..Retention::default() };
    now_or_panic(bench.store.trim(&old_events, Trim::Remove)).unwrap();
    assert_eq!(take(&bench, "late", 9), [(3, 2, 1)]);
    ack(&bench, "late", &[3]).unwrap();
    ack(&bench, "bus", &[3]).unwrap();
    assert_eq!(
        now_or_panic(bench.store.trim(&old_events, Trim::Remove)),
        Ok(Trimmed { events: 1, ..Trimmed::default() })
    );
    bench.create("c:1:1:a");
    assert_eq!(take(&bench, "late", 9), [(4, 3, 1)]);
}

#[test]
fn each_event_shows_the_last_reason_that_was_given_until_then() {
    let mut build = ModuleBuild::begin(new_build("app:1:1:a"), BuildId(1), BuildId(1), at(0));
    build.life.take_unsaved();
    build.enter(State::Wait, None, at(1)).unwrap();
    build.enter(State::Failed, Some("no space".into()), at(2)).unwrap();
    let events = crate::store::StateChange::all_of(
        &build,
        4,
        Some("Resubmitted by bert".into()),
        build.life.unsaved(),
    );
    let told: Vec<_> = events.iter().map(|e| (e.seq, e.summary.state, e.summary.reason.as_deref())).collect();
    assert_eq!(told, [(5, State::Wait, Some("Resubmitted by bert")), (6, State::Failed, Some("no space"))]);
}
