//! Nobody there, or nobody any more.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mbs_core::build_system::Effect;
use mbs_core::clock::Clock;
use mbs_pdc::api::{Change, Entries, Face};
use mbs_pdc::client::{Pdc, PdcError};
use mbs_pdc::fake_server::{FakePdc, Rule, Trouble};

use super::{Stage, UID, is_unavailable};
use crate::client::ends;

/// Returns the root of an API that nobody serves.
fn nobody() -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{address}/rest_api/v1")
}

#[tokio::test]
async fn where_nobody_listens_a_read_is_tried_again_and_a_write_had_no_effect() {
    let stage = Stage::with(|server| server.root = nobody()).await;
    let read = stage.find().await;
    assert!(is_unavailable(&read, Effect::None), "{read:?}");
    assert_eq!(stage.clock.pauses(), [1, 2, 4].map(Duration::from_secs));
    let write = stage.change().await;
    assert!(is_unavailable(&write, Effect::None), "{write:?}");
    let figures = stage.entries.pdc().figures();
    assert_eq!((figures.reads, figures.writes, figures.repeated, figures.failed), (4, 1, 3, 5));
}

#[tokio::test]
async fn a_read_finds_what_it_wants_once_the_server_is_back() {
    let stage = Stage::new().await;
    for trouble in [
        Trouble::ResetBefore,
        Trouble::ResetAfter,
        Trouble::HalfBody,
        Trouble::Status(500),
        Trouble::Html(502),
        Trouble::Words(429, "{}".into()),
    ] {
        let told = format!("{trouble:?}");
        stage.rule(Rule::always(trouble).times(3));
        let found = stage.find().await.unwrap();
        assert_eq!((found[0].uid.as_str(), stage.asked()), (UID, 4), "{told}");
    }
    stage.rule(Rule::always(Trouble::ResetBefore).times(4));
    let found = stage.find().await;
    assert!(is_unavailable(&found, Effect::None), "more than its attempts: {found:?}");
}

/// A clock at whose first pause the server comes up.
#[derive(Debug)]
struct Repair(FakePdc);

#[async_trait]
impl Clock for Repair {
    fn reading(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep_until(&self, _deadline: Duration) {
        self.0.faults().set_down(false);
    }
}

#[tokio::test]
async fn a_server_that_was_down_is_up_at_the_next_attempt() {
    let stage = Stage::new().await;
    let pdc = Pdc::new(stage.entries.pdc().server(), Arc::new(Repair(stage.fake.clone()))).unwrap();
    stage.fake.faults().set_down(true);
    let entries = Entries::new(pdc, Face::Modules);
    assert_eq!(ends(entries.entry(UID)).await.unwrap().uid, UID);
    assert_eq!(entries.pdc().figures().repeated, 1);
    // A write waits for nobody, but what was open before the server went down is not held against it.
    stage.fake.faults().set_down(true);
    let change = Change { active: Some(true), ..Change::default() };
    let outcome = ends(entries.change(UID, &change, "ticket 42")).await;
    assert!(matches!(outcome, Err(PdcError::Unavailable { .. })), "{outcome:?}");
    assert!(!stage.is_active());
    stage.fake.faults().set_down(false);
    assert!(ends(entries.change(UID, &change, "ticket 42")).await.unwrap().active);
}

#[tokio::test]
async fn a_write_is_sent_once_and_says_that_nobody_knows() {
    for (trouble, is_done) in [
        (Trouble::ResetBefore, false),
        (Trouble::ResetAfter, true),
        (Trouble::HalfBody, true),
        (Trouble::Status(503), false),
        (Trouble::Html(502), false),
    ] {
        let stage = Stage::new().await;
        let told = format!("{trouble:?}");
        stage.troubled(trouble);
        let outcome = stage.change().await;
        assert!(is_unavailable(&outcome, Effect::Unknown), "{told}: {outcome:?}");
        assert_eq!((stage.asked(), stage.is_active()), (1, is_done), "{told}");
        assert_eq!(stage.clock.pauses().len(), 0);
        // Whoever looks then knows.
        stage.fake.faults().clear();
        assert_eq!(ends(stage.entries.entry(UID)).await.unwrap().active, is_done, "{told}");
    }
}
