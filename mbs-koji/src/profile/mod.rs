//! How a hub is reached: what Koji calls a profile, and where it is written.
//!
//! A profile is a section of Koji's own configuration files ([`Profile::find`], [`Profile::parse`]) or made in code
//! ([`Profile::new`]). It holds settings only; certificates and tickets are looked at when a hub is made of it.

mod ini;
mod read;

use std::path::PathBuf;
use std::time::Duration;

pub use mbs_http::Secret;
pub use read::{ProfileError, ProfileFile};

/// How a hub is reached, and how patiently. Times are real time unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The profile's name, for messages.
    pub name: String,
    /// The hub's address; it usually ends in `/kojihub`.
    pub server: String,
    /// Where repositories and packages are downloaded from, if the profile says so.
    pub topurl: Option<String>,
    /// Where people look at builds, if the profile says so.
    pub weburl: Option<String>,
    /// Who we are.
    pub login: Login,
    /// Log in as this user; the hub has to allow it.
    pub proxyuser: Option<String>,
    /// A file of certificates in PEM that the hub's is checked against, in place of the system's.
    pub serverca: Option<PathBuf>,
    /// Takes any certificate for the hub's. For tests only.
    pub no_ssl_verify: bool,
    /// When a request is sent again.
    pub retry: Retry,
    /// How long a call may take in all, further attempts among it.
    pub timeout: Duration,
    /// How long a login may take in all.
    pub auth_timeout: Duration,
    /// How long it may take until a connection stands.
    pub connect_timeout: Duration,
    /// The length of the parts that files are uploaded in, in bytes; at least 1.
    pub upload_blocksize: usize,
    /// How many writes may be under way at a time, each in a session of its own; at least 1.
    pub sessions: usize,
    /// The longest answer that is read, in bytes, unpacked.
    pub max_answer_bytes: u64,
}

/// How we prove who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// Not at all: only reads work.
    Anonymous,
    /// By a password of the hub's own; for tests.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// By a client certificate over TLS.
    Certificate {
        /// A file in PEM that holds the certificate and its key.
        cert: PathBuf,
    },
    /// By a Kerberos ticket.
    Kerberos {
        /// Whose ticket; the default one if missing.
        principal: Option<String>,
        /// The keys a ticket is asked for with; those of the environment if missing.
        keytab: Option<PathBuf>,
    },
}

/// When a request is sent again. Waiting goes by the hub's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// How many further attempts a call has, beside the one at once that a closed connection gets.
    pub max_retries: u32,
    /// How long to wait before each of them.
    pub interval: Duration,
    /// Whether a hub in a planned outage is waited for without end, within the call's time.
    pub offline_retry: bool,
    /// How long to wait before a hub in a planned outage is asked again.
    pub offline_interval: Duration,
}

impl Profile {
    /// Makes a profile with Koji's defaults, but with ten minutes for a call where Koji has twelve hours.
    pub fn new(name: impl Into<String>, server: impl Into<String>, login: Login) -> Self {
        Self {
            name: name.into(),
            server: server.into(),
            topurl: None,
            weburl: None,
            login,
            proxyuser: None,
            serverca: None,
            no_ssl_verify: false,
            retry: Retry::default(),
            timeout: Duration::from_secs(600),
            auth_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(30),
            upload_blocksize: 1 << 20,
            sessions: 4,
            max_answer_bytes: 256 << 20,
        }
    }

    /// Returns the profile for whoever tries again by itself, as the engine does: a call that finds no hub says so at once, so
    /// that people see why nothing goes on, and no look is held up. What Koji's files say of attempts is for other clients.
    #[must_use]
    pub fn without_retries(mut self) -> Self {
        self.retry = Retry { max_retries: 0, offline_retry: false, ..self.retry };
        self
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_retries: 30,
            interval: Duration::from_secs(20),
            offline_retry: false,
            offline_interval: Duration::from_secs(20),
        }
    }
}
