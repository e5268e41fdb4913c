//! The frontend as a daemon: reads the configuration, opens what it needs, and serves until it is told to stop.
//!
//! Any number of them may run on one store. It drives no builds.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Access, Config, Listen, LogLevel};
use crate::exit::{Exit, Stop};
use crate::logging::{self, Verbosity};
use crate::rest::{Door, Frontend, Setup, serve};
use crate::site::Site;

/// Serves the REST interface of a module build service.
#[derive(Debug, Parser)]
#[command(name = "mbs-frontend", version)]
pub struct Arguments {
    /// The configuration; empty: built-in defaults only [default: /etc/module-build-service/mbs.toml, if it is there]
    #[arg(long, env = "MBS_CONFIG_FILE", value_name = "FILE")]
    pub config: Option<OsString>,
}

/// Serves to the end and returns the exit status; what went wrong has been logged.
pub fn run(arguments: &Arguments) -> Exit {
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
    match execute(config) {
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

fn execute(config: Config) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Machine(format!("no threads can be started: {error}")))?;
    runtime.block_on(async {
        let listen = config.service.listen();
        warn_of_no_login(&config);
        let site = Site::open(config).await?;
        let frontend = frontend(&site)?;
        let door = open(&listen).await?;
        tracing::info!("listening on {}", name(&listen, &door));
        let mut terminated = signal(SignalKind::terminate())
            .map_err(|error| Stop::Machine(format!("signals cannot be caught: {error}")))?;
        let stop = async {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            tracing::info!("stopping: requests under way are finished");
        };
        serve(Arc::new(frontend), door, stop).await;
        Ok(())
    })
}

/// Says it loudly where nobody has to log in.
fn warn_of_no_login(config: &Config) {
    if config.access.no_auth {
        tracing::warn!(
            "nobody has to log in (`no_auth`): everybody who reaches this service may submit and cancel"
        );
    }
}

fn frontend(site: &Site) -> Result<Frontend, Stop> {
    let service = &site.config.service;
    let oidc = site.config.access.oidc.clone().with_client_secrets()?;
    let setup = Setup {
        store: Arc::clone(&site.opened.store),
        desk: site.desk(),
        build_system: site.build_system(),
        access: Access { oidc, ..site.config.access.clone() },
        most_body: usize::try_from(service.most_body_bytes).unwrap_or(usize::MAX),
        most_per_page: usize::try_from(service.most_per_page).unwrap_or(usize::MAX),
        within: service.request_within,
        news: site.opened.news(),
    };
    Frontend::new(setup).map_err(Stop::Usage)
}

async fn open(listen: &Listen) -> Result<Door, Stop> {
    match listen {
        Listen::Tcp(host, port) => {
            let listener = TcpListener::bind((host.as_str(), *port)).await;
            listener
                .map(Door::Tcp)
                .map_err(|error| Stop::Machine(format!("{host}:{port} cannot be listened on: {error}")))
        }
        Listen::Unix(path) => {
            remove_old(path).await;
            let listener = UnixListener::bind(path);
            let path = path.display();
            listener
                .map(Door::Unix)
                .map_err(|error| Stop::Machine(format!("{path} cannot be listened on: {error}")))
        }
    }
}

/// Removes a socket that nobody listens on any more.
async fn remove_old(path: &Path) {
    use std::os::unix::fs::FileTypeExt as _;

    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if is_socket && tokio::net::UnixStream::connect(path).await.is_err() {
        // If it stays, listening on it says why.
        drop(std::fs::remove_file(path));
    }
}

fn name(listen: &Listen, door: &Door) -> String {
    match (listen, door) {
        (_, Door::Tcp(listener)) => match listener.local_addr() {
            Ok(address) => format!("http://{address}/module-build-service/"),
            Err(_) => "a port".to_owned(),
        },
        (Listen::Unix(path), Door::Unix(_)) => path.display().to_string(),
        (Listen::Tcp(host, port), Door::Unix(_)) => format!("{host}:{port}"),
    }
}
