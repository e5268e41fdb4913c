//! The bus: where our state changes are told, and where hints come from.

use std::path::PathBuf;
use std::str::FromStr;

use mbs_http::Secret;
use serde::{Deserialize, Serialize};

use super::forms;

/// The bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Messaging {
    /// Where messages go and come from; `None`: nowhere.
    #[serde(with = "bus")]
    pub messaging: Option<Bus>,
    /// Beginnings of the topics we listen to; ours are published under the first. Not empty.
    pub messaging_topic_prefix: Vec<String>,
    /// Certificates the broker's is checked against, in PEM; `None`: those of the system.
    #[serde(with = "forms::path_if_any")]
    pub amqp_ca: Option<PathBuf>,
    /// Our certificate for the broker, in PEM.
    #[serde(with = "forms::path_if_any")]
    pub amqp_cert: Option<PathBuf>,
    /// Its key, in PEM.
    #[serde(with = "forms::path_if_any")]
    pub amqp_key: Option<PathBuf>,
    /// The queue we read from; `None`: one that the broker names, and that is gone with the connection.
    #[serde(with = "forms::if_any")]
    pub amqp_queue: Option<String>,
    /// The exchange for what is published and listened to.
    pub amqp_exchange: String,
    /// Where messages that were missed are asked for; `None`: nowhere.
    #[serde(with = "forms::if_any")]
    pub datagrepper_url: Option<String>,
}

/// A bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bus {
    /// A broker; the URL may hold a password.
    Amqp(Secret),
    /// Within this process.
    Memory,
    /// A file of JSON lines, for those who look what would be told; nothing is heard.
    Log(PathBuf),
}

impl Bus {
    /// Returns the URL; it may hold a password.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Amqp(url) => url.reveal().to_owned(),
            Self::Memory => "memory:".to_owned(),
            Self::Log(path) => format!("log:{}", path.display()),
        }
    }
}

impl FromStr for Bus {
    type Err = NoBus;

    fn from_str(text: &str) -> Result<Self, NoBus> {
        match text.split_once(':') {
            Some(("amqp" | "amqps", rest)) if rest.len() > 2 && rest.starts_with("//") => {
                Ok(Self::Amqp(Secret::new(text)))
            }
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("log", path)) if !path.is_empty() => Ok(Self::Log(path.into())),
            _ => Err(NoBus),
        }
    }
}

/// A URL that names no bus. Does not quote it: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a bus is named by amqps://…, amqp://…, memory: or log:PATH")]
pub struct NoBus;

mod bus {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Bus;

    pub(super) fn serialize<S: Serializer>(bus: &Option<Bus>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&bus.as_ref().map(Bus::url).unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Bus>, D::Error> {
        let text = String::deserialize(from)?;
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
    }
}

impl Default for Messaging {
    fn default() -> Self {
        Self {
            messaging: None,
            messaging_topic_prefix: vec!["org.fedoraproject.prod".to_owned()],
            amqp_ca: None,
            amqp_cert: None,
            amqp_key: None,
            amqp_queue: None,
            amqp_exchange: "amq.topic".to_owned(),
            datagrepper_url: None,
        }
    }
}
