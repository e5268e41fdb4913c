//! What is known of a request before its body is read.

use std::net::IpAddr;

use axum::http::HeaderMap;

use super::origin::Origin;
use super::query::Query;
use super::route::ROOT;

/// A request, without its body.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The version of the interface.
    pub(crate) version: u64,
    pub(crate) query: Query,
    pub(crate) origin: Origin,
    pub(crate) headers: HeaderMap,
    /// Who is at the other end of the connection; `None` at a socket of this machine.
    pub(crate) peer: Option<IpAddr>,
}

impl Seen {
    /// Returns a path of the interface as clients see it, in the version they use.
    pub(crate) fn path(&self, below: &str) -> String {
        self.origin.path(&format!("{ROOT}/{}/{below}", self.version))
    }

    /// Returns a whole address of the interface.
    pub(crate) fn url(&self, below: &str) -> String {
        self.origin.url(&format!("{ROOT}/{}/{below}", self.version))
    }

    /// Returns the text of a header; `None` also for what is no text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
