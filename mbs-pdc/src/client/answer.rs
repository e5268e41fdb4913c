//! What an answer says: a body of JSON, or why there is none. It decides what kind of trouble an answer is, without a server.

use std::time::Duration;

use mbs_core::build_system::Effect;
use mbs_http::{Failure, Trouble, said};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value;

use super::error::{PdcError, told};
use super::request::{Method, Request};

/// So PDC says that there is one already: of what must be unique together, and of keys.
const DUPLICATE: [&str; 3] = ["must make a unique set", "must be unique", "already exists"];

/// An answer of HTTP with all of its body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: impl reqwest::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn is_json(&self) -> bool {
        self.header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"))
    }

    /// Returns what PDC wants people to know beside its answer.
    pub(super) fn warning(&self) -> Option<&str> {
        self.header("pdc-warning")
    }

    /// Returns the body of an answer that says yes; empty if it has none.
    ///
    /// # Errors
    /// It says no, or is no answer of a PDC.
    pub(super) fn accepted(self, request: &Request) -> Result<Vec<u8>, PdcError> {
        let effect = effect(request);
        match self.status {
            200..=299 if self.body.is_empty() || self.is_json() => Ok(self.body),
            // The words may be the credentials that were asked for.
            200..=299 if is_for_credentials(request) => {
                Err(PdcError::odd_after(format!("HTTP {} and no JSON", self.status), effect))
            }
            200..=299 => Err(PdcError::odd_after(said(self.status, &self.body), effect)),
            300..=399 => {
                let place: String = self.header(LOCATION).unwrap_or("nowhere").chars().take(200).collect();
                let what = format!("HTTP {} sends us to {place}: is the root of the API right?", self.status);
                Err(PdcError::Configuration { what })
            }
            408 | 429 => Err(self.unavailable(Effect::None)),
            500..=599 => Err(self.unavailable(effect)),
            _ => Err(self.refusal(request)),
        }
    }

    fn unavailable(&self, effect: Effect) -> PdcError {
        let secs = self.header(RETRY_AFTER).and_then(|secs| secs.trim().parse().ok());
        let reason = match self.words() {
            Some(words) if !words.is_empty() => format!("HTTP {}: {words}", self.status),
            _ => said(self.status, &self.body),
        };
        PdcError::Unavailable { reason, effect, retry_after: secs.map(Duration::from_secs) }
    }

    fn refusal(&self, request: &Request) -> PdcError {
        let status = self.status;
        let Some(reason) = self.words() else {
            let reason = said(status, &self.body);
            return match StatusCode::from_u16(status) {
                Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => PdcError::Denied { status, reason },
                // Which of its spellings a server knows the page of a web server tells as well.
                Ok(StatusCode::NOT_FOUND) if is_for_credentials(request) => {
                    PdcError::NotFound { what: request.shown_path(), reason }
                }
                _ => PdcError::odd(reason),
            };
        };
        let reason = if reason.is_empty() { said(status, &self.body) } else { reason };
        match status {
            401 | 403 => PdcError::Denied { status, reason },
            404 => PdcError::NotFound { what: request.shown_path(), reason },
            400 | 409 if DUPLICATE.iter().any(|words| reason.contains(words)) => PdcError::Exists { reason },
            _ => PdcError::Rejected { status, reason },
        }
    }

    /// Returns PDC's words; `None` if what came is no JSON.
    fn words(&self) -> Option<String> {
        if !self.is_json() {
            return None;
        }
        let body = serde_json::from_slice(&self.body).ok()?;
        Some(told(words(&body).trim()))
    }
}

/// Says whether the answer to a request may be credentials: it is not quoted then.
pub(super) fn is_for_credentials(request: &Request) -> bool {
    request.path.first().is_some_and(|part| part == "auth")
}

/// Returns what a request may have done if no answer of PDC came.
pub(super) fn effect(request: &Request) -> Effect {
    if request.method == Method::Get { Effect::None } else { Effect::Unknown }
}

/// Tells what kept an answer away.
pub(super) fn unanswered(failure: Failure, request: &Request) -> PdcError {
    let effect = effect(request);
    match failure.trouble {
        Trouble::Unconnected => {
            PdcError::Unavailable { reason: failure.reason, effect: Effect::None, retry_after: None }
        }
        Trouble::Lost => PdcError::Unavailable { reason: failure.reason, effect, retry_after: None },
        Trouble::Late => {
            let reason = "it did not answer in time".to_owned();
            PdcError::Unavailable { reason, effect, retry_after: None }
        }
        Trouble::Distrust => {
            let what = format!("the server's certificate is not accepted: {}", failure.reason);
            PdcError::Configuration { what }
        }
        Trouble::Nonsense | Trouble::Excess => PdcError::Protocol { what: failure.reason, effect },
    }
}

/// Puts what PDC says into one line: the text or texts of `detail`, else each field with its texts. What was sent is not repeated.
fn words(body: &Value) -> String {
    match body {
        Value::Object(fields) => {
            let said = fields.iter().filter(|(field, _)| *field != "invalid_data");
            let told = said.map(|(field, value)| match field.as_str() {
                "detail" => words(value),
                _ => format!("{field}: {}", words(value)),
            });
            told.collect::<Vec<_>>().join("; ")
        }
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_told_in_whatever_shape_they_come() {
        for (body, told) in [
            (json!({"detail": "Not found."}), "Not found."),
            (json!({"detail": ["One.", "Two."]}), "One. Two."),
            (
                json!({"koji_tag": ["This field may not be null."], "name": ["No."]}),
                "koji_tag: This field may not be null.; name: No.",
            ),
            (
                json!({"build_deps": [{"stream": ["This field is required."]}]}),
                "build_deps: stream: This field is required.",
            ),
            (
                json!({"detail": "No.", "id_of_invalid_data": 1, "invalid_data": {"modulemd": "It already exists."}}),
                "No.; id_of_invalid_data: 1",
            ),
        ] {
            assert_eq!(words(&body), told);
        }
    }
}
