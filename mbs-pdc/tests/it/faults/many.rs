//! Many requests at once.

use std::time::Duration;

use mbs_core::build_system::Effect;
use mbs_pdc::api::{Change, Entry};
use mbs_pdc::client::PdcError;
use mbs_pdc::fake_server::{Rule, Trouble};
use tokio::task::JoinSet;

use super::{Stage, UID};
use crate::client::ends;

const PARALLEL: usize = 3;

/// Asks so often at once, and returns what came of it.
async fn ask_at_once(stage: &Stage, times: usize) -> Vec<Result<Entry, PdcError>> {
    let mut asking = JoinSet::new();
    for _ in 0..times {
        let entries = stage.entries.clone();
        asking.spawn(async move { entries.entry(UID).await });
    }
    ends(asking.join_all()).await
}

#[tokio::test]
async fn only_so_many_requests_are_under_way_at_a_time() {
    let stage = Stage::with(|server| server.parallel = PARALLEL).await;
    stage.troubled(Trouble::Late(Duration::from_millis(5)));
    let came = ask_at_once(&stage, 40).await;
    assert!(came.iter().all(Result::is_ok), "{came:?}");
    assert_eq!((stage.asked(), stage.fake.most_at_once()), (40, PARALLEL));
}

#[tokio::test]
async fn waiting_for_a_turn_takes_nothing_from_the_time_of_an_answer() {
    let stage = Stage::with(|server| {
        server.parallel = 1;
        server.timeout = Duration::from_millis(1_000);
        server.retries = 0;
    })
    .await;
    stage.troubled(Trouble::Late(Duration::from_millis(100)));
    // Together they take longer than each may.
    let came = ask_at_once(&stage, 16).await;
    assert!(came.iter().all(Result::is_ok), "{came:?}");
    assert_eq!(stage.asked(), 16);
}

#[tokio::test]
async fn who_waits_for_a_turn_gives_up_in_time_and_has_done_nothing() {
    let stage = Stage::with(|server| {
        server.parallel = PARALLEL;
        server.timeout = Duration::from_millis(250);
    })
    .await;
    stage.troubled(Trouble::Hang);
    let mut changing = JoinSet::new();
    for _ in 0..40 {
        let entries = stage.entries.clone();
        let change = Change { active: Some(true), ..Change::default() };
        changing.spawn(async move { entries.change(UID, &change, "ticket 42").await });
    }
    let (waited, sent): (Vec<_>, Vec<_>) =
        ends(changing.join_all()).await.into_iter().map(Result::unwrap_err).partition(|error| {
            error.to_string().ends_with("3 requests are under way already, and none ends")
        });
    assert!(waited.iter().all(|error| error.effect() == Effect::None), "{waited:?}");
    assert!(sent.iter().all(|error| error.effect() == Effect::Unknown), "{sent:?}");
    // Some may just have had their turn; they do not wait for one after another.
    assert!((PARALLEL..=2 * PARALLEL).contains(&sent.len()), "{sent:?} {waited:?}");
    assert_eq!(stage.fake.most_at_once(), PARALLEL);
    // All turns have come back.
    stage.fake.faults().clear();
    assert!(ask_at_once(&stage, PARALLEL).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_request_that_is_given_up_gives_its_turn_back() {
    let stage = Stage::with(|server| server.parallel = 1).await;
    stage.rule(Rule::always(Trouble::Hang).times(1));
    let entries = stage.entries.clone();
    let hanging = tokio::spawn(async move { entries.entry(UID).await });
    ends(async {
        while stage.asked() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    hanging.abort();
    assert_eq!(stage.find().await.unwrap().len(), 1);
}
