//! `mbs-build plan`: says what would become of a document, and builds and records nothing.
//!
//! Which builds it would make, and with what, is decided in [`mbs_core::submission`] and [`mbs_core::expansion`]; what they
//! would take in [`mbs_core::outlook`]. Modules are found in files.

mod report;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use mbs_core::engine::{Desk, SubmitError};
use mbs_core::ident::NameStream;
use mbs_core::memory::{ManualClock, MemorySourceControl, MemoryStore};
use mbs_core::modulemd::{Limits, read_submission};
use mbs_core::outlook::outlook;
use mbs_core::policy::Policy;
use mbs_core::resolver::KnownModule;
use mbs_core::submission::{Asked, Decided, GivenDocument, Overrides, Rules};
use mbs_local::module_files::{ModuleFiles, ModuleFilesError};
use tracing::warn;

use crate::cli::{PlanArguments, Reader};
use crate::exit::{Exit, Stop};
use crate::validate;
use report::Report;

/// Prints to `out` what would become of a document.
///
/// # Errors
/// `Usage`: a file is missing or is no good one, or the dependencies do not work out. `Machine`: `out` cannot be written.
pub fn run(arguments: &PlanArguments, out: &mut impl Write) -> Result<Exit, Stop> {
    let policy = Policy { rpms_allow_repository: true, modules_allow_repository: true, ..Policy::default() };
    let asked = asked(arguments)?;
    let modules = modules(arguments, &policy)?;
    let mut warnings = modules.problems().to_vec();
    let earlier: Vec<KnownModule> = modules.all().cloned().collect();
    let decided = decide(&asked, modules, &policy)?;
    for warning in &decided.warnings {
        warn!("{warning}");
    }
    warnings.extend_from_slice(&decided.warnings);
    let report = report(&decided, &earlier, warnings, &policy)?;
    let text = match arguments.reader() {
        Reader::Person => report.to_string(),
        Reader::Program => report.to_json(),
    };
    validate::tolerate(out.write_all(text.as_bytes()).and_then(|()| out.flush()))?;
    Ok(Exit::Done)
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

fn streams(modules: &[NameStream]) -> BTreeMap<String, std::collections::BTreeSet<String>> {
    let mut streams = BTreeMap::<_, std::collections::BTreeSet<String>>::new();
    for NameStream { name, stream } in modules {
        streams.entry(name.to_string()).or_default().insert(stream.to_string());
    }
    streams
}

/// Reads where modules are, all of it together: what one path lacks another may have. What could not be read is logged.
fn modules(arguments: &PlanArguments, policy: &Policy) -> Result<ModuleFiles, Stop> {
    let files = ModuleFiles::read(&arguments.modules, &policy.base_module_names)
        .map_err(|error| unreadable(&error, &arguments.modules))?;
    for problem in files.problems() {
        warn!("{problem}");
    }
    Ok(files)
}

fn unreadable(error: &ModuleFilesError, paths: &[PathBuf]) -> Stop {
    match error {
        ModuleFilesError::Missing { path } => Stop::Usage(format!("{} does not exist", path.display())),
        ModuleFilesError::Nothing { problems } => {
            let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            let problems = problems.join("\n");
            Stop::Usage(format!("there is no module in {}\n{problems}", paths.join(", ")))
        }
    }
}

fn decide(asked: &Asked, modules: ModuleFiles, policy: &Policy) -> Result<Decided, Stop> {
    let rules = Rules {
        yaml_submit_allowed: true,
        rebuild_strategy_allow_override: true,
        allow_dashes_in_svc: true,
        ..Rules::default()
    };
    let store = MemoryStore::new(Arc::new(ManualClock::new()), Timestamp::now(), policy);
    let desk = Desk {
        store: Arc::new(store),
        resolver: Arc::new(modules),
        source_control: Arc::new(MemorySourceControl::new()),
        rules: Arc::new(rules),
        policy: Arc::new(policy.clone()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Stop::Machine(format!("nothing can be run: {error}")))?;
    runtime.block_on(desk.preview(asked)).map_err(|error| match error {
        SubmitError::Refused(refused) => refused.into(),
        SubmitError::Resolver(error) => error.into(),
        SubmitError::Store(error) => error.into(),
        SubmitError::Source(error) => Stop::Usage(error.to_string()),
    })
}

fn report(
    decided: &Decided,
    earlier: &[KnownModule],
    warnings: Vec<String>,
    policy: &Policy,
) -> Result<Report, Stop> {
    let mut report = Report::new(warnings);
    for (build, new) in decided.builds.iter().zip(&decided.new) {
        let outlook = outlook(new, earlier, policy).map_err(|error| Stop::Usage(error.to_string()))?;
        let exists = earlier.iter().any(|module| module.nsvc == build.nsvc);
        report.push(build, exists, new, &outlook);
    }
    Ok(report)
}

#[cfg(test)]
mod tests;
