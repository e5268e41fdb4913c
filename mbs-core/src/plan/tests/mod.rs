//! Tests of the plan, one file per state. Here: how they make records and observations, and how they read a plan.

mod build_attempts;
mod build_batches;
mod build_graph;
mod cancelled_example;
mod ended;
mod failed;
mod init;
mod init_defaults;
mod init_sources;
mod properties;
mod repository;
mod samples;
mod slots;
mod tale;
mod trouble;
mod wait;
mod worked_example;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;

use jiff::Timestamp;

use super::{Action, ActionKey, AskingTrouble, Observation, Outcome, Plan, missing, plan};
use crate::build_system::{
    BuildQuestions, BuildSystemError, Effect, Found, FoundBuild, RepoSeen, TaggedBuild, TaskFailure,
    TaskSeen, TaskState,
};
use crate::ident::{Nvr, RepoId, TagEvent, TagName, TaskId};
use crate::model::{ModuleBuild, State};
use crate::policy::Policy;
use crate::share::PlaceInLine;

const TAG: &str = "module-app-1-2020-c0ffee00";
const BUILD_TAG: &str = "module-app-1-2020-c0ffee00-build";
const DIST: &str = ".module+f28+7+eb20c2a0";

/// Parses a name that is written in a test.
fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Returns a moment of the tests' day.
fn at(minutes: i64, seconds: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 - 1_600_000_000 % 86_400 + 60 * minutes + seconds).unwrap()
}

fn days(n: i64) -> Timestamp {
    at(n * 24 * 60, 0)
}

/// Plans at 9:00 with the default rules.
fn step(build: &ModuleBuild, seen: Seen) -> Plan {
    step_at(build, seen, at(9, 0))
}

fn step_at(build: &ModuleBuild, seen: Seen, now: Timestamp) -> Plan {
    step_by(&Policy::default(), build, seen, now)
}

fn step_by(policy: &Policy, build: &ModuleBuild, seen: Seen, now: Timestamp) -> Plan {
    let Seen(mut seen) = seen;
    // Whatever was searched for was so at this moment, unless a test says otherwise.
    seen.searched.values_mut().filter(|at| **at == Timestamp::UNIX_EPOCH).for_each(|at| *at = now);
    plan(build, &seen, policy, now).unwrap()
}

/// Names the actions of a plan.
fn acts(plan: &Plan) -> Vec<String> {
    plan.actions.iter().flat_map(named).collect()
}

fn named(action: &Action) -> Vec<String> {
    let place = |tag: &TagName| if tag.as_str().ends_with("-build") { "build tag" } else { "final tag" };
    match action {
        Action::EnsureBuildroot(..) => vec!["buildroot".into()],
        Action::RequestRepo(_) => vec!["repository".into()],
        Action::Tag(all) => all.iter().map(|one| format!("{} into {}", one.nvr, place(&one.tag))).collect(),
        Action::Submit { job, attempt } => vec![format!("submit {} {attempt}", job.package)],
        Action::Cancel(tasks) => tasks.iter().map(|task| format!("cancel {task}")).collect(),
        Action::Import => vec!["import".into()],
        Action::Untag(all) => {
            all.iter().map(|one| format!("{} out of {}", one.nvr, place(&one.tag))).collect()
        }
        Action::RemoveTarget(_) => vec!["remove target".into()],
    }
}

/// Asserts that a plan neither changes nor does anything.
#[track_caller]
fn assert_quiet(plan: &Plan, before: &ModuleBuild) {
    assert_eq!(acts(plan), Vec::<String>::new());
    assert_eq!(plan.build, *before);
}

/// Asserts that a plan ends the build, and for what reason.
#[track_caller]
fn assert_fails(plan: &Plan, reason: &str, failure: crate::model::Failure) {
    let life = &plan.build.life;
    assert_eq!((life.state(), life.reason(), life.failure()), (State::Failed, Some(reason), Some(failure)));
    assert_eq!(acts(plan), Vec::<String>::new());
}

/// Returns the one component of a name after a plan.
fn component_after<'p>(plan: &'p Plan, package: &str) -> &'p crate::model::ComponentBuild {
    plan.build.component(package).unwrap()
}

/// Returns an error that may pass.
fn unavailable(effect: Effect) -> BuildSystemError {
    BuildSystemError::Unavailable { reason: "no answer".into(), retry_after: None, effect }
}

fn denied() -> BuildSystemError {
    BuildSystemError::Denied { what: "the permission is missing".into() }
}

/// An observation in the making.
struct Seen(Observation);

/// A task that is about to be described.
struct TaskOf(Seen, TaskId);

impl Seen {
    /// Nothing was observed.
    fn nothing() -> Self {
        Seen(Observation::default())
    }

    /// Everything stands as the record has it: live tasks are open, builds in their tags, nothing else exists.
    fn as_recorded(build: &ModuleBuild) -> Self {
        let mut seen = Observation::default();
        let question = missing(build, &seen, &Policy::default()).build;
        let open = || Some(TaskSeen { state: TaskState::Open, builds: Vec::new() });
        seen.build.tasks = Some(question.tasks.iter().map(|task| (*task, open())).collect());
        let searched = BuildQuestions { search: question.search, ..BuildQuestions::default() };
        seen.note_asked(&searched, Timestamp::UNIX_EPOCH);
        seen.build.search = Some(Found::default());
        let mut seen = Seen(seen).repo_at(60).with_tags();
        for component in &build.components {
            let Some(nvr) = component.nvr.as_ref().map(ToString::to_string) else { continue };
            let event = if component.is_macros() { 51 } else { 60 };
            if component.tagged {
                seen = seen.tagged(BUILD_TAG, &nvr, event);
            }
            if component.tagged_in_final {
                seen = seen.tagged(TAG, &nvr, event);
            }
        }
        seen
    }

    fn with_tags(mut self) -> Self {
        let tags = [BUILD_TAG, TAG].map(|tag| (id(tag), Some(Vec::new())));
        self.0.build.tags = Some(BTreeMap::from(tags));
        self
    }

    fn without_tag(mut self, tag: &str) -> Self {
        self.0.build.tags.get_or_insert_default().insert(id(tag), None);
        self
    }

    fn tagged(mut self, tag: &str, nvr: &str, event: i64) -> Self {
        let nvr: Nvr = id(nvr);
        let build = TaggedBuild { package: id(nvr.name()), nvr, task: None, event: TagEvent(event) };
        let tags = self.0.build.tags.get_or_insert_default();
        tags.entry(id(tag)).or_default().get_or_insert_default().push(build);
        self
    }

    fn untagged(mut self, tag: &str, nvr: &str) -> Self {
        let tags = self.0.build.tags.get_or_insert_default();
        tags.entry(id(tag)).or_default().get_or_insert_default().retain(|build| build.nvr != id(nvr));
        self
    }

    /// The newest repository shows the tags as of an event.
    fn repo_at(mut self, event: i64) -> Self {
        self.0.build.repo = Some(Some(RepoSeen { id: RepoId(event), event: TagEvent(event) }));
        self
    }

    fn without_repo(mut self) -> Self {
        self.0.build.repo = Some(None);
        self
    }

    /// The build system keeps the request for a repository, and began these tasks by itself.
    fn tries(mut self, tasks: &[i64]) -> Self {
        self.0.build.repo_tries = Some(tasks.iter().map(|task| TaskId(*task)).collect());
        self
    }

    fn task(self, task: i64) -> TaskOf {
        TaskOf(self, TaskId(task))
    }

    fn searched(mut self, packages: &[&str]) -> Self {
        self.0.searched.extend(packages.iter().map(|package| (id(package), Timestamp::UNIX_EPOCH)));
        self.0.build.search.get_or_insert_default();
        self
    }

    /// The search found a live task.
    fn found_live(mut self, package: &str, task: i64) -> Self {
        self = self.searched(&[package]);
        self.0.build.search.get_or_insert_default().live.push((id(package), TaskId(task)));
        self
    }

    /// The search found a complete build in a tag, or in none.
    fn found_built(mut self, nvr: &str, tag: Option<&str>) -> Self {
        let nvr: Nvr = id(nvr);
        self = self.searched(&[nvr.name()]);
        let found = FoundBuild { package: id(nvr.name()), nvr, task: Some(TaskId(77)), tag: tag.map(id) };
        self.0.build.search.get_or_insert_default().builds.push(found);
        self
    }

    fn rpms(mut self, nvr: &str, rpms: &[&str]) -> Self {
        let rpms = rpms.iter().map(|rpm| id(rpm)).collect();
        self.0.build.rpms_of_builds.get_or_insert_default().insert(id(nvr), rpms);
        self
    }

    fn slots(mut self, in_use: u32, limit: u32) -> Self {
        (self.0.slots.in_use, self.0.slots.limit) = (in_use, Some(limit));
        self
    }

    fn ahead(mut self, place: PlaceInLine) -> Self {
        self.0.slots.head.push(place);
        self
    }

    fn paused(mut self) -> Self {
        self.0.slots.is_paused = true;
        self
    }

    fn draining(mut self) -> Self {
        self.0.slots.is_draining = true;
        self
    }

    /// An action of this look went so.
    fn outcome(mut self, key: ActionKey, outcome: Result<Outcome, BuildSystemError>) -> Self {
        self.0.note_outcome(key, outcome);
        self
    }

    fn trouble(mut self, what: &str) -> Self {
        self.0.troubles.push(AskingTrouble { what: what.into(), is_final: false, retry_after: None });
        self
    }

    fn permanent_trouble(mut self, what: &str) -> Self {
        self.0.troubles.push(AskingTrouble { what: what.into(), is_final: true, retry_after: None });
        self
    }
}

impl TaskOf {
    fn is(self, state: TaskState, builds: &[&str]) -> Seen {
        let TaskOf(mut seen, task) = self;
        let builds = builds.iter().map(|nvr| id(nvr)).collect();
        seen.0.build.tasks.get_or_insert_default().insert(task, Some(TaskSeen { state, builds }));
        seen
    }

    fn closed(self, nvr: &str) -> Seen {
        self.is(TaskState::Closed, &[nvr])
    }

    fn cancelled(self) -> Seen {
        self.is(TaskState::Canceled, &[])
    }

    /// The package does not build.
    fn failed(self, reason: &str) -> Seen {
        self.failed_by(reason, true)
    }

    /// The build system broke.
    fn aborted(self, reason: &str) -> Seen {
        self.failed_by(reason, false)
    }

    fn failed_by(self, reason: &str, is_package_fault: bool) -> Seen {
        let task = self.1;
        let mut seen = self.is(TaskState::Failed, &[]);
        let failure = TaskFailure { reason: reason.into(), is_package_fault };
        seen.0.build.failures.get_or_insert_default().insert(task, failure);
        seen
    }

    /// The build system does not know it any more.
    fn gone(self) -> Seen {
        let TaskOf(mut seen, task) = self;
        seen.0.build.tasks.get_or_insert_default().insert(task, None);
        seen
    }
}
