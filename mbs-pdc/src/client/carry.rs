//! One HTTP exchange after another: turns, deadlines, credentials, counts.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use mbs_core::build_system::Effect;
use mbs_http::{Failure, Secret, Trouble};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tokio::time::timeout;

use super::answer::{Answer, unanswered};
use super::error::told;
use super::request::in_one_line;
use super::{Figures, Method, Pdc, PdcError, Request};
use crate::server::Login;

/// What PDC's own client library sends with every request, as a type and as what it takes.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// No pause between attempts is longer; whoever is asked to wait longer has better things to do.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Stands for times that no clock of a machine reaches.
const NO_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Returns how much time is left.
pub(super) fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Returns the header that shows a token.
fn header(token: &Secret) -> Result<HeaderValue, PdcError> {
    let header = HeaderValue::from_str(&format!("Token {}", token.reveal()));
    let mut header = header.map_err(|_| PdcError::unusable("the token has characters that no token has"))?;
    header.set_sensitive(true);
    Ok(header)
}

impl Pdc {
    /// Returns when the time of an answer that begins now is over.
    pub(super) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.0.server.timeout).unwrap_or(now + NO_TIMEOUT)
    }

    /// Waits before another attempt; false if there is no time for one, or the server wants to be left alone for longer.
    pub(super) async fn pause(&self, retries: u32, retry_after: Option<Duration>, until: Instant) -> bool {
        let wanted = retry_after.unwrap_or_default();
        if wanted > LONGEST_PAUSE || left(until).is_zero() {
            return false;
        }
        let own = self.0.server.retry_pause.saturating_mul(1 << retries.min(16));
        let pause = own.min(LONGEST_PAUSE).max(wanted);
        let clock = &self.0.clock;
        let waited = timeout(left(until), clock.sleep_until(clock.reading() + pause)).await;
        waited.is_ok() && !left(until).is_zero()
    }

    /// Sends a request once, with who we are; once more if a token that we had for a ticket is none any more.
    pub(super) async fn attempt(
        &self,
        request: &Request,
        until: Instant,
        is_repeat: bool,
    ) -> Result<Vec<u8>, PdcError> {
        let token = match &self.0.server.login {
            Login::Anonymous => return self.send(request, None, until, is_repeat).await,
            Login::Token(token) => return self.send(request, Some(header(token)?), until, is_repeat).await,
            Login::Ticket => self.own_token(None, until).await?,
        };
        let outcome = self.send(request, Some(header(&token)?), until, is_repeat).await;
        let Err(PdcError::Denied { status: 401, .. }) = &outcome else { return outcome };
        // Nothing has happened. Its owner may have had the token changed, from wherever.
        let fresh = self.own_token(Some(&token), until).await?;
        if fresh == token {
            return outcome;
        }
        self.send(request, Some(header(&fresh)?), until, true).await
    }

    pub(super) async fn send(
        &self,
        request: &Request,
        login: Option<HeaderValue>,
        until: Instant,
        is_repeat: bool,
    ) -> Result<Vec<u8>, PdcError> {
        let mut sent = self.packed(request)?;
        if let Some(login) = login {
            sent.headers_mut().insert(AUTHORIZATION, login);
        }
        let late = |_| unanswered(Failure::new(Trouble::Late, ""), request);
        // A turn that comes with the end of our time is somebody else's.
        let turn = timeout(left(until), self.0.turns.acquire()).await.ok().filter(|_| !left(until).is_zero());
        let Some(turn) = turn else {
            let reason = format!("{} requests are under way already, and none ends", self.0.server.parallel);
            return Err(PdcError::Unavailable { reason, effect: Effect::None, retry_after: None });
        };
        let _turn = turn.expect("the turns are never closed");
        let (start, mut bytes) = (Instant::now(), 0);
        let answer = timeout(left(until), self.exchange(sent)).await.map_err(late);
        let outcome = answer.and_then(|answer| {
            let answer = answer.map_err(|failure| unanswered(failure, request))?;
            bytes = answer.body.len() as u64;
            if let Some(warning) = answer.warning() {
                tracing::warn!(pdc.path = request.shown_path(), "PDC warns: {}", told(warning));
            }
            answer.accepted(request)
        });
        let took = start.elapsed();
        let (method, path) = (request.method.name(), request.shown_path());
        tracing::trace!(duration_ms = took.as_millis(), "asked PDC: {method} {path}");
        let is_read = request.method == Method::Get;
        self.0.figures.lock().unwrap_or_else(PoisonError::into_inner).add(Figures {
            reads: u64::from(is_read),
            writes: u64::from(!is_read),
            repeated: u64::from(is_repeat),
            failed: u64::from(outcome.is_err()),
            bytes_received: bytes,
            total: took,
        });
        outcome
    }

    fn packed(&self, request: &Request) -> Result<reqwest::Request, PdcError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut sent = reqwest::Request::new(method, self.address(request)?);
        sent.headers_mut().insert(ACCEPT, JSON);
        sent.headers_mut().insert(CONTENT_TYPE, JSON);
        if let Some(comment) = &request.comment {
            let header = HeaderValue::from_str(&in_one_line(comment));
            let header = header.map_err(|_| PdcError::unusable("the comment cannot stand in a header"))?;
            sent.headers_mut().insert("PDC-Change-Comment", header);
        }
        if let Some(body) = &request.body {
            *sent.body_mut() = Some(body.to_string().into());
        }
        Ok(sent)
    }

    async fn exchange(&self, sent: reqwest::Request) -> Result<Answer, Failure> {
        let mut response = self.0.http.execute(sent).await.map_err(|error| Failure::of_sending(&error))?;
        let body = mbs_http::whole(&mut response, self.0.server.max_answer_bytes).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, headers: std::mem::take(response.headers_mut()), body })
    }
}
