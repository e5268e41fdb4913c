//! Which PDC is meant, and how it is reached: made in code ([`Server::new`]) or found by name in PDC's own configuration files
//! ([`ServerFiles`]).
//!
//! It holds settings only; certificates and tickets are looked at when a client is made of it.

mod files;

use std::fmt;
use std::time::Duration;

use mbs_http::Secret;
use reqwest::Url;

pub use files::{ServerError, ServerFiles};
pub use mbs_http::Trust;

/// A PDC, and how patiently it is asked. Times are real time unless said otherwise.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// What it is called, for messages: its name in the configuration, or its address.
    pub name: String,
    /// The root of its API, with or without a slash at its end: `https://pdc.example.org/rest_api/v1`.
    pub root: String,
    /// Who we are.
    pub login: Login,
    /// Whom we take for the server.
    pub trust: Trust,
    /// How long one answer may take in all, further attempts among it. It begins when the request has its turn; who waits for
    /// one gives up when the server has answered nobody for as long as this. Of a list that comes in pages it is for each page, and
    /// all of them together may take five times as long.
    pub timeout: Duration,
    /// How long it may take until a connection stands.
    pub connect_timeout: Duration,
    /// How many further attempts a read has; writes have none.
    pub retries: u32,
    /// How long to wait before the first of them; each waits twice as long as the one before. By the client's clock.
    pub retry_pause: Duration,
    /// How many requests may be under way at a time; at least 1. Others wait for their turn, in the order in which they came,
    /// for as long as the server answers any.
    pub parallel: usize,
    /// The longest answer that is read, in bytes, unpacked; of a list that comes in pages, all of them together.
    pub max_answer_bytes: u64,
}

/// How we prove who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// Not at all: everybody may read.
    Anonymous,
    /// By a token.
    Token(Secret),
    /// By a token that is had for a Kerberos ticket, before the first request and when it is not accepted any more.
    Ticket,
}

impl Server {
    /// Describes a server by the root of its API.
    pub fn new(root: impl Into<String>, login: Login) -> Self {
        let root = root.into();
        Self {
            name: without_user(&root),
            root,
            login,
            trust: Trust::System,
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(15),
            retries: 3,
            retry_pause: Duration::from_secs(1),
            parallel: 4,
            max_answer_bytes: 64 << 20,
        }
    }

    /// Returns the server without its credentials: what only reads needs none, and a token that has run out then does no harm.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.login = Login::Anonymous;
        self
    }
}

/// Shows its root without a user's name and password, which do not belong there.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, root, login, trust, timeout, connect_timeout, .. } = self;
        let Self { retries, retry_pause, parallel, max_answer_bytes, .. } = self;
        f.debug_struct("Server")
            .field("name", name)
            .field("root", &without_user(root))
            .field("login", login)
            .field("trust", trust)
            .field("timeout", timeout)
            .field("connect_timeout", connect_timeout)
            .field("retries", retries)
            .field("retry_pause", retry_pause)
            .field("parallel", parallel)
            .field("max_answer_bytes", max_answer_bytes)
            .finish()
    }
}

/// Returns an address as it may be shown: people put passwords into them.
fn without_user(address: &str) -> String {
    let has_user = |url: &Url| !url.username().is_empty() || url.password().is_some();
    let is_plain =
        |url: &Url| url.has_host() && !has_user(url) && url.query().is_none() && url.fragment().is_none();
    match address.rfind('@') {
        // What is no address as it stands may have been meant as one: passwords have all kinds of characters.
        Some(at) if !Url::parse(address).is_ok_and(|url| is_plain(&url)) => {
            let scheme = address[..at].find("://").map_or("", |end| &address[..end + 3]);
            format!("{scheme}{}", &address[at + 1..])
        }
        _ => address.to_owned(),
    }
}
