//! Opening a file, and bringing its schema up.
//!
//! Decides whether a file is one that this program may work on. A file that it may not is left as it is.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};

use crate::Time;
use crate::error::{code, primary_code};
use crate::header::{Beginning, beginning};
use crate::network::networked;

/// The schema that this program works on.
pub const SCHEMA: i64 = 7;

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!();

/// So long a statement waits for the locks of others.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many rows of an index are looked at to know how its values are spread.
const ROWS_ANALYSED: u32 = 1_000;

/// So many calls read at once.
const READERS: u32 = 4;

/// Why a file cannot be worked on, by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is on a file system of the network. Keep it on a disk of this machine.
    #[error(
        "{} is on a network file system ({kind}), where SQLite's locks do not hold: keep it on a disk of this machine",
        path.display()
    )]
    NetworkFile {
        /// The file.
        path: PathBuf,
        /// The type of the file system.
        kind: String,
    },
    /// It is no store of this program. It was left as it is; the reason says what to do.
    #[error("{} cannot be used: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// Its schema has to be brought up first, by [`upgrade`].
    #[error("database schema is at {schema}, this program needs {needed}: run mbs-manager upgradedb")]
    Behind {
        /// The schema it has.
        schema: i64,
        /// The schema that this program works on.
        needed: i64,
    },
    /// This machine does not let it be opened. Nothing is known about it.
    #[error("{} cannot be opened", path.display())]
    Machine {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// How a store is opened. By default a file is made if there is none, and the time is this machine's.
#[derive(Clone)]
pub struct Options {
    /// Whether a file is made if there is none.
    pub create: bool,
    /// What tells the time.
    pub time: Time,
}

impl Default for Options {
    fn default() -> Self {
        Self { create: true, time: Arc::new(Timestamp::now) }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("create", &self.create).finish_non_exhaustive()
    }
}

/// What [`upgrade`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upgraded {
    /// The schema before; 0: there was none.
    pub from: i64,
    /// The schema since.
    pub to: i64,
}

/// Brings the schema of a file up, or makes one: all of it or nothing. Of two programs that do so at once the second finds it
/// done.
///
/// # Errors
/// [`OpenError::NetworkFile`], [`OpenError::Unreadable`], [`OpenError::Machine`].
pub async fn upgrade(path: impl AsRef<Path>) -> Result<Upgraded, OpenError> {
    let path = path.as_ref();
    let found = inspect(path, true).await?;
    if found == SCHEMA { Ok(Upgraded { from: SCHEMA, to: SCHEMA }) } else { migrate(path).await }
}

/// Makes sure that a file is there and has the schema of this program.
pub(crate) async fn prepare(path: &Path, create: bool) -> Result<(), OpenError> {
    match inspect(path, create).await? {
        SCHEMA => Ok(()),
        0 => migrate(path).await.map(drop),
        schema => Err(OpenError::Behind { schema, needed: SCHEMA }),
    }
}

/// Opens the one connection that writes, and those that read.
pub(crate) async fn connections(path: &Path) -> Result<(SqlitePool, SqlitePool), OpenError> {
    let pool = || {
        let pool = SqlitePoolOptions::new().acquire_timeout(3 * PATIENCE).test_before_acquire(false);
        // SQLite itself undoes a transaction for which there is no space left, and sqlx goes on counting it as begun: on such a
        // connection none could begin again.
        pool.idle_timeout(None).max_lifetime(None).after_release(|connection, _| {
            Box::pin(async move {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
    };
    let writing = writing(path);
    let reading = writing.clone().pragma("query_only", "ON");
    let writer = pool().max_connections(1).connect_with(writing).await.map_err(|e| failed(path, e))?;
    let readers = pool().max_connections(READERS).connect_with(reading).await.map_err(|e| failed(path, e))?;
    Ok((writer, readers))
}

/// Returns how a file is opened that must be there, and is left as it is.
pub(crate) fn existing(path: &Path) -> SqliteConnectOptions {
    // As an absolute path it has no meaning but that of a file.
    let file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    SqliteConnectOptions::new().filename(file).busy_timeout(PATIENCE).foreign_keys(true)
}

fn writing(path: &Path) -> SqliteConnectOptions {
    let options = existing(path).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    // Not more than a megabyte is written beside the file before it goes into it.
    let options = options.pragma("wal_autocheckpoint", "256");
    // What the planner of queries goes by is brought up to date at the end.
    options.optimize_on_close(true, ROWS_ANALYSED)
}

/// Returns the schema of a file; 0 if it is empty, or not there and may be made.
async fn inspect(path: &Path, create: bool) -> Result<i64, OpenError> {
    let networked = networked(path).map_err(|error| machine(path, error))?;
    if let Some(kind) = networked {
        return Err(OpenError::NetworkFile { path: path.to_owned(), kind });
    }
    match beginning(path) {
        Ok(Beginning::Empty) => return Ok(0),
        Ok(Beginning::Database) => {}
        Ok(Beginning::Other) => return Err(no_database(path)),
        Ok(Beginning::Cut) => return Err(damaged(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && create => return Ok(0),
        Err(error) => return Err(machine(path, error)),
    }
    let schema = async {
        let mut connection = existing(path).connect().await?;
        let schema = schema(&mut connection).await;
        connection.close().await?;
        schema
    };
    let schema = schema.await.map_err(|error| failed(path, error))?;
    schema.map_err(|reason| unreadable(path, reason))
}

/// Returns the schema of a database, or why this program has no business with it.
async fn schema(connection: &mut SqliteConnection) -> Result<Result<i64, String>, sqlx::Error> {
    let objects: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema").fetch_all(&mut *connection).await?;
    if objects.is_empty() {
        return Ok(Ok(0));
    }
    if !objects.iter().any(|name| name == "_sqlx_migrations") {
        return Ok(Err("it is a database of another program; name another file".into()));
    }
    let applied = sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version");
    Ok(known(&applied.fetch_all(connection).await?))
}

fn known(applied: &[(i64, Vec<u8>)]) -> Result<i64, String> {
    let schema = applied.last().map_or(0, |(version, _)| *version);
    if schema > SCHEMA {
        return Err(format!(
            "its schema is at {schema}, this program knows {SCHEMA}: use the version that wrote it, or a newer one"
        ));
    }
    let ours = MIGRATIONS.iter().map(|migration| (migration.version, &*migration.checksum));
    let theirs = applied.iter().map(|(version, checksum)| (*version, &**checksum));
    if ours.take(applied.len()).eq(theirs) {
        Ok(schema)
    } else {
        Err("its schema is not one of this program; name another file, or restore it from a copy".into())
    }
}

/// Applies all migrations that are missing in one transaction.
async fn migrate(path: &Path) -> Result<Upgraded, OpenError> {
    let mut connection = connect_to_migrate(path).await.map_err(|error| failed(path, error))?;
    let upgraded = migrate_over(path, &mut connection).await;
    connection.close().await.map_err(|error| failed(path, error))?;
    upgraded
}

async fn migrate_over(path: &Path, connection: &mut SqliteConnection) -> Result<Upgraded, OpenError> {
    let failed = |error| failed(path, error);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let from = schema(&mut transaction).await.map_err(failed)?;
    let from = from.map_err(|reason| unreadable(path, reason))?;
    let applied = MIGRATIONS.run_direct(None, &mut *transaction, false).await;
    applied.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        error => machine(path, error),
    })?;
    transaction.commit().await.map_err(failed)?;
    Ok(Upgraded { from, to: SCHEMA })
}

/// The change to WAL mode does not wait for the locks of others, so it is tried again.
async fn connect_to_migrate(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let begun = Instant::now();
    loop {
        match writing(path).create_if_missing(true).connect().await {
            Err(error) if primary_code(&error) == Some(code::BUSY) && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return outcome,
        }
    }
}

fn failed(path: &Path, error: sqlx::Error) -> OpenError {
    match primary_code(&error) {
        Some(code::NOT_A_DATABASE) => no_database(path),
        Some(code::CORRUPT) => damaged(path),
        Some(code::FULL) => machine(path, format!("no space left for {}: make room there", path.display())),
        _ => machine(path, error),
    }
}

fn damaged(path: &Path) -> OpenError {
    unreadable(path, "it is damaged, and was left untouched: restore it from a copy")
}

fn no_database(path: &Path) -> OpenError {
    unreadable(path, "it is not an SQLite database; name another file")
}

fn unreadable(path: &Path, reason: impl Into<String>) -> OpenError {
    OpenError::Unreadable { path: path.to_owned(), reason: reason.into() }
}

fn machine(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> OpenError {
    OpenError::Machine { path: path.to_owned(), source: source.into() }
}
