//! The commands of `mbs-build` that talk to a service, ours or the original: what they ask, print and end with.
//!
//! Formats, requests and statuses of `overview`, `info`, `watch`, `submit` and `cancel` are those of the command that the
//! original service had; programs read them. [`mbs_client`] sends what is asked.
//!
//! | room | |
//! | --- | --- |
//! | `site`, `login` | which service, who we are there, how trouble with it ends a command |
//! | `overview`, `info`, `watch` | builds, as people look at them |
//! | `checkout`, `submit`, `cancel` | what is changed |
//! | `show` | what they print in common |

mod cancel;
mod checkout;
mod info;
mod login;
mod overview;
mod show;
mod site;
mod submit;
mod watch;

use std::future::Future;

use crate::cli::{BuildArguments, OverviewArguments, ServiceArguments, SubmitArguments, WatchArguments};
use crate::exit::{Exit, Stop};
use crate::logging::Screen;
use site::Site;

/// Shows the newest module builds, unfinished or finished ones.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn overview(
    service: &ServiceArguments,
    arguments: &OverviewArguments,
    screen: &Screen,
) -> Result<Exit, Stop> {
    run(overview::run(&Site::open(service)?, arguments, screen))
}

/// Shows the components of a module build.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn info(service: &ServiceArguments, arguments: &BuildArguments) -> Result<Exit, Stop> {
    run(info::run(&Site::open(service)?, arguments))
}

/// Shows how a module build goes on until it ends.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn watch(service: &ServiceArguments, arguments: &WatchArguments) -> Result<Exit, Stop> {
    run(watch::run(&Site::open(service)?, arguments))
}

/// Submits a module build.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn submit(service: &ServiceArguments, arguments: &SubmitArguments) -> Result<Exit, Stop> {
    run(submit::run(&Site::open(service)?, service, arguments))
}

/// Cancels a module build.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn cancel(service: &ServiceArguments, arguments: &BuildArguments) -> Result<Exit, Stop> {
    run(cancel::run(&Site::open(service)?, service, arguments))
}

fn run(command: impl Future<Output = Result<Exit, Stop>>) -> Result<Exit, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::Machine(format!("nothing can be run: {error}")))?;
    runtime.block_on(command)
}
