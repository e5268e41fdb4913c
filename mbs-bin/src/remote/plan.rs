//! `mbs-build plan --server` and `submit --dry-run`: what the service would make of a submission.

use std::fmt;

use mbs_client::api::{PlannedBuild, Plans, Source, Submission};
use mbs_client::client::{Client, ClientError};
use tracing::warn;

use super::show::{print, print_json};
use super::site::{Site, stop};
use super::submit::{document, streams};
use crate::cli::{PlanArguments, Reader, ServiceArguments};
use crate::exit::{Exit, Stop};
use crate::logging::without_controls;

pub(super) async fn run(
    site: &Site,
    service: &ServiceArguments,
    arguments: &PlanArguments,
) -> Result<Exit, Stop> {
    let submission = submission(arguments)?;
    plan(&site.logged_in(service).await?, &submission, arguments.reader()).await
}

/// Prints what the service would make of a submission.
///
/// # Errors
/// `Usage`: the document or its dependencies do not work out. `Failed`: we may not ask, or the service is none of ours.
/// `Machine`: it cannot be reached.
pub(super) async fn plan(client: &Client, submission: &Submission, reader: Reader) -> Result<Exit, Stop> {
    let plans = client.plan(submission).await.map_err(refused)?;
    for warning in &plans.warnings {
        warn!("{warning}");
    }
    match reader {
        Reader::Person => print(&without_controls(&Shown(&plans).to_string()))?,
        Reader::Program => print_json(&plans)?,
    }
    Ok(Exit::Done)
}

fn refused(error: ClientError) -> Stop {
    match error {
        ClientError::Refused { status: 400 | 409 | 422, message, .. } => Stop::Usage(message),
        error => stop(error),
    }
}

fn submission(arguments: &PlanArguments) -> Result<Submission, Stop> {
    let source: Source = document(&arguments.document, arguments.stream.clone())?;
    Ok(Submission {
        source,
        rebuild_strategy: arguments.rebuild_strategy.clone(),
        buildrequire_overrides: streams(&arguments.buildrequires),
        require_overrides: streams(&arguments.requires),
        ..Submission::default()
    })
}

/// A plan, as people read it.
struct Shown<'p>(&'p Plans);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.builds.len() {
            1 => writeln!(f, "One build:")?,
            many => writeln!(f, "{many} builds:")?,
        }
        for build in &self.0.builds {
            let PlannedBuild { name, stream, version, context, buildrequires, .. } = build;
            writeln!(f, "\n{name}:{stream}:{version}:{context}{}", becomes(build))?;
            let with: Vec<String> =
                buildrequires.iter().map(|(name, stream)| format!("{name}:{stream}")).collect();
            writeln!(f, "  built with {}", with.join(", "))?;
        }
        Ok(())
    }
}

fn becomes(build: &PlannedBuild) -> String {
    let of = build.id.map(|id| format!(" as build {id}")).unwrap_or_default();
    match build.disposition.as_str() {
        "new" => String::new(),
        "resume" => format!(", which goes on{of}"),
        "exists" => format!(", which is there already{of}"),
        other => format!(", {other}{of}"),
    }
}
