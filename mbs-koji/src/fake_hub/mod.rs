//! A Koji hub for tests: stateful, strict, a real HTTP server on loopback.
//!
//! It does what the hub does and refuses what the hub refuses, with the hub's codes and words; recordings of a real hub are
//! replayed against it. Nothing in it happens by itself: tasks end when a test says so ([`FakeHub::finish`]), or by the hub's
//! clock with an automatic [`Builder`]; requests fail when a [`Rule`] says so.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use mbs_koji::fake_hub::{FakeHub, Setup};
//!
//! let hub = FakeHub::start(Setup::default()).await?;
//! hub.plant_tag("f40", &["x86_64"]);
//! assert!(hub.url().starts_with("http://127.0.0.1:"));
//! assert_eq!(hub.tags().len(), 1);
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Not there: drafts, volumes, image and maven builds, hosts' own calls, dist repositories, plugins.

mod builder;
mod checksum;
mod config;
mod context;
mod counters;
mod faults;
mod http;
mod messages;
mod methods;
mod plant;
mod python;
mod rows;
mod shared;
mod state;
mod time;
mod world;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use builder::{Builder, Recipe, Stage};
pub use config::{RequestsBegin, Setup, Tagging, UserSetup};
pub use counters::Counters;
pub use faults::{Faults, Rule, Trouble};
pub use messages::Message;
pub use plant::TagPlan;
pub use rows::RowKind;

use shared::Shared;

/// A hub. Copies are the same hub; it ends with the last one.
#[derive(Clone)]
pub struct FakeHub {
    shared: Arc<Shared>,
    server: Arc<Server>,
}

struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for FakeHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeHub").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl FakeHub {
    /// Starts a hub on a free port of this machine. It is served by the runtime it is started in.
    ///
    /// # Errors
    /// The port cannot be had.
    pub async fn start(setup: Setup) -> std::io::Result<Self> {
        let wanted = setup.address.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
        let listener = TcpListener::bind(wanted).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(setup));
        let task = tokio::spawn(http::serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, server: Arc::new(Server { address, task }) })
    }

    /// Returns the URL clients call.
    pub fn url(&self) -> String {
        format!("http://{}/kojihub", self.server.address)
    }

    /// Returns what may go wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Returns how often the hub was asked.
    pub fn counters(&self) -> Counters {
        self.shared.inner().counters.clone()
    }

    /// Counts from zero again.
    pub fn reset_counters(&self) {
        self.shared.inner().counters = Counters::default();
    }
}
