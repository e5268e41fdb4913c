//! What builders, the scheduler and kojira do to tasks: they open them, make their children, and end them.
//!
//! Nothing happens by itself except what the clock has brought due when somebody asks or looks ([`pump`]).

mod arches;
mod repo;
mod source;
mod work;

use std::collections::BTreeMap;
use std::time::Duration;

use super::config::{Config, RequestsBegin, Tagging};
use super::state::{Id, State, Task, task_state};
use super::time::Moment;
use crate::xmlrpc::{Fault, FaultCode, Value};

pub(crate) use source::source_package;

/// What comes out when a package is built.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Its version; for uploaded source RPMs the one they say counts.
    pub version: String,
    /// Its release before the dist tag of the buildroot.
    pub release: String,
    /// The names of its RPMs for each architecture.
    pub rpms: Vec<String>,
    /// The names of its RPMs without architecture.
    pub noarch_rpms: Vec<String>,
    /// Headers of all its RPMs, by field in small letters.
    pub headers: BTreeMap<String, Value>,
}

impl Recipe {
    /// Describes version 1.0, release 1, and one RPM for each architecture.
    pub fn of(package: &str) -> Self {
        Self {
            version: "1.0".into(),
            release: "1".into(),
            rpms: vec![package.to_owned()],
            noarch_rpms: Vec::new(),
            headers: BTreeMap::new(),
        }
    }

    /// Describes the same without architecture.
    pub fn noarch(package: &str) -> Self {
        Self { rpms: Vec::new(), noarch_rpms: vec![package.to_owned()], ..Self::of(package) }
    }
}

/// When and how tasks end by themselves.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    /// How long builds take.
    pub build: Duration,
    /// How long particular packages take.
    pub packages: BTreeMap<String, Duration>,
    /// How long repositories take.
    pub repo: Duration,
    /// The packages that fail, and what they say.
    pub failures: BTreeMap<String, String>,
}

/// How far the task of a build has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A builder has it.
    Open,
    /// It waits for a repository.
    Waiting,
    /// The source RPM is being made.
    Source,
    /// The source RPM is there: the build exists, and its architectures are being built.
    Arches,
}

/// What tasks do when they end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scripts {
    pub(crate) recipes: BTreeMap<String, Recipe>,
    pub(crate) automatic: Option<Builder>,
}

/// Brings a task to a stage.
pub(crate) fn advance(state: &mut State, scripts: &Scripts, task: Id, stage: Stage) -> Result<(), Fault> {
    let method = live(state, task)?.method.to_string();
    state.open_task(task);
    state.begin_next();
    match method.as_str() {
        "build" => work::Work::of(state, scripts, task)?.advance(state, stage),
        "newRepo" if stage > Stage::Open => repo::begin(state, task, None).map(drop),
        _ => Ok(()),
    }
}

/// Ends a task well.
pub(crate) fn finish(state: &mut State, scripts: &Scripts, task: Id) -> Result<(), Fault> {
    let method = live(state, task)?.method.to_string();
    state.open_task(task);
    state.begin_next();
    match method.as_str() {
        "build" => work::Work::of(state, scripts, task)?.finish(state),
        "newRepo" => repo::finish(state, task),
        "tagBuild" => finish_tagging(state, task),
        _ => {
            state.end_task(task, Ok(Value::Nil));
            Ok(())
        }
    }
}

/// Ends a task badly, with what it was making.
pub(crate) fn fail(state: &mut State, task: Id, fault: &Fault) -> Result<(), Fault> {
    live(state, task)?;
    state.open_task(task);
    for child in state.children_of(task).to_vec() {
        if state.tasks.get(&child).is_some_and(|child| task_state::is_live(child.state)) {
            state.end_task(child, Err(fault.clone()));
        }
    }
    for build in state.builds_of_task(task) {
        if state.builds.get(&build).is_some_and(|build| build.state == super::state::build_state::BUILDING) {
            state.end_build(build, super::state::build_state::FAILED);
        }
    }
    repo::fail(state, task);
    state.end_task(task, Err(fault.clone()));
    Ok(())
}

fn live(state: &State, id: Id) -> Result<&Task, Fault> {
    let task = state.task(id)?;
    if task_state::is_live(task.state) {
        Ok(task)
    } else {
        Err(Fault::new(FaultCode::GenericError, format!("Task {id} has ended")))
    }
}

/// Lets a task of `tagBuild` that has just been made run, if it runs at once.
pub(crate) fn tagging_made(state: &mut State, config: &Config, task: Id) {
    if config.setup.tagging == Tagging::AtOnce {
        run_tagging(state, task);
    }
}

fn run_tagging(state: &mut State, task: Id) {
    state.begin_next();
    state.open_task(task);
    // What the task finds wrong is its result.
    if let Err(fault) = finish_tagging(state, task) {
        state.end_task(task, Err(fault));
    }
}

fn finish_tagging(state: &mut State, id: Id) -> Result<(), Fault> {
    let task = state.task(id)?;
    let number = |at: usize| task.request.get(at).and_then(Value::as_int);
    let (tag, build) = (number(0).unwrap_or_default(), number(1).unwrap_or_default());
    let (from, owner) = (number(3), task.owner);
    let actor = std::mem::replace(&mut state.actor, owner);
    if let Some(from) = from {
        state.untag_build(from, build);
    }
    let tagged = state.tag_build(tag, build);
    state.actor = actor;
    tagged?;
    state.end_task(id, Ok(Value::Nil));
    Ok(())
}

/// Lets happen what the time has brought due.
pub(crate) fn pump(state: &mut State, config: &Config, scripts: &Scripts) {
    let now = state.now;
    if config.setup.requests_begin == RequestsBegin::WithTheNextCall {
        repo::serve_requests(state);
    }
    while let Some((due, task)) = next_due(state, config, scripts).filter(|(due, _)| *due <= now) {
        state.now = due;
        state.begin_next();
        end_by_itself(state, scripts, task);
    }
    state.now = now;
    state.begin_next();
}

/// Begins the tasks that repository requests wait for.
pub(crate) fn serve_requests(state: &mut State) {
    repo::serve_requests(state);
}

fn next_due(state: &State, config: &Config, scripts: &Scripts) -> Option<(Moment, Id)> {
    let is_timed = scripts.automatic.is_some() || matches!(config.setup.tagging, Tagging::After(_));
    let live = state.live_tasks.iter().filter(|_| is_timed).filter_map(|id| state.tasks.get(id));
    let top = live.filter(|task| task.parent.is_none());
    top.filter_map(|task| Some((task.created + lasts(task, config, scripts)?, task.id))).min()
}

fn lasts(task: &Task, config: &Config, scripts: &Scripts) -> Option<Duration> {
    if &*task.method == "tagBuild" {
        let Tagging::After(delay) = config.setup.tagging else { return None };
        return Some(delay);
    }
    let builder = scripts.automatic.as_ref()?;
    Some(match &*task.method {
        "build" => {
            let package = source_package(task).unwrap_or_default();
            builder.packages.get(&package).copied().unwrap_or(builder.build)
        }
        _ => builder.repo,
    })
}

fn end_by_itself(state: &mut State, scripts: &Scripts, id: Id) {
    let Some(task) = state.tasks.get(&id).cloned() else { return };
    if &*task.method == "tagBuild" {
        return run_tagging(state, id);
    }
    let failures = scripts.automatic.as_ref().map(|builder| &builder.failures);
    let package = source_package(&task).filter(|_| &*task.method == "build").unwrap_or_default();
    let scripted = failures.and_then(|failures| failures.get(&package));
    let savepoint = state.clone();
    let ended = match scripted {
        Some(text) => advance(state, scripts, id, Stage::Arches)
            .and_then(|()| fail(state, id, &Fault::new(FaultCode::BuildError, text))),
        None => finish(state, scripts, id),
    };
    if let Err(fault) = ended {
        *state = savepoint;
        // It lives, so it can fail.
        drop(fail(state, id, &fault));
    }
}

/// Returns names and contents of a task's files.
pub(crate) fn task_files(state: &State, id: Id) -> Vec<(String, String)> {
    let Some(task) = state.tasks.get(&id).filter(|task| task.started.is_some()) else { return Vec::new() };
    let end = match &task.result {
        Some(Err(fault)) => format!("{}\n", fault.text),
        _ => "Child return code was: 0\n".into(),
    };
    match &*task.method {
        "buildArch" | "rebuildSRPM" | "buildSRPMFromSCM" => vec![
            ("build.log".into(), format!("building in task {id}\n{end}")),
            ("root.log".into(), format!("buildroot of task {id}\n")),
        ],
        _ => Vec::new(),
    }
}
