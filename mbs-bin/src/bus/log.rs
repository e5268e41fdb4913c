//! A file of what would be told, for those who look: a line of JSON for each event. Nothing is heard.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use mbs_amqp::Renderer as _;
use mbs_core::bus::{BusError, Hint, MessageBus};
use mbs_core::store::StateChange;
use serde_json::json;

use super::Events;

/// Adds events to a file. It is opened anew each time, so that it can be moved away.
#[derive(Debug)]
pub(super) struct LogBus {
    path: PathBuf,
    events: Events,
}

impl LogBus {
    pub(super) fn new(path: PathBuf, events: Events) -> Self {
        Self { path, events }
    }
}

#[async_trait]
impl MessageBus for LogBus {
    async fn publish(&self, events: &[StateChange]) -> Result<(), BusError> {
        let mut lines = Vec::new();
        for message in self.events.render(events).await? {
            let line = json!({ "topic": message.topic, "msg": message.body });
            lines.extend(line.to_string().into_bytes());
            lines.push(b'\n');
        }
        let path = self.path.clone();
        let added = tokio::task::spawn_blocking(move || add(&path, &lines)).await;
        let added = added.unwrap_or_else(|error| Err(io::Error::other(error)));
        added.map_err(|error| BusError::Unavailable {
            reason: format!("{} cannot be written: {error}", self.path.display()),
        })
    }

    async fn hints(&self) -> Result<Vec<Hint>, BusError> {
        std::future::pending().await
    }
}

fn add(path: &Path, lines: &[u8]) -> io::Result<()> {
    File::options().create(true).append(true).open(path)?.write_all(lines)
}
