//! The PostgreSQL server of these tests, started once, and files for SQLite.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use mbs_core::policy::Policy;
use mbs_store_postgres::PostgresStore;
use mbs_store_postgres::cluster::{Cluster, TestDatabase};
use mbs_store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::samples::start;

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

/// Returns the server. Without one the test fails: nothing is skipped.
pub(crate) async fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(|| async { Cluster::start().await.expect("scripts/test installs PostgreSQL") }).await
}

/// Makes an empty database whose time stands still, and opens its store.
pub(crate) async fn postgres() -> (PostgresStore, TestDatabase) {
    let database = cluster().await.database(Some(start())).await.expect("the server makes databases");
    (PostgresStore::connect(&database.url, &Policy::default()).await.unwrap(), database)
}

/// A store in a file of its own, with the time it is told.
pub(crate) struct InFile {
    pub(crate) store: SqliteStore,
    time: Arc<Mutex<Timestamp>>,
    pub(crate) folder: TempDir,
}

impl InFile {
    pub(crate) async fn new() -> Self {
        let (folder, time) = (tempfile::tempdir().unwrap(), Arc::new(Mutex::new(start())));
        let told = time.clone();
        let options = Options { time: Arc::new(move || *told.lock().unwrap()), ..Options::default() };
        let store =
            SqliteStore::open_with(folder.path().join("mbs.db"), &Policy::default(), options).await.unwrap();
        Self { store, time, folder }
    }

    pub(crate) fn pass(&self, time: Duration) {
        let mut now = self.time.lock().unwrap();
        *now = now.checked_add(time).unwrap();
    }
}
