//! Answers, good and bad, before they go out.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// What the real server says when it has failed without knowing how.
pub(super) const FAULT: &str =
    "The server encountered an internal error or misconfiguration and was unable to complete your request.";

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// JSON, or a page; empty: no body.
    pub(super) body: Vec<u8>,
    /// The type of the body, if there is one.
    pub(super) kind: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// Returns a good answer.
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("what is stored has text for keys");
        Self { status, body, kind: "application/json", headers: Vec::new() }
    }

    /// Returns an answer without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, body: Vec::new(), kind: "", headers: Vec::new() }
    }

    /// Returns a page.
    pub(super) fn page(status: u16, text: &str) -> Self {
        let page = format!("<html><head><title>PDC</title></head><body><pre>{text}</pre></body></html>\n");
        Self { status, body: page.into_bytes(), kind: "text/html; charset=utf-8", headers: Vec::new() }
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Why something is not done.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: Value,
    /// What the client library prints on standard error.
    warning: Option<&'static str>,
    /// Whether credentials would help.
    asks_for_token: bool,
}

impl Refusal {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, body, warning: None, asks_for_token: false }
    }

    /// Refuses with one sentence.
    pub(super) fn detail(status: u16, text: &str) -> Self {
        Self::new(status, json!({ "detail": text }))
    }

    /// Refuses with a list of sentences.
    pub(super) fn details(texts: &[String]) -> Self {
        Self::new(400, json!({ "detail": texts }))
    }

    /// Refuses fields, each with what is wrong with it.
    pub(super) fn fields(errors: Map<String, Value>) -> Self {
        Self::new(400, Value::Object(errors))
    }

    pub(super) fn not_found() -> Self {
        Self::detail(404, "Not found.")
    }

    pub(super) fn fault() -> Self {
        Self::detail(503, FAULT)
    }

    /// Refuses for want of credentials, or because of bad ones.
    pub(super) fn unauthorized(text: &str) -> Self {
        Self { asks_for_token: true, ..Self::detail(401, text) }
    }

    /// Refuses a change that changes nothing.
    pub(super) fn no_changes() -> Self {
        Self::detail(400, "Partial update with no changes does not make much sense.")
    }

    /// Lets the client library warn, too.
    pub(super) fn with_warning(self) -> Self {
        Self { warning: Some("Partial update with no changes does not make much sense."), ..self }
    }

    /// Says which item of many is refused, and what it was.
    pub(super) fn of_item(self, id: &Value, item: Option<&Value>) -> Self {
        let detail = match self.body {
            Value::Object(mut members) if members.contains_key("detail") => members.remove("detail"),
            other => Some(other),
        };
        let mut body = json!({ "id_of_invalid_data": id, "detail": detail });
        if let Some(item) = item.filter(|item| super::python::is_true(item)) {
            body["invalid_data"] = item.clone();
        }
        Self::new(self.status, body)
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut answer = Self::json(refusal.status, &refusal.body);
        if refusal.asks_for_token {
            answer = answer.with("www-authenticate", "Token");
        }
        match refusal.warning {
            Some(warning) => answer.with("pdc-warning", warning),
            None => answer,
        }
    }
}
