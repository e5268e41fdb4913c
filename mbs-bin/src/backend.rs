//! The backend as a daemon: drives module builds, publishes what becomes of them, and listens for hints, until it is told to stop.
//!
//! Any number of them may run on one store. It answers no users. Stopping it at any time is safe: what it was at is looked at by
//! another, or by itself when it is back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use futures_util::future::join_all;
use mbs_core::build_system::BuildSystem;
use mbs_core::bus::{Hint, MessageBus};
use mbs_core::engine::{Engine, Listener, Publisher};
use mbs_core::plan::Standard;
use mbs_core::store::{Catalogue, Sink, WorkerId};
use mbs_local::lock::DirectoryLock;
use mbs_local::{Builder, SystemClock};
use mbs_pdc::updater::Updater;
use sd_notify::NotifyState;
use tokio::sync::watch;

use crate::bus::{self, SINK};
use crate::config::{Config, System};
use crate::daemon::{self, DaemonArguments, Stopped};
use crate::exit::{Exit, Stop};
use crate::local::machine::{Machine, check_programs};
use crate::local::run::pass_hints;
use crate::site::Site;
use crate::sources;

/// So long looks under way may take to end when the backend is told to stop; then their builds are handed back.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// The name under which the store notes what PDC has.
const PDC: &str = "pdc";

/// Who noted in the store what the configuration says.
const CONFIGURATION: &str = "configuration";

/// Drives the module builds of a module build service.
#[derive(Debug, Parser)]
#[command(name = "mbs-backend", version)]
pub struct Arguments {
    /// Where the configuration is.
    #[command(flatten)]
    pub daemon: DaemonArguments,
}

/// Works to the end and returns the exit status; what went wrong has been logged.
pub fn run(arguments: &Arguments) -> Exit {
    daemon::run(&arguments.daemon, async |config: Config, mut stopped: Stopped| {
        let backend = Backend::open(Site::open(config).await?).await?;
        backend.begin().await?;
        daemon::tell(NotifyState::Ready);
        tracing::info!(worker = backend.worker.0, "working");
        let stop = async {
            stopped.told().await;
            daemon::tell(NotifyState::Stopping);
            tracing::info!("stopping: looks under way are finished");
        };
        backend.work(stop).await;
        Ok(())
    })
}

/// The parts of a backend.
#[derive(Debug)]
pub struct Backend {
    site: Site,
    engine: Engine,
    bus: Option<bus::Opened>,
    /// Where events become entries of a PDC.
    updater: Option<Arc<Updater>>,
    worker: WorkerId,
    here: Option<Here>,
}

/// This machine, which is ours alone.
#[derive(Debug)]
struct Here {
    machine: Machine,
    _lock: DirectoryLock,
}

impl Backend {
    /// Puts a backend together. Nobody is asked yet.
    ///
    /// # Errors
    /// `Usage`: nothing is configured that builds, or the bus cannot be used. `Machine`: builds are to be made on this machine, and
    /// it lacks something, or another backend is here.
    pub async fn open(site: Site) -> Result<Self, Stop> {
        let here = match site.config.building.system {
            System::Mock => Some(Here::open(&site.config.local.mock_resultsdir).await?),
            System::Koji | System::Memory => None,
        };
        let build_system = match &here {
            Some(here) => Some(Arc::clone(&here.machine.build_system) as Arc<dyn BuildSystem>),
            None => site.build_system(),
        };
        let build_system = build_system.ok_or_else(|| {
            Stop::Usage("`system = \"memory\"` builds nothing: a backend needs koji, or mock".to_owned())
        })?;
        let bus = bus::open(&site.config.messaging, Arc::clone(&site.opened.store) as Arc<_>)?;
        let updater = sources::recording_pdc(&site.config.pdc)?.map(|pdc| {
            let store = Arc::clone(&site.opened.store) as Arc<dyn Catalogue>;
            Arc::new(Updater::new(pdc, store, Arc::clone(&build_system)))
        });
        let worker = match &here {
            Some(_) => name_here(&site.config.local.mock_resultsdir),
            None => name(),
        };
        let engine = Engine {
            store: Arc::clone(&site.opened.store),
            build_system,
            resolver: Arc::clone(&site.resolver),
            source_control: Arc::clone(&site.source_control),
            clock: Arc::new(SystemClock::new()),
            planner: Arc::new(Standard),
            policy: Arc::clone(&site.policy),
            worker: worker.clone(),
            looks_at_once: site.config.service.looks_at_once as usize,
        };
        Ok(Self { site, engine, bus, updater, worker, here })
    }

    /// Does what comes before the first look: a new store gets the configured limit, and everything under way is due, for
    /// nobody knows what was missed.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn begin(&self) -> Result<(), Stop> {
        let store = &self.engine.store;
        let settings = store.settings().await?;
        let limit = self.site.config.building.limit();
        // A limit that somebody set counts, and so does its absence, as long as it is known that somebody wanted it so.
        if settings.limit.is_none() && limit.is_some() && store.settings_audit().await?.is_empty() {
            let settings = mbs_core::store::Settings { limit, ..settings };
            store.change_settings(settings, CONFIGURATION).await?;
        }
        if self.here.is_some() {
            // Nobody else works here: what an earlier process held is free.
            store.void_leases(&self.worker).await?;
        }
        store.wake(&[Hint::Everything]).await?;
        Ok(())
    }

    /// Works until `stop` says so; what is under way is finished then, or handed back within seconds.
    pub async fn work(&self, stop: impl Future<Output = ()>) {
        let (tell, told) = watch::channel(false);
        let is_told = || {
            let mut told = told.clone();
            async move { drop(told.wait_for(|is_told| *is_told).await) }
        };
        let woken = || self.site.opened.woken();
        let listening = async {
            if let Some(listener) = self.listener() {
                // The store tells this process, too, that something is due.
                listener.run(|| {}, is_told()).await;
            }
        };
        let noticing = async {
            let Some(here) = &self.here else { return };
            // The store tells this process, too, that something is due.
            let passing = pass_hints(here.machine.build_system.clone(), self.engine.store.clone(), || {});
            tokio::select! {
                () = passing => {}
                () = is_told() => {}
            }
        };
        let publishers = self.publishers();
        let publishing = join_all(publishers.iter().map(|publisher| publisher.run(woken, is_told())));
        let looking = self.engine.run(woken, is_told());
        let all = async { tokio::join!(looking, listening, noticing, publishing) };
        let late = async {
            stop.await;
            tell.send_replace(true);
            tokio::time::sleep(STOP_WITHIN).await;
        };
        tokio::select! {
            _ = all => {}
            () = late => self.hand_back().await,
        }
        if let Some(bus) = &self.bus {
            drop(tokio::time::timeout(STOP_WITHIN, bus.close()).await);
        }
    }

    /// Gives the builds back whose looks did not end, so that nobody waits for their leases.
    async fn hand_back(&self) {
        match self.engine.store.void_leases(&self.worker).await {
            Ok(0) => {}
            Ok(builds) => tracing::warn!(builds, "looks that did not end in time were given up"),
            Err(error) => tracing::warn!(%error, "module builds under way wait until their leases expire"),
        }
    }

    fn listener(&self) -> Option<Listener> {
        let bus = self.bus.as_ref()?.bus();
        let Engine { store, clock, policy, .. } = self.engine.clone();
        Some(Listener { bus, store, clock, policy })
    }

    /// Returns who carries events on their way, one for each that wants them.
    fn publishers(&self) -> Vec<Publisher> {
        let bus = self.bus.iter().map(|bus| (SINK, bus.bus()));
        let pdc = self.updater.iter().map(|updater| (PDC, Arc::clone(updater) as Arc<dyn MessageBus>));
        bus.chain(pdc).map(|(sink, bus)| self.publisher(sink, bus)).collect()
    }

    fn publisher(&self, sink: &str, bus: Arc<dyn MessageBus>) -> Publisher {
        let Engine { store, clock, policy, .. } = self.engine.clone();
        Publisher { store, bus, clock, policy, sink: Sink(sink.to_owned()), worker: self.worker.clone() }
    }
}

impl Here {
    async fn open(results: &Path) -> Result<Self, Stop> {
        let builder = Builder::RpmbuildElseMock;
        check_programs(builder)?;
        let lock = DirectoryLock::take(results)?;
        Ok(Self { machine: Machine::open(results, builder).await?, _lock: lock })
    }
}

/// Returns a name that no other process on the store has: machine, process, and when it began.
fn name() -> WorkerId {
    let began = jiff::Timestamp::now().as_microsecond();
    WorkerId(format!("{}/{}/{began}", host(), std::process::id()))
}

/// Returns the name of whoever has the lock of a results folder, always the same.
fn name_here(results: &Path) -> WorkerId {
    WorkerId(format!("{}:{}", host(), results.display()))
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}
