//! The contract suite of stores.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::contract::{self, Kept, StoreGround};
use mbs_core::memory::{ManualClock, MemoryStore};
use mbs_core::policy::Policy;
use mbs_core::store::Store;
use mbs_store_postgres::PostgresStore;
use mbs_store_postgres::cluster::TestDatabase;

use crate::samples::start;
use crate::servers::{self, InFile};

fn assert_kept(kept: &Kept) {
    assert!(kept.left_out.is_empty(), "{kept}");
}

struct InMemory {
    clock: Arc<ManualClock>,
    store: MemoryStore,
}

#[async_trait]
impl StoreGround for InMemory {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let kept = contract::store(async || {
        let clock = Arc::new(ManualClock::new());
        InMemory { store: MemoryStore::new(clock.clone(), start(), &Policy::default()), clock }
    });
    assert_kept(&kept.await.unwrap());
}

struct OnPostgres {
    time: Mutex<Timestamp>,
    store: PostgresStore,
    database: TestDatabase,
}

#[async_trait]
impl StoreGround for OnPostgres {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    async fn pass(&self, time: Duration) {
        let time = {
            let mut now = self.time.lock().unwrap();
            *now = now.checked_add(time).unwrap();
            *now
        };
        self.database.set_time(time).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_keeps_the_contract() {
    let kept = contract::store(async || {
        let (store, database) = servers::postgres().await;
        OnPostgres { time: Mutex::new(start()), store, database }
    });
    assert_kept(&kept.await.unwrap());
}

#[async_trait]
impl StoreGround for InFile {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    async fn pass(&self, time: Duration) {
        InFile::pass(self, time);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_the_contract() {
    let kept = contract::store(InFile::new);
    assert_kept(&kept.await.unwrap());
}
