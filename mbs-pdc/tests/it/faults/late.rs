//! Answers that take their time, have no end or never come, and servers that ask for patience.

use std::sync::Arc;
use std::time::Duration;

use mbs_core::build_system::Effect;
use mbs_core::memory::ManualClock;
use mbs_pdc::api::{Entries, Face, Filter};
use mbs_pdc::client::Pdc;
use mbs_pdc::fake_server::Trouble;

use super::{Stage, is_odd};
use crate::client::ends;

#[tokio::test]
async fn an_answer_that_is_late_but_in_time_counts() {
    let stage = Stage::new().await;
    stage.troubled(Trouble::Late(Duration::from_millis(20)));
    assert_eq!(stage.find().await.unwrap().len(), 1);
    assert!(stage.change().await.unwrap().active);
    assert_eq!(stage.asked(), 2);
}

#[tokio::test]
async fn an_answer_without_end_is_read_up_to_its_bound() {
    let stage = Stage::with(|server| server.max_answer_bytes = 1 << 20).await;
    stage.troubled(Trouble::Endless);
    let read = stage.find().await;
    assert!(is_odd(&read, Effect::None), "{read:?}");
    assert!(read.unwrap_err().to_string().ends_with("it is longer than 1048576 bytes"));
    let write = stage.change().await;
    assert!(is_odd(&write, Effect::Unknown), "{write:?}");
    assert_eq!(stage.asked(), 2, "it is not asked for again");
}

#[tokio::test]
async fn pauses_end_with_the_time_of_the_answer() {
    let stage = Stage::with(|server| server.timeout = Duration::from_millis(150)).await;
    stage.troubled(Trouble::Status(503));
    // Nobody moves this clock.
    let pdc = Pdc::new(stage.entries.pdc().server(), Arc::new(ManualClock::new())).unwrap();
    let outcome = ends(Entries::new(pdc, Face::Variants).find(&Filter::default())).await;
    let told = outcome.unwrap_err().to_string();
    assert!(told.starts_with("PDC cannot be reached: HTTP 503: The server encountered"), "{told}");
    assert_eq!(stage.asked(), 1);
}
