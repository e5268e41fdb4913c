//! Several programs on one file.

use std::collections::BTreeSet;

use mbs_core::bus::Hint;
use mbs_core::model::State;
use mbs_core::store::{Amend, Outbox as _, Settings, Sink, Upkeep as _};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn programs_that_claim_at_once_never_get_the_same_build() {
    let fixture = Fixture::new().await;
    for number in 0..60 {
        fixture.create(&format!("app:{number}:1:a")).await;
    }
    let mut programs = Vec::new();
    for worker in ["one", "two", "three"] {
        let store = fixture.another().await;
        programs.push(tokio::spawn(async move {
            let mut leases = Vec::new();
            loop {
                match claim(&store, worker).await {
                    claimed if claimed.is_empty() => return leases,
                    claimed => leases.extend(claimed),
                }
            }
        }));
    }
    let mut leases = Vec::new();
    for program in programs {
        leases.extend(program.await.unwrap());
    }
    let builds: BTreeSet<BuildId> = leases.iter().map(|lease| lease.build).collect();
    let tokens: BTreeSet<u64> = leases.iter().map(|lease| lease.token).collect();
    assert_eq!((leases.len(), builds.len(), tokens.len()), (60, 60, 60));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn programs_that_save_at_once_never_exceed_the_limit() {
    let fixture = Fixture::new().await;
    fixture.store.change_settings(Settings { limit: Some(3), ..Settings::default() }, "op").await.unwrap();
    let mut looks = Vec::new();
    for number in 0..8 {
        fixture.create(&format!("app:{number}:1:a")).await;
        let lease = fixture.claim().await;
        let save = fixture.draft(&lease, |build| build.components = vec![running("liba", None).into()]).await;
        let store = fixture.another().await;
        looks.push(tokio::spawn(async move { store.save(save).await }));
    }
    let mut saved = 0;
    for look in looks {
        match look.await.unwrap() {
            Ok(_) => saved += 1,
            Err(error) => assert_eq!(error, StoreError::NoSlot { in_use: 3, limit: 3 }),
        }
    }
    assert_eq!(saved, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_person_and_a_look_at_once_one_is_stale_and_nothing_is_lost() {
    let fixture = Fixture::new().await;
    for number in 0..10 {
        let id = fixture.create(&format!("app:{number}:1:a")).await;
        let lease = fixture.claim().await;
        let mut save = fixture.draft(&lease, |build| build.enter(State::Wait, None, start()).unwrap()).await;
        save.notes.clear();
        let loaded = fixture.store.load(id).await.unwrap();
        let amend =
            Amend { now: loaded.build, revision: loaded.revision, by: "anna".into(), what: "x".into() };
        let (one, other) = (fixture.another().await, fixture.another().await);
        let (saved, amended) = tokio::join!(
            tokio::spawn(async move { one.save(save).await }),
            tokio::spawn(async move { other.amend(amend).await })
        );
        let outcomes = [saved.unwrap(), amended.unwrap()];
        let stale = outcomes.iter().filter(|outcome| **outcome == Err(StoreError::Stale(id)));
        assert_eq!(stale.count(), 1, "{outcomes:?}");
        assert_eq!(fixture.store.load(id).await.unwrap().revision.0, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_are_numbered_once_whoever_asks_first() {
    let fixture = Fixture::new().await;
    for number in 0..40 {
        fixture.create(&format!("app:{number}:1:a")).await;
    }
    let mut programs = Vec::new();
    for sink in ["bus", "pdc", "bus", "web"] {
        let store = fixture.another().await;
        programs.push(tokio::spawn(async move { store.take(&Sink(sink.into()), 100).await.unwrap() }));
    }
    for program in programs {
        let taken = program.await.unwrap();
        let numbers: Vec<u64> = taken.iter().map(|delivery| delivery.number.0).collect();
        assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_one_program_wrote_another_reads() {
    let fixture = Fixture::new().await;
    let other = fixture.another().await;
    let id = fixture.create("app:1:1:a").await;
    let lease = fixture.claim().await;
    let saved = fixture.try_save(&lease, |build| build.components = vec![running("liba", Some(7)).into()]);
    let saved = saved.await.unwrap();
    assert_eq!(other.load(id).await.unwrap().build, saved.build);
    assert_eq!(other.wake(&[Hint::Task(TaskId(7))]).await.unwrap(), 1);
    let mut document = (*saved.build.new.document).clone();
    document.summary = "Another".into();
    let change = |build: &mut ModuleBuild| build.new.document = Arc::new(document.clone());
    fixture.try_save(&lease, change).await.unwrap();
    assert_eq!(**other.load(id).await.unwrap().build.document(), document);
}
