//! `mbs-build watch`: a picture of a module build, again and again until it has ended.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use mbs_client::api::{Form, ModuleBuild, Task};
use mbs_core::ident::BuildId;
use mbs_core::model::BuildState;

use super::show::{UNDEFINED, line, print, print_json, state_name};
use super::site::{Site, build_id, stop};
use crate::cli::{Reader, WatchArguments};
use crate::exit::{Exit, Stop};

/// Clears the screen.
const CLEAR: &str = "\u{1b}[2J\n";

pub(super) async fn run(site: &Site, arguments: &WatchArguments) -> Result<Exit, Stop> {
    let id = build_id(&arguments.id)?;
    watch(site, id, arguments.reader(), Duration::from_secs(arguments.every)).await
}

/// Watches a build until it has ended, or somebody has seen enough.
///
/// # Errors
/// `Failed`: there is no such build. `Machine`: the service cannot be reached at first; later it is waited for.
pub(super) async fn watch(site: &Site, id: BuildId, reader: Reader, every: Duration) -> Result<Exit, Stop> {
    tokio::select! {
        biased;
        ended = looking(site, id, reader, every) => ended,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
    }
}

async fn looking(site: &Site, id: BuildId, reader: Reader, every: Duration) -> Result<Exit, Stop> {
    let mut was_seen = false;
    loop {
        match site.client.module_build(id, Form::Extended).await {
            Ok(build) => {
                was_seen = true;
                show(site, &build, reader)?;
                if build.has_ended() {
                    return Ok(Exit::Done);
                }
            }
            Err(error) if was_seen && error.is_transient() => tracing::warn!("{error}"),
            Err(error) => return Err(stop(error)),
        }
        tokio::time::sleep(every).await;
    }
}

fn show(site: &Site, build: &ModuleBuild, reader: Reader) -> Result<(), Stop> {
    match reader {
        Reader::Person => print(&format!("{CLEAR}{}", picture(site, build))),
        Reader::Program => print_json(build),
    }
}

fn picture(site: &Site, build: &ModuleBuild) -> String {
    let mut text = String::new();
    for (title, state) in [("Still building", BuildState::Building), ("Failed", BuildState::Failed)] {
        let components: Vec<&(String, Task)> =
            build.packages().iter().filter(|(_, task)| task.known_state() == Some(state)).collect();
        if !components.is_empty() {
            text.push_str(&format!("{title}:\n"));
        }
        for (package, task) in components {
            let task = task.task_id.flatten().map(|task| format!(" {}", site.task_url(task)));
            text.push_str(&format!("   {}{}\n", line(package), task.unwrap_or_default()));
        }
    }
    text.push_str("\nSummary:\n");
    for (name, count) in counts(build) {
        text.push_str(&format!("   {count} components in the {name} state\n"));
    }
    text.push_str(&standing(build));
    text
}

/// Counts components by what their state is called: by its number, those that have not begun last.
fn counts(build: &ModuleBuild) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<(Option<u8>, String), usize> = BTreeMap::new();
    for (_, task) in build.packages() {
        *counts.entry((task.state_number(), state_name(task))).or_default() += 1;
    }
    let (begun, others): (Vec<_>, Vec<_>) =
        counts.into_iter().map(|((_, name), count)| (name, count)).partition(|(name, _)| name != UNDEFINED);
    begun.into_iter().chain(others).collect()
}

/// Returns the last line: whose build it is, and where it stands.
fn standing(build: &ModuleBuild) -> String {
    let owner = line(build.owner.as_deref().unwrap_or("nobody"));
    let module = line(&format!("{}-{}", build.name, build.stream));
    let mut text =
        format!("{owner}'s build #{} of {module} is in the \"{}\" state", build.id, line(&build.state_name));
    if let Some(reason) = build.state_reason.as_deref().filter(|reason| !reason.is_empty()) {
        write!(text, " (reason: {})", line(reason)).expect("texts can be written to");
    }
    if let Some(tag) = build.koji_tag.as_deref().filter(|tag| !tag.is_empty()) {
        write!(text, " (koji tag: \"{}\")", line(tag)).expect("texts can be written to");
    }
    text + "\n"
}
