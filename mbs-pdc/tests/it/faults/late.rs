//! Answers that take their time, have no end or never come, and servers that ask for patience.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mbs_core::build_system::Effect;
use mbs_core::memory::ManualClock;
use mbs_http::{Negotiation, TicketError, Tickets};
use mbs_pdc::api::{Change, Entries, Face, Filter};
use mbs_pdc::client::{Pdc, PdcError};
use mbs_pdc::fake_server::{Rule, Trouble};
use mbs_pdc::server::{Login, Server};

use super::{Stage, UID, is_odd, is_unavailable};
use crate::client::{Skipping, ends, server};
use crate::server::{bytes, json};

#[tokio::test]
async fn an_answer_that_is_late_but_in_time_counts() {
    let stage = Stage::new().await;
    stage.troubled(Trouble::Late(Duration::from_millis(20)));
    assert_eq!(stage.find().await.unwrap().len(), 1);
    assert!(stage.change().await.unwrap().active);
    assert_eq!(stage.asked(), 2);
}

#[tokio::test]
async fn what_does_not_come_in_time_is_not_waited_for() {
    for trouble in [Trouble::Late(Duration::from_secs(600)), Trouble::Hang] {
        let stage = Stage::with(|server| server.timeout = Duration::from_millis(200)).await;
        stage.troubled(trouble);
        let read = stage.find().await;
        assert!(is_unavailable(&read, Effect::None), "{read:?}");
        assert_eq!(read.unwrap_err().to_string(), "PDC cannot be reached: it did not answer in time");
        assert_eq!((stage.asked(), stage.clock.pauses().len()), (1, 0), "no time is left for more");
        let write = stage.change().await;
        assert!(is_unavailable(&write, Effect::Unknown), "{write:?}");
        assert_eq!(stage.asked(), 2);
    }
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

#[tokio::test]
async fn a_server_is_left_alone_for_as_long_as_it_wants() {
    let busy = |wait: &str| bytes(429, &[("Content-Type", "application/json"), ("Retry-After", wait)], "{}");
    for (wait, pause) in [("7", 7), ("0", 1), ("Fri, 27 Nov 2026 07:28:00 GMT", 1), ("-3", 1)] {
        let told = crate::server::Server::playing([busy(wait), json(200, "[]")]).await;
        let clock = Arc::new(Skipping::default());
        let pdc = Pdc::new(&server(told.root.as_str(), 20_000), clock.clone()).unwrap();
        assert_eq!(ends(Entries::new(pdc, Face::Variants).find(&Filter::default())).await, Ok(Vec::new()));
        assert_eq!((told.heard().len(), clock.pauses()), (2, vec![Duration::from_secs(pause)]), "{wait}");
    }
    // Whoever called has other things to do that long.
    for secs in [31, u64::MAX] {
        let told = crate::server::Server::playing([busy(&secs.to_string())]).await;
        let clock = Arc::new(Skipping::default());
        let pdc = Pdc::new(&server(told.root.as_str(), 20_000), clock.clone()).unwrap();
        let outcome = ends(Entries::new(pdc, Face::Variants).find(&Filter::default())).await;
        let wanted = Some(Duration::from_secs(secs));
        assert!(
            matches!(&outcome, Err(PdcError::Unavailable { retry_after, .. }) if *retry_after == wanted),
            "{outcome:?}"
        );
        assert_eq!((told.heard().len(), clock.pauses().len()), (1, 0));
    }
}

#[tokio::test]
async fn a_ticket_that_does_not_come_is_not_waited_for() {
    let (end, receiver) = channel();
    let stage = Stage::new().await;
    let server = Server {
        login: Login::Ticket,
        timeout: Duration::from_millis(200),
        ..stage.entries.pdc().server().clone()
    };
    let tickets = Arc::new(Stuck(Mutex::new(receiver)));
    let pdc = Pdc::with_tickets(&server, stage.clock.clone(), tickets).unwrap();
    let entries = Entries::new(pdc, Face::Variants);
    let change = Change { active: Some(true), ..Change::default() };
    let filter = Filter::default();
    let (read, write) =
        ends(async { tokio::join!(entries.find(&filter), entries.change(UID, &change, "ticket 42")) }).await;
    let token = ends(entries.pdc().token()).await;
    drop(end);
    assert!(is_unavailable(&token, Effect::None), "{token:?}");
    assert!(is_unavailable(&read, Effect::None), "{read:?}");
    assert!(is_unavailable(&write, Effect::None), "{write:?}");
    assert_eq!(stage.asked(), 0);
}

/// Nobody answers for as long as the other end is kept.
#[derive(Debug)]
struct Stuck(Mutex<Receiver<()>>);

impl Tickets for Stuck {
    fn begin(&self, _host: &str) -> Result<Box<dyn Negotiation>, TicketError> {
        assert!(self.0.lock().unwrap().recv().is_err());
        Err(TicketError { reason: "the test is over".to_owned(), is_transient: true })
    }
}

#[tokio::test]
async fn settings_without_bounds_can_be_used() {
    let stage = Stage::with(|server| {
        server.timeout = Duration::MAX;
        server.connect_timeout = Duration::MAX;
        server.retry_pause = Duration::MAX;
        server.retries = u32::MAX;
        server.parallel = usize::MAX;
        server.max_answer_bytes = u64::MAX;
    })
    .await;
    stage.rule(Rule::always(Trouble::ResetBefore).times(40));
    assert_eq!(stage.find().await.unwrap().len(), 1);
    assert_eq!(stage.clock.pauses(), [Duration::from_secs(30); 40]);
    let stage = Stage::with(|server| (server.parallel, server.timeout) = (0, Duration::ZERO)).await;
    let outcome = stage.change().await;
    assert!(is_unavailable(&outcome, Effect::None), "{outcome:?}");
    assert_eq!(stage.asked(), 0);
}
