//! Requests as data: shown before they are sent, compared with recorded ones, sent by [`Pdc`](super::Pdc).

use std::fmt;

use serde_json::Value;

/// What is done with a part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; changes nothing.
    Get,
    /// Makes an entry, or all of a list.
    Post,
    /// Changes the fields that are sent.
    Patch,
    /// Removes.
    Delete,
}

/// A request, without the root of the API and without credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is done.
    pub method: Method,
    /// The parts of the path below the root: `["unreleasedvariants", "bootstrap-master-1"]`. It ends in a slash when sent.
    pub path: Vec<String>,
    /// The query, in the order in which it is sent; PDC does not mind the order.
    pub query: Vec<(&'static str, String)>,
    /// What is sent as JSON; `None`: nothing.
    pub body: Option<Value>,
    /// What the audit trail keeps with a change; `None`: nothing.
    pub comment: Option<String>,
}

impl Request {
    /// Asks for a part of the API.
    pub fn new<'p>(method: Method, path: impl IntoIterator<Item = &'p str>) -> Self {
        let path = path.into_iter().map(str::to_owned).collect();
        Self { method, path, query: Vec::new(), body: None, comment: None }
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

    /// Leaves a comment in the audit trail.
    #[must_use]
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Returns its path below the root, with its slash, for messages: in one line, whatever stands in it.
    pub fn shown_path(&self) -> String {
        in_one_line(&format!("{}/", self.path.join("/")))
    }
}

impl Method {
    /// Returns its name in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Shows it as one line and, if something is sent, the JSON below.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), self.shown_path())?;
        for (at, (key, value)) in self.query.iter().enumerate() {
            write!(f, "{}{key}={}", if at == 0 { '?' } else { '&' }, in_one_line(value))?;
        }
        if let Some(comment) = &self.comment {
            write!(f, "\nPDC-Change-Comment: {}", in_one_line(comment))?;
        }
        match &self.body {
            Some(body) => write!(f, "\n{body:#}"),
            None => Ok(()),
        }
    }
}

/// Returns a text without what moves a terminal, or begins a line or header of its own.
pub(super) fn in_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_shown_as_it_is_sent() {
        let read = Request::new(Method::Get, ["modules"]).query("name", "perl").query("page_size", "-1");
        assert_eq!(read.to_string(), "GET modules/?name=perl&page_size=-1");
        let change = Request::new(Method::Patch, ["modules", "a:b:1:c"]);
        let change = change.body(serde_json::json!({"active": true})).comment("ticket 42");
        assert_eq!(
            change.to_string(),
            "PATCH modules/a:b:1:c/\nPDC-Change-Comment: ticket 42\n{\n  \"active\": true\n}"
        );
        let odd =
            Request::new(Method::Get, ["modules", "a\nb"]).query("name", "\u{1b}[31m").comment("a\r\nb");
        assert_eq!(odd.to_string(), "GET modules/a b/?name= [31m\nPDC-Change-Comment: a  b");
    }
}
