//! The frontend as a daemon: reads the configuration, opens what it needs, and serves until it is told to stop.
//!
//! Any number of them may run on one store. It drives no builds.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use sd_notify::NotifyState;
use tokio::net::{TcpListener, UnixListener};

use crate::config::{Access, Config, Listen};
use crate::daemon::{self, DaemonArguments, Stopped};
use crate::exit::{Exit, Stop};
use crate::rest::{Door, Frontend, Setup, serve};
use crate::site::Site;

/// Serves the REST interface of a module build service.
#[derive(Debug, Parser)]
#[command(name = "mbs-frontend", version)]
pub struct Arguments {
    /// Where the configuration is.
    #[command(flatten)]
    pub daemon: DaemonArguments,
}

/// Serves to the end and returns the exit status; what went wrong has been logged.
pub fn run(arguments: &Arguments) -> Exit {
    daemon::run(&arguments.daemon, async |config: Config, mut stopped: Stopped| {
        let listen = config.service.listen();
        warn_of_no_login(&config);
        let site = Site::open(config).await?;
        let frontend = frontend(&site)?;
        let door = open(&listen).await?;
        daemon::tell(NotifyState::Ready);
        let stop = async {
            stopped.told().await;
            daemon::tell(NotifyState::Stopping);
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

/// Puts a frontend together.
///
/// # Errors
/// `Usage`: a value of the configuration cannot be used.
pub fn frontend(site: &Site) -> Result<Frontend, Stop> {
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

/// Opens the door that is configured, and says where it is.
///
/// # Errors
/// `Machine`: it cannot be listened at.
pub async fn open(listen: &Listen) -> Result<Door, Stop> {
    let door = opened(listen).await?;
    tracing::info!("listening on {}", name(listen, &door));
    Ok(door)
}

async fn opened(listen: &Listen) -> Result<Door, Stop> {
    match listen {
        Listen::Tcp(host, port) => {
            let listener = TcpListener::bind((host.as_str(), *port)).await;
            listener
                .map(Door::Tcp)
                .map_err(|error| Stop::Machine(format!("{host}:{port} cannot be listened on: {error}")))
        }
        Listen::Unix(path) => {
            remove_old(path).await;
            let failed = |error| Stop::Machine(format!("{} cannot be listened on: {error}", path.display()));
            let listener = UnixListener::bind(path).map_err(failed)?;
            // The web server in front is of our group, whatever files of ours others may read.
            std::fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(failed)?;
            Ok(Door::Unix(listener))
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
