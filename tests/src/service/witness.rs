//! Somebody outside who reads on the broker what the service tells.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use mbs_amqp::{AmqpBus, Arrived, Message, Read, Reader, Renderer, Settings};
use mbs_core::bus::{BusError, Hint, MessageBus as _};
use mbs_core::store::StateChange;
use mbs_http::Secret;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::PREFIX;

/// The queue, which outlives the broker.
const QUEUE: &str = "witness";

/// An event as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Its topic.
    pub topic: String,
    /// What it says.
    pub body: Value,
}

/// Reads until it is dropped.
#[derive(Debug)]
pub struct Witness {
    heard: Arc<Heard>,
    listening: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<Told>>);

impl Witness {
    /// Begins to read; returns when nothing is missed any more.
    ///
    /// # Errors
    /// There is no broker.
    pub async fn begin(broker: Secret) -> Result<Self> {
        let heard = Arc::new(Heard::default());
        let settings = Settings {
            queue: Some(QUEUE.to_owned()),
            routing_keys: vec![format!("{PREFIX}.mbs.#")],
            ..Settings::new(broker)
        };
        let bus = Arc::new(AmqpBus::new(settings, Arc::new(Mute), Arc::clone(&heard) as Arc<dyn Reader>)?);
        let listener = Arc::clone(&bus);
        let listening = tokio::spawn(async move {
            loop {
                if listener.hints().await.is_err() {
                    tokio::task::yield_now().await;
                }
            }
        });
        while !bus.figures().is_listening {
            tokio::task::yield_now().await;
        }
        Ok(Self { heard, listening })
    }

    /// Returns what was read so far, in order.
    pub fn told(&self) -> Vec<Told> {
        self.heard.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Reader for Heard {
    fn read(&self, message: Arrived<'_>) -> Read {
        let told = Told {
            topic: message.topic.to_owned(),
            body: serde_json::from_slice(message.body).unwrap_or(Value::Null),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        Read::Hint(Hint::Everything)
    }
}

/// Says nothing itself.
#[derive(Debug)]
struct Mute;

#[async_trait::async_trait]
impl Renderer for Mute {
    async fn render(&self, _: &[StateChange]) -> Result<Vec<Message>, BusError> {
        Ok(Vec::new())
    }
}
