//! Calls that are given up half-way leave a store that works, and all or nothing of what they wrote.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use mbs_core::bus::Hint;
use mbs_core::model::State;
use mbs_core::store::{Create, IdempotencyKey, Outbox as _, Sink};

use super::*;

/// Polls a call so many times, unless it ends before, and drops it; says whether it ended.
async fn give_up<T>(call: impl Future<Output = T>, polls: usize) -> bool {
    let mut call = pin!(call);
    for _ in 0..polls {
        let ended = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
        if ended {
            return true;
        }
        // Lets the connection's thread answer, so that each poll gets further.
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    false
}

#[tokio::test]
async fn a_save_that_is_given_up_anywhere_is_whole_or_never_was() {
    let fixture = Fixture::new().await;
    fixture.create("app:1:1:a").await;
    let lease = fixture.claim().await;
    let (mut saves, mut ended) = (0, false);
    for polls in 0..400 {
        let save =
            fixture.draft(&lease, |build| build.components.push(running(&format!("c{polls}"), None).into()));
        let save = save.await;
        let before = save.revision.0;
        ended = give_up(fixture.store.save(save), polls).await;
        let loaded = fixture.store.load(lease.build).await.unwrap();
        saves += loaded.revision.0 - before;
        assert_eq!(loaded.build.components.len() as u64, saves, "after {polls} polls");
        assert_eq!(u64::from(loaded.slots.in_use), saves, "after {polls} polls");
        assert_eq!(fixture.store.log(lease.build).await.unwrap().len() as u64, saves);
        if ended {
            break;
        }
    }
    assert!(ended, "the save never ended");
    fixture.try_save(&lease, |build| build.enter(State::Wait, None, start()).unwrap()).await.unwrap();
}

#[tokio::test]
async fn other_calls_may_be_given_up_anywhere() {
    let fixture = Fixture::new().await;
    let (store, sink) = (&fixture.store, Sink("bus".into()));
    for polls in 0..60 {
        let key = IdempotencyKey { key: format!("k{polls}"), content: String::new() };
        let create = Create { key: Some(key), ..Create::from(new_build(&format!("app:{polls}:1:a"))) };
        give_up(store.create(create.clone()), polls).await;
        let created = store.create(create).await.unwrap();
        assert_eq!(created.builds.len(), 1, "after {polls} polls");
        give_up(store.load(created.builds[0].id), polls).await;
        give_up(store.claim(&WorkerId("w".into()), 1), polls).await;
        give_up(store.wake(&[Hint::Everything]), polls).await;
        give_up(store.take(&sink, 10), polls).await;
    }
    store.void_leases(&WorkerId("w".into())).await.unwrap();
    let claims = store.claim(&WorkerId("v".into()), 100).await.unwrap();
    assert_eq!(claims.len(), 60);
    assert_eq!(store.take(&sink, 100).await.unwrap().len(), 60);
}
