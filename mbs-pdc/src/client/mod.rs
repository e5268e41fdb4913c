//! A client of a PDC, usable alone.
//!
//! [`Pdc`] sends [`Request`]s: reads again if no answer comes, writes once. Only so many requests are under way at once; no
//! answer takes longer than the server's time from when its request has a turn, and none is read beyond its bound. Waiting for
//! a turn takes nothing of that time, and ends once the server has answered nobody for as long. A list has one bound over all of
//! its pages, and the time of five answers. What entries mean it does not know.
//!
//! ```no_run
//! use mbs_pdc::api::{Entries, Face, Filter};
//! use mbs_pdc::client::{Pdc, PdcError};
//! use mbs_pdc::server::{Login, Server};
//!
//! # async fn shown(clock: std::sync::Arc<dyn mbs_core::clock::Clock>) -> Result<(), PdcError> {
//! let pdc = Pdc::new(&Server::new("https://pdc.example.org/rest_api/v1", Login::Anonymous), clock)?;
//! let active = Filter { name: Some("perl".into()), active: Some(true), ..Filter::default() };
//! for entry in Entries::new(pdc.clone(), Face::Variants).find(&active).await? {
//!     println!("{}", entry.uid);
//! }
//! println!("{} requests", pdc.figures().requests());
//! # Ok(())
//! # }
//! ```

mod address;
mod allowance;
mod answer;
mod carry;
mod error;
mod figures;
mod pages;
mod request;
mod setup;
mod token;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mbs_core::clock::Clock;
use mbs_http::{Secret, Tickets};
use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

pub use error::PdcError;
pub(crate) use error::told;
pub use figures::Figures;
pub use request::{Method, Request};

use allowance::Allowance;
use answer::{effect, is_for_credentials};

use crate::server::Server;

/// The longest answer that is decoded at once; longer ones have a thread of their own.
const LONG_BYTES: usize = 256 << 10;
/// A PDC. Cheap to clone; clones share connections, token and counts.
#[derive(Clone)]
pub struct Pdc(Arc<Inner>);

struct Inner {
    server: Server,
    root: Url,
    http: Client,
    clock: Arc<dyn Clock>,
    /// One for each request that may be under way.
    turns: Semaphore,
    /// When the last answer came; before the first, when the client was made.
    answered: Mutex<Instant>,
    tickets: Option<Arc<dyn Tickets>>,
    /// Our token for a ticket, once one was needed.
    token: tokio::sync::Mutex<Option<Secret>>,
    figures: Mutex<Figures>,
}

impl Pdc {
    /// Makes a client. It reads certificates, but asks the server nothing. Pauses between attempts go by the clock, the time of
    /// an answer by real time.
    ///
    /// # Errors
    /// `Configuration`: the root or a certificate cannot be used.
    pub fn new(server: &Server, clock: Arc<dyn Clock>) -> Result<Self, PdcError> {
        Self::made(server, clock, mbs_http::system_tickets(None, None))
    }

    /// Makes a client that has its Kerberos tickets from elsewhere than the system's library.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_tickets(
        server: &Server,
        clock: Arc<dyn Clock>,
        tickets: Arc<dyn Tickets>,
    ) -> Result<Self, PdcError> {
        Self::made(server, clock, Some(tickets))
    }

    fn made(
        server: &Server,
        clock: Arc<dyn Clock>,
        tickets: Option<Arc<dyn Tickets>>,
    ) -> Result<Self, PdcError> {
        let root = setup::root(server)?;
        let http = setup::http(server, &root)?;
        let turns = Semaphore::new(server.parallel.clamp(1, Semaphore::MAX_PERMITS));
        let (token, figures) = (Default::default(), Mutex::default());
        Ok(Self(Arc::new(Inner {
            server: server.clone(),
            root,
            http,
            clock,
            turns,
            answered: Mutex::new(Instant::now()),
            tickets,
            token,
            figures,
        })))
    }

    /// Returns the root of the API.
    pub fn root(&self) -> &Url {
        &self.0.root
    }

    /// Returns the server's settings.
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// Returns the address that a request goes to.
    ///
    /// # Errors
    /// `Rejected`: a part of its path cannot stand in one.
    pub fn address(&self, request: &Request) -> Result<Url, PdcError> {
        address::address(&self.0.root, request)
    }

    /// Asks, and asks again after a pause if no answer comes. What is no question is sent once, for it may change something.
    ///
    /// # Errors
    /// Any of [`PdcError`], of a question with no effect; `Protocol` also if the answer is not of the wanted shape.
    pub async fn read<T: DeserializeOwned + Send + 'static>(&self, request: &Request) -> Result<T, PdcError> {
        let body = self.asked(request, &mut Allowance::of_answer(&self.0.server)).await?;
        decoded(body, request).await
    }

    /// Asks as often as a question may be asked.
    async fn asked(&self, request: &Request, allowance: &mut Allowance) -> Result<Vec<u8>, PdcError> {
        let most = if request.method == Method::Get { self.0.server.retries } else { 0 };
        let mut retries = 0;
        loop {
            match self.attempt(request, allowance, retries > 0).await {
                Err(PdcError::Unavailable { retry_after, .. })
                    if retries < most && self.pause(retries, retry_after, allowance).await =>
                {
                    retries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Changes something; `None` if the answer says nothing.
    ///
    /// # Errors
    /// Any of [`PdcError`]; its `effect` says whether it may have happened.
    pub async fn write<T: DeserializeOwned + Send + 'static>(
        &self,
        request: &Request,
    ) -> Result<Option<T>, PdcError> {
        let mut allowance = Allowance::of_answer(&self.0.server);
        let body = self.attempt(request, &mut allowance, false).await?;
        // It was done; what cannot be read of the answer leaves no doubt about that, but about what came of it.
        if body.is_empty() { Ok(None) } else { decoded(body, request).await.map(Some) }
    }

    /// Returns what was asked so far.
    pub fn figures(&self) -> Figures {
        *self.0.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pdc").field(&self.0.root.as_str()).finish()
    }
}

/// Reads an answer as what is wanted.
async fn decoded<T: DeserializeOwned + Send + 'static>(
    body: Vec<u8>,
    request: &Request,
) -> Result<T, PdcError> {
    let is_short = body.len() <= LONG_BYTES;
    let (effect, is_secret) = (effect(request), is_for_credentials(request));
    let read = move || {
        serde_json::from_slice(&body).map_err(|error| {
            let what = match is_secret {
                // The parser's words quote as well.
                true => format!("no such value, at line {} column {}", error.line(), error.column()),
                false => format!("{error}, in what begins `{}`", beginning(&body)),
            };
            PdcError::odd_after(what, effect)
        })
    };
    if is_short {
        return read();
    }
    let stopped = |_| Err(PdcError::odd_after("reading it was stopped", effect));
    tokio::task::spawn_blocking(read).await.unwrap_or_else(stopped)
}

fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(200)]);
    text.chars().take(80).collect()
}
