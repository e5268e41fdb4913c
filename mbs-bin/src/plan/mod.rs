//! `mbs-build plan`: says what would become of a document, and builds and records nothing.
//!
//! Which builds it would make, and with what, is decided in [`mbs_core::submission`] and [`mbs_core::expansion`]; what they
//! would take in [`mbs_core::outlook`]. Modules are found where [`crate::sources`] says.

mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use jiff::Timestamp;
use mbs_core::engine::{Desk, SubmitError};
use mbs_core::ident::{NameStream, Nsvc};
use mbs_core::memory::{ManualClock, MemorySourceControl, MemoryStore};
use mbs_core::modulemd::{Limits, read_submission};
use mbs_core::outlook::outlook;
use mbs_core::policy::Policy;
use mbs_core::resolver::ModuleResolver as _;
use mbs_core::submission::{Asked, Decided, GivenDocument, Overrides, Rules};
use tracing::warn;

use crate::cli::{PlanArguments, Reader};
use crate::exit::{Exit, Stop};
use crate::sources::Sources;
use crate::validate;
pub(crate) use report::Report;

/// Prints to `out` what would become of a document.
///
/// # Errors
/// `Usage`: a file is missing or is no good one, or the dependencies do not work out. `Machine`: `out` cannot be written, or
/// modules cannot be looked up.
pub fn run(arguments: &PlanArguments, out: &mut impl Write) -> Result<Exit, Stop> {
    let asked = asked(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::Machine(format!("nothing can be run: {error}")))?;
    let report = runtime.block_on(planned(&asked, arguments))?;
    let text = match arguments.reader() {
        Reader::Person => report.to_string(),
        Reader::Program => report.to_json(),
    };
    validate::tolerate(out.write_all(text.as_bytes()).and_then(|()| out.flush()))?;
    Ok(Exit::Done)
}

async fn planned(asked: &Asked, arguments: &PlanArguments) -> Result<Report, Stop> {
    let policy = Policy { rpms_allow_repository: true, modules_allow_repository: true, ..Policy::default() };
    let sources = Sources::open(&arguments.sources, &policy).await?;
    let decided = decide(asked, &sources, &policy).await?;
    for warning in &decided.warnings {
        warn!("{warning}");
    }
    let warnings = sources.problems.iter().chain(&decided.warnings).cloned().collect();
    report(&decided, &sources, warnings, &policy).await
}

/// Reads the document, so that what is wrong with it is said with its file and line.
fn asked(arguments: &PlanArguments) -> Result<Asked, Stop> {
    let file = &arguments.document;
    let limits = Limits::of_submission();
    let bytes = validate::read(file, &limits)?;
    let name = file.display().to_string();
    let text = String::from_utf8(bytes).map_err(|_| Stop::Usage(format!("{name}: the text is not UTF-8")))?;
    read_submission(&text, Some(&name), &limits)?;
    Ok(Asked {
        owner: String::new(),
        document: Some(GivenDocument { text, file_name: Some(name) }),
        module_stream: arguments.stream.clone(),
        rebuild_strategy: arguments.rebuild_strategy.clone(),
        overrides: Overrides {
            buildrequires: streams(&arguments.buildrequires),
            requires: streams(&arguments.requires),
        },
        ..Asked::default()
    })
}

fn streams(modules: &[NameStream]) -> BTreeMap<String, BTreeSet<String>> {
    let mut streams = BTreeMap::<_, BTreeSet<String>>::new();
    for NameStream { name, stream } in modules {
        streams.entry(name.to_string()).or_default().insert(stream.to_string());
    }
    streams
}

async fn decide(asked: &Asked, sources: &Sources, policy: &Policy) -> Result<Decided, Stop> {
    let rules = Rules {
        yaml_submit_allowed: true,
        rebuild_strategy_allow_override: true,
        allow_dashes_in_svc: true,
        ..Rules::default()
    };
    let in_memory = || Arc::new(MemoryStore::new(Arc::new(ManualClock::new()), Timestamp::now(), policy));
    let desk = Desk {
        store: sources.store.clone().unwrap_or_else(|| in_memory()),
        resolver: Arc::new(sources.chain.clone()),
        source_control: Arc::new(MemorySourceControl::new()),
        rules: Arc::new(rules),
        policy: Arc::new(policy.clone()),
    };
    desk.preview(asked).await.map_err(|error| match error {
        SubmitError::Refused(refused) => refused.into(),
        SubmitError::Resolver(error) => error.into(),
        SubmitError::Store(error) => error.into(),
        SubmitError::Source(error) => Stop::Usage(error.to_string()),
    })
}

async fn report(
    decided: &Decided,
    sources: &Sources,
    warnings: Vec<String>,
    policy: &Policy,
) -> Result<Report, Stop> {
    let streams: Vec<NameStream> = decided.builds.iter().map(|build| build.nsvc.name_stream()).collect();
    let earlier = sources.earlier(&streams).await?;
    let nsvcs: Vec<Nsvc> = decided.builds.iter().map(|build| build.nsvc.clone()).collect();
    let known = sources.chain.builds(&nsvcs).await?;
    let chosen = decided.builds.iter().flat_map(|build| &build.chosen).map(|one| one.nsvc.clone());
    let chosen: BTreeSet<Nsvc> = chosen.collect();
    let places = sources.places_of(&chosen.into_iter().collect::<Vec<_>>()).await?;
    let mut report = Report::new(warnings, places);
    for (build, new) in decided.builds.iter().zip(&decided.new) {
        let outlook = outlook(new, &earlier, policy).map_err(|error| Stop::Usage(error.to_string()))?;
        let exists = known.contains_key(&build.nsvc);
        report.push(build, exists, new, &outlook);
    }
    Ok(report)
}

#[cfg(test)]
mod tests;
