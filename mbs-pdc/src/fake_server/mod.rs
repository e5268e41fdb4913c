//! A PDC for tests: stateful, strict, a real HTTP server on loopback.
//!
//! It does what PDC does and refuses what PDC refuses, with PDC's statuses and words; recordings of a real one are replayed
//! against it. Nothing in it happens by itself: requests fail when a [`Rule`] says so, and a branch is at its end of life by
//! the day that [`Setup::today`] names.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use mbs_pdc::fake_server::{FakePdc, NewRow, Setup};
//!
//! let pdc = FakePdc::start(Setup::default()).await?;
//! pdc.plant(NewRow { active: true, ..NewRow::new("platform", "f28", "3") });
//! assert!(pdc.url().ends_with("/rest_api/v1"));
//! assert_eq!(pdc.rows()[0].uid, "platform:f28:3");
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Not there: the interface's root and its other endpoints, changing components, forms as bodies, pages worth reading, and
//! answers that are kept and therefore old.

mod accept;
mod answer;
mod asked;
mod auth;
mod components;
mod faults;
mod http;
mod modules;
mod pages;
mod plain;
mod plant;
mod python;
mod query;
mod route;
mod rows;
mod seen;
mod serve;
mod setup;
mod shared;
mod state;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use faults::{Faults, Rule, Trouble};
pub use rows::{Dependency, NewRow, Package, Row};
pub use seen::Seen;
pub use setup::{Flavour, Rights, Setup, User};

use shared::Shared;

/// A server. Copies are the same server; it ends with the last one.
#[derive(Clone)]
pub struct FakePdc {
    shared: Arc<Shared>,
    server: Arc<Server>,
}

struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.end();
        self.task.abort();
    }
}

impl fmt::Debug for FakePdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakePdc").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl FakePdc {
    /// Starts a server. It is served by the runtime it is started in.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn start(setup: Setup) -> std::io::Result<Self> {
        let wanted = setup.address.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        let listener = TcpListener::bind(wanted).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(setup));
        let task = tokio::spawn(http::serve(listener, Arc::clone(&shared)));
        let server = Server { address, shared: Arc::clone(&shared), task };
        Ok(Self { shared, server: Arc::new(server) })
    }

    /// Returns the root, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.server.address, asked::ROOT.trim_end_matches('/'))
    }

    /// Returns what may go wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Returns what was asked, in order, since the start or the last reset. Requests to a server that is down are not in it,
    /// and of very many the oldest are forgotten.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.ledger.all()
    }

    /// Forgets what was asked.
    pub fn reset_requests(&self) {
        self.shared.ledger.reset();
    }

    /// Returns the greatest number of requests that were under way at the same time since the start or the last reset.
    pub fn most_at_once(&self) -> usize {
        self.shared.ledger.most()
    }
}
