//! One HTTP exchange after another: attempts, credentials, redirects, bounds.

use std::time::{Duration, Instant};

use mbs_http::{Failure, Trouble};
use reqwest::Response;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::time::{sleep, timeout};

use super::address::redirected;
use super::answer::{Answer, unanswered};
use super::{Client, ClientError, Method, Request};
use crate::login::{Login, bearer};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// No pause between attempts is longer; whoever is asked to wait longer has better things to do.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Whoever sends us on and on knows no place.
const MOST_REDIRECTS: usize = 3;

impl Client {
    /// Asks as often as a question may be asked.
    pub(super) async fn asked(&self, request: &Request) -> Result<Vec<u8>, ClientError> {
        let mut retries = 0;
        loop {
            match self.send(request, None).await {
                Err(error) if error.is_transient() && retries < self.0.server.retries => {
                    let wanted = error.retry_after().unwrap_or_default();
                    if wanted > LONGEST_PAUSE {
                        return Err(error);
                    }
                    let own = self.0.server.retry_pause.saturating_mul(1 << retries.min(16));
                    sleep(own.min(LONGEST_PAUSE).max(wanted)).await;
                    retries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Sends a change once, with who we are; once more if a token is none any more, for then nothing has happened.
    pub(super) async fn written(&self, request: &Request) -> Result<Vec<u8>, ClientError> {
        match &self.0.login {
            Login::Anonymous => self.send(request, None).await,
            Login::Token(token) => self.send(request, Some(bearer(token)?)).await,
            Login::Ticket(tickets) => {
                let header = tickets.header(self.0.root.url.host_str().unwrap_or_default()).await?;
                match self.send(request, Some(header)).await {
                    Err(ClientError::Refused { status: 401, .. }) => Err(tickets.refused().into()),
                    outcome => outcome,
                }
            }
            Login::Oidc(oidc) => {
                let token = oidc.token().await?;
                let outcome = self.send(request, Some(bearer(&token)?)).await;
                let Err(ClientError::Refused { status: 401, .. }) = &outcome else { return outcome };
                match oidc.refreshed(&token).await {
                    Ok(fresh) => self.send(request, Some(bearer(&fresh)?)).await,
                    Err(error) => {
                        tracing::info!("no new token could be had: {error}");
                        outcome
                    }
                }
            }
        }
    }

    async fn send(&self, request: &Request, login: Option<HeaderValue>) -> Result<Vec<u8>, ClientError> {
        let time = match request.method {
            Method::Get => self.0.server.timeout,
            Method::Post | Method::Patch => self.0.server.write_timeout,
        };
        let sent = self.packed(request, login)?;
        let start = Instant::now();
        let answer = timeout(time, self.exchange(sent, request)).await;
        let outcome = answer.unwrap_or_else(|_| Err(unanswered(Failure::new(Trouble::Late, ""), request)));
        tracing::debug!(duration_ms = start.elapsed().as_millis(), "asked the service: {request}");
        outcome?.accepted(request)
    }

    async fn exchange(&self, sent: reqwest::Request, request: &Request) -> Result<Answer, ClientError> {
        let mut sent = sent;
        for _ in 0..MOST_REDIRECTS {
            let again = sent.try_clone().expect("bodies are bytes, not streams");
            let mut response = self.executed(sent, request).await?;
            let body = mbs_http::whole(&mut response, self.0.server.max_answer_bytes).await;
            let body = body.map_err(|failure| unanswered(failure, request))?;
            let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
            let answer = Answer { status, headers, body };
            match answer.redirect().and_then(|place| redirected(again.url(), place)) {
                Some(url) => {
                    sent = again;
                    *sent.url_mut() = url;
                }
                None => return Ok(answer),
            }
        }
        Err(ClientError::odd("it sends us on and on", super::answer::effect(request)))
    }

    async fn executed(&self, sent: reqwest::Request, request: &Request) -> Result<Response, ClientError> {
        let response = self.0.http.execute(sent).await;
        response.map_err(|error| unanswered(Failure::of_sending(&error), request))
    }

    fn packed(&self, request: &Request, login: Option<HeaderValue>) -> Result<reqwest::Request, ClientError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
        };
        let mut sent = reqwest::Request::new(method, self.address(request)?);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, JSON);
        if let Some(login) = login {
            headers.insert(AUTHORIZATION, login);
        }
        if let Some(body) = &request.body {
            headers.insert(CONTENT_TYPE, JSON);
            *sent.body_mut() = Some(body.to_string().into());
        }
        *sent.headers_mut() = headers;
        Ok(sent)
    }

    /// Opens an answer that does not end: its head has the time of an answer, its body none.
    pub(crate) async fn opened(
        &self,
        request: &Request,
        headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<Response, ClientError> {
        let mut sent = self.packed(request, None)?;
        sent.headers_mut().extend(headers);
        let late = |_| unanswered(Failure::new(Trouble::Late, ""), request);
        let head = timeout(self.0.server.timeout, self.executed(sent, request)).await;
        let mut response = head.map_err(late)??;
        if response.status().is_success() {
            return Ok(response);
        }
        let body = timeout(self.0.server.timeout, mbs_http::whole(&mut response, REFUSAL_BYTES)).await;
        let body = body.map_err(late)?.map_err(|failure| unanswered(failure, request))?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        Err(Answer { status, headers, body }.accepted(request).expect_err("it says no"))
    }
}

/// No refusal is longer.
const REFUSAL_BYTES: u64 = 64 << 10;
