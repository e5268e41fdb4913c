//! Who looks into the database all the time, past every process under test.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use mbs_store_postgres::cluster::TestDatabase;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinHandle;

/// Between two looks, and before a lost connection is made anew.
const PAUSE: Duration = Duration::from_millis(15);

/// What is in progress, and how many builds are `ready` and `failed`: all of one moment.
const SIGHT: &str = "SELECT
    (SELECT count(*) FROM attempts WHERE is_live),
    (SELECT coalesce(sum(held), 0)::bigint FROM slots),
    (SELECT count(*) FROM module_builds WHERE state = 5),
    (SELECT count(*) FROM module_builds WHERE state = 4)";

/// What was seen so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// How often was looked.
    pub(crate) sights: u64,
    /// Most live attempts at a moment.
    pub(crate) most_live: i64,
    /// Most slots held at a moment.
    pub(crate) most_held: i64,
    /// How often all slots were in use.
    pub(crate) full: u64,
    /// Slots held, of all looks together.
    held: i64,
    /// Builds that are ready.
    pub(crate) ready: i64,
    /// Builds that failed.
    pub(crate) failed: i64,
}

impl Seen {
    /// Returns how many slots were held on average.
    pub(crate) fn held_on_average(&self) -> f64 {
        self.held as f64 / self.sights.max(1) as f64
    }
}

/// Looks until it is dropped.
#[derive(Debug)]
pub(crate) struct Observer {
    seen: Arc<Mutex<Seen>>,
    looking: JoinHandle<()>,
}

impl Observer {
    /// Begins to look.
    pub(crate) fn begin(database: Arc<TestDatabase>, limit: i64) -> Self {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let noted = Arc::clone(&seen);
        let looking = tokio::spawn(async move {
            loop {
                if let Ok(mut connection) = database.connect().await {
                    // It ends when the server does.
                    drop(watch(&mut connection, &noted, limit).await);
                    drop(connection.close_hard().await);
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { seen, looking }
    }

    /// Returns what was seen.
    pub(crate) fn seen(&self) -> Seen {
        *lock(&self.seen)
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().expect("nothing panics while it holds what was seen")
}

async fn watch(connection: &mut PgConnection, noted: &Mutex<Seen>, limit: i64) -> Result<(), sqlx::Error> {
    loop {
        let sight = sqlx::query_as::<_, (i64, i64, i64, i64)>(SIGHT);
        let (live, held, ready, failed) = sight.fetch_one(&mut *connection).await?;
        {
            let mut seen = lock(noted);
            seen.sights += 1;
            seen.most_live = seen.most_live.max(live);
            seen.most_held = seen.most_held.max(held);
            seen.full += u64::from(held == limit);
            seen.held += held;
            (seen.ready, seen.failed) = (ready, failed);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
