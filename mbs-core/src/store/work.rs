//! Who looks at which build, and when.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Claim, Lease, Signal, StoreError, WorkerId};
use crate::bus::Hint;
use crate::ident::BuildId;
use crate::plan::Why;

/// Who looks at which build, and when.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Work: Debug + Send + Sync + 'static {
    /// Gives up to `n` due builds, oldest due first, with a lease each; no other claim returns them before the lease
    /// expires by the store's clock.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError>;

    /// Prolongs a lease by its full length.
    ///
    /// # Errors
    /// `LeaseLost`: stop working on the build.
    async fn renew(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Gives a build back: due at `wake_at` (`None`: only when woken), or after the gap if a wake came since the claim. `why`
    /// is what people are shown; the signal is taken in as by a save. If the lease is lost nothing happens.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn release(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: Why,
        signal: Signal,
    ) -> Result<(), StoreError>;

    /// Makes the builds due that the hints name, not before the gap after their last look, and returns how many; unknown ones
    /// are ignored, and of those that ended all that are not named by id: nothing outside matters to them.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError>;

    /// Voids all leases of a worker that restarts under an exclusive lock; its builds are due at once.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn void_leases(&self, worker: &WorkerId) -> Result<usize, StoreError>;

    /// Returns when the next build becomes due without a wake, be it that its lease expires; `None` if none does.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Returns why a build is not further, as its last look said; `None` before the first.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    async fn explain(&self, id: BuildId) -> Result<Option<Why>, StoreError>;

    /// Returns the store's time.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn now(&self) -> Result<Timestamp, StoreError>;
}
