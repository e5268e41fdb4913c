//! The store in one SQLite file: a service on one machine, without a database server.
//!
//! It keeps the contract of [`mbs_core::store`] and decides nothing of its own: what a record may become, who may take a slot
//! and what a save writes comes from the core. Every call is one transaction; those that write take the file's write lock
//! before they read anything, the time included, so that one comes after the other. No state of this process decides
//! anything: several programs may work on one file, on one machine.
//!
//! What a call has answered is on the disk: the file is in WAL mode with `synchronous = FULL`. With `NORMAL`, SQLite would not
//! wait for the disk at each commit, and a power failure could undo a save whose submission Koji has seen.
//!
//! Statements without parameters name the schema, `main`: the query data of all stores lie in one folder, by the text of the
//! statement, and no two databases may have the same text.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use mbs_core::policy::Policy;
//! use mbs_store_sqlite::SqliteStore;
//!
//! let store = SqliteStore::open("/var/lib/mbs/mbs.db", &Policy::default()).await?;
//! let commits = store.changes();
//! # Ok(()) }
//! ```

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use mbs_core::policy::Policy;
use mbs_core::store::{Rules, StoreError};
use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::watch;

mod builds;
mod catalogue;
mod changes;
mod create;
mod details;
mod documents;
mod error;
mod figures;
mod head;
mod header;
mod history;
mod line;
mod listing;
mod network;
mod open;
mod outbox;
mod page;
mod parts;
mod record;
mod rows;
mod taking;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod tokens;
mod upkeep;
mod work;
mod write;

pub use open::{OpenError, Options, SCHEMA, Upgraded, upgrade};

use changes::Changes;
use documents::Documents;
use error::Outcome;

/// What tells the time.
pub type Time = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A store in an SQLite file. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct SqliteStore {
    /// One connection: who has it may wait for the write lock.
    writer: SqlitePool,
    readers: SqlitePool,
    rules: Arc<Rules>,
    documents: Arc<Documents>,
    changes: Arc<Changes>,
    time: Time,
    path: Arc<Path>,
}

impl SqliteStore {
    /// Opens the store in a file, which is made if there is none. Of the policy it takes the length of leases, the gap between
    /// looks, what a held slot costs in line, how often the limit adapts, and the names of base modules.
    ///
    /// # Errors
    /// [`OpenError::Behind`]: [`upgrade`] comes first. [`OpenError::NetworkFile`], [`OpenError::Unreadable`],
    /// [`OpenError::Machine`].
    pub async fn open(path: impl AsRef<Path>, policy: &Policy) -> Result<Self, OpenError> {
        Self::open_with(path, policy, Options::default()).await
    }

    /// As [`open`](Self::open), with another time, or only if there is a file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(
        path: impl AsRef<Path>,
        policy: &Policy,
        options: Options,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref();
        open::prepare(path, options.create).await?;
        let (writer, readers) = open::connections(path).await?;
        Ok(Self {
            writer,
            readers,
            rules: Arc::new(Rules::of(policy)),
            documents: Arc::default(),
            changes: Arc::new(Changes::of(path)),
            time: options.time,
            path: path.into(),
        })
    }

    /// Returns a number that grows with each commit that may have made something due or visible, whichever program made it:
    /// at once for those of this process, within a fifth of a second for others.
    ///
    /// # Panics
    /// Outside of a tokio runtime, which looks for the commits of others.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Returns why a call could not work on the file (no space, an error of the disk, damage); `None` if none has failed so
    /// since the last commit.
    pub fn failure(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.changes.failure()
    }

    /// Closes all connections; calls under way end first. Afterwards everything is in the one file, unless another program is
    /// at it, too.
    pub async fn close(&self) {
        self.changes.stop();
        self.readers.close().await;
        // Closing analyses tables, and what that writes would come after what is taken over here.
        let analysed =
            sqlx::query("PRAGMA analysis_limit = 1000; PRAGMA optimize").execute(&self.writer).await;
        let emptied = match analysed {
            Ok(_) => sqlx::query("PRAGMA main.wal_checkpoint(TRUNCATE)").execute(&self.writer).await,
            Err(error) => Err(error),
        };
        if let Err(error) = emptied {
            tracing::debug!(%error, "what was written last stays in a file of its own");
        }
        self.writer.close().await;
    }

    /// Begins a transaction that reads: one state over all its statements.
    async fn read(&self) -> Outcome<Transaction<'static, Sqlite>> {
        Ok(self.readers.begin().await?)
    }

    /// Tells the caller how a transaction ended.
    fn told<T>(&self, outcome: Outcome<T>) -> Result<T, StoreError> {
        outcome.map_err(|failure| {
            let is_of_file = failure.is_of_file();
            let told = failure.told(&self.path);
            if is_of_file {
                self.changes.note_failure(&told.to_string());
            }
            told
        })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}
