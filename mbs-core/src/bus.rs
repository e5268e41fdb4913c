//! The trait of message buses: events go out, hints come in.
//!
//! A hint never says what is so; it only says where to look.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::ident::{BuildId, TagName, TaskId};
use crate::store::StateChange;

/// Publishes state changes and listens for hints.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait MessageBus: Debug + Send + Sync + 'static {
    /// Publishes events in order. After `Ok` the bus has them; they may have been there before.
    ///
    /// # Errors
    /// `Unavailable`: ask again later; some may have been published.
    async fn publish(&self, events: &[StateChange]) -> Result<(), BusError>;

    /// Publishes events, each of another build, and says of each whether the bus has it: one that it does not take need not hold
    /// up the others. Where that cannot be told apart, all of them fare alike.
    async fn publish_each(&self, events: &[StateChange]) -> Vec<Result<(), BusError>> {
        vec![self.publish(events).await; events.len()]
    }

    /// Waits for the next hints and returns them; empty when the bus is closed for good. Given up half-way, it may lose some.
    ///
    /// # Errors
    /// `Unavailable`: hints may have been lost; once the bus is back, look at everything.
    async fn hints(&self) -> Result<Vec<Hint>, BusError>;
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// At one module build.
    Build(BuildId),
    /// At the build that owns a tag.
    Tag(TagName),
    /// At the build that owns a task.
    Task(TaskId),
    /// At all that are under way: what is retired, ready or settled has no news.
    Everything,
}

/// Why the bus did not take or give messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// It cannot be reached. Ask again later.
    #[error("the message bus is not available: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
}

impl BusError {
    /// Says whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        true
    }
}
