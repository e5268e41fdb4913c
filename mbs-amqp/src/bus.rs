//! The bus: two connections, one for either direction, so that a broker that takes no messages still gives some.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use mbs_core::bus::{BusError, Hint, MessageBus};
use mbs_core::store::StateChange;
use tokio::sync::watch;

use crate::counts::Counts;
use crate::line::check;
use crate::listening::Ear;
use crate::speaking::Speaker;
use crate::{Figures, Reader, Renderer, Settings, SettingsError};

/// A message bus over AMQP. Nothing is connected before the first call.
#[derive(Debug)]
pub struct AmqpBus {
    speaker: Speaker,
    /// `None`: there is nothing to listen to.
    ear: Option<Ear>,
    counts: Arc<Counts>,
    is_closed: watch::Sender<bool>,
}

impl AmqpBus {
    /// Makes a bus.
    ///
    /// # Errors
    /// Settings that no broker could be reached with.
    pub fn new(
        settings: Settings,
        renderer: Arc<dyn Renderer>,
        reader: Arc<dyn Reader>,
    ) -> Result<Self, SettingsError> {
        check(&settings)?;
        let (settings, counts) = (Arc::new(settings), Arc::new(Counts::default()));
        let ear = settings.listens().then(|| Ear::new(settings.clone(), reader, counts.clone()));
        let speaker = Speaker::new(settings, renderer, counts.clone());
        Ok(Self { speaker, ear, counts, is_closed: watch::Sender::new(false) })
    }

    /// Returns what passed so far.
    pub fn figures(&self) -> Figures {
        self.counts.figures()
    }

    /// Closes the bus for good, and takes leave of the broker.
    pub async fn close(&self) {
        self.is_closed.send_replace(true);
        if let Some(ear) = &self.ear {
            ear.close().await;
        }
        self.speaker.close().await;
    }
}

/// Returns what comes before the next event of a build that has one already, again and again: the events of a part are of
/// different builds, so that no failure of one lets a later one of its build go ahead.
fn parts(events: &[StateChange]) -> impl Iterator<Item = &[StateChange]> {
    let mut begin = 0;
    let mut ends = Vec::new();
    for (at, event) in events.iter().enumerate() {
        if events[begin..at].iter().any(|earlier| earlier.build == event.build) {
            ends.push(begin..at);
            begin = at;
        }
    }
    ends.push(begin..events.len());
    ends.into_iter().map(|part| &events[part])
}

#[async_trait]
impl MessageBus for AmqpBus {
    async fn publish(&self, events: &[StateChange]) -> Result<(), BusError> {
        for part in parts(events) {
            self.publish_each(part).await.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    async fn publish_each(&self, events: &[StateChange]) -> Vec<Result<(), BusError>> {
        if *self.is_closed.borrow() {
            return vec![Err(BusError::Unavailable { reason: "it is closed".to_owned() }); events.len()];
        }
        self.speaker.publish_each(events).await
    }

    async fn hints(&self) -> Result<Vec<Hint>, BusError> {
        let mut is_closed = self.is_closed.subscribe();
        let closed = pin!(is_closed.wait_for(|is_closed| *is_closed));
        let heard = pin!(async {
            match &self.ear {
                Some(ear) => ear.hear().await,
                None => pending().await,
            }
        });
        match select(closed, heard).await {
            Either::Left(_) => Ok(Vec::new()),
            Either::Right((heard, _)) => heard,
        }
    }
}
