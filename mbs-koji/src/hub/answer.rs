//! Answers over HTTP: read with a bound, decoded, and what is none told in few words.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mbs_http::{Trouble, beginning, said, whole};
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};

use super::after::Met;
use crate::xmlrpc::{Fault, Value, decode_response};

/// Bodies beyond this are decoded on a thread of their own: it takes milliseconds.
const LONG_BYTES: usize = 256 << 10;
/// As much of an answer that is none is looked at for its first words.
const WORDS_BYTES: usize = 4 << 10;

/// An answer of HTTP with all of its body.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why a request brought no answer of the hub.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) met: Met,
    /// In words that fit behind "the hub cannot be reached".
    pub(super) reason: String,
    pub(super) retry_after: Option<Duration>,
    /// A Kerberos ticket is asked for.
    pub(super) is_challenge: bool,
}

impl Failure {
    pub(super) fn new(met: Met, reason: impl Into<String>) -> Self {
        Self { met, reason: reason.into(), retry_after: None, is_challenge: false }
    }
}

impl From<mbs_http::Failure> for Failure {
    fn from(failure: mbs_http::Failure) -> Self {
        let met = match failure.trouble {
            Trouble::Unconnected => Met::Unconnected,
            Trouble::Lost => Met::Lost,
            Trouble::Late => Met::Late,
            Trouble::Distrust => Met::Distrust,
            Trouble::Nonsense => Met::Nonsense,
            Trouble::Excess => Met::Excess,
        };
        Self::new(met, failure.reason)
    }
}

/// Reads the answer to its end.
///
/// # Errors
/// It has another status than 200, is too long, or ends early.
pub(super) async fn read(mut response: Response, limit_bytes: u64) -> Result<Answer, Failure> {
    if response.status() != reqwest::StatusCode::OK {
        return Err(refusal(response).await);
    }
    let body = whole(&mut response, limit_bytes).await?;
    Ok(Answer { headers: std::mem::take(response.headers_mut()), body })
}

/// Returns the token of HTTP Negotiate that came with an answer.
pub(super) fn negotiated(headers: &HeaderMap) -> Option<Vec<u8>> {
    let token = offers(headers).find_map(|offer| offer.strip_prefix("Negotiate "))?;
    STANDARD.decode(token.trim()).ok()
}

fn offers(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|offer| offer.to_str().ok()).map(str::trim)
}

/// Decodes what a hub answered.
///
/// # Errors
/// It is no XML-RPC.
pub(super) async fn decode(answer: Answer) -> Result<Result<Value, Fault>, Failure> {
    if answer.body.len() <= LONG_BYTES {
        return decode_now(&answer);
    }
    tokio::task::spawn_blocking(move || decode_now(&answer))
        .await
        .unwrap_or_else(|_| Err(Failure::new(Met::Nonsense, "decoding it was stopped")))
}

fn decode_now(answer: &Answer) -> Result<Result<Value, Fault>, Failure> {
    decode_response(&answer.body).map_err(|error| {
        let reason = if is_xml(answer) { error.to_string() } else { said(200, &answer.body) };
        Failure::new(Met::Nonsense, reason)
    })
}

fn is_xml(answer: &Answer) -> bool {
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.contains("xml") && !kind.contains("xhtml"))
}

async fn refusal(mut response: Response) -> Failure {
    let status = response.status().as_u16();
    let start = beginning(&mut response, WORDS_BYTES).await;
    let headers = std::mem::take(response.headers_mut());
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let reason = match text(LOCATION) {
        Some(place) => format!("HTTP {status} sends us to {}", place.chars().take(100).collect::<String>()),
        None => said(status, &start),
    };
    let retry_after = text(RETRY_AFTER).and_then(|secs| secs.trim().parse().ok()).map(Duration::from_secs);
    let is_challenge = status == 401 && offers(&headers).any(|offer| offer.starts_with("Negotiate"));
    Failure { met: Met::Status(status), reason, retry_after, is_challenge }
}
