//! All that a store holds, as data that survives its process.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::MemoryStore;
use super::tables::Tables;
use crate::clock::Clock;
use crate::policy::Policy;

/// The whole content of a [`MemoryStore`] at one moment.
///
/// It is read by versions before and after the one that wrote it: what is missing has a default, what is unknown is
/// skipped.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot {
    tables: Tables,
}

/// What becomes of the leases in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leases {
    /// They hold until they expire: their workers may live on.
    Keep,
    /// They end, and their builds are due at once: no worker outlived the process.
    Void,
}

impl MemoryStore {
    /// Returns everything the store holds.
    pub fn snapshot(&self) -> Snapshot {
        let tables = self.tables();
        let saved_at = self.wall();
        Snapshot { tables: Tables { saved_at, ..tables.clone() } }
    }

    /// Makes a store from what another held. `start` is the present time; if it lies before the snapshot's, time goes on from
    /// there.
    pub fn restore(
        snapshot: Snapshot,
        leases: Leases,
        clock: Arc<dyn Clock>,
        start: Timestamp,
        policy: &Policy,
    ) -> Self {
        let start = start.max(snapshot.tables.saved_at);
        let store = Self::over(snapshot.tables, clock, start, policy);
        if leases == Leases::Void {
            store.tables().void_leases(|_| true, start);
        }
        store
    }
}
