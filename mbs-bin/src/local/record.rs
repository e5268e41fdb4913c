//! The record of builds in a results directory: a database that one program at a time works on, for it holds the lock.

use std::sync::Arc;

use mbs_core::policy::Policy;
use mbs_core::store::{Store, Work as _, WorkerId};
use mbs_local::leftovers::remove_leftovers;
use mbs_local::lock::{DirectoryLock, RECORD_FILE};
use mbs_store::sqlite::SqliteStore;
use tokio::sync::watch;

use crate::exit::Stop;

/// The record, open.
#[derive(Debug)]
pub struct Record {
    /// It as a store.
    pub store: Arc<dyn Store>,
    file: SqliteStore,
    /// Keeps other programs away for as long as the record is open.
    _lock: DirectoryLock,
}

impl Record {
    /// Opens the record of a directory, an empty one if there is none. Leases of earlier runs are void: under the lock nobody
    /// holds one.
    ///
    /// # Errors
    /// `Machine`: it cannot be opened, or is no record, and then it was left untouched.
    pub async fn open(lock: DirectoryLock, policy: &Policy) -> Result<Self, Stop> {
        let file = SqliteStore::open(lock.directory().join(RECORD_FILE), policy).await?;
        // Only in a directory whose record is understood: it is ours.
        remove_leftovers(lock.directory())?;
        file.void_leases(&worker()).await?;
        Ok(Self { store: Arc::new(file.clone()), file, _lock: lock })
    }

    /// Puts everything into the one file, so that a copy of it is a copy of the record.
    pub async fn close(&self) {
        self.file.close().await;
    }

    /// Returns a number that changes with every commit: each may be news of a build.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.file.changes()
    }

    /// Returns why the last change could not be written; `None` if it was.
    pub fn failure(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.file.failure()
    }
}

/// Returns who works on the record: whoever has the lock, always the same.
pub fn worker() -> WorkerId {
    WorkerId("mbs-build".to_owned())
}
