//! Requests as data: shown before they are sent, compared with recorded ones, sent by [`Client`](super::Client).

use std::fmt;

use serde_json::Value;

use crate::server::ApiVersion;

/// What is done with a part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; changes nothing.
    Get,
    /// Submits.
    Post,
    /// Changes.
    Patch,
}

/// A request, without the address of the service and without credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is done.
    pub method: Method,
    /// The parts of the path behind the version: `["module-builds", "7"]`. An empty one at the end stands for the slash there.
    pub path: Vec<String>,
    /// The query, in the order in which it is sent.
    pub query: Vec<(&'static str, String)>,
    /// What is sent as JSON; `None`: nothing.
    pub body: Option<Value>,
    /// Which version is asked; `None`: the one that the client speaks.
    pub version: Option<ApiVersion>,
}

impl Method {
    /// Returns its name in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
        }
    }
}

impl Request {
    /// Asks for a part of the interface. Lists end in a slash: give them an empty last part.
    pub fn new<P: Into<String>>(method: Method, path: impl IntoIterator<Item = P>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self { method, path, query: Vec::new(), body: None, version: None }
    }

    /// Adds to the query.
    #[must_use]
    pub fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// Sends a value.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Asks one version of the interface.
    #[must_use]
    pub fn of(mut self, version: ApiVersion) -> Self {
        self.version = Some(version);
        self
    }
}

/// Shows it in one line, whatever stands in it; what is sent stays out.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), in_one_line(&self.path.join("/")))?;
        for (at, (key, value)) in self.query.iter().enumerate() {
            write!(f, "{}{key}={}", if at == 0 { '?' } else { '&' }, in_one_line(value))?;
        }
        Ok(())
    }
}

/// Returns a text without what moves a terminal or begins a line.
pub(crate) fn in_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_shown_in_one_line_without_what_is_sent() {
        let read = Request::new(Method::Get, ["module-builds", ""]).query("name", "a\n\u{1b}[2J");
        assert_eq!(read.query("page", "2").to_string(), "GET module-builds/?name=a  [2J&page=2");
        let write = Request::new(Method::Patch, ["module-builds", "7"]).body(serde_json::json!({"a": 1}));
        assert_eq!(write.to_string(), "PATCH module-builds/7");
    }
}
