//! Answers over HTTP: read with a bound, decoded, and what is none told in few words.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

/// Reads the answer to its end.
///
/// # Errors
/// It has another status than 200, is too long, or ends early.
pub(super) async fn read(mut response: Response, limit_bytes: u64) -> Result<Answer, Failure> {
    if response.status() != reqwest::StatusCode::OK {
        return Err(refusal(response).await);
    }
    let announced = response.content_length().unwrap_or(0);
    if announced > limit_bytes {
        return Err(too_long(limit_bytes));
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(part) = response.chunk().await.map_err(|error| broken_off(&error))? {
        if (body.len() + part.len()) as u64 > limit_bytes {
            return Err(too_long(limit_bytes));
        }
        body.extend_from_slice(&part);
    }
    Ok(Answer { headers: std::mem::take(response.headers_mut()), body })
}

fn too_long(limit_bytes: u64) -> Failure {
    Failure::new(Met::Excess, format!("it is longer than {limit_bytes} bytes"))
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
    let mut start = Vec::new();
    while start.len() < WORDS_BYTES
        && let Ok(Some(part)) = response.chunk().await
    {
        start.extend_from_slice(&part[..part.len().min(WORDS_BYTES - start.len())]);
    }
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

/// Tells status and first words of what came.
fn said(status: u16, body: &[u8]) -> String {
    match first_words(&body[..body.len().min(WORDS_BYTES)]) {
        words if words.is_empty() => format!("HTTP {status} and nothing that can be read"),
        words => format!("HTTP {status} and the words `{words}`"),
    }
}

fn first_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut is_tag = false;
    let plain: String = text
        .chars()
        .map(|c| {
            is_tag = c == '<' || (is_tag && c != '>');
            if is_tag || c == '>' || c.is_control() { ' ' } else { c }
        })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().take(8).collect();
    words.join(" ").chars().take(80).collect()
}

/// Tells apart why a request brought no answer.
pub(super) fn unanswered(error: &reqwest::Error) -> Failure {
    let met = if is_invalid(error) {
        // So TLS reports whom it does not trust, on either side.
        Met::Distrust
    } else if error.is_connect() {
        Met::Unconnected
    } else if error.is_timeout() {
        Met::Late
    } else {
        Met::Lost
    };
    Failure::new(met, innermost(error))
}

/// Tells apart why an answer could not be read to its end.
fn broken_off(error: &reqwest::Error) -> Failure {
    let met = if is_invalid(error) {
        // So unpacking reports what is no gzip.
        Met::Nonsense
    } else if error.is_timeout() {
        Met::Late
    } else {
        Met::Lost
    };
    Failure::new(met, innermost(error))
}

fn is_invalid(error: &reqwest::Error) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref()).any(is_invalid_data)
}

/// Looks into errors that hold others too: their `source` passes those over.
fn is_invalid_data(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_invalid_data)
}

fn innermost(error: &reqwest::Error) -> String {
    let reason = causes(error).last().map_or_else(|| "the request failed".to_owned(), ToString::to_string);
    reason.chars().take(200).collect()
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |error| error.source())
}
