//! The store on PostgreSQL: many frontends and backends on one database.
//!
//! It keeps the contract of [`mbs_core::store`] and decides nothing of its own: what a record may become, who may take a slot
//! and what a save writes comes from the core. It never holds a lock across a call to another system, and no state of this
//! process decides anything: any number of processes work on one database.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use mbs_core::policy::Policy;
//! use mbs_store_postgres::{PostgresStore, upgrade};
//!
//! upgrade("postgresql:///mbs").await?;
//! let store = PostgresStore::connect("postgresql:///mbs", &Policy::default()).await?;
//! # Ok(()) }
//! ```

use std::fmt;
use std::sync::Arc;

use mbs_core::policy::Policy;
use mbs_core::store::{Rules, StoreError};
use sqlx::PgPool;

mod builds;
mod catalogue;
#[cfg(feature = "cluster")]
pub mod cluster;
mod create;
mod details;
mod documents;
mod error;
mod figures;
mod history;
mod line;
mod listing;
mod open;
mod outbox;
mod record;
mod taking;
mod text;
mod time;
mod tokens;
mod trim;
mod upkeep;
mod wakes;
mod work;
mod write;

pub use open::{OpenError, SCHEMA, Upgraded, upgrade};
pub use wakes::Wakes;

use documents::Documents;
use error::Failure;

/// So often a transaction is tried that loses against others.
const TRIES: usize = 5;

/// A store on a PostgreSQL database. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
    /// For claims and renewals, which must not wait behind saves that wait for each other, and for listening.
    apart: PgPool,
    rules: Arc<Rules>,
    documents: Arc<Documents>,
    /// The database, without its password.
    name: Arc<str>,
}

impl PostgresStore {
    /// Opens the store of a database. Of the policy it takes the length of leases, the gap between looks, what a held slot
    /// costs in line, how often the limit adapts, and the names of base modules.
    ///
    /// # Errors
    /// [`OpenError::Behind`]: the schema has to be brought up first. [`OpenError::Address`], [`OpenError::Unreachable`].
    pub async fn connect(url: &str, policy: &Policy) -> Result<Self, OpenError> {
        let open::Connected { pool, apart, name } = open::connect(url).await?;
        open::check(&pool, &name).await?;
        Ok(Self {
            pool,
            apart,
            rules: Arc::new(Rules::of(policy)),
            documents: Arc::default(),
            name: name.into(),
        })
    }

    /// Closes all connections; calls under way end first.
    pub async fn close(&self) {
        self.pool.close().await;
        self.apart.close().await;
    }

    /// Runs a transaction, anew if it was undone for the sake of another.
    async fn retried<T, F>(&self, transaction: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut tries = 1;
        loop {
            match transaction().await {
                Err(failure) if failure.was_undone() && tries < TRIES => tries += 1,
                outcome => return outcome.map_err(StoreError::from),
            }
        }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("database", &self.name).finish_non_exhaustive()
    }
}
