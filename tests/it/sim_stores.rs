//! Simulated worlds on real stores: no promise may be broken there either.
//!
//! `SIM_STORE_CASES` says how many worlds turn on each store (200 if it is not set), `SIM_SEED` the number of the first.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use mbs_core::memory::ManualClock;
use mbs_core::sim::{Parts, World};
use mbs_store_postgres::PostgresStore;
use mbs_store_postgres::cluster::{Cluster, TestDatabase};
use mbs_store_sqlite::{Options, SqliteStore};
use mbs_tests::world_store::{Watch, WorldStore};
use mbs_tests::worlds;
use sqlx::PgConnection;
use tempfile::TempDir;
use tokio::runtime::{Handle, Runtime};

const CASES: u64 = 200;

/// Makes a store for the world of a clock; `start` is its time when the clock stands at zero.
trait Stores: Sync {
    fn make(&self, clock: &Arc<ManualClock>, start: Timestamp, parts: &Parts) -> WorldStore;
}

fn parts(clock: &Arc<ManualClock>, stores: &dyn Stores) -> Parts {
    let parts = Parts::in_memory(clock);
    let start =
        parts.store.now().now_or_never().expect("memory answers at once").expect("memory knows its time");
    let store = Arc::new(stores.make(clock, start, &parts));
    Parts { store, ..parts }
}

/// Turns worlds, each with its own store, and says how many.
///
/// # Panics
/// A world breaks a promise.
fn turn_worlds(name: &str, stores: &dyn Stores) -> String {
    let run = |_, scenario, telling| World::with(scenario, telling, |clock| parts(clock, stores)).run();
    worlds::turn(name, worlds::number("SIM_STORE_CASES", CASES), run)
}

struct OnPostgres {
    cluster: Cluster,
    runtime: Handle,
}

#[derive(Debug)]
struct DatabaseWatch {
    connection: tokio::sync::Mutex<PgConnection>,
    _database: TestDatabase,
}

#[async_trait]
impl Watch for DatabaseWatch {
    async fn set(&self, time: Timestamp) {
        let mut connection = self.connection.lock().await;
        TestDatabase::set_time_over(&mut connection, time).await.expect("the server serves tests");
    }
}

impl Stores for OnPostgres {
    fn make(&self, clock: &Arc<ManualClock>, start: Timestamp, parts: &Parts) -> WorldStore {
        let (store, watch) = self.runtime.block_on(async {
            let database = self.cluster.database(Some(start)).await.expect("the server makes databases");
            let store = PostgresStore::connect(&database.url, &parts.policy).await.expect("it can be opened");
            let connection = tokio::sync::Mutex::new(database.connect().await.expect("it can be reached"));
            (store, DatabaseWatch { connection, _database: database })
        });
        WorldStore {
            store: Arc::new(store),
            watch: Box::new(watch),
            clock: clock.clone(),
            start,
            runtime: self.runtime.clone(),
            told: Mutex::new(Some(start)),
        }
    }
}

#[test]
fn no_world_on_postgresql_breaks_a_promise() {
    let runtime = Runtime::new().expect("there are threads");
    let cluster = runtime.block_on(Cluster::start()).expect("scripts/test installs PostgreSQL");
    println!("{}", turn_worlds("PostgreSQL", &OnPostgres { cluster, runtime: runtime.handle().clone() }));
}

struct InFiles {
    runtime: Handle,
}

#[derive(Debug)]
struct FileWatch {
    time: Arc<Mutex<Timestamp>>,
    _folder: TempDir,
}

#[async_trait]
impl Watch for FileWatch {
    async fn set(&self, time: Timestamp) {
        *self.time.lock().expect("nothing panics while it holds the time") = time;
    }
}

impl Stores for InFiles {
    fn make(&self, clock: &Arc<ManualClock>, start: Timestamp, parts: &Parts) -> WorldStore {
        let folder = tempfile::tempdir().expect("there is room for a file");
        let time = Arc::new(Mutex::new(start));
        let told = time.clone();
        let time_of_world = Arc::new(move || *told.lock().expect("nothing panics while it holds the time"));
        let options = Options { time: time_of_world, ..Options::default() };
        let opening = SqliteStore::open_with(folder.path().join("mbs.db"), &parts.policy, options);
        let store = self.runtime.block_on(opening).expect("it can be opened");
        WorldStore {
            store: Arc::new(store),
            watch: Box::new(FileWatch { time, _folder: folder }),
            clock: clock.clone(),
            start,
            runtime: self.runtime.clone(),
            told: Mutex::new(Some(start)),
        }
    }
}

#[test]
fn no_world_in_a_file_breaks_a_promise() {
    let runtime = Runtime::new().expect("there are threads");
    println!("{}", turn_worlds("SQLite", &InFiles { runtime: runtime.handle().clone() }));
}
