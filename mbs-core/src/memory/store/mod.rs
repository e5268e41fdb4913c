//! A store in memory: one mutex over all tables, so that every call is one transaction.
//!
//! It keeps the whole contract of [`crate::store`] and refuses more than it must: a record that is not the one loaded, an
//! identity that changed, transitions that do not follow each other. Nothing is written to disk.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::policy::Policy;
use crate::share::Throttle;
use crate::store::{Rules, StoreError};

mod builds;
mod catalogue;
mod commit;
mod figures;
mod history;
mod index;
mod listing;
mod outbox;
mod rows;
mod slots;
mod tables;
mod taking;
#[cfg(test)]
mod tests;
mod tokens;
mod upkeep;
mod work;

use tables::Tables;

/// A store that lives as long as its process.
///
/// Its wall time is the start it was given plus what its clock has moved since.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    start: Timestamp,
    zero: Duration,
    tables: Mutex<Tables>,
}

impl MemoryStore {
    /// Makes an empty store. Of the policy it takes the length of leases, the gap between looks, what a held slot
    /// costs in line, and how often the limit adapts.
    pub fn new(clock: Arc<dyn Clock>, start: Timestamp, policy: &Policy) -> Self {
        let tables = Tables { rules: Rules::of(policy), ..Tables::default() };
        let zero = clock.reading();
        Self { clock, start, zero, tables: Mutex::new(tables) }
    }

    /// Returns a number that grows with every change; equal numbers mean that nothing changed.
    pub fn generation(&self) -> u64 {
        self.tables().generation
    }

    /// Returns how many calls of [`Store`](crate::store::Store) were made so far.
    pub fn calls(&self) -> u64 {
        self.tables().calls
    }

    /// Returns how many rows of builds those calls read or changed; one that is touched twice counts twice.
    pub fn rows_read(&self) -> u64 {
        self.tables().rows.read()
    }

    /// Returns how far the limit is lowered, and why.
    pub fn throttle(&self) -> Throttle {
        self.tables().throttle
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("no call panics while it holds the tables")
    }

    fn wall(&self) -> Timestamp {
        later(self.start, self.clock.reading().saturating_sub(self.zero))
    }

    /// Runs one transaction, which must check everything before it changes anything. The time is read under the lock, so
    /// that it never goes back from one transaction to the next.
    fn transact<T>(
        &self,
        transaction: impl FnOnce(&mut Tables, Timestamp) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tables = self.tables();
        let now = self.wall();
        tables.calls += 1;
        transaction(&mut tables, now)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.tables();
        f.debug_struct("MemoryStore")
            .field("builds", &tables.rows.len())
            .field("generation", &tables.generation)
            .finish_non_exhaustive()
    }
}

/// Returns the moment `by` after `at`, at most the last one there is.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
