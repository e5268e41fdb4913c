//! The service itself: where its records are, where it listens, and how much it takes.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use mbs_http::Secret;
use serde::{Deserialize, Serialize};

use super::forms;

/// The service itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// The URL of the store, which may hold a password.
    #[serde(with = "forms::secret")]
    pub database: Secret,
    /// A name or address of this machine, or `unix:PATH`; see [`listen`](Self::listen).
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is logged.
    pub log_level: LogLevel,
    /// The longest body of a request that is read, in bytes.
    pub most_body_bytes: u64,
    /// The most builds on a page; at least 1000.
    pub most_per_page: u32,
    /// How long a request may take.
    #[serde(with = "forms::secs")]
    pub request_within: Duration,
    /// How many module builds a backend looks at at once; not 0.
    pub looks_at_once: u32,
}

/// What is logged, each with all above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What is being done.
    Info,
    /// What somebody should look at.
    Warning,
    /// What went wrong.
    Error,
}

/// Where a frontend listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// On a port of a name or address.
    Tcp(String, u16),
    /// On a Unix socket.
    Unix(PathBuf),
}

impl Service {
    /// Returns where a frontend listens.
    pub fn listen(&self) -> Listen {
        match self.host.strip_prefix("unix:") {
            Some(path) => Listen::Unix(path.into()),
            None => Listen::Tcp(self.host.trim_matches(['[', ']']).to_owned(), self.port),
        }
    }
}

impl Listen {
    /// Says whether only this machine reaches it.
    pub fn is_here(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(host, _) => {
                host == "localhost"
                    || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
            }
        }
    }
}

impl Default for Service {
    fn default() -> Self {
        Self {
            database: Secret::new("sqlite:mbs.db"),
            host: "127.0.0.1".to_owned(),
            port: 5000,
            log_level: LogLevel::Info,
            most_body_bytes: 2 << 20,
            most_per_page: 1000,
            request_within: Duration::from_secs(60),
            looks_at_once: 20,
        }
    }
}
