//! The message bus that the configuration names: what our events look like on it, and which of its messages are hints. How a
//! broker is spoken to stands elsewhere; nothing here decides when something is published.
//!
//! | `messaging` | out | in |
//! | --- | --- | --- |
//! | `amqps://…`, `amqp://…` | to the exchange, under the topic of the original | Koji's messages, as hints |
//! | `log:PATH` | a line of JSON each, added to the file | – |
//! | `memory:` | counts as published; nobody is told | – |
//! | empty | stays in the store for a bus that is configured later | – |

mod events;
mod hints;
mod log;
mod quiet;

use std::sync::Arc;

use mbs_amqp::{AmqpBus, Identity, Settings};
use mbs_core::bus::MessageBus;
use mbs_core::store::Catalogue;
use mbs_http::Secret;

use crate::config::{Bus, Messaging};
use crate::exit::Stop;

pub(crate) use events::{Events, bodies};
use hints::Hints;
use log::LogBus;
use quiet::QuietBus;

/// The name under which the store notes what the bus has.
pub const SINK: &str = "bus";

/// A bus, by what can be known of it.
#[derive(Debug, Clone)]
pub enum Opened {
    /// A broker, which tells what passed.
    Amqp(Arc<AmqpBus>),
    /// Another.
    Other(Arc<dyn MessageBus>),
}

impl Opened {
    /// Returns the bus.
    pub fn bus(&self) -> Arc<dyn MessageBus> {
        match self {
            Self::Amqp(bus) => Arc::clone(bus) as Arc<dyn MessageBus>,
            Self::Other(bus) => Arc::clone(bus),
        }
    }

    /// Takes leave of a broker.
    pub async fn close(&self) {
        if let Self::Amqp(bus) = self {
            bus.close().await;
        }
    }
}

/// Makes the bus that is configured, if there is one; `store` knows the siblings of builds. Nothing is connected yet.
///
/// # Errors
/// `Usage`: no broker can be reached with such settings.
pub fn open(messaging: &Messaging, store: Arc<dyn Catalogue>) -> Result<Option<Opened>, Stop> {
    let prefixes = &messaging.messaging_topic_prefix;
    let events = Events::new(prefixes.first().map_or("", String::as_str), store);
    Ok(match &messaging.messaging {
        None => None,
        Some(Bus::Memory) => Some(Opened::Other(Arc::new(QuietBus))),
        Some(Bus::Log(path)) => Some(Opened::Other(Arc::new(LogBus::new(path.clone(), events)))),
        Some(Bus::Amqp(url)) => {
            let hints = Arc::new(Hints::new(prefixes));
            let bus = AmqpBus::new(settings(messaging, url), Arc::new(events), hints);
            Some(Opened::Amqp(Arc::new(bus.map_err(|error| Stop::Usage(crate::exit::chain(&error)))?)))
        }
    })
}

fn settings(messaging: &Messaging, url: &Secret) -> Settings {
    let identity = messaging.amqp_cert.clone().zip(messaging.amqp_key.clone());
    let topics = messaging.messaging_topic_prefix.iter().map(|prefix| format!("{prefix}.buildsys.#"));
    Settings {
        ca: messaging.amqp_ca.clone(),
        identity: identity.map(|(cert, key)| Identity { cert, key }),
        exchange: messaging.amqp_exchange.clone(),
        queue: messaging.amqp_queue.clone(),
        routing_keys: topics.collect(),
        ..Settings::new(url.clone())
    }
}
