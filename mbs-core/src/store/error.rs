//! Why a store did not do what it was asked.

use crate::ident::{BuildId, Nsvc};
use crate::model::State;

/// Cut by what the caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such build.
    #[error("there is no module build {0}")]
    NotFound(BuildId),
    /// A build of this identity exists. Read and decide again.
    #[error("a module build {0} exists already")]
    Taken(Nsvc),
    /// A build of this identity is under way, in this state, and cannot be overwritten. Wait for its end, or cancel it first.
    #[error("the module build {0} is under way, in {1}")]
    UnderWay(Nsvc, State),
    /// The build was saved by somebody else since it was loaded. Load and decide again.
    #[error("module build {0} was changed meanwhile")]
    Stale(BuildId),
    /// The lease expired or was given to another. Drop all work on the build.
    #[error("the lease on module build {0} is lost")]
    LeaseLost(BuildId),
    /// The save would exceed the limit on builds in progress. Plan again with these figures.
    #[error("no slot is free: {in_use} of {limit} in use")]
    NoSlot {
        /// Slots in use by all builds.
        in_use: u32,
        /// The effective limit.
        limit: u32,
    },
    /// An idempotency key came with another content than before.
    #[error("the idempotency key {0:?} was used for another submission")]
    KeyReused(String),
    /// The call makes no sense; a defect of the caller.
    #[error("{reason}")]
    Rejected {
        /// What is wrong with it.
        reason: String,
    },
    /// The store cannot be reached, or the outcome is unknown. Load again later.
    #[error("the store is not available: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
}

impl StoreError {
    /// Says whether the same call may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
