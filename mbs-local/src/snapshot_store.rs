//! The store in a file: the store in memory, written out as a whole after each change of a record.
//!
//! A call that changes records, events or settings returns once its change is in the file. Leases, wakes and due times are
//! not worth a write of their own: whoever opens the file holds the lock of the directory, so nobody else can hold a lease,
//! and a look too many does no harm. They are in the file as of the last write.
//!
//! While the file cannot be written every call is refused, so that nobody acts on what is not in it; each call tries again.
//! What a record may become is decided by [`MemoryStore`], never here.

use std::sync::Arc;

use jiff::Timestamp;
use mbs_core::clock::Clock;
use mbs_core::ident::BuildId;
use mbs_core::memory::{Leases, MemoryStore};
use mbs_core::policy::Policy;
use mbs_core::store::{Builds as _, Create, Created, StoreError};
use tokio::sync::watch;

use crate::error::LocalError;
use crate::lock::DirectoryLock;

mod delegate;
mod file;
#[cfg(test)]
mod tests;

pub use file::{OpenError, STATE_FILE};

use file::StateFile;

/// What became of the last write.
#[derive(Debug, Clone, Default)]
pub struct LastWrite {
    /// How many writes succeeded since the store was opened.
    pub count: u64,
    /// Why the last one did not; `None` if it did.
    pub failure: Option<Arc<LocalError>>,
}

/// A store that survives its process, in a directory that is locked.
#[derive(Debug)]
pub struct SnapshotStore {
    memory: Arc<MemoryStore>,
    file: Arc<StateFile>,
    last_write: watch::Sender<LastWrite>,
    /// Keeps other programs away for as long as the store lives.
    _lock: DirectoryLock,
}

impl SnapshotStore {
    /// Opens the store of a directory, an empty one if there is none. Leases of earlier runs are void. `start` is the present
    /// time; if the file was written later than that, time goes on from there.
    ///
    /// # Errors
    /// `Unreadable`: there is a file, and it is not understood; it stays as it is. `Machine`: it cannot be read, or no file can
    /// be written there.
    pub fn open(
        lock: DirectoryLock,
        clock: Arc<dyn Clock>,
        start: Timestamp,
        policy: &Policy,
    ) -> Result<Self, OpenError> {
        let (file, snapshot) = StateFile::open(lock.directory())?;
        let memory = match snapshot {
            Some(snapshot) => MemoryStore::restore(snapshot, Leases::Void, clock, start, policy),
            None => MemoryStore::new(clock, start, policy),
        };
        file.write(&memory)?;
        let last_write = watch::Sender::new(LastWrite::default());
        Ok(Self { memory: Arc::new(memory), file: Arc::new(file), last_write, _lock: lock })
    }

    /// Records a submission as [`Builds::create`] does, and with each of its builds, in the same write, what it was made from:
    /// a text that only the caller understands.
    ///
    /// # Errors
    /// As [`Builds::create`].
    ///
    /// [`Builds::create`]: mbs_core::store::Builds::create
    pub async fn create_from(&self, create: Create, origin: &str) -> Result<Created, StoreError> {
        self.catch_up().await?;
        let created = self.memory.create(create).await?;
        for build in &created.builds {
            self.file.note_origin(build.id, origin);
        }
        self.write().await?;
        Ok(created)
    }

    /// Returns what a build was made from; `None` if nobody said.
    pub fn origin(&self, id: BuildId) -> Option<String> {
        self.file.origin(id)
    }

    /// Returns what became of the last write, and of those to come: each may hold news of a build.
    pub fn writes(&self) -> watch::Receiver<LastWrite> {
        self.last_write.subscribe()
    }

    /// Writes everything, leases and due times included.
    ///
    /// # Errors
    /// `Unavailable`, naming the file and what the system said.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.write().await
    }

    /// Makes a change in memory and returns once it is in the file.
    async fn changed<T>(&self, change: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.catch_up().await?;
        let value = change.await?;
        self.write().await?;
        Ok(value)
    }

    /// Answers from memory, which must not be ahead of a file that cannot be written.
    async fn answered<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.catch_up().await?;
        answer.await
    }

    /// Writes what an earlier call could not write.
    async fn catch_up(&self) -> Result<(), StoreError> {
        if self.last_write.borrow().failure.is_some() { self.write().await } else { Ok(()) }
    }

    /// Writes what is newer than the file. A write that has begun ends even if nobody waits for it any more.
    async fn write(&self) -> Result<(), StoreError> {
        let (file, memory) = (Arc::clone(&self.file), Arc::clone(&self.memory));
        let last_write = self.last_write.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let failure = file.write(&memory).err().map(Arc::new);
            last_write.send_modify(|last| {
                last.count += u64::from(failure.is_none());
                last.failure.clone_from(&failure);
            });
            failure
        });
        match writing.await {
            Ok(None) => Ok(()),
            Ok(Some(error)) => Err(StoreError::Unavailable { reason: error.to_string() }),
            Err(stopped) => Err(StoreError::Unavailable { reason: stopped.to_string() }),
        }
    }
}
