//! What frontend and backend have in common as programs that run for long: configuration and log first, a runtime, and being told
//! to stop. What they do meanwhile is theirs.

use std::ffi::OsString;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::{Config, LogLevel};
use crate::exit::{Exit, Stop};
use crate::logging::{self, Verbosity};

/// What daemons are started with.
#[derive(Debug, Clone, Default, Args)]
pub struct DaemonArguments {
    /// The configuration; empty: built-in defaults only [default: /etc/module-build-service/mbs.toml, if it is there]
    #[arg(long, env = "MBS_CONFIG_FILE", value_name = "FILE")]
    pub config: Option<OsString>,
}

/// Runs a daemon to its end and returns the exit status; what went wrong has been logged.
pub(crate) fn run(
    arguments: &DaemonArguments,
    serve: impl AsyncFnOnce(Config, Stopped) -> Result<(), Stop>,
) -> Exit {
    let config = match Config::load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            logging::start(Verbosity::Info);
            return told(&Stop::Usage(error.to_string()));
        }
    };
    logging::start(verbosity(config.service.log_level));
    for notice in &config.notices {
        tracing::warn!("{notice}");
    }
    match execute(config, serve) {
        Ok(()) => Exit::Done,
        Err(stop) => told(&stop),
    }
}

fn told(stop: &Stop) -> Exit {
    for line in stop.to_string().lines() {
        tracing::error!("{line}");
    }
    stop.exit()
}

pub(crate) fn verbosity(level: LogLevel) -> Verbosity {
    match level {
        LogLevel::Debug => Verbosity::Debug,
        LogLevel::Info => Verbosity::Info,
        LogLevel::Warning => Verbosity::Warnings,
        LogLevel::Error => Verbosity::Errors,
    }
}

fn execute(config: Config, serve: impl AsyncFnOnce(Config, Stopped) -> Result<(), Stop>) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Machine(format!("no threads can be started: {error}")))?;
    let served = runtime.block_on(async { serve(config, Stopped::listen()?).await });
    // A thread that waits for a disk or a name server does not keep the process.
    runtime.shutdown_background();
    served
}

/// Is told when the process is to stop: by SIGTERM, or by Ctrl-C.
#[derive(Debug)]
pub(crate) struct Stopped {
    terminate: Signal,
    interrupt: Signal,
}

impl Stopped {
    fn listen() -> Result<Self, Stop> {
        let to =
            |kind| signal(kind).map_err(|error| Stop::Machine(format!("signals cannot be caught: {error}")));
        Ok(Self { terminate: to(SignalKind::terminate())?, interrupt: to(SignalKind::interrupt())? })
    }

    /// Waits until somebody says so; again for the next time.
    pub(crate) async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Tells who started us that we serve, or that we stop, where somebody wants to know: a manager of services.
pub(crate) fn tell(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager cannot be told how we are");
    }
}
