//! The publisher's line to the message bus.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::hesitate;
use super::network::Network;
use crate::bus::{BusError, Hint, MessageBus};
use crate::clock::Clock;
use crate::sim::inspector::Inspector;
use crate::store::StateChange;

/// Takes what is published to the inspector; it never gives a hint.
#[derive(Debug)]
pub(in crate::sim) struct BusWire {
    pub(in crate::sim) network: Arc<Network>,
    pub(in crate::sim) inspector: Arc<Inspector>,
}

#[async_trait]
impl MessageBus for BusWire {
    async fn publish(&self, events: &[StateChange]) -> Result<(), BusError> {
        hesitate().await;
        let down = || BusError::Unavailable { reason: "the broker is down".into() };
        if self.network.is_bus_down() {
            return Err(down());
        }
        events.iter().for_each(|event| self.inspector.published(event));
        hesitate().await;
        // It went down before it could say that it took them.
        if self.network.is_bus_down() { Err(down()) } else { Ok(()) }
    }

    async fn hints(&self) -> Result<Vec<Hint>, BusError> {
        std::future::pending::<()>().await;
        Ok(Vec::new())
    }
}

impl Network {
    /// Says whether the message bus takes nothing at this moment.
    pub(in crate::sim) fn is_bus_down(&self) -> bool {
        self.clock.reading() < self.bus_down_until()
    }

    /// Takes the message bus down for a while.
    pub(in crate::sim) fn take_bus_down(&self, time: Duration) {
        self.set_bus_down_until(self.clock.reading() + time);
    }
}
