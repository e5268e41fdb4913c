//! `mbs-build plan --server` and `submit --dry-run`: what the service would make of a submission.

use mbs_client::api::{Source, Submission};
use mbs_client::client::{Client, ClientError};
use tracing::warn;

use super::show::print;
use super::site::{Site, stop};
use super::submit::{document, streams};
use crate::cli::{PlanArguments, Reader, ServiceArguments};
use crate::exit::{Exit, Stop};
use crate::logging::without_controls;
use crate::plan::Report;

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
    let report = Report::from(plans);
    match reader {
        Reader::Person => print(&without_controls(&report.to_string()))?,
        Reader::Program => print(&report.to_json())?,
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
