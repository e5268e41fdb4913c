//! A request, as far as the server looks at it.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use jiff::Timestamp;
use serde_json::Value;

use super::answer::Refusal;

/// The root of the interface.
pub(super) const ROOT: &str = "/rest_api/v1/";

/// A request.
pub(super) struct Asked {
    pub(super) method: String,
    /// The whole path, as it was sent.
    pub(super) path: String,
    /// The query, as it was sent.
    pub(super) raw_query: Option<String>,
    pub(super) query: Vec<(String, String)>,
    /// Who asks; `None` before that is looked at, and for strangers.
    pub(super) user: Option<String>,
    /// Whether whatever page is asked for is the first one, and another follows it.
    pub(super) loops: bool,
    pub(super) at: Timestamp,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    pub(super) fn new(parts: Parts, body: Bytes) -> Self {
        let raw_query = parts.uri.query().map(str::to_owned);
        let query = form_urlencoded::parse(raw_query.as_deref().unwrap_or_default().as_bytes());
        Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: query.into_owned().collect(),
            raw_query,
            user: None,
            loops: false,
            at: Timestamp::now(),
            headers: parts.headers,
            body,
        }
    }

    /// Returns a header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the last value of a parameter that is not empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let last = self.query.iter().rfind(|(own, _)| own == name)?;
        Some(last.1.as_str()).filter(|value| !value.is_empty())
    }

    /// Returns all values of a parameter that are not empty.
    pub(super) fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.query.iter().filter(move |(own, value)| own == name && !value.is_empty());
        own.map(|(_, value)| value.as_str())
    }

    /// Returns the body; an empty object where there is none.
    ///
    /// # Errors
    /// It is no JSON, or is not said to be.
    pub(super) fn body(&self) -> Result<Value, Refusal> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        let kind = self.header("content-type").unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence != "application/json" {
            return Err(Refusal::detail(415, &format!("Unsupported media type \"{kind}\" in request.")));
        }
        let parsed = serde_json::from_slice(&self.body);
        parsed.map_err(|_| Refusal::detail(400, "JSON parse error - No JSON object could be decoded"))
    }

    /// Returns the body for the record of what was asked.
    pub(super) fn body_or_null(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the path below the root, as it was sent.
    pub(super) fn path_below_root(&self) -> Option<&str> {
        self.path.strip_prefix(ROOT)
    }
}
