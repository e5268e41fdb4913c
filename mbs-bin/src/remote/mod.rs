//! The commands of `mbs-build` that talk to a service, ours or the original: what they ask, print and end with.
//!
//! Formats, requests and statuses of `overview`, `info`, `watch`, `submit` and `cancel` are those of the command that the
//! original service had; programs read them. [`mbs_client`] sends what is asked.
//!
//! | room | |
//! | --- | --- |
//! | `site`, `login` | which service, who we are there, how trouble with it ends a command |
//! | `overview`, `info`, `watch` | builds, as people look at them |
//! | `list`, `explain`, `log`, `plan` | what only newer commands show |
//! | `checkout`, `submit`, `srpm`, `resume`, `cancel` | what is changed |
//! | `show` | what they print in common |

mod cancel;
mod checkout;
mod explain;
mod info;
mod list;
mod log;
mod login;
mod overview;
mod plan;
mod resume;
mod show;
mod site;
mod srpm;
mod submit;
mod watch;

use std::future::Future;

use indicatif::MultiProgress;

use crate::cli::{
    BuildArguments, ListArguments, LogArguments, LoginArguments, OverviewArguments, PlanArguments,
    ResumeArguments, ServiceArguments, SubmitArguments, WatchArguments,
};
use crate::exit::{Exit, Stop};
use site::Site;

/// Shows the newest module builds, unfinished or finished ones. How far it is it draws where it is given something to draw with.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn overview(
    service: &ServiceArguments,
    arguments: &OverviewArguments,
    bars: Option<&MultiProgress>,
) -> Result<Exit, Stop> {
    run(overview::run(&Site::open(service)?, arguments, bars))
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

/// Submits again what a module build was made of.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn resume(service: &ServiceArguments, arguments: &ResumeArguments) -> Result<Exit, Stop> {
    run(resume::run(&Site::open(service)?, service, arguments))
}

/// Lists the module builds that fit.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn list(service: &ServiceArguments, arguments: &ListArguments) -> Result<Exit, Stop> {
    run(list::run(&Site::open(service)?, arguments))
}

/// Says why a module build is not further.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn explain(service: &ServiceArguments, arguments: &BuildArguments) -> Result<Exit, Stop> {
    run(explain::run(&Site::open(service)?, arguments))
}

/// Shows the log of a module build.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn log(service: &ServiceArguments, arguments: &LogArguments) -> Result<Exit, Stop> {
    run(log::run(&Site::open(service)?, arguments))
}

/// Says what the service would make of a document.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn plan(service: &ServiceArguments, arguments: &PlanArguments) -> Result<Exit, Stop> {
    run(plan::run(&Site::open(service)?, service, arguments))
}

/// Gets a token from the provider.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn login(service: &ServiceArguments, arguments: &LoginArguments) -> Result<Exit, Stop> {
    run(login::log_in(&Site::open(service)?, service, arguments))
}

/// Forgets the token of the provider.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn logout(service: &ServiceArguments, arguments: &LoginArguments) -> Result<Exit, Stop> {
    run(login::log_out(service, arguments))
}

fn run(command: impl Future<Output = Result<Exit, Stop>>) -> Result<Exit, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::Machine(format!("nothing can be run: {error}")))?;
    runtime.block_on(command)
}
