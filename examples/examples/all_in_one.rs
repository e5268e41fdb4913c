//! A whole service in one process: frontend and backend on an SQLite file, which builds on this machine.
//!
//! ```text
//! all_in_one CONFIGURATION
//! ```
//!
//! The configuration is that of `mbs-frontend` and `mbs-backend`, with `system = "mock"`; `scripts/demo` writes one. What is submitted
//! over REST is built here. Ctrl-C stops it, and the next run goes on.

use std::ffi::OsString;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use mbs_bin::backend::Backend;
use mbs_bin::config::Config;
use mbs_bin::frontend;
use mbs_bin::logging::{self, Verbosity};
use mbs_bin::rest::serve;
use mbs_bin::site::Site;
use tokio::sync::watch;

#[tokio::main]
async fn main() -> Result<()> {
    let file: OsString = std::env::args_os().nth(1).context("say where the configuration is")?;
    logging::start(Verbosity::Info);
    let config = Config::load(Some(&file))?;
    let listen = config.service.listen();
    mbs_store::upgrade(config.service.database.reveal()).await?;

    let site = Site::open(config).await?;
    let (frontend, door) = (frontend::frontend(&site)?, frontend::open(&listen).await?);
    let backend = Backend::open(site).await?;
    backend.begin().await?;

    let (stop, stopped) = watch::channel(());
    let until = |mut stopped: watch::Receiver<()>| async move { drop(stopped.changed().await) };
    let serving = serve(Arc::new(frontend), door, until(stopped.clone()));
    let working = backend.work(until(stopped));
    let waiting = async {
        let told = tokio::signal::ctrl_c().await;
        drop(stop);
        told
    };
    let ((), (), told) = tokio::join!(serving, working, waiting);
    Ok(told?)
}
