//! Events on their way out.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::{Delivery, EventNumber, Sink, StoreError, WorkerId};

/// Events on their way out.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Returns up to `n` events that a sink has not acknowledged, per build the oldest only, by their numbers. A sink is known
    /// from its first call on; it gets what is still kept.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError>;

    /// Notes that a sink has these events; those already noted are fine.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn ack(&self, sink: &Sink, events: &[EventNumber]) -> Result<(), StoreError>;

    /// Takes the seat of a sink's publisher, or keeps it, for so long by the store's clock; false: another worker has it. Held for
    /// no time it is free again. Nothing else asks for it: it is what publishers agree upon.
    ///
    /// # Errors
    /// `Unavailable`: it may or may not be held.
    async fn hold_seat(&self, sink: &Sink, worker: &WorkerId, how_long: Duration)
    -> Result<bool, StoreError>;

    /// Returns up to `n` committed events beyond a number, in the order of their numbers. Events are numbered as they are asked
    /// for, one by one: who saw one has seen, or could have, all that ever come before it. What was trimmed is missing.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn published(&self, after: EventNumber, n: usize) -> Result<Vec<Delivery>, StoreError>;

    /// Returns the number of the last committed event; 0 if there was none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn last_published(&self) -> Result<EventNumber, StoreError>;
}
