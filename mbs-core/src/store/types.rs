//! What goes into and comes out of a store.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Note, Summary};
use crate::ident::{BuildId, Name, NameStream, Nsvc, Revision, TagName};
use crate::model::{ModuleBuild, NewBuild, State, Transition};
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
    pub notes: Vec<Note>,
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

/// The builds of a submission: new ones in the order given, then resumed ones, then those that existed.
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
    pub notes: Vec<Note>,
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
