//! Reaching a database, and bringing its schema up.
//!
//! Migrations go forward only, and each is safe to run while processes of the version before it still work.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

/// The migrations this program knows.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// The schema this program needs: the number of its last migration.
pub const SCHEMA: i64 = 7;

/// Most connections of a process; its calls wait for one.
const CONNECTIONS: u32 = 10;

/// So many more are for claims and renewals, which take turns quickly, and for listening.
const CONNECTIONS_APART: u32 = 4;

/// How long a call waits for a connection.
const WAIT: Duration = Duration::from_secs(10);

/// Limits that the server holds each connection to, so that nobody waits for one that hangs.
///
/// What a save relies on is said, too, whatever a database or a user has been set to: that each statement sees what was
/// committed before it, and that what was committed stays.
///
/// Pages of a database are in memory or on a disk that seeks at once: what PostgreSQL supposes by itself makes it read whole
/// tables where a few rows are asked for.
const LIMITS: [(&str, &str); 6] = [
    ("statement_timeout", "20s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "20s"),
    ("default_transaction_isolation", "read committed"),
    ("synchronous_commit", "on"),
    ("random_page_cost", "1.1"),
];

/// For claims and renewals a commit need not wait for the disk: if the server loses one in a crash, the lease is gone, and who
/// held it saves nothing.
const MAY_BE_LOST: [(&str, &str); 1] = [("synchronous_commit", "off")];

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is none that this store understands.
    #[error("the address of the database is not understood")]
    Address(#[source] sqlx::Error),
    /// The database does not answer, or does not let us in.
    #[error("the database {name} cannot be reached")]
    Unreachable {
        /// The database, without its password.
        name: String,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
    /// The schema is older than this program.
    #[error("database schema is at {schema}, this program needs {SCHEMA}: run mbs-manager upgradedb")]
    Behind {
        /// The number of its last migration; 0 for an empty database.
        schema: i64,
    },
    /// A migration did not go through. Those before it hold.
    #[error("the schema cannot be brought up")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// What an upgrade did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upgraded {
    /// The schema before; 0 for an empty database.
    pub from: i64,
    /// The schema now; larger than [`SCHEMA`] if a newer program was here.
    pub to: i64,
}

/// Brings the schema of a database up to [`SCHEMA`]. Programs that do so at the same time wait for each other; one that is up
/// already, or newer, stays as it is.
///
/// # Errors
/// As [`PostgresStore::connect`](crate::PostgresStore::connect), and [`OpenError::Migration`].
pub async fn upgrade(url: &str) -> Result<Upgraded, OpenError> {
    let (options, name) = options(url)?;
    // Building an index may take long.
    let options = options.options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let unreachable = |source| OpenError::Unreachable { name: name.clone(), source };
    let mut connection = PgConnection::connect_with(&options).await.map_err(unreachable)?;
    let from = schema(&mut connection).await.map_err(unreachable)?;
    if from < SCHEMA {
        MIGRATIONS.run(&mut connection).await?;
    }
    let to = schema(&mut connection).await.map_err(unreachable)?;
    Ok(Upgraded { from, to })
}

/// The connections of a process.
pub(crate) struct Connected {
    pub(crate) pool: PgPool,
    pub(crate) apart: PgPool,
    pub(crate) name: String,
}

pub(crate) async fn connect(url: &str) -> Result<Connected, OpenError> {
    let (options, name) = options(url)?;
    let pool = |connections| PgPoolOptions::new().max_connections(connections).acquire_timeout(WAIT);
    let apart = pool(CONNECTIONS_APART).connect_lazy_with(options.clone().options(MAY_BE_LOST));
    match pool(CONNECTIONS).connect_with(options).await {
        Ok(pool) => Ok(Connected { pool, apart, name }),
        Err(source) => Err(OpenError::Unreachable { name, source }),
    }
}

/// Refuses a schema that is older than this program. A newer one serves it: migrations keep what it needs.
pub(crate) async fn check(pool: &PgPool, name: &str) -> Result<(), OpenError> {
    let failed = |source| OpenError::Unreachable { name: name.to_owned(), source };
    let mut connection = pool.acquire().await.map_err(failed)?;
    let schema = schema(&mut connection).await.map_err(failed)?;
    if schema < SCHEMA { Err(OpenError::Behind { schema }) } else { Ok(()) }
}

fn options(url: &str) -> Result<(PgConnectOptions, String), OpenError> {
    let options = PgConnectOptions::from_str(url).map_err(OpenError::Address)?;
    let name =
        format!("{} on {}", options.get_database().unwrap_or("of the user's name"), options.get_host());
    Ok((options.application_name("mbs").options(LIMITS), name))
}

/// Returns the number of the last migration that went through.
async fn schema(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let table = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(table).fetch_one(&mut *connection).await? {
        return Ok(0);
    }
    let last = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";
    sqlx::query_scalar(last).fetch_one(connection).await
}
