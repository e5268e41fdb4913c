//! The frontend as a daemon: reads the configuration, opens what it needs, and serves until it is told to stop.
//!
//! Any number of them may run on one store. It drives no builds.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Listen, LogLevel};
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
        check_login(&config, &listen)?;
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

/// Nobody logs in only where nobody else can ask.
fn check_login(config: &Config, listen: &Listen) -> Result<(), Stop> {
    let access = &config.access;
    if !access.no_auth {
        return Ok(());
    }
    if !listen.is_here() && !access.no_auth_anywhere {
        return Err(Stop::Usage(
            "with `no_auth` everybody may submit and cancel, so only this machine may ask: set `host` to 127.0.0.1, or \
             `no_auth_anywhere` if that is what you want"
                .to_owned(),
        ));
    }
    tracing::warn!(
        "nobody has to log in (`no_auth`): everybody who reaches this service may submit and cancel"
    );
    Ok(())
}

fn frontend(site: &Site) -> Result<Frontend, Stop> {
    let service = &site.config.service;
    let setup = Setup {
        store: Arc::clone(&site.opened.store),
        desk: site.desk(),
        build_system: site.build_system(),
        access: site.config.access.clone(),
        most_body: usize::try_from(service.most_body_bytes).unwrap_or(usize::MAX),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::read("mbs.toml", text, &[], None).unwrap()
    }

    fn checked(text: &str) -> Result<(), Stop> {
        let config = config(text);
        check_login(&config, &config.service.listen())
    }

    #[test]
    fn without_a_login_only_this_machine_may_ask_unless_it_is_said() {
        let open = "[access]\nno_auth = true\n";
        let elsewhere = "[service]\nhost = \"0.0.0.0\"\n";
        assert_eq!(checked(open), Ok(()));
        let refused = checked(&format!("{open}{elsewhere}")).unwrap_err();
        assert!(refused.to_string().contains("no_auth_anywhere"), "{refused}");
        assert_eq!(checked(&format!("{open}no_auth_anywhere = true\n{elsewhere}")), Ok(()));
        assert_eq!(checked(elsewhere), Ok(()));
    }
}
