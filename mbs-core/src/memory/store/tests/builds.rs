//! Creating, loading, saving, amending.

use super::*;
use crate::ident::{ComponentId, Nsvc, Revision};
use crate::memory::samples::{component, id};
use crate::model::Failure;
use crate::store::{Catalogue, Created, EventNumber, IdempotencyKey, Outbox, Sink};

fn keyed(nsvc: &str, key: &str, content: &str) -> Create {
    let key = IdempotencyKey { key: key.into(), content: content.into() };
    Create { key: Some(key), ..Create::from(new_build(nsvc)) }
}

fn create(bench: &Bench, create: Create) -> Result<Created, StoreError> {
    now_or_panic(bench.store.create(create))
}

#[test]
fn a_new_build_has_its_id_first_trace_first_event_and_is_due_at_once() {
    let bench = Bench::new();
    bench.pass(5);
    assert_eq!(bench.create("app:1:1:a"), BuildId(1));
    assert_eq!(bench.create("app:1:1:b"), BuildId(2));
    let loaded = bench.load(BuildId(1));
    assert_eq!((loaded.build.state(), loaded.build.submitted_at), (State::Init, at(5)));
    assert!(loaded.build.life.unsaved().is_empty());
    let trace = now_or_panic(bench.store.trace(BuildId(1))).unwrap();
    assert_eq!(trace.iter().map(|t| (t.from, t.to, t.at)).collect::<Vec<_>>(), [(None, State::Init, at(5))]);
    let events = now_or_panic(bench.store.take(&Sink("bus".into()), 9)).unwrap();
    let seen: Vec<_> = events.iter().map(|e| (e.number, e.event.build, e.event.seq)).collect();
    assert_eq!(seen, [(EventNumber(1), BuildId(1), 1), (EventNumber(2), BuildId(2), 1)]);
    assert_eq!(bench.claim(9), [1, 2]);
}

#[test]
fn a_submission_is_recorded_whole_or_not_at_all() {
    let bench = Bench::new();
    bench.create("app:1:1:b");
    let both = Create { new: vec![new_build("app:1:1:a"), new_build("app:1:1:b")], ..Create::default() };
    let generation = bench.store.generation();
    assert_eq!(create(&bench, both), Err(StoreError::Taken(id("app:1:1:b"))));
    assert_eq!(now_or_panic(bench.store.find(&[id::<Nsvc>("app:1:1:a")])).unwrap(), Default::default());
    assert_eq!(bench.store.generation(), generation);
    assert_eq!(bench.create("app:1:1:a"), BuildId(2), "no id was used up");
}

#[test]
fn a_submission_that_names_a_build_twice_or_none_is_refused() {
    let bench = Bench::new();
    let twice = Create { new: vec![new_build("app:1:1:a"), new_build("app:1:1:a")], ..Create::default() };
    assert_eq!(create(&bench, twice), Err(StoreError::Taken(id("app:1:1:a"))));
    assert!(matches!(create(&bench, Create::default()), Err(StoreError::Rejected { .. })));
}

#[test]
fn the_same_key_gives_the_same_builds_and_another_content_is_an_error() {
    let bench = Bench::new();
    let first = create(&bench, keyed("app:1:1:a", "k", "x")).unwrap();
    assert_eq!(create(&bench, keyed("app:1:1:a", "k", "x")).unwrap(), first);
    assert_eq!(create(&bench, keyed("app:1:1:b", "k", "y")), Err(StoreError::KeyReused("k".into())));
    assert_eq!(create(&bench, keyed("app:1:1:a", "k2", "x")), Err(StoreError::Taken(id("app:1:1:a"))));
}

#[test]
fn the_dist_index_is_the_smallest_id_of_the_same_version_and_scratchness() {
    let bench = Bench::new();
    let dist_index = |nsvc: &str, scratch: bool| {
        let new = crate::model::NewBuild { scratch, ..new_build(nsvc) };
        create(&bench, Create::from(new)).unwrap().builds[0].dist_index.0
    };
    assert_eq!(dist_index("app:1:1:a", false), 1);
    assert_eq!(dist_index("app:1:1:b", false), 1);
    assert_eq!(dist_index("app:1:1:b_1", true), 3);
    assert_eq!(dist_index("app:1:2:a", false), 4);
    assert_eq!(dist_index("app:2:1:a", false), 5);
    assert_eq!(dist_index("app:1:1:c_1", true), 3);
}

#[test]
fn a_resumed_build_goes_on_with_trace_event_and_audit() {
    let bench = Bench::new();
    let id = bench.create_asleep("app:1:1:a");
    bench.amend(id, |b| b.life.fail("broken".into(), Failure::User, at(1)).unwrap()).unwrap();
    bench.release(&bench.claim_only(id), None);
    bench.pass(1);
    let loaded = bench.load(id);
    let mut build = loaded.build.clone();
    build.enter(State::Init, Some("Resubmitted by mary".into()), at(2)).unwrap();
    let resume = |revision| Create {
        resumed: vec![(build.clone(), revision)],
        by: "mary".into(),
        new: vec![new_build("app:1:1:b")],
        ..Create::default()
    };
    assert_eq!(create(&bench, resume(Revision(0))), Err(StoreError::Stale(id)));
    let created = create(&bench, resume(loaded.revision)).unwrap();
    assert_eq!(created.builds.iter().map(|b| b.id.0).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(now_or_panic(bench.store.trace(id)).unwrap().last().unwrap().to, State::Init);
    let audit = now_or_panic(bench.store.audit(id)).unwrap();
    assert_eq!(audit.last().map(|entry| (entry.by.as_str(), entry.at)), Some(("mary", at(1))));
    assert_eq!(bench.claim(9), [1, 2], "a resumed build is due at once");
}

#[test]
fn an_unknown_build_is_not_found() {
    let bench = Bench::new();
    assert_eq!(now_or_panic(bench.store.load(BuildId(7))), Err(StoreError::NotFound(BuildId(7))));
    assert_eq!(now_or_panic(bench.store.explain(BuildId(7))), Err(StoreError::NotFound(BuildId(7))));
}

#[test]
fn a_save_writes_record_ids_trace_events_and_log_and_raises_the_revision() {
    let bench = Bench::new();
    let id = bench.create("app:1:1:a");
    let lease = bench.claim_only(id);
    bench.pass(3);
    let mut save = bench.draft(&lease, |b| {
        enter(b, State::Wait, 2);
        enter(b, State::Build, 3);
        b.components = vec![component("liba"), component("libb")];
    });
    save.notes = vec!["two components".into()];
    let saved = now_or_panic(bench.store.save(save)).unwrap();
    assert_eq!(saved.revision, Revision(1));
    assert_eq!(bench.load(id).build, saved.build);
    let ids: Vec<_> = saved.build.components.iter().map(|c| c.id).collect();
    assert_eq!(ids, [Some(ComponentId(1)), Some(ComponentId(2))]);
    assert!(saved.build.life.unsaved().is_empty());
    let trace = now_or_panic(bench.store.trace(id)).unwrap();
    assert_eq!(trace.iter().map(|t| t.to).collect::<Vec<_>>(), [State::Init, State::Wait, State::Build]);
    let log = now_or_panic(bench.store.log(id)).unwrap();
    assert_eq!(log.iter().map(|l| (l.at, l.text.as_str())).collect::<Vec<_>>(), [(at(3), "two components")]);
    let more = bench.save(&lease, |b| b.components.push(component("libc"))).unwrap();
    assert_eq!(more.build.components.iter().map(|c| c.id.unwrap().0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(more.revision, Revision(2));
}

#[test]
fn each_event_of_one_save_shows_the_state_it_led_to() {
    let bench = Bench::new();
    let id = bench.create("app:1:1:a");
    let lease = bench.claim_only(id);
    bench
        .save(&lease, |b| {
            enter(b, State::Wait, 2);
            enter(b, State::Build, 3);
        })
        .unwrap();
    let bus = Sink("bus".into());
    let mut seen = Vec::new();
    while let Some(next) = now_or_panic(bench.store.take(&bus, 1)).unwrap().pop() {
        seen.push((next.event.seq, next.event.summary.state, next.event.summary.modified_at));
        now_or_panic(bench.store.ack(&bus, &[next.number])).unwrap();
    }
    assert_eq!(seen, [(1, State::Init, at(0)), (2, State::Wait, at(2)), (3, State::Build, at(3))]);
}

#[test]
fn the_lease_is_checked_first_then_the_revision_then_the_slots() {
    let bench = Bench::with_limit(0);
    let id = bench.create("app:1:1:a");
    let lease = bench.claim_only(id);
    let wish = |lease: &Lease| bench.draft(lease, |b| take_slots(b, 1));
    let save = |save: Save| now_or_panic(bench.store.save(save)).unwrap_err();
    let (mut stale, mut lost) = (wish(&lease), wish(&lease));
    stale.revision = Revision(9);
    lost.revision = Revision(9);
    lost.lease.token += 1;
    assert_eq!(save(lost), StoreError::LeaseLost(id));
    assert_eq!(save(stale), StoreError::Stale(id));
    assert_eq!(save(wish(&lease)), StoreError::NoSlot { in_use: 0, limit: 0 });
    bench.pass(60);
    assert_eq!(save(wish(&lease)), StoreError::LeaseLost(id));
    assert_eq!(bench.load(id).revision, Revision(0), "nothing was saved");
}

#[test]
fn a_backend_that_saves_after_a_person_is_told_and_loses_nothing() {
    let bench = Bench::new();
    let id = bench.create("app:1:1:a");
    let lease = bench.claim_only(id);
    let save = bench.draft(&lease, |b| enter(b, State::Wait, 1));
    bench.amend(id, |b| b.life.fail("Canceled by mary".into(), Failure::User, at(1)).unwrap()).unwrap();
    assert_eq!(now_or_panic(bench.store.save(save)), Err(StoreError::Stale(id)));
    assert_eq!(bench.load(id).build.state(), State::Failed);
    assert_eq!(now_or_panic(bench.store.trace(id)).unwrap().len(), 2);
}

#[test]
fn a_person_who_amends_after_a_backend_is_told() {
    let bench = Bench::new();
    let id = bench.create("app:1:1:a");
    let lease = bench.claim_only(id);
    let loaded = bench.load(id);
    bench.save(&lease, |b| enter(b, State::Wait, 1)).unwrap();
    let mut now = loaded.build;
    now.life.fail("Canceled".into(), Failure::User, at(1)).unwrap();
    let amend = Amend { now, revision: loaded.revision, by: "mary".into(), what: "cancelled it".into() };
    assert_eq!(now_or_panic(bench.store.amend(amend)), Err(StoreError::Stale(id)));
    assert_eq!(now_or_panic(bench.store.audit(id)).unwrap(), []);
}

#[test]
fn an_amendment_makes_the_build_due_and_is_kept_with_who_and_when() {
    let bench = Bench::new();
    let id = bench.create_asleep("app:1:1:a");
    bench.pass(4);
    bench.amend(id, |b| b.life.fail("Canceled".into(), Failure::User, at(4)).unwrap()).unwrap();
    let audit = now_or_panic(bench.store.audit(id)).unwrap();
    let kept: Vec<_> = audit.iter().map(|e| (e.at, e.by.as_str(), e.what.as_str())).collect();
    assert_eq!(kept, [(at(4), "mary", "cancelled it")]);
    assert_eq!(bench.claim(9), [1]);
}

#[test]
fn an_amendment_may_not_take_slots() {
    let bench = Bench::new();
    let id = bench.create("app:1:1:a");
    assert!(matches!(bench.amend(id, |b| take_slots(b, 1)), Err(StoreError::Rejected { .. })));
}

#[test]
fn a_record_that_cannot_come_from_the_stored_one_is_refused() {
    let bench = Bench::new();
    let id = bench.create("app:1:1:a");
    let lease = bench.claim_only(id);
    bench.save(&lease, |b| b.components = vec![component("liba")]).unwrap();
    let is_refused = |change: fn(&mut ModuleBuild)| {
        let outcome = bench.save(&lease, change);
        matches!(outcome, Err(StoreError::Rejected { .. }))
    };
    assert!(is_refused(|b| b.dist_index = BuildId(9)));
    assert!(is_refused(|b| b.new.nsvc = new_build("app:2:1:a").nsvc));
    assert!(is_refused(|b| b.id = BuildId(9)));
    assert!(is_refused(|b| b.components.push(component("liba"))));
    assert!(is_refused(|b| b.components[0].id = Some(ComponentId(99))));
    assert!(is_refused(|b| {
        enter(b, State::Wait, 1);
        b.life.take_unsaved();
    }));
    assert!(!is_refused(|b| enter(b, State::Wait, 1)));
}

#[test]
fn a_save_of_a_record_that_was_not_loaded_is_refused() {
    let bench = Bench::new();
    let id = bench.create("app:1:1:a");
    let lease = bench.claim_only(id);
    let mut save = bench.draft(&lease, |b| enter(b, State::Wait, 1));
    Arc::make_mut(&mut save.was).arches.push("x86_64".parse().unwrap());
    assert!(matches!(now_or_panic(bench.store.save(save)), Err(StoreError::Rejected { .. })));
}
