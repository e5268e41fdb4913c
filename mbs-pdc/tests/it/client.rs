//! Clients for tests: clocks that do not wait, tickets without Kerberos, and an end to everything.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mbs_core::clock::Clock;
use mbs_http::{Negotiation, TicketError, Tickets};
use mbs_pdc::client::Pdc;
use mbs_pdc::server::{Login, Server};

/// Returns a server's settings: no answer may take longer than this.
pub(crate) fn server(root: impl Into<String>, timeout_ms: u64) -> Server {
    Server { timeout: Duration::from_millis(timeout_ms), ..Server::new(root, Login::Anonymous) }
}

/// Makes a client that does not wait between attempts.
pub(crate) fn client(server: &Server) -> Pdc {
    Pdc::new(server, Arc::new(Skipping::default())).unwrap()
}

/// Waits for what has to end, though nobody says when.
///
/// # Panics
/// It does not end.
pub(crate) async fn ends<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it ends")
}

/// A clock whose sleepers wake at once; it notes how long they would have slept.
#[derive(Debug, Default)]
pub(crate) struct Skipping(Mutex<(Duration, Vec<Duration>)>);

#[cfg(feature = "fake-server")]
impl Skipping {
    /// Returns all pauses so far.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.0.lock().unwrap().1.clone()
    }
}

#[async_trait]
impl Clock for Skipping {
    fn reading(&self) -> Duration {
        self.0.lock().unwrap().0
    }

    async fn sleep_until(&self, deadline: Duration) {
        {
            let mut state = self.0.lock().unwrap();
            let pause = deadline.saturating_sub(state.0);
            state.0 = state.0.max(deadline);
            state.1.push(pause);
        }
        tokio::task::yield_now().await;
    }
}

/// Has a ticket of somebody; `None`: has none.
#[derive(Debug, Clone)]
pub(crate) struct Ticket(pub(crate) Option<String>);

impl Tickets for Ticket {
    fn begin(&self, host: &str) -> Result<Box<dyn Negotiation>, TicketError> {
        assert_eq!(host, "127.0.0.1");
        match &self.0 {
            Some(_) => Ok(Box::new(self.clone())),
            None => Err(TicketError { reason: "no credentials".to_owned(), is_transient: false }),
        }
    }
}

impl Negotiation for Ticket {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Option<Vec<u8>>, TicketError> {
        assert_eq!(token, None);
        Ok(self.0.clone().map(String::into_bytes))
    }
}
