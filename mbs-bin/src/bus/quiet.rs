//! A bus that nobody listens to: events count as published, and no hints come.

use async_trait::async_trait;
use mbs_core::bus::{BusError, Hint, MessageBus};
use mbs_core::store::StateChange;

/// Takes events and tells nobody.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuietBus;

#[async_trait]
impl MessageBus for QuietBus {
    async fn publish(&self, _: &[StateChange]) -> Result<(), BusError> {
        Ok(())
    }

    async fn hints(&self) -> Result<Vec<Hint>, BusError> {
        std::future::pending().await
    }
}
