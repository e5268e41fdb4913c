//! A PDC that fails in every way: what the client makes of it, and that it always comes to an end.

mod down;
mod late;
mod many;
mod odd;

use std::sync::Arc;

use mbs_core::build_system::Effect;
use mbs_http::Secret;
use mbs_pdc::api::{Change, Entries, Entry, Face, Filter};
use mbs_pdc::client::{Pdc, PdcError};
use mbs_pdc::fake_server::{FakePdc, NewRow, Rule, Setup, Trouble};
use mbs_pdc::server::{Login, Server};

use crate::client::{Skipping, ends, server};

/// The only entry there is.
const UID: &str = "core:s:1";

/// A fake PDC with one entry that is not active, and a client of it that does not wait between attempts.
struct Stage {
    fake: FakePdc,
    clock: Arc<Skipping>,
    entries: Entries,
}

impl Stage {
    /// Starts it, with more time for every answer than it takes.
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// Starts it with other settings of the client.
    async fn with(settle: impl FnOnce(&mut Server)) -> Self {
        let fake = FakePdc::start(Setup::default()).await.unwrap();
        fake.plant(NewRow::new("core", "s", "1"));
        let mut server = server(fake.url(), 20_000);
        server.login = Login::Token(Secret::new("b".repeat(40)));
        settle(&mut server);
        let clock = Arc::new(Skipping::default());
        let pdc = Pdc::new(&server, clock.clone()).unwrap();
        Self { fake, clock, entries: Entries::new(pdc, Face::Variants) }
    }

    /// Lets this happen to every request from now on, and to nothing else.
    fn troubled(&self, trouble: Trouble) {
        self.rule(Rule::always(trouble));
    }

    fn rule(&self, rule: Rule) {
        self.fake.faults().clear();
        self.fake.faults().add(rule);
        self.fake.reset_requests();
    }

    async fn find(&self) -> Result<Vec<Entry>, PdcError> {
        ends(self.entries.find(&Filter::default())).await
    }

    /// Activates the entry.
    async fn change(&self) -> Result<Entry, PdcError> {
        let change = Change { active: Some(true), ..Change::default() };
        ends(self.entries.change(UID, &change, "ticket 42")).await
    }

    /// Returns how often the server was asked.
    fn asked(&self) -> usize {
        self.fake.requests().len()
    }

    fn is_active(&self) -> bool {
        self.fake.rows()[0].active
    }
}

/// Says that nobody answered, and whether it may have happened.
fn is_unavailable<T>(outcome: &Result<T, PdcError>, wanted: Effect) -> bool {
    matches!(outcome, Err(error @ PdcError::Unavailable { effect, .. }) if *effect == wanted && error.is_transient())
}

/// Says that the answer made no sense, and whether it may have happened.
fn is_odd<T>(outcome: &Result<T, PdcError>, wanted: Effect) -> bool {
    matches!(outcome, Err(PdcError::Protocol { effect, .. }) if *effect == wanted)
}
