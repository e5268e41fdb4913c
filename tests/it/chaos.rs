//! Do many backends on one PostgreSQL build everything once, within the limit, and tell of every change, whoever is killed?
//!
//! Four backends build 200 modules. Every second one of them is killed and another started; PostgreSQL is restarted twice.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use mbs_core::ident::BuildId;
use mbs_core::model::{AttemptEnd, State};
use mbs_core::naming;
use mbs_core::sim::Chance;
use mbs_core::store::{
    Builds as _, Create, IdempotencyKey, Outbox as _, Settings, Sink, StoreError, Upkeep as _, Work as _,
};
use mbs_store_postgres::PostgresStore;
use mbs_store_postgres::cluster::{Cluster, ClusterError, TestDatabase};
use mbs_tests::chaos::HubClient;
use mbs_tests::chaos::cast::{self, COMPONENTS, LIMIT, MODULES, SINK};
use mbs_tests::chaos::ledger::Report;
use mbs_tests::chaos::process::{Process, tail};
use mbs_tests::needed::left_out;
use tempfile::TempDir;
use tokio::time::sleep;

mod observer;
mod verdict;

use observer::{Observer, Seen};
use verdict::Told;

const BACKENDS: usize = 4;

/// So long everything may take, on a machine that is busy with other tests, too.
const LIMIT_OF_TIME: Duration = Duration::from_secs(1_200);

/// Between two kills.
const SECOND: Duration = Duration::from_secs(1);

/// After how many seconds how many modules are submitted.
const BATCHES: [(u64, usize); 3] = [(0, 80), (10, 70), (20, 50)];

/// PostgreSQL is restarted when so many modules are ready.
const RESTARTS: [i64; 2] = [20, 110];

/// Fewer kills than this would prove little.
const LEAST_KILLS: u32 = 20;

/// So many builds are named that are not ready in time.
const NAMED: usize = 20;

/// Lets every commit that changes who holds slots take up to 20 ms, as a disk would: the server of the tests does not wait for
/// its own, and short transactions hardly ever meet.
const SLOW_COMMITS: &str = "
    CREATE FUNCTION wait_for_disk() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_sleep(random() * 0.02); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER slots_wait AFTER INSERT OR UPDATE ON slots DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait_for_disk()";

/// Names a server that is not ours.
const OTHER_SERVER: &str = "MBS_TEST_DATABASE_URL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_killed_every_second_build_everything_once_and_tell_of_every_change() -> Result<()> {
    if env::var_os(OTHER_SERVER).is_some() {
        left_out::<()>(&format!("the server that {OTHER_SERVER} names is not ours to restart"));
        return Ok(());
    }
    let cluster = match Cluster::start().await {
        Err(missing @ ClusterError::Missing) => {
            left_out::<()>(&missing.to_string());
            return Ok(());
        }
        started => started?,
    };
    let mut chaos = Chaos::begin(cluster).await?;
    let ended = chaos.run().await;
    chaos.folder.disable_cleanup(ended.is_err());
    println!("{}", ended.with_context(|| chaos.logs())?);
    Ok(())
}

/// All that takes part.
struct Chaos {
    // Dropped first: what works on the others.
    backends: Vec<Process>,
    hub_process: Process,
    observer: Observer,
    hub: HubClient,
    store: PostgresStore,
    database: Arc<TestDatabase>,
    cluster: Cluster,
    folder: TempDir,
    chance: Chance,
    began: Instant,
    builds: Vec<BuildId>,
    kills: u32,
    restarts: usize,
}

impl Chaos {
    async fn begin(cluster: Cluster) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("mbs-test-chaos-").tempdir()?;
        let socket = folder.path().join("hub");
        let seed = env::var("CHAOS_SEED").ok().map_or(Ok(1), |seed| seed.parse())?;
        let arguments = [path(&socket)?, &format!("{seed}")];
        let hub_process =
            Process::start(env!("CARGO_BIN_EXE_chaos-hub"), &arguments, &folder.path().join("hub.log"))?;
        let database = Arc::new(cluster.database(None).await?);
        sqlx::raw_sql(SLOW_COMMITS).execute(&mut database.connect().await?).await?;
        let store = PostgresStore::connect(&database.url, &cast::policy()).await?;
        let settings = Settings { limit: Some(LIMIT), ..Settings::default() };
        store.change_settings(settings, "chaos").await?;
        let mut chaos = Self {
            backends: Vec::new(),
            hub_process,
            observer: Observer::begin(Arc::clone(&database), i64::from(LIMIT)),
            hub: HubClient::new(socket),
            store,
            database,
            cluster,
            folder,
            chance: Chance::of(seed),
            began: Instant::now(),
            builds: Vec::new(),
            kills: 0,
            restarts: 0,
        };
        for place in 0..BACKENDS {
            chaos.backends.push(chaos.backend(place, 0)?);
        }
        Ok(chaos)
    }

    /// Starts a backend under a name that none had before.
    fn backend(&self, place: usize, life: u32) -> Result<Process> {
        let name = format!("backend{place}.{life}");
        let socket = self.folder.path().join("hub");
        let arguments = [&name, &self.database.url, path(&socket)?];
        Process::start(env!("CARGO_BIN_EXE_chaos-backend"), &arguments, &self.log(place))
    }

    fn log(&self, place: usize) -> PathBuf {
        self.folder.path().join(format!("backend{place}.log"))
    }

    fn logs(&self) -> String {
        let hub = tail(&self.folder.path().join("hub.log"));
        let backends = (0..BACKENDS).map(|place| tail(&self.log(place)));
        format!("after {} kills, these are the last words{hub}{}", self.kills, backends.collect::<String>())
    }

    /// Returns the figures, if all is well.
    async fn run(&mut self) -> Result<String> {
        while self.observer.seen().ready < i64::try_from(MODULES)? {
            self.turn().await?;
            self.judge_moment()?;
            if self.began.elapsed() > LIMIT_OF_TIME {
                bail!("not everything is ready in time: {}", self.unfinished().await?);
            }
        }
        let took = self.began.elapsed();
        self.until_all_is_published().await?;
        let outcome = Outcome {
            took,
            seen: self.observer.seen(),
            report: self.hub.report().await?,
            told: self.told().await?,
        };
        let figures = self.figures(&outcome);
        self.judge(&outcome).with_context(|| figures.clone())?;
        Ok(figures)
    }

    /// One second: submits what is due, kills a backend, and perhaps restarts the database.
    async fn turn(&mut self) -> Result<()> {
        let submitted: usize =
            BATCHES.iter().filter(|(at, _)| self.began.elapsed().as_secs() >= *at).map(|(_, n)| n).sum();
        if self.builds.len() < submitted {
            self.submit(submitted).await?;
        }
        sleep(SECOND).await;
        self.kill_one()?;
        let is_due = RESTARTS.get(self.restarts).is_some_and(|ready| self.observer.seen().ready >= *ready);
        if is_due {
            // The backend that was just started finds no database, either.
            self.cluster.restart().await?;
            self.restarts += 1;
        }
        Ok(())
    }

    /// Submits modules until there are so many.
    async fn submit(&mut self, until: usize) -> Result<()> {
        let first = self.builds.len();
        let key = IdempotencyKey { key: format!("from {first}"), content: format!("until {until}") };
        let new: Vec<_> = (first..until).map(cast::new_build).collect();
        let create = Create { new, key: Some(key), ..Create::default() };
        let created = patiently(async || self.store.create(create.clone()).await).await?;
        self.builds.extend(created.builds.iter().map(|build| build.id));
        Ok(())
    }

    fn kill_one(&mut self) -> Result<()> {
        let among = u64::try_from(self.backends.len())?;
        let place = usize::try_from(self.chance.below(among, ("kill", self.kills)))?;
        self.backends.remove(place).kill()?;
        self.kills += 1;
        self.backends.insert(place, self.backend(place, self.kills)?);
        Ok(())
    }

    fn judge_moment(&mut self) -> Result<()> {
        let seen = self.observer.seen();
        let most = seen.most_live.max(seen.most_held);
        ensure!(most <= i64::from(LIMIT), "{most} components were in progress at the same time");
        ensure!(seen.failed == 0, "{} module builds failed", seen.failed);
        self.hub_process.check()?;
        self.backends.iter_mut().try_for_each(Process::check)
    }

    async fn until_all_is_published(&self) -> Result<()> {
        let sink = Sink(SINK.into());
        while !patiently(async || self.store.take(&sink, 1).await).await?.is_empty() {
            ensure!(self.began.elapsed() < LIMIT_OF_TIME, "not everything is published in time");
            sleep(SECOND / 10).await;
        }
        Ok(())
    }

    /// Says which builds are not ready, and why.
    async fn unfinished(&self) -> Result<String> {
        let mut said = String::new();
        let mut count = 0;
        for id in &self.builds {
            let build = patiently(async || self.store.load(*id).await).await?.build;
            if build.state() == State::Ready {
                continue;
            }
            count += 1;
            if count <= NAMED {
                let why = patiently(async || self.store.explain(*id).await).await?;
                let why = why.map_or("nobody has looked".to_owned(), |why| why.to_string());
                said.push_str(&format!("\n{} is {}: {why}", build.nsvc(), build.state()));
            }
        }
        Ok(format!("{count} of {}{said}", self.builds.len()))
    }

    /// Returns what the store says of each build.
    async fn told(&self) -> Result<BTreeMap<BuildId, Told>> {
        let mut told = BTreeMap::new();
        for id in &self.builds {
            let build = self.store.load(*id).await?.build;
            let attempts: Vec<_> =
                build.components.iter().flat_map(|component| &component.attempts).collect();
            let of_build = Told {
                target: naming::target_name(build.nsvc(), None),
                packages: build.components.iter().map(|component| component.package.clone()).collect(),
                trace: self.store.trace(*id).await?,
                attempts: attempts.len(),
                lost: attempts.iter().filter(|attempt| attempt.end == Some(AttemptEnd::Lost)).count(),
            };
            told.insert(*id, of_build);
        }
        Ok(told)
    }

    fn judge(&self, Outcome { seen, report, told, .. }: &Outcome) -> Result<()> {
        let mut faults = verdict::of_traces(told);
        faults.extend(verdict::of_components(told, &report.components));
        faults.extend(verdict::of_events(told, &report.published));
        ensure!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        // Each with its macros.
        ensure!(report.components.len() == MODULES * (COMPONENTS + 1), "{}", report.components.len());
        ensure!(report.imported == MODULES, "{} modules were imported", report.imported);
        let limit = usize::try_from(LIMIT)?;
        ensure!(report.most_live <= limit, "{} tasks lived at the same time", report.most_live);
        // Otherwise this has shown nothing.
        ensure!(seen.most_held == i64::from(LIMIT), "no more than {} slots were held", seen.most_held);
        ensure!(self.kills >= LEAST_KILLS, "only {} backends were killed", self.kills);
        ensure!(self.restarts == RESTARTS.len(), "PostgreSQL was restarted {} times", self.restarts);
        Ok(())
    }

    fn figures(&self, Outcome { took, seen, report, told }: &Outcome) -> String {
        let changes: usize = told.values().map(|told| told.trace.len()).sum();
        let attempts: usize = told.values().map(|told| told.attempts).sum();
        let lost: usize = told.values().map(|told| told.lost).sum();
        format!(
            "{} modules in {:.0} s; {} backends killed, PostgreSQL restarted {} times\n\
             most in progress: {} attempts, {} slots, {} tasks; of {} sights {} with all slots in use, {:.1} on average\n\
             {attempts} attempts, {lost} of them lost; {changes} changes, {} events published\n\
             {} calls of the hub, {} not answered, {} too late",
            told.len(),
            took.as_secs_f64(),
            self.kills,
            self.restarts,
            seen.most_live,
            seen.most_held,
            report.most_live,
            seen.sights,
            seen.full,
            seen.held_on_average(),
            report.published.len(),
            report.calls,
            report.unanswered,
            report.too_late,
        )
    }
}

/// How everything ended.
struct Outcome {
    took: Duration,
    seen: Seen,
    report: Report,
    told: BTreeMap<BuildId, Told>,
}

/// Asks the store again while it is out of reach.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let began = Instant::now();
    loop {
        match ask().await {
            Err(error) if error.is_transient() && began.elapsed() < LIMIT_OF_TIME => {
                sleep(SECOND / 10).await;
            }
            answer => return answer,
        }
    }
}

fn path(path: &std::path::Path) -> Result<&str> {
    path.to_str().context("the temporary folder has a name that is text")
}
