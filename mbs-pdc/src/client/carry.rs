//! One HTTP exchange after another: turns, allowances, credentials, counts.

use std::future::Future;
use std::pin::pin;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use mbs_core::build_system::Effect;
use mbs_http::{Failure, Secret, Trouble};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tokio::time::timeout;

use super::allowance::Allowance;
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
fn left(until: Instant) -> Duration {
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
    /// Waits for what others have, for as long as the server answers them; `None`: it has answered nobody for the time of an
    /// answer. Whatever others do ends, so that this does too; and where nothing is answered, nobody waits for one after another.
    pub(super) async fn in_line<T>(&self, awaited: impl Future<Output = T>) -> Option<T> {
        let mut awaited = pin!(awaited);
        let mut since = Instant::now();
        loop {
            let came = timeout(left(self.end(since)), awaited.as_mut()).await.ok();
            since = since.max(*self.0.answered.lock().unwrap_or_else(PoisonError::into_inner));
            // What comes with the end of our patience is somebody else's.
            if left(self.end(since)).is_zero() {
                return None;
            }
            if came.is_some() {
                return came;
            }
        }
    }

    /// Returns when the time of an answer is over that began then.
    fn end(&self, start: Instant) -> Instant {
        start.checked_add(self.0.server.timeout).unwrap_or(start + NO_TIMEOUT)
    }

    /// Waits before another attempt; false if there is no time for one, or the server wants to be left alone for longer.
    pub(super) async fn pause(
        &self,
        retries: u32,
        retry_after: Option<Duration>,
        allowance: &mut Allowance,
    ) -> bool {
        let wanted = retry_after.unwrap_or_default();
        if wanted > LONGEST_PAUSE || allowance.is_over() {
            return false;
        }
        let own = self.0.server.retry_pause.saturating_mul(1 << retries.min(16));
        let pause = own.min(LONGEST_PAUSE).max(wanted);
        let clock = &self.0.clock;
        let waited = allowance.spend(clock.sleep_until(clock.reading() + pause)).await;
        waited.is_some() && !allowance.is_over()
    }

    /// Sends a request once, with who we are; once more if a token that we had for a ticket is none any more.
    pub(super) async fn attempt(
        &self,
        request: &Request,
        allowance: &mut Allowance,
        is_repeat: bool,
    ) -> Result<Vec<u8>, PdcError> {
        let token = match &self.0.server.login {
            Login::Anonymous => return self.send(request, None, allowance, is_repeat).await,
            Login::Token(token) => {
                return self.send(request, Some(header(token)?), allowance, is_repeat).await;
            }
            Login::Ticket => self.own_token(None, allowance).await?,
        };
        let outcome = self.send(request, Some(header(&token)?), allowance, is_repeat).await;
        let Err(PdcError::Denied { status: 401, .. }) = &outcome else { return outcome };
        // Nothing has happened. Its owner may have had the token changed, from wherever.
        let fresh = self.own_token(Some(&token), allowance).await?;
        if fresh == token {
            return outcome;
        }
        self.send(request, Some(header(&fresh)?), allowance, true).await
    }

    pub(super) async fn send(
        &self,
        request: &Request,
        login: Option<HeaderValue>,
        allowance: &mut Allowance,
        is_repeat: bool,
    ) -> Result<Vec<u8>, PdcError> {
        let mut sent = self.packed(request)?;
        if let Some(login) = login {
            sent.headers_mut().insert(AUTHORIZATION, login);
        }
        let late = || unanswered(Failure::new(Trouble::Late, ""), request);
        let Some(turn) = self.in_line(self.0.turns.acquire()).await else {
            let reason = format!("{} requests are under way already, and none ends", self.0.server.parallel);
            return Err(PdcError::Unavailable { reason, effect: Effect::None, retry_after: None });
        };
        let _turn = turn.expect("the turns are never closed");
        if allowance.is_over() {
            let reason = "no time was left to send it".to_owned();
            return Err(PdcError::Unavailable { reason, effect: Effect::None, retry_after: None });
        }
        let (start, limit, mut bytes) = (Instant::now(), allowance.bytes(), 0);
        let answer = allowance.spend(self.exchange(sent, limit)).await.ok_or_else(late);
        let outcome = answer.and_then(|answer| {
            let answer = answer.map_err(|failure| unanswered(failure, request))?;
            bytes = answer.body.len() as u64;
            *self.0.answered.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
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

    async fn exchange(&self, sent: reqwest::Request, limit: u64) -> Result<Answer, Failure> {
        let mut response = self.0.http.execute(sent).await.map_err(|error| Failure::of_sending(&error))?;
        let body =
            mbs_http::whole(&mut response, limit).await.map_err(|failure| self.of_all(failure, limit))?;
        let status = response.status().as_u16();
        Ok(Answer { status, headers: std::mem::take(response.headers_mut()), body })
    }

    /// Tells of a page that is too long for what those before it have left.
    fn of_all(&self, failure: Failure, limit: u64) -> Failure {
        let most = self.0.server.max_answer_bytes;
        if failure.trouble != Trouble::Excess || limit == most {
            return failure;
        }
        Failure::new(Trouble::Excess, format!("with the pages before it is longer than {most} bytes"))
    }
}
