//! One HTTP exchange after another with one hub: connections, counts, deadlines. It knows calls, but no sessions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mbs_core::clock::Clock;
use mbs_http::Tickets;
use reqwest::{Client, Request, Url};

use super::answer::{self, Answer, Failure};
use super::error::HubError;
use super::figures::Figures;
use super::parcel::{Deadline, Parcel};
use super::tls;
use crate::profile::Profile;

/// What all sessions of one hub share.
pub(super) struct Wire {
    pub(super) profile: Profile,
    pub(super) hub: Url,
    pub(super) tickets: Option<Arc<dyn Tickets>>,
    clock: Arc<dyn Clock>,
    /// Keeps connections.
    client: Client,
    /// Makes a connection for each request.
    fresh: Client,
    figures: Mutex<Figures>,
    version: Mutex<Option<Arc<str>>>,
}

/// Which time a request goes out, and over which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    /// The first time.
    First,
    /// Another time.
    Again,
    /// Another time, over a new connection.
    Afresh,
}

impl Wire {
    pub(super) fn new(
        profile: &Profile,
        clock: Arc<dyn Clock>,
        tickets: Option<Arc<dyn Tickets>>,
    ) -> Result<Self, HubError> {
        let hub = tls::address(profile)?;
        let builder = || tls::client(profile, &hub);
        let client = tls::built(builder()?)?;
        let fresh = tls::built(builder()?.pool_max_idle_per_host(0))?;
        let (figures, version) = (Mutex::default(), Mutex::default());
        Ok(Self { profile: profile.clone(), hub, tickets, clock, client, fresh, figures, version })
    }

    pub(super) fn figures(&self) -> Figures {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn version(&self) -> Option<Arc<str>> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a request once and reads what comes.
    pub(super) async fn exchange(&self, parcel: &Parcel, go: Go, until: Deadline) -> Result<Answer, Failure> {
        let client = if go == Go::Afresh { &self.fresh } else { &self.client };
        self.count(|figures| figures.count_sent(parcel.kind, go != Go::First, parcel.length()));
        let start = Instant::now();
        let answer = self.answer_to(client, parcel.request(until)).await;
        let (took, received) = (start.elapsed(), answer.as_ref().map_or(0, |answer| answer.body.len()));
        self.count(|figures| figures.count_answered(took, received as u64));
        tracing::trace!(koji.method = %parcel.method, duration_ms = took.as_millis(), "asked the hub");
        answer
    }

    async fn answer_to(&self, client: &Client, request: Request) -> Result<Answer, Failure> {
        let response =
            client.execute(request).await.map_err(|error| mbs_http::Failure::of_sending(&error))?;
        let version = response.headers().get("koji-version").and_then(|version| version.to_str().ok());
        if let Some(version) = version.filter(|version| version.len() < 100) {
            self.note_version(version);
        }
        answer::read(response, self.profile.max_answer_bytes).await
    }

    fn note_version(&self, version: &str) {
        let mut noted = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.as_deref() != Some(version) {
            *noted = Some(version.into());
        }
    }

    /// Waits by the hub's clock.
    pub(super) async fn pause(&self, time: Duration) {
        self.clock.sleep_until(self.clock.reading() + time).await;
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Figures)) {
        change(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
