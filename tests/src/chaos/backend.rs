//! A backend as a process: engine, publisher and listener on one PostgreSQL and the hub.

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::future::join3;
use mbs_core::engine::{Engine, Listener, Publisher};
use mbs_core::plan::Standard;
use mbs_core::policy::Policy;
use mbs_core::store::{Sink, WorkerId};
use mbs_local::SystemClock;
use mbs_store_postgres::{OpenError, PostgresStore, Wakes};

use super::{HubClient, cast, process};

/// Most looks at once.
const LOOKS: usize = 20;

/// How long to wait before the database is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs the process: its arguments are its name, the database and the hub's socket. It ends with its standard input.
///
/// # Errors
/// The arguments make no sense.
pub fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let worker = WorkerId(arguments.next().context("the first argument is a name")?);
    let database = arguments.next().context("the second argument is a database")?;
    let hub = HubClient::new(PathBuf::from(arguments.next().context("the third argument is a socket")?));
    process::end_with_input();
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(worker, &database, hub))
}

async fn run(worker: WorkerId, database: &str, hub: HubClient) -> Result<()> {
    let policy = Arc::new(cast::policy());
    let store = open(database, &policy).await?;
    let wakes = store.wakes();
    let (store, hub, clock) = (Arc::new(store), Arc::new(hub), Arc::new(SystemClock::new()));
    let engine = Engine {
        store: store.clone(),
        build_system: hub.clone(),
        resolver: Arc::new(cast::resolver()),
        source_control: Arc::new(cast::sources()),
        clock: clock.clone(),
        planner: Arc::new(Standard),
        policy: policy.clone(),
        worker: worker.clone(),
        looks_at_once: LOOKS,
    };
    let publisher = Publisher {
        store: store.clone(),
        bus: hub.clone(),
        clock: clock.clone(),
        policy: policy.clone(),
        sink: Sink(cast::SINK.into()),
        worker,
    };
    let listener = Listener { bus: hub, store, clock, policy };
    join3(
        engine.run(|| woken(&wakes), pending()),
        publisher.run(|| woken(&wakes), pending()),
        // The database tells this process, too, that something is due.
        listener.run(|| {}, pending()),
    )
    .await;
    Ok(())
}

/// Opens the store, however long the database is away.
async fn open(database: &str, policy: &Policy) -> Result<PostgresStore, OpenError> {
    loop {
        match PostgresStore::connect(database, policy).await {
            Err(OpenError::Unreachable { .. }) => tokio::time::sleep(PAUSE).await,
            opened => return opened,
        }
    }
}

/// Returns what is ready after the next news, and never if none comes.
fn woken(wakes: &Wakes) -> impl Future<Output = ()> + use<> {
    let (mut news, wakes) = (wakes.news(), wakes.clone());
    news.mark_unchanged();
    async move {
        if news.changed().await.is_err() {
            pending::<()>().await;
        }
        drop(wakes);
    }
}
