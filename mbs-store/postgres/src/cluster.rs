//! A throw-away PostgreSQL for tests: a server of their own from the distribution's binaries, and databases on it by the dozen.
//!
//! The server runs on a socket in a directory of its own, as another user where it is started by root, and ends with the process
//! that started it, however that ends. It keeps nothing: it does not even wait for its disk. Where `MBS_TEST_DATABASE_URL` names
//! a server, databases are made on that instead, and dropped.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::OnceCell;

use crate::time::sql;

/// Names a server to use instead of one of our own.
const OTHER_SERVER: &str = "MBS_TEST_DATABASE_URL";

/// The user of the database, who may do everything there.
const SUPERUSER: &str = "mbs";

/// Where distributions keep the binaries, beside the path.
const BINARIES: [&str; 2] = ["/usr/lib/postgresql", "/usr/pgsql-15/bin"];

/// How long a server may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many servers this process has started.
static STARTED: AtomicU64 = AtomicU64::new(0);

/// Runs the server until its own input ends, which it does with the process that holds the other end; then it goes with all
/// it made.
const KEEPER: &str = r#"
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c max_connections=200 $3 >>"$2/log" 2>&1 &
server=$!
read -r order
if [ "$order" = restart ]; then kill -INT "$server"; else kill -QUIT "$server"; fi
wait "$server"
[ "$order" = restart ] || rm -rf "$2"
"#;

/// What keeps a server from starting, or a database from being made.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// PostgreSQL is not installed.
    #[error("no PostgreSQL server is installed: neither initdb on the path nor anything in {}", BINARIES.join(", "))]
    Missing,
    /// A program could not be run, or a file not be written.
    #[error("{what}")]
    Machine {
        /// What was tried.
        what: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The server did not come up, or a program ended badly; what it said.
    #[error("PostgreSQL does not start: {0}")]
    Broken(String),
    /// The server was asked something and refused.
    #[error("the server of the tests refuses")]
    Refused(#[from] sqlx::Error),
    /// The schema could not be made.
    #[error("the schema of the tests cannot be made")]
    Schema(#[from] crate::OpenError),
}

/// A server, and how to reach it.
#[derive(Debug)]
pub struct Cluster {
    /// `None`: somebody else's server.
    own: Option<Own>,
    server: PgConnectOptions,
    template: OnceCell<String>,
    count: AtomicU64,
}

#[derive(Debug)]
struct Own {
    directory: PathBuf,
    binaries: PathBuf,
    keeper: std::sync::Mutex<Child>,
}

/// A database of the schema this program needs, empty.
#[derive(Debug)]
pub struct TestDatabase {
    /// How to open it.
    pub url: String,
    options: PgConnectOptions,
}

impl Cluster {
    /// Starts a server, or reaches the one that the environment names.
    ///
    /// # Errors
    /// Any: there is nothing to test with.
    pub async fn start() -> Result<Self, ClusterError> {
        let (own, server) = match std::env::var(OTHER_SERVER) {
            Ok(url) => (None, PgConnectOptions::from_str(&url)?),
            Err(_) => {
                let own = Own::prepare()?;
                let server =
                    PgConnectOptions::new_without_pgpass().socket(&own.directory).username(SUPERUSER);
                (Some(own), server.database("postgres"))
            }
        };
        let cluster = Self { own, server, template: OnceCell::new(), count: AtomicU64::new(0) };
        cluster.wait().await?;
        Ok(cluster)
    }

    /// Makes an empty database. `time`: what its store takes for the time, until told otherwise; `None`: the server's clock.
    ///
    /// # Errors
    /// Any: the server does not serve tests.
    pub async fn database(&self, time: Option<Timestamp>) -> Result<TestDatabase, ClusterError> {
        let template = self.template.get_or_try_init(|| self.make_template()).await?;
        let database = self.create(&format!("TEMPLATE {template}")).await?;
        if let Some(time) = time {
            database.give_time(time).await?;
        }
        Ok(database)
    }

    /// Makes a database without any schema.
    ///
    /// # Errors
    /// Any: the server does not serve tests.
    pub async fn bare_database(&self) -> Result<TestDatabase, ClusterError> {
        self.create("").await
    }

    /// Ends the server with all its connections and starts it again; its data stay.
    ///
    /// # Errors
    /// `Broken` too if it is somebody else's server.
    pub async fn restart(&self) -> Result<(), ClusterError> {
        let own =
            self.own.as_ref().ok_or_else(|| ClusterError::Broken("it is not ours to restart".to_owned()))?;
        own.restart()?;
        self.wait().await
    }

    async fn wait(&self) -> Result<(), ClusterError> {
        let began = std::time::Instant::now();
        loop {
            match PgConnection::connect_with(&self.server).await {
                Ok(connection) => return Ok(connection.close().await?),
                Err(error) if self.own.is_none() || began.elapsed() > PATIENCE => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn make_template(&self) -> Result<String, ClusterError> {
        let database = self.create("").await?;
        crate::upgrade(&database.url).await?;
        Ok(database.options.get_database().unwrap_or_default().to_owned())
    }

    async fn create(&self, how: &str) -> Result<TestDatabase, ClusterError> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("mbs_test_{}_{number}", std::process::id());
        let mut connection = PgConnection::connect_with(&self.server).await?;
        for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name} {how}")]
        {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        }
        connection.close().await?;
        let options = self.server.clone().database(&name);
        let url = match &self.own {
            Some(own) => {
                format!("postgresql://{SUPERUSER}@localhost/{name}?host={}", own.directory.display())
            }
            None => sqlx::ConnectOptions::to_url_lossy(&options).to_string(),
        };
        Ok(TestDatabase { url, options })
    }
}

impl TestDatabase {
    /// Sets the time of the store's clock, which stands still between calls.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn set_time(&self, time: Timestamp) -> Result<(), ClusterError> {
        let mut connection = self.connect().await?;
        Self::set_time_over(&mut connection, time).await?;
        Ok(connection.close().await?)
    }

    /// As [`set_time`](Self::set_time), over a connection that is there already.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn set_time_over(connection: &mut PgConnection, time: Timestamp) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE test_clock SET at = $1").bind(sql(time)).execute(connection).await?;
        Ok(())
    }

    /// Connects as the owner of everything, for tests that look behind the store's back.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect_with(&self.options).await
    }

    async fn give_time(&self, time: Timestamp) -> Result<(), ClusterError> {
        let mut connection = self.connect().await?;
        let clock = "CREATE TABLE test_clock (at timestamptz NOT NULL);
             CREATE OR REPLACE FUNCTION store_now() RETURNS timestamptz LANGUAGE sql VOLATILE
                 AS 'SELECT at FROM test_clock'";
        sqlx::raw_sql(clock).execute(&mut connection).await?;
        sqlx::query("INSERT INTO test_clock (at) VALUES ($1)")
            .bind(sql(time))
            .execute(&mut connection)
            .await?;
        Ok(connection.close().await?)
    }
}

impl Own {
    fn prepare() -> Result<Self, ClusterError> {
        let binaries = binaries().ok_or(ClusterError::Missing)?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("mbs-postgres-{}-{number}", std::process::id()));
        let made = std::fs::create_dir(&directory).and_then(|()| match other_user() {
            Some((uid, gid)) => std::os::unix::fs::chown(&directory, Some(uid), Some(gid)),
            None => Ok(()),
        });
        made.map_err(machine(&format!("{} cannot be made", directory.display())))?;
        let mut initdb = as_other_user(&binaries.join("initdb"));
        initdb.arg("--pgdata").arg(directory.join("data"));
        initdb.args([
            "--username",
            SUPERUSER,
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]);
        let output = initdb.output().map_err(machine("initdb cannot be run"))?;
        if !output.status.success() {
            return Err(ClusterError::Broken(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let keeper = keep(&binaries, &directory)?;
        Ok(Self { directory, binaries, keeper: std::sync::Mutex::new(keeper) })
    }

    fn restart(&self) -> Result<(), ClusterError> {
        use std::io::Write as _;
        let mut keeper = self.keeper.lock().expect("nothing panics while it holds the keeper");
        let ended = keeper.stdin.take().map(|mut order| order.write_all(b"restart\n")).transpose();
        ended.and_then(|_| keeper.wait()).map_err(machine("the server cannot be stopped"))?;
        *keeper = keep(&self.binaries, &self.directory)?;
        Ok(())
    }
}

fn keep(binaries: &Path, directory: &Path) -> Result<Child, ClusterError> {
    let mut keeper = as_other_user(Path::new("/bin/sh"));
    keeper.args(["-c", KEEPER, "keeper"]).arg(binaries).arg(directory);
    keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    keeper.spawn().map_err(machine("sh cannot be run"))
}

/// Makes a command of a user who is not root, as the server wants it.
fn as_other_user(program: &Path) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some((uid, gid)) = other_user() {
        command.uid(uid).gid(gid);
    }
    command
}

/// Returns whom to be instead of root; `None` if we are not root.
fn other_user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let users = std::fs::read_to_string("/etc/passwd").ok().filter(|_| is_root)?;
    let user = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2);
        Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
    };
    user("postgres").or_else(|| user("nobody"))
}

/// Returns the directory of the server's programs: the newest of those installed.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir(BINARIES[0]).into_iter().flatten().flatten();
    let mut candidates: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    candidates.sort();
    candidates.insert(0, PathBuf::from(BINARIES[1]));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    let has_server =
        |directory: &PathBuf| directory.join("postgres").is_file() && directory.join("initdb").is_file();
    candidates.into_iter().rev().chain(on_path).find(has_server)
}

fn machine(what: &str) -> impl FnOnce(io::Error) -> ClusterError {
    let what = what.to_owned();
    move |source| ClusterError::Machine { what, source }
}
