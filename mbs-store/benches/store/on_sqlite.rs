//! SQLite: loading a file by statements that take the rows of many builds at once, as JSON.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use mbs_core::policy::Policy;
use mbs_core::store::Store;
use mbs_store_sqlite::SqliteStore;
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::rows::{BESIDE, BUILDS, Cell, Rower, Table};

/// A store in a file that is loaded, and its directory.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: String,
    _directory: tempfile::TempDir,
}

/// Makes a file and loads it.
pub(crate) async fn load(rower: &Rower, policy: &Policy) -> Loaded {
    let directory = tempfile::tempdir().expect("there is a place for files that go again");
    let path = directory.path().join("mbs.db");
    mbs_store_sqlite::upgrade(&path).await.expect("the file can be made");
    fill(&path, rower).await.expect("the rows fit the tables");
    let store = SqliteStore::open(&path, policy).await.expect("the file is there");
    let size = std::fs::metadata(&path).map_or(0, |file| file.len() / 1_000_000);
    let settings = format!("a file of {size} MB, in WAL mode, synchronous");
    Loaded { store: Arc::new(store), settings, _directory: directory }
}

async fn fill(path: &Path, rower: &Rower) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
    let mut connection = options.pragma("synchronous", "OFF").connect().await?;
    let began = Instant::now();
    let indexes = drop_indexes(&mut connection).await?;
    let last = rower
        .in_chunks(async |rows| {
            let mut transaction = connection.begin().await?;
            for (table, rows) in std::iter::once(&BUILDS).chain(&BESIDE).zip(rows) {
                insert(&mut transaction, table, rows).await?;
            }
            transaction.commit().await
        })
        .await?;
    for index in indexes {
        sqlx::raw_sql(AssertSqlSafe(index)).execute(&mut connection).await?;
    }
    let rest = format!(
        "UPDATE counters SET last = (SELECT max(id) FROM module_builds) WHERE name = 'build';
         UPDATE counters SET last = (SELECT max(id) FROM components) WHERE name = 'component';
         UPDATE publication SET last_number = {last};
         INSERT INTO sinks (sink, floor) VALUES ('bus', {last});
         PRAGMA wal_checkpoint(TRUNCATE);"
    );
    sqlx::raw_sql(AssertSqlSafe(rest)).execute(&mut connection).await?;
    connection.close().await?;
    eprintln!("loaded in {} s", began.elapsed().as_secs());
    Ok(())
}

/// Takes the indexes away, and returns how to make them again.
async fn drop_indexes(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let indexes: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
            .fetch_all(&mut *connection)
            .await?;
    for (name, _) in &indexes {
        sqlx::raw_sql(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(&mut *connection).await?;
    }
    Ok(indexes.into_iter().map(|(_, definition)| definition).collect())
}

async fn insert(
    connection: &mut SqliteConnection,
    table: &Table,
    rows: &[Vec<Cell>],
) -> Result<(), sqlx::Error> {
    // Repositories that are waited for have a table of their own there; the fleet waits for none.
    let columns: Vec<&str> = table.columns.split(' ').filter(|column| *column != "repo_tasks").collect();
    let values: Vec<String> = (0..columns.len()).map(|place| format!("value ->> {place}")).collect();
    let statement = format!(
        "INSERT INTO {} (\"{}\") SELECT {} FROM json_each(?1)",
        table.name,
        columns.join("\", \""),
        values.join(", ")
    );
    let rows: Vec<Vec<Value>> = rows.iter().map(|row| row.iter().map(json).collect()).collect();
    let rows = serde_json::to_string(&rows).expect("rows can be written");
    sqlx::query(AssertSqlSafe(statement)).bind(rows).execute(connection).await?;
    Ok(())
}

fn json(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Number(number) => Value::from(*number),
        Cell::Decimal(number) => Value::from(*number),
        Cell::Flag(flag) => Value::from(*flag),
        Cell::Time(at) => Value::from(at.as_microsecond()),
        Cell::Numbers(numbers) => Value::from(numbers.as_slice()),
    }
}
