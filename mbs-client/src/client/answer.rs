//! What an answer says: a body, or why there is none. It decides what kind of trouble an answer is, without a server.

use std::time::Duration;

use mbs_core::build_system::Effect;
use mbs_http::{Failure, Trouble, said};
use reqwest::StatusCode;
use reqwest::header::{AsHeaderName, HeaderMap, LOCATION, RETRY_AFTER};
use serde::Deserialize;

use super::error::{ClientError, told};
use super::request::{Method, Request};

/// An answer of HTTP with all of its body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What the service says when it says no. Services in front of it may say less.
#[derive(Deserialize)]
struct Refusal {
    error: Option<String>,
    message: Option<String>,
}

impl Answer {
    pub(super) fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns where it sends us; `None`: it is no redirect that keeps method and body.
    pub(super) fn redirect(&self) -> Option<&str> {
        if self.status == 308 { self.header(LOCATION) } else { None }
    }

    /// Returns the body of an answer that says yes.
    ///
    /// # Errors
    /// It says no, or is no answer of a module build service.
    pub(super) fn accepted(self, request: &Request) -> Result<Vec<u8>, ClientError> {
        match self.status {
            200..=299 => Ok(self.body),
            300..=399 => {
                let place: String = self.header(LOCATION).unwrap_or("nowhere").chars().take(200).collect();
                let what =
                    format!("HTTP {} sends us to {place}: is the server's address right?", self.status);
                Err(ClientError::unusable(told(&what)))
            }
            _ => Err(self.refusal(request)),
        }
    }

    fn refusal(&self, request: &Request) -> ClientError {
        let retry_after = self.header(RETRY_AFTER).and_then(|secs| secs.trim().parse().ok());
        let retry_after = retry_after.map(Duration::from_secs);
        let status = self.status;
        let spoken: Option<Refusal> = serde_json::from_slice(&self.body).ok();
        let Some(spoken) = spoken.filter(|spoken| spoken.error.is_some() || spoken.message.is_some()) else {
            return match status {
                408 | 429 | 500.. => ClientError::Unavailable {
                    reason: told(&said(status, &self.body)),
                    status: Some(status),
                    effect: if status < 500 { Effect::None } else { effect(request) },
                    retry_after,
                },
                _ => self.refused(None, &said(status, &self.body), retry_after),
            };
        };
        self.refused(spoken.error, &spoken.message.unwrap_or_default(), retry_after)
    }

    fn refused(&self, error: Option<String>, message: &str, retry_after: Option<Duration>) -> ClientError {
        let status = self.status;
        let usual = || StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let error = error.unwrap_or_else(|| usual().unwrap_or("Error").to_owned());
        ClientError::Refused { status, error: told(&error), message: told(message), retry_after }
    }
}

/// Returns what a request may have done if no answer of the service came.
pub(super) fn effect(request: &Request) -> Effect {
    if request.method == Method::Get { Effect::None } else { Effect::Unknown }
}

/// Tells what kept an answer away.
pub(super) fn unanswered(failure: Failure, request: &Request) -> ClientError {
    let effect = effect(request);
    let unavailable =
        |reason, effect| ClientError::Unavailable { reason, status: None, effect, retry_after: None };
    match failure.trouble {
        Trouble::Unconnected => unavailable(failure.reason, Effect::None),
        Trouble::Lost => unavailable(failure.reason, effect),
        Trouble::Late => unavailable("it did not answer in time".to_owned(), effect),
        Trouble::Distrust => {
            ClientError::unusable(format!("the server's certificate is not accepted: {}", failure.reason))
        }
        Trouble::Nonsense | Trouble::Excess => ClientError::odd(failure.reason, effect),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    fn refused(method: Method, answer: Answer) -> ClientError {
        answer.accepted(&Request::new(method, ["module-builds", ""])).unwrap_err()
    }

    #[test]
    fn a_refusal_has_the_services_own_words() {
        let body = r#"{"error":"Conflict","message":"Module (state=5) already exists.","status":409}"#;
        let error = refused(Method::Post, answer(409, body));
        assert_eq!(error.to_string(), "409 Conflict: Module (state=5) already exists.");
        assert!(!error.is_transient() && error.effect() == Effect::None);
    }

    #[test]
    fn a_page_of_html_is_told_by_its_words() {
        let page = "<!doctype html><title>404 Not Found</title>\n<h1>Not Found</h1>";
        let error = refused(Method::Get, answer(404, page));
        assert_eq!(error.to_string(), "404 Not Found: HTTP 404 and the words `404 Not Found Not Found`");
    }

    #[test]
    fn who_is_away_for_a_while_is_asked_again_whatever_form_the_answer_has() {
        let mut busy = answer(429, r#"{"error":"Too Many Requests","message":"later","status":429}"#);
        busy.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        let error = refused(Method::Get, busy);
        assert!(error.is_transient());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        let error = refused(Method::Post, answer(502, "<h1>Bad Gateway</h1>"));
        assert!(error.is_transient() && error.effect() == Effect::Unknown, "{error}");
        let error = refused(Method::Get, answer(500, r#"{"error":"Internal Server Error","message":"x"}"#));
        assert!(!error.is_transient(), "{error}");
    }

    #[test]
    fn words_of_a_server_draw_nothing_on_a_terminal() {
        let error = refused(Method::Get, answer(400, r#"{"error":"a","message":"b\u001b[2J\nc"}"#));
        assert_eq!(error.to_string(), "400 a: b [2J\nc");
    }
}
