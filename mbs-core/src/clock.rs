//! The trait of time: a monotonic reading and a sleep. Wall time comes from the store.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

/// A clock that never goes back. Its zero is its own affair.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// Returns the time since the clock's zero.
    fn reading(&self) -> Duration;

    /// Returns when the reading has reached `deadline`, at once if it has.
    async fn sleep_until(&self, deadline: Duration);
}
