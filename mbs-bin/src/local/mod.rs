//! `mbs-build local`: builds a module on this machine, in the foreground.
//!
//! The rooms stand in the order of a run:
//!
//! | step | room |
//! | --- | --- |
//! | the document and what the options say against it | [`document`], [`settings`] |
//! | what the build is made from, as a fingerprint | [`origin`] |
//! | the machine, the record of builds, known modules | [`machine`], [`record`], [`elsewhere`] |
//! | go on, resume or begin, and with which identity | [`course`], [`submit`], [`cancel`] |
//! | the engine, progress, Ctrl-C | [`mod@run`], [`news`], [`display`], [`json`] |
//! | what it came to | [`report`] |
//!
//! What to build when is decided in [`mbs_core`]; which implementations stand behind the traits, here.

pub mod cancel;
pub mod course;
pub mod display;
pub mod document;
pub mod elsewhere;
pub mod json;
pub mod machine;
pub mod news;
pub mod origin;
pub mod record;
pub mod report;
pub mod run;
pub mod settings;
pub mod submit;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeMap;
use std::env;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use mbs_core::clock::Clock;
use mbs_core::engine::Engine;
use mbs_core::ident::{Name, NameStream, Stream};
use mbs_core::model::ModuleBuild;
use mbs_core::plan::Standard;
use mbs_core::store::{Settings, Store};
use mbs_local::clock::SystemClock;
use mbs_local::lock::DirectoryLock;
use mbs_local::modules::{LocalModules, finished_builds, platform_of_machine};

use crate::cli::LocalArguments;
use crate::exit::{Exit, Stop};
use crate::logging::{Screen, Verbosity};

use course::Mode;
use display::Display;
use machine::Machine;
use origin::{Origin, given_srpms};
use record::Record;
use run::Run;
use submit::{Submission, Submitted, now, user};

/// Where results go if nobody says, below the home folder.
const USUAL_RESULTS: &str = "modulebuild/builds";

/// How long what is still running may take to end when the program does.
const GRACE: Duration = Duration::from_secs(5);

/// Builds what the arguments ask for, and returns how that ended.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub fn run(arguments: &LocalArguments, verbosity: Verbosity, screen: &Screen) -> Result<Exit, Stop> {
    let display = Display::choose(arguments.reader(), verbosity, screen);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Machine(format!("no threads can be started: {error}")))?;
    let ended = runtime.block_on(build(arguments, display));
    runtime.shutdown_timeout(GRACE);
    if let (Err(stop), true) = (&ended, arguments.json) {
        display::print(&json::stopped(stop.exit(), &stop.to_string()));
    }
    ended
}

async fn build(arguments: &LocalArguments, display: Display) -> Result<Exit, Stop> {
    let base = arguments.platform.clone().unwrap_or_else(platform_of_machine);
    let policy = Arc::new(settings::policy(&base));
    let documents = document::read(arguments, &policy, now())?;
    let srpms = given_srpms(&arguments.srpms, &documents.streams)?;
    machine::check_programs(arguments.builder())?;

    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let results = results_directory(arguments)?;
    let lock = DirectoryLock::take(&results)?;
    let record = Record::open(lock, &policy).await?;
    let store = record.store.clone();
    let machine = Machine::open(&results, arguments.builder()).await?;
    let (here, default_streams) = known_modules(arguments, &base, &*store, &results).await?;
    let here = Arc::new(here);
    let modules = elsewhere::with_service(here.clone(), arguments.resolver.as_deref(), &policy)?;
    let submission = Submission {
        origin: Origin::of(&documents, arguments, &base, &srpms),
        documents: documents.streams,
        mode: mode(arguments),
        srpms,
        default_streams,
        base,
        user: user(),
        policy: &policy,
    };
    let submitted = submission.submit(&*store, &*modules).await?;
    tell_start(&display, &submitted);
    if arguments.resolver.is_some() {
        tell_elsewhere(&display, &submitted, &here).await?;
    }
    limit_jobs(arguments, &*store).await?;
    let engine = Engine {
        store: store.clone(),
        build_system: machine.build_system.clone(),
        resolver: modules,
        source_control: machine.git.clone(),
        clock,
        planner: Arc::new(Standard),
        policy: policy.clone(),
        worker: record::worker(),
        looks_at_once: LOOKS_AT_ONCE,
    };
    let builds = Run::start(engine, record, machine.clone(), display, &submitted).await?.to_end().await?;
    Ok(report(arguments, &builds, &machine))
}

/// Looks under way at once: one build is worked on, and perhaps others are being cancelled.
const LOOKS_AT_ONCE: usize = 4;

fn mode(arguments: &LocalArguments) -> Mode {
    if arguments.fresh {
        Mode::Fresh
    } else if arguments.resume {
        Mode::Resume
    } else {
        Mode::Usual
    }
}

/// Returns the results directory as an absolute path: tasks run elsewhere.
fn results_directory(arguments: &LocalArguments) -> Result<PathBuf, Stop> {
    let given = match &arguments.results {
        Some(results) => results.clone(),
        None => match env::home_dir().filter(|home| !home.as_os_str().is_empty()) {
            Some(home) => home.join(USUAL_RESULTS),
            None => return Err(Stop::Usage("there is no home folder: specify --results".to_owned())),
        },
    };
    let results = std::path::absolute(&given).map_err(|error| Stop::unreadable(&given, &error))?;
    match results.ancestors().find(|path| path.exists()) {
        Some(file) if !file.is_dir() => {
            Err(Stop::Usage(format!("{} is no folder: specify another with --results", file.display())))
        }
        _ => Ok(results),
    }
}

/// Finds the modules that may be required, and which stream of each is meant where a document leaves a choice: those
/// that were set, the base module's, and those of local results that were named.
async fn known_modules(
    arguments: &LocalArguments,
    base: &NameStream,
    store: &dyn Store,
    directory: &Path,
) -> Result<(LocalModules, BTreeMap<Name, Stream>), Stop> {
    let mut results: Vec<ModuleBuild> = Vec::new();
    for wanted in &arguments.add_local_builds {
        let found = finished_builds(wanted, base, store).await?;
        if found.is_empty() {
            let what = format!(
                "there is no finished build of {wanted} in the results directory {}",
                directory.display()
            );
            return Err(Stop::Usage(what));
        }
        results.extend(found);
    }
    results.sort_by_key(|build| build.id);
    results.dedup_by_key(|build| build.id);
    let mut streams = streams_of(&results);
    streams.insert(base.name.clone(), base.stream.clone());
    for set in &arguments.set_streams {
        streams.insert(set.name.clone(), set.stream.clone());
    }
    Ok((LocalModules::new(base, &results)?, streams))
}

/// Returns the stream of each module of which results of one stream were named; several leave the choice open.
fn streams_of(results: &[ModuleBuild]) -> BTreeMap<Name, Stream> {
    let streams = results.iter().map(|build| (build.nsvc().name.clone(), build.nsvc().stream.clone()));
    let is_only = |(name, stream): &(Name, Stream)| {
        results.iter().all(|other| other.nsvc().name != *name || other.nsvc().stream == *stream)
    };
    streams.filter(is_only).collect()
}

fn tell_start(display: &Display, submitted: &Submitted) {
    for build in &submitted.cancelled {
        display
            .say(&format!("{} was unfinished and is cancelled; what is complete in it stays", build.nsvc()));
    }
    for build in submitted.builds.iter().filter(|_| submitted.is_taken_up) {
        let complete = build.components.iter().filter(|component| component.is_complete()).count();
        let stand = match build.components.len() {
            0 => String::new(),
            all => format!(", {complete} of {all} components are complete"),
        };
        display.say(&format!("{}: going on{stand}", build.nsvc()));
    }
}

/// Tells of which modules this machine only has what is installed.
async fn tell_elsewhere(display: &Display, submitted: &Submitted, here: &LocalModules) -> Result<(), Stop> {
    for build in &submitted.builds {
        for module in elsewhere::not_fetched(build, here).await? {
            let what = "is known from the service only: of its packages those count that are installed here";
            display.say(&format!("{}: {module} {what}", build.nsvc()));
        }
    }
    Ok(())
}

async fn limit_jobs(arguments: &LocalArguments, store: &dyn Store) -> Result<(), Stop> {
    let processors = || available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok());
    let jobs = arguments.jobs.map(NonZeroU32::get).or_else(processors).unwrap_or(1);
    let settings = Settings { limit: Some(jobs), ..Settings::default() };
    if store.settings().await? != settings {
        store.change_settings(settings, &user()).await?;
    }
    Ok(())
}

fn report(arguments: &LocalArguments, builds: &[ModuleBuild], machine: &Machine) -> Exit {
    let exit = builds.iter().map(Exit::of_build).max().unwrap_or(Exit::Failed);
    if arguments.json {
        display::print(&json::result(exit, builds, machine));
    } else {
        // That nobody reads on is no error.
        drop(write!(anstream::stdout(), "{}", report::results(builds, machine)));
    }
    report::log_failures(builds, machine);
    exit
}
