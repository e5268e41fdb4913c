//! One HTTP exchange after another with one hub: connections, counts, deadlines. It knows calls, but no sessions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mbs_core::build_system::Effect;
use mbs_core::clock::Clock;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Request, Url};

use super::after::{Met, Next, Past, next};
use super::answer::{self, Answer, Failure};
use super::error::HubError;
use super::figures::{Figures, Kind};
use super::negotiate::Tickets;
use super::tls;
use crate::profile::Profile;
use crate::xmlrpc::{Fault, FaultCode, Value};

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

/// A request that can go out again as it is.
pub(super) struct Parcel {
    pub(super) kind: Kind,
    /// What is called, for messages.
    pub(super) method: String,
    request: Request,
}

/// Until when a call has to be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn within(time: Duration) -> Self {
        // A year is as good as never, and always within what an instant can hold.
        Self(Instant::now() + time.min(Duration::from_secs(365 * 24 * 3600)))
    }

    /// Returns the earlier one of this and another, counted from now.
    pub(super) fn at_most(self, time: Duration) -> Self {
        Self(self.0.min(Self::within(time).0))
    }

    fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Waits for what is asked, or for the deadline.
    pub(super) async fn bound<T>(self, wanted: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.remaining(), wanted).await.ok()
    }
}

/// What a hub answered.
pub(super) struct Reply {
    pub(super) answer: Result<Value, Fault>,
    /// What shows, after a ticket, that the other side is the hub.
    pub(super) proof: Option<Vec<u8>>,
}

/// How the attempts at one request ended.
pub(super) enum End {
    /// With an answer, or a refusal to hand on.
    Reply(Reply),
    /// With the demand for a ticket; logins only.
    Challenge,
    /// In a session that has to be renewed or replaced first; nothing happened.
    Stale(Next),
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

    /// Makes a request of a call in XML.
    pub(super) fn parcel(
        &self,
        kind: Kind,
        method: &str,
        url: Url,
        mut headers: HeaderMap,
        xml: String,
    ) -> Parcel {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
        self.packed(kind, method, url, headers, xml.into_bytes())
    }

    /// Makes a request of bytes of a file.
    pub(super) fn file_parcel(&self, method: &str, url: Url, mut headers: HeaderMap, bytes: &[u8]) -> Parcel {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        self.packed(Kind::Upload, method, url, headers, bytes.to_vec())
    }

    fn packed(&self, kind: Kind, method: &str, url: Url, mut headers: HeaderMap, body: Vec<u8>) -> Parcel {
        headers.insert(CONTENT_LENGTH, body.len().into());
        let mut request = Request::new(reqwest::Method::POST, url);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(body.into());
        Parcel { kind, method: method.to_owned(), request }
    }

    /// Sends a request as often as may be and helps, and returns how that ended; `past` is what has become of it.
    pub(super) async fn carry(
        &self,
        parcel: &Parcel,
        past: &mut Past,
        until: Deadline,
    ) -> Result<End, HubError> {
        let mut is_repeat = false;
        loop {
            let outcome = self.attempt(parcel, is_repeat, *past, until).await;
            let met = match &outcome {
                Ok(Reply { answer: Ok(_), .. }) => Met::Answer,
                Ok(Reply { answer: Err(fault), .. }) => Met::Fault(fault.code),
                Err(failure) => failure.met,
            };
            let step = next(met, *past, &self.profile.retry);
            *past = past.and(met, step);
            is_repeat = true;
            match step {
                Next::AtOnce => {}
                Next::Take => {
                    return outcome
                        .map(End::Reply)
                        .map_err(|failure| self.error(parcel, failure, past.effect()));
                }
                Next::GiveUp => return self.given_up(parcel, outcome, *past),
                Next::Renew | Next::LogIn => return Ok(End::Stale(step)),
                Next::Done => return Err(HubError::Done { method: parcel.method.clone() }),
                Next::After(time) => {
                    let asked = outcome.as_ref().err().and_then(|failure| failure.retry_after);
                    let wait = self.pause(time.max(asked.unwrap_or_default()));
                    if until.bound(wait).await.is_none() {
                        return self.given_up(parcel, outcome, *past);
                    }
                }
            }
        }
    }

    /// Sends a request once and returns the hub's answer.
    async fn attempt(
        &self,
        parcel: &Parcel,
        is_repeat: bool,
        past: Past,
        until: Deadline,
    ) -> Result<Reply, Failure> {
        let client = if past.has_repeated { &self.fresh } else { &self.client };
        let outcome = async {
            let answer = self.exchange(client, parcel, is_repeat, until).await?;
            let proof = answer::negotiated(&answer.headers);
            Ok(Reply { answer: answer::decode(answer).await?, proof })
        };
        let outcome = outcome.await;
        self.count(|figures| match &outcome {
            Ok(reply) => figures.faults += u64::from(reply.answer.is_err()),
            Err(_) => figures.failed += 1,
        });
        outcome
    }

    async fn exchange(
        &self,
        client: &Client,
        parcel: &Parcel,
        is_repeat: bool,
        until: Deadline,
    ) -> Result<Answer, Failure> {
        let mut request = parcel.request.try_clone().expect("a body in memory can be sent again");
        *request.timeout_mut() = Some(until.remaining());
        let length = request.body().and_then(|body| body.as_bytes()).map_or(0, <[u8]>::len);
        self.count(|figures| figures.count_sent(parcel.kind, is_repeat, length as u64));
        let start = Instant::now();
        let answer = self.answer_to(client, request).await;
        let (took, received) = (start.elapsed(), answer.as_ref().map_or(0, |answer| answer.body.len()));
        self.count(|figures| figures.count_answered(took, received as u64));
        tracing::trace!(koji.method = %parcel.method, duration_ms = took.as_millis(), "asked the hub");
        answer
    }

    async fn answer_to(&self, client: &Client, request: Request) -> Result<Answer, Failure> {
        let response = client.execute(request).await.map_err(|error| answer::failure(&error))?;
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

    async fn pause(&self, time: Duration) {
        self.clock.sleep_until(self.clock.reading() + time).await;
    }

    fn count(&self, change: impl FnOnce(&mut Figures)) {
        change(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends without handing on what the last attempt met with.
    fn given_up(
        &self,
        parcel: &Parcel,
        outcome: Result<Reply, Failure>,
        past: Past,
    ) -> Result<End, HubError> {
        match outcome {
            Ok(Reply { answer: Ok(_), .. }) => unreachable!("an answer is taken"),
            Ok(Reply { answer: Err(fault), .. }) => Err(outage(fault, past.effect())),
            Err(failure) if parcel.kind == Kind::Login && answer::is_challenge(&failure) => {
                Ok(End::Challenge)
            }
            Err(failure) => Err(self.error(parcel, failure, past.effect())),
        }
    }

    /// Tells why there is no answer.
    fn error(&self, parcel: &Parcel, failure: Failure, effect: Effect) -> HubError {
        let method = parcel.method.clone();
        let Failure { met, reason, retry_after, .. } = failure;
        match met {
            Met::Status(401 | 403) if parcel.kind == Kind::Login => HubError::login(reason),
            Met::Status(401 | 403) => {
                HubError::Configuration { what: format!("the hub does not let us in: {reason}"), effect }
            }
            Met::Status(300..=407 | 409..=428 | 430..=499) => HubError::Configuration {
                what: format!("{} is no hub for us: {reason}", self.profile.server),
                effect,
            },
            Met::Distrust => HubError::Configuration {
                what: format!("TLS with {}: {reason}", self.profile.server),
                effect,
            },
            Met::Nonsense => HubError::Protocol { method, what: reason, effect },
            Met::Excess => HubError::TooLarge { method, limit_bytes: self.profile.max_answer_bytes, effect },
            Met::Late => {
                let reason = format!("{method} was not answered in time");
                HubError::Unreachable { reason, effect, retry_after }
            }
            _ => HubError::Unreachable { reason, effect, retry_after },
        }
    }
}

/// Tells of a refusal that says "not now", or one that leaves open what came of an earlier attempt.
fn outage(fault: Fault, effect: Effect) -> HubError {
    if fault.code == FaultCode::ServerOffline && effect == Effect::None {
        return HubError::Offline { reason: fault.text };
    }
    let reason = format!("an answer was lost, and then it said: {fault}");
    HubError::Unreachable { reason, effect, retry_after: None }
}
