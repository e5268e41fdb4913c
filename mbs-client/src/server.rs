//! Which service is meant, and how it is reached. Settings only: certificates are looked at when a client is made of it.

use std::fmt;
use std::time::Duration;

pub use mbs_http::Trust;

/// A module build service, and how patiently it is asked. Times are real time.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// Where it is: `https://mbs.example.org`, with or without `/module-build-service/2/` behind it.
    pub url: String,
    /// Which version of the interface is spoken, unless the address says so; `None`: the first, which every service has, and
    /// for a submission the newest that the service has.
    pub version: Option<ApiVersion>,
    /// Whom we take for the service.
    pub trust: Trust,
    /// How long one answer may take; further attempts have as long each.
    pub timeout: Duration,
    /// How long a change may take: what is submitted is fetched and expanded before the answer comes.
    pub write_timeout: Duration,
    /// How long it may take until a connection stands.
    pub connect_timeout: Duration,
    /// How many further attempts a read has; writes have none.
    pub retries: u32,
    /// How long to wait before the first of them; each waits twice as long as the one before.
    pub retry_pause: Duration,
    /// The longest answer that is read, in bytes, unpacked; of a list each page is one.
    pub max_answer_bytes: u64,
}

/// A version of the interface. They differ in what a submission brings: the first build that came of it, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiVersion {
    /// The first.
    One = 1,
    /// The second.
    Two = 2,
}

impl ApiVersion {
    /// Returns its number in addresses.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl Server {
    /// Describes a service by its address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            version: None,
            trust: Trust::System,
            timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(600),
            connect_timeout: Duration::from_secs(15),
            retries: 3,
            retry_pause: Duration::from_millis(500),
            max_answer_bytes: 64 << 20,
        }
    }
}

/// Shows its address without a user's name and password, which do not belong there.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("url", &self.url.rsplit_once('@').map_or(self.url.as_str(), |(_, rest)| rest))
            .field("version", &self.version)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}
