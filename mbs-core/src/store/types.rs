//! What goes into and comes out of a store.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ident::{BuildId, ComponentId, Name, NameStream, Nsvc, Nvr, Package, Revision, TagName, TaskId};
use crate::model::{BuildState, ComponentBuild, ModuleBuild, NewBuild, RebuildStrategy, State, Transition};
use crate::modulemd::{ModuleStream, Xmd};
use crate::share::PlaceInLine;

/// A submission: all of it is recorded, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Create {
    /// Builds that are new.
    pub new: Vec<NewBuild>,
    /// Failed builds that go on: the record as it should be, and the revision it was loaded at.
    pub resumed: Vec<(ModuleBuild, Revision)>,
    /// Builds that exist, need nothing, and belong to the answer.
    pub existing: Vec<BuildId>,
    /// Log lines of each new build.
    pub notes: Vec<String>,
    /// Who resumes, for the audit.
    pub by: String,
    /// The submitter's key against doing it twice; `None`: no protection asked for.
    pub key: Option<IdempotencyKey>,
}

/// A submitter's key, and a digest of what came with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// The key.
    pub key: String,
    /// A digest of the submission's content.
    pub content: String,
}

/// The builds of a submission: new ones in the order given, then resumed ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// The records as stored: new ones, resumed ones, and those that existed.
    pub builds: Vec<ModuleBuild>,
}

/// A build as loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The record.
    pub build: ModuleBuild,
    /// How often it was saved.
    pub revision: Revision,
    /// The slots at the same moment.
    pub slots: Slots,
}

/// How many builds may be in progress, and who waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slots {
    /// The effective limit: the one operators set, or what it is lowered to; `None`: no limit.
    pub limit: Option<u32>,
    /// Slots held by all builds.
    pub in_use: u32,
    /// Whether no new component may be submitted.
    pub is_paused: bool,
    /// Whether no build may leave `init` or `wait`.
    pub is_draining: bool,
    /// The head of the line, first come first: at least until the wishes take up all that is free below the limit.
    pub head: Vec<PlaceInLine>,
}

/// What a plan decided.
#[derive(Debug, Clone)]
pub struct Save {
    /// The record as loaded.
    pub was: Arc<ModuleBuild>,
    /// The record as it should be, with its unsaved transitions.
    pub now: ModuleBuild,
    /// The revision it was loaded at.
    pub revision: Revision,
    /// The right to save.
    pub lease: Lease,
    /// Lines for the build's log.
    pub notes: Vec<String>,
    /// How the build system behaved during this look.
    pub signal: Signal,
}

/// What a person decided.
#[derive(Debug, Clone)]
pub struct Amend {
    /// The record as it should be, with its unsaved transitions.
    pub now: ModuleBuild,
    /// The revision it was loaded at.
    pub revision: Revision,
    /// Who, for the audit.
    pub by: String,
    /// What, for the audit.
    pub what: String,
}

/// A build as saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The record, new components with their ids, nothing unsaved.
    pub build: ModuleBuild,
    /// The revision it has now.
    pub revision: Revision,
    /// The slots right after.
    pub slots: Slots,
}

/// A worker process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(pub String);

/// The right to save one build, until it expires by the store's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The build.
    pub build: BuildId,
    /// Who holds it.
    pub worker: WorkerId,
    /// Tells apart leases on one build; larger is later.
    pub token: u64,
}

/// A build to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The right to save it.
    pub lease: Lease,
    /// The store's time at the claim.
    pub store_now: Timestamp,
}

/// How the build system behaved, for the adaptive limit; the worse is the larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Nothing worth telling.
    #[default]
    Quiet,
    /// It was slow, overloaded, or gave no answer.
    Strained,
}

/// A committed change of state, with the build's summary as of the commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateChange {
    /// The build.
    pub build: BuildId,
    /// Its number among the build's changes, from 1.
    pub seq: u64,
    /// What the build looked like.
    pub summary: Summary,
    /// The change.
    pub transition: Transition,
}

impl StateChange {
    /// Makes the events of transitions that are saved together: each shows the state it led to, with the last reason given.
    /// `last_seq` is the number of the build's last event and `reason` was its reason until then.
    pub fn all_of(
        build: &ModuleBuild,
        last_seq: u64,
        mut reason: Option<String>,
        transitions: &[Transition],
    ) -> Vec<Self> {
        let event = |(seq, transition): (u64, &Transition)| {
            reason = transition.reason.clone().or(reason.take());
            let (state, modified_at) = (transition.to, transition.at);
            let summary = Summary { state, reason: reason.clone(), modified_at, ..Summary::of(build) };
            Self { build: build.id, seq, summary, transition: transition.clone() }
        };
        (last_seq + 1..).zip(transitions).map(event).collect()
    }
}

/// The fields of a build that events and lists show, without parsing documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Its identity.
    pub nsvc: Nsvc,
    /// Its state.
    pub state: State,
    /// Why it is in it.
    pub reason: Option<String>,
    /// Who submitted it.
    pub owner: String,
    /// Whether it is a try only.
    pub scratch: bool,
    /// Where it was submitted from.
    pub scmurl: Option<String>,
    /// What is built again.
    pub strategy: RebuildStrategy,
    /// The destination tag.
    pub koji_tag: Option<TagName>,
    /// The batch being built.
    pub batch: u32,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When its state last changed.
    pub modified_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The last repository task.
    #[serde(default)]
    pub repo_task: Option<TaskId>,
    /// Source RPMs that the user gave.
    #[serde(default)]
    pub srpms: Vec<String>,
    /// What is known of each module that it is built with, by name, from `xmd.mbs.buildrequires`.
    #[serde(default)]
    pub buildrequires: BTreeMap<String, BTreeMap<String, Detail>>,
    /// Its components, in order.
    #[serde(default)]
    pub components: Vec<ComponentSummary>,
}

/// What a summary tells of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentSummary {
    /// Its id; `None` before it was saved.
    pub id: Option<ComponentId>,
    /// Its package.
    pub package: Package,
    /// Its state; `None`: not started.
    pub state: Option<BuildState>,
    /// Why it is in it.
    pub reason: Option<String>,
    /// The latest task.
    pub task: Option<TaskId>,
    /// What was built or is reused.
    pub nvr: Option<Nvr>,
}

/// A value in the description of a buildrequired module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Detail {
    /// Nothing is known.
    Null,
    /// Text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
}

impl ComponentSummary {
    fn of(component: &ComponentBuild) -> Self {
        Self {
            id: component.id,
            package: component.package.clone(),
            state: component.state,
            reason: component.reason.clone(),
            task: component.task,
            nvr: component.nvr.clone(),
        }
    }
}

impl Detail {
    fn of(value: &Xmd) -> Self {
        match value.spelling() {
            Some("" | "~" | "null" | "Null" | "NULL") => Self::Null,
            Some(text) => Self::Text(text.to_owned()),
            None => Self::List(value.texts().into_iter().map(str::to_owned).collect()),
        }
    }
}

/// Returns what a document says of the modules it is built with.
pub fn buildrequires(document: &ModuleStream) -> BTreeMap<String, BTreeMap<String, Detail>> {
    let Some(Xmd::Map(modules)) = document.xmd.at(&["mbs", "buildrequires"]) else { return BTreeMap::new() };
    let details = |module: &Xmd| match module {
        Xmd::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), Detail::of(value))).collect(),
        Xmd::Text(_) | Xmd::Bool(_) | Xmd::Seq(_) => BTreeMap::new(),
    };
    modules.iter().map(|(name, module)| (name.clone(), details(module))).collect()
}

impl Summary {
    /// Takes the summary of a record.
    pub fn of(build: &ModuleBuild) -> Self {
        Self {
            nsvc: build.nsvc().clone(),
            state: build.state(),
            reason: build.life.reason().map(str::to_owned),
            owner: build.new.owner.clone(),
            scratch: build.new.scratch,
            scmurl: build.new.scmurl.clone(),
            strategy: build.new.strategy,
            koji_tag: build.koji_tag.clone(),
            batch: build.batch.0,
            submitted_at: build.submitted_at,
            modified_at: build.life.changed_at(),
            completed_at: build.life.completed_at(),
            repo_task: build.repo_task,
            srpms: build.new.srpms.values().cloned().collect(),
            buildrequires: buildrequires(build.document()),
            components: build.components.iter().map(|component| ComponentSummary::of(component)).collect(),
        }
    }
}

/// Who events are delivered to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sink(pub String);

/// An event's number in the order of publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventNumber(pub u64);

/// An event to deliver.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// What to acknowledge.
    pub number: EventNumber,
    /// The event.
    pub event: StateChange,
}

/// A line of a build's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, by the store's clock.
    pub at: Timestamp,
    /// What, for people.
    pub text: String,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, by the store's clock.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub what: String,
}

/// What operators set at run time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Settings {
    /// The configured limit on builds in progress; `None`: no limit.
    pub limit: Option<u32>,
    /// No new component is submitted.
    pub paused: bool,
    /// No build leaves `init` or `wait`.
    pub draining: bool,
}

/// Which earlier builds could be reused from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReuseQuestion {
    /// The build that asks; it is no candidate itself.
    pub build: BuildId,
    /// Builds of this name and stream.
    pub module: NameStream,
    /// In any of these states.
    pub states: Vec<State>,
    /// Exactly this build, without any other condition.
    pub exactly: Option<BuildId>,
    /// Only builds with one of these build contexts; empty: any.
    pub contexts: Vec<String>,
}

/// Which modules are asked for; what any part names belongs to the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModulesAsked {
    /// All `ready` builds of these names and streams.
    pub streams: Vec<NameStream>,
    /// All `ready` and `garbage` builds of these names.
    pub names: Vec<Name>,
    /// These builds, `ready` or `garbage`.
    pub exactly: Vec<Nsvc>,
    /// The `ready` builds with this destination tag.
    pub tag: Option<TagName>,
}

/// What a resolver wants to know of a build before it reads documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleRow {
    /// The build.
    pub id: BuildId,
    /// Its identity.
    pub nsvc: Nsvc,
    /// Whether it is `ready`, not retired.
    pub is_ready: bool,
    /// The destination tag.
    pub tag: Option<TagName>,
    /// What it provides, sorted; only base modules provide anything.
    pub virtual_streams: Vec<String>,
    /// The base module builds it buildrequires, sorted.
    pub bases: Vec<Nsvc>,
}

/// What is kept how long. What is younger than its moment stays; `None`: all of it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Log lines.
    pub log: Option<Timestamp>,
    /// Events that every known sink has; while no sink is known, all stay.
    pub events: Option<Timestamp>,
    /// What people did.
    pub audit: Option<Timestamp>,
    /// Idempotency keys.
    pub keys: Option<Timestamp>,
}

/// Whether anything is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trim {
    /// It is.
    Remove,
    /// It is only counted.
    Count,
}

/// How many rows are too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trimmed {
    /// Log lines.
    pub log: u64,
    /// Events.
    pub events: u64,
    /// Audit rows.
    pub audit: u64,
    /// Idempotency keys.
    pub keys: u64,
}

impl Trimmed {
    /// Returns how many rows there are in all.
    pub fn all(&self) -> u64 {
        self.log + self.events + self.audit + self.keys
    }
}
