//! Snapshots, and the count of changes.

use super::*;
use crate::ident::ComponentId;
use crate::memory::samples::{component, running};
use crate::store::{EventNumber, Outbox, Sink};

fn restore(snapshot: Snapshot, leases: Leases, start: Timestamp) -> Bench {
    let clock = Arc::new(ManualClock::new());
    let store = MemoryStore::restore(snapshot, leases, clock.clone(), start, &Policy::default());
    Bench { clock, store }
}

/// A store with a build that is being looked at, holds a slot and waits for another.
fn busy() -> (Bench, Lease) {
    let bench = Bench::with_limit(5);
    let id = bench.create("a:1:1:a");
    let lease = bench.claim_only(id);
    bench
        .save(&lease, |b| {
            enter(b, State::Wait, 1);
            b.components = vec![running("liba", Some(7)).into(), component("libb").into()];
            wait_in_line(b, 1, 1);
        })
        .unwrap();
    now_or_panic(bench.store.ack(&Sink("bus".into()), &[EventNumber(1)])).unwrap();
    (bench, lease)
}

#[test]
fn a_restored_store_goes_on_where_the_other_stopped() {
    let (old, lease) = busy();
    let new = restore(old.store.snapshot(), Leases::Keep, at(10));
    assert_eq!(new.load(BuildId(1)), old.load(BuildId(1)));
    assert_eq!(now_or_panic(new.store.renew(&lease)), Ok(()));
    assert_eq!(new.create("a:1:1:b"), BuildId(2));
    let saved = new.save(&lease, |b| b.components.push(component("libc").into())).unwrap();
    assert_eq!(saved.build.components[2].id, Some(ComponentId(3)));
    assert_eq!(now_or_panic(new.store.trace(BuildId(1))).unwrap().len(), 2);
    let events = now_or_panic(new.store.take(&Sink("bus".into()), 9)).unwrap();
    assert_eq!(events.iter().map(|e| e.number.0).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(now_or_panic(new.store.settings()).unwrap().limit, Some(5));
}

#[test]
fn a_snapshot_survives_being_written_and_read() {
    let (old, _) = busy();
    let text = serde_json::to_string(&old.store.snapshot()).unwrap();
    let read: Snapshot = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert_eq!(restore(read, Leases::Keep, at(0)).load(BuildId(1)), old.load(BuildId(1)));
}

#[test]
fn what_a_snapshot_lacks_has_a_default_and_what_is_unknown_is_skipped() {
    let snapshot: Snapshot = serde_json::from_str(
        r#"{"news_from_tomorrow": [1], "signal": ["2026-01-01T00:00:00Z", "strained"], "last_build": 6}"#,
    )
    .unwrap();
    let bench = restore(snapshot, Leases::Keep, at(0));
    assert_eq!(bench.create("a:1:1:a"), BuildId(7));
}

#[test]
fn voided_leases_make_their_builds_due_at_once() {
    let (old, lease) = busy();
    assert_eq!(restore(old.store.snapshot(), Leases::Keep, at(1)).claim(9), NOBODY);
    let new = restore(old.store.snapshot(), Leases::Void, at(1));
    assert_eq!(now_or_panic(new.store.renew(&lease)), Err(StoreError::LeaseLost(BuildId(1))));
    assert_eq!(new.claim(9), [1]);
}

#[test]
fn time_does_not_go_back_behind_a_snapshot() {
    let (old, _) = busy();
    old.pass(100);
    let new = restore(old.store.snapshot(), Leases::Keep, at(5));
    assert_eq!(now_or_panic(new.store.now()), Ok(at(100)));
}

#[test]
fn the_generation_grows_with_changes_only() {
    let (bench, lease) = busy();
    let before = bench.store.generation();
    bench.load(BuildId(1));
    assert_eq!(bench.claim(9), NOBODY);
    assert!(bench.save(&Lease { token: 99, ..lease.clone() }, |_| {}).is_err());
    assert_eq!(bench.store.generation(), before);
    bench.save(&lease, |_| {}).unwrap();
    assert!(bench.store.generation() > before);
}
