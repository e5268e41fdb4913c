//! PostgreSQL: loading by COPY, and the plans that it says it makes.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mbs_core::policy::Policy;
use mbs_core::store::Store;
use mbs_store_postgres::PostgresStore;
use mbs_store_postgres::cluster::{Cluster, TestDatabase};
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{AssertSqlSafe, PgPool};

use crate::lists::RUNS;
use crate::rows::{BESIDE, BUILDS, Cell, Rower, Table};
use crate::table::Figures;

/// Tables that no list may read from end to end.
const BIG: [&str; 5] = ["module_builds", "components", "documents", "base_modules", "virtual_streams"];

/// A database that is loaded, and its server.
pub(crate) struct Loaded {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: String,
    url: String,
    _server: Option<(Cluster, TestDatabase)>,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a store writes to the log of its process: plans, here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Takes what was written since the last time.
    pub(crate) fn take(&self) -> String {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *written)).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a database and loads it; or takes one that an earlier run loaded.
pub(crate) async fn load(rower: &Rower, policy: &Policy) -> Loaded {
    let (url, server) = match std::env::var("MBS_BENCH_LOADED") {
        Ok(url) => (url, None),
        Err(_) => {
            let cluster = Cluster::start().await.expect("PostgreSQL is installed");
            let database = cluster.database(None).await.expect("the server makes databases");
            fill(&database.url, rower).await.expect("the rows fit the tables");
            (database.url.clone(), Some((cluster, database)))
        }
    };
    let settings = settings(&url).await.expect("the server says how it is set");
    let store = PostgresStore::connect(&url, policy).await.expect("the database is there");
    Loaded { store: Arc::new(store), settings, url, _server: server }
}

async fn settings(url: &str) -> Result<String, sqlx::Error> {
    let pool = PgPool::connect(url).await?;
    // An earlier run asked for plans.
    let reset = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET ALL', current_database()); END $$";
    sqlx::raw_sql(reset).execute(&pool).await?;
    warm(&pool).await?;
    let said = "SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
                WHERE name IN ('server_version', 'fsync', 'synchronous_commit', 'shared_buffers')";
    let said: String = sqlx::query_scalar(said).fetch_one(&pool).await?;
    let disk = commit(&pool).await?;
    let size =
        "SELECT string_agg(c.relname || ' ' || pg_size_pretty(pg_relation_size(c.oid)) || ' and indexes of '
                    || pg_size_pretty(pg_indexes_size(c.oid)), ', ' ORDER BY c.relname)
                FROM pg_class c WHERE c.relname IN ('module_builds', 'components')";
    let size: String = sqlx::query_scalar(size).fetch_one(&pool).await?;
    pool.close().await;
    Ok(format!("{said}; {size}; a commit of one row takes {:.2} ms", disk.within(50)))
}

/// Takes the time of the least that a commit can be, which is mostly the disk's.
async fn commit(pool: &PgPool) -> Result<Figures, sqlx::Error> {
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS disk (n integer)").execute(pool).await?;
    let mut figures = Figures::default();
    for _ in 0..RUNS {
        figures.time(sqlx::query("INSERT INTO disk VALUES (1)").execute(pool)).await?;
    }
    Ok(figures)
}

/// Reads everything once, as a server has that is up for a while.
async fn warm(pool: &PgPool) -> Result<(), sqlx::Error> {
    for table in std::iter::once(BUILDS).chain(BESIDE) {
        let read = format!("SELECT count(t::text) FROM {} t", table.name);
        sqlx::raw_sql(AssertSqlSafe(read)).execute(pool).await?;
    }
    Ok(())
}

async fn fill(url: &str, rower: &Rower) -> Result<(), sqlx::Error> {
    let pool = PgPool::connect(url).await?;
    let began = Instant::now();
    let indexes = drop_indexes(&pool).await?;
    let last = rower
        .in_chunks(async |rows| {
            for (table, rows) in std::iter::once(&BUILDS).chain(&BESIDE).zip(rows) {
                copy(&pool, table, rows).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
        .await?;
    for index in indexes {
        sqlx::raw_sql(AssertSqlSafe(index)).execute(&pool).await?;
    }
    let rest = format!(
        "SELECT setval('module_builds_id_seq', max(id)) FROM module_builds;
         SELECT setval('components_id_seq', max(id)) FROM components;
         UPDATE publication SET last_number = {last};
         INSERT INTO sinks (sink, floor) VALUES ('bus', {last});"
    );
    sqlx::raw_sql(AssertSqlSafe(rest)).execute(&pool).await?;
    for tidy in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
        sqlx::raw_sql(tidy).execute(&pool).await?;
    }
    pool.close().await;
    eprintln!("loaded in {} s", began.elapsed().as_secs());
    Ok(())
}

/// Takes the indexes away that lists need, and returns how to make them again.
async fn drop_indexes(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT indexname::text, indexdef FROM pg_indexes
         WHERE schemaname = 'public' AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)",
    )
    .fetch_all(pool)
    .await?;
    for (name, _) in &indexes {
        sqlx::raw_sql(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(pool).await?;
    }
    Ok(indexes.into_iter().map(|(_, definition)| definition).collect())
}

async fn copy(pool: &PgPool, table: &Table, rows: &[Vec<Cell>]) -> Result<(), sqlx::Error> {
    let mut text = String::new();
    for row in rows {
        for (place, cell) in row.iter().enumerate() {
            text.push_str(if place == 0 { "" } else { "\t" });
            write_cell(&mut text, cell);
        }
        text.push('\n');
    }
    let columns = table.columns.split(' ').collect::<Vec<_>>().join(", ");
    let mut copy = pool.copy_in_raw(&format!("COPY {} ({columns}) FROM STDIN", table.name)).await?;
    copy.send(text.into_bytes()).await?;
    copy.finish().await?;
    Ok(())
}

fn write_cell(text: &mut String, cell: &Cell) {
    let written = match cell {
        Cell::Null => write!(text, "\\N"),
        Cell::Text(value) => {
            for c in value.chars() {
                match c {
                    '\\' => text.push_str("\\\\"),
                    '\n' => text.push_str("\\n"),
                    '\t' => text.push_str("\\t"),
                    c => text.push(c),
                }
            }
            Ok(())
        }
        Cell::Number(number) => write!(text, "{number}"),
        Cell::Decimal(number) => write!(text, "{number}"),
        Cell::Flag(flag) => write!(text, "{flag}"),
        Cell::Time(at) => write!(text, "{at}"),
        Cell::Numbers(numbers) => {
            let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
            write!(text, "{{{}}}", numbers.join(","))
        }
    };
    written.expect("writing to a string cannot fail");
}

impl Loaded {
    /// Opens the store once more; the server tells its connections each plan, and they write it to the log.
    pub(crate) async fn explaining(&self, policy: &Policy) -> Arc<dyn Store> {
        let pool = PgPool::connect(&self.url).await.expect("it was reached before");
        let set = "DO $$ BEGIN
            EXECUTE format('ALTER DATABASE %I SET session_preload_libraries = auto_explain', current_database());
            EXECUTE format('ALTER DATABASE %I SET auto_explain.log_min_duration = 0', current_database());
            EXECUTE format('ALTER DATABASE %I SET auto_explain.log_nested_statements = on', current_database());
            EXECUTE format('ALTER DATABASE %I SET auto_explain.log_level = notice', current_database());
        END $$";
        sqlx::raw_sql(set).execute(&pool).await.expect("the superuser may");
        pool.close().await;
        Arc::new(PostgresStore::connect(&self.url, policy).await.expect("the database is there"))
    }
}

/// Returns the big tables that plans read from end to end.
pub(crate) fn scanned(plans: &str) -> Vec<&'static str> {
    BIG.into_iter().filter(|table| plans.contains(&format!("Seq Scan on {table}"))).collect()
}
