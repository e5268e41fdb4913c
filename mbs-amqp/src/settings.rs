//! Where a broker is and what is asked of it.

use std::path::PathBuf;
use std::time::Duration;

use mbs_http::{Secret, TrustError};

/// Where a broker is, and what is asked of it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `amqps://USER:PASSWORD@HOST:PORT/VHOST`, or `amqp` without TLS. What is missing is guest, localhost, the usual port, `/`.
    pub url: Secret,
    /// Certificates that the broker's is checked against, in PEM; `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// Who we are; `None`: a user with a password, or nobody.
    pub identity: Option<Identity>,
    /// The exchange for what is published and listened to. It is never made: brokers have `amq.topic`, others are there already.
    pub exchange: String,
    /// The queue we read from, made if it is not there; `None`: one that the broker names and that is gone with the connection.
    pub queue: Option<String>,
    /// What is listened to: routing keys, where `*` is a word and `#` any number of them. Empty: what the queue is bound to
    /// already; nothing, if it has no name.
    pub routing_keys: Vec<String>,
    /// Most messages under way to us, not yet acknowledged.
    pub prefetch: u16,
    /// How long the broker may take: to let us in, and to confirm what is published in one call.
    pub patience: Duration,
}

/// A certificate of our own. The broker takes its name for the user, unless the URL names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, in PEM, with those that lead to its issuer.
    pub cert: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// Why settings make no bus. An administrator has to look.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The URL is none of a broker. It is not quoted: it may hold a password.
    #[error("the URL of the message broker makes no sense: {0}")]
    Url(String),
    /// AMQP takes no such name.
    #[error("`{0}` is too long: exchanges, queues and routing keys have at most 255 bytes")]
    TooLong(String),
    /// Files for TLS.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Settings {
    /// Asks for what is usual: the exchange `amq.topic`, a queue of the broker's making, and nothing to listen to.
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            ca: None,
            identity: None,
            exchange: "amq.topic".to_owned(),
            queue: None,
            routing_keys: Vec::new(),
            prefetch: 100,
            patience: Duration::from_secs(30),
        }
    }

    /// Says whether there is anything to listen to.
    pub(crate) fn listens(&self) -> bool {
        self.queue.is_some() || !self.routing_keys.is_empty()
    }
}
