//! The record of a module build: what is stored, and nothing that can be derived from it.
//!
//! A record is changed by pure functions only: [`mod@crate::plan`] for the service, [`crate::submission`] for people. States
//! change through [`ModuleBuild::enter`], which refuses what no arrow allows and notes each change for the trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::Contexts;
use crate::ident::{Arch, Batch, BuildId, CommitId, Nsvc, Package, TagEvent, TagName, TaskId};
use crate::modulemd::ModuleStream;
use crate::shared::Shared;

mod component;
mod document;
mod lifecycle;
mod state;

pub use component::{
    Attempt, AttemptEnd, ComponentBuild, ComponentSource, MACROS_PACKAGE, Verdict, WhyRebuild,
};
pub use lifecycle::{Lifecycle, Past};
pub use state::{BuildState, Failure, Illegal, State, Transition};

/// Which components are built again although an earlier build of the module has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RebuildStrategy {
    /// All of them.
    All,
    /// Those that changed, and everything in later batches.
    #[default]
    ChangedAndAfter,
    /// Only those that changed.
    OnlyChanged,
}

impl RebuildStrategy {
    /// Returns the name that configuration and REST use.
    pub fn name(self) -> &'static str {
        match self {
            RebuildStrategy::All => "all",
            RebuildStrategy::ChangedAndAfter => "changed-and-after",
            RebuildStrategy::OnlyChanged => "only-changed",
        }
    }
}

/// What orders the components of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ordering {
    /// Batches are barriers: nothing of one starts before all of the one before is in the repository.
    #[default]
    Batches,
    /// Each component waits for those it names.
    Graph,
}

/// What a submission turns into a module build; the store adds id and times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewBuild {
    /// Its identity.
    pub nsvc: Nsvc,
    /// Who submitted it.
    pub owner: String,
    /// Place among builds that wait; higher first, 0 is usual.
    #[serde(default)]
    pub priority: i32,
    /// Whether it is a try only: never `ready`, never imported.
    #[serde(default)]
    pub scratch: bool,
    /// The address and commit it was submitted from; `None` for a document given directly.
    pub scmurl: Option<String>,
    /// The full commit that this was; `None` for a document given directly.
    #[serde(default)]
    pub commit: Option<CommitId>,
    /// What is built again.
    pub strategy: RebuildStrategy,
    /// The build to reuse from that the user named.
    #[serde(default)]
    pub reuse_from: Option<BuildId>,
    /// What the submitter made it from, in words that only the submitter understands; `None`: nobody said.
    #[serde(default)]
    pub origin: Option<String>,
    /// The expanded document.
    #[serde(
        with = "document",
        default = "document::left_out",
        skip_serializing_if = "document::is_left_out"
    )]
    pub document: Arc<ModuleStream>,
    /// The hashes of its dependencies, as of submission.
    pub contexts: Contexts,
    /// Source RPMs that the user gave, by package.
    #[serde(default)]
    pub srpms: BTreeMap<Package, String>,
    /// The same as they were given, those that fit no component among them; empty in older records.
    #[serde(default)]
    pub given_srpms: Vec<String>,
    /// The base module builds it buildrequires; the first counts most.
    #[serde(default)]
    pub base_modules: Vec<Nsvc>,
}

/// One module build on its way through the states. Source: design, section 5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleBuild {
    /// Given by the store.
    pub id: BuildId,
    /// What it was submitted as. The document changes while it is in `init`, and when `buildonly` RPMs join the filter.
    pub new: NewBuild,
    /// Smallest id among the builds of the same name, stream, version and scratch-ness; fixed at creation.
    pub dist_index: BuildId,
    /// State, reason, and the changes not saved yet.
    pub life: Lifecycle,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// The destination tag; `None` before `build`.
    #[serde(default)]
    pub koji_tag: Option<TagName>,
    /// The tag its import goes into.
    #[serde(default)]
    pub cg_tag: Option<TagName>,
    /// Architectures, sorted; empty before `wait`.
    #[serde(default)]
    pub arches: Vec<Arch>,
    /// What `init` learned about the modules it is built with.
    #[serde(default)]
    pub surroundings: Surroundings,
    /// Whether batches or a graph order the components.
    #[serde(default)]
    pub ordering: Ordering,
    /// The batch being built; 0 before the first. On graphs the deepest one begun.
    pub batch: Batch,
    /// Components in the order of batch, then as written; module-build-macros first.
    #[serde(default)]
    pub components: Vec<Shared<ComponentBuild>>,
    /// The buildroot last ensured; `None`: none, or it is known to be gone.
    #[serde(default)]
    pub buildroot: Option<Buildroot>,
    /// The repository that was asked for.
    #[serde(default)]
    pub repo: Option<RepoWait>,
    /// The request before it, which shows less and is not over either; `None` without `repo`.
    #[serde(default)]
    pub repo_before: Option<RepoWait>,
    /// The last repository task, for people.
    #[serde(default)]
    pub repo_task: Option<TaskId>,
    /// What keeps going wrong.
    #[serde(default)]
    pub trouble: Option<Trouble>,
    /// Its wish for slots; `None`: it could not use one.
    #[serde(default)]
    pub line: Option<Line>,
    /// While it is out of the line for a pause: since when it waits, which counts again when it is back; `None`: it did not
    /// wait.
    #[serde(default)]
    pub kept_turn: Option<Timestamp>,
    /// Whether the finished module was imported.
    #[serde(default)]
    pub is_imported: bool,
    /// Whether the target was removed, or will never be.
    #[serde(default)]
    pub is_target_removed: bool,
}

/// What `init` learned about the modules a build is made with; later states need no resolver.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Surroundings {
    /// Tags its build tag inherits, in order.
    pub inherits: Vec<TagName>,
    /// RPM names of the `buildroot` profiles, sorted.
    pub build_group: Vec<String>,
    /// RPM names of the `srpm-buildroot` profiles, sorted.
    pub srpm_build_group: Vec<String>,
    /// What marks the distribution in the dist tag; `None`: nothing.
    pub dist_marking: Option<String>,
    /// The build contexts of builds to reuse from: the first that has any counts. Empty: its own alone.
    #[serde(default)]
    pub reuse_contexts: Vec<String>,
    /// The tag that a build to reuse from must be in, whatever its base module; `None`: `reuse_contexts` count.
    #[serde(default)]
    pub reuse_tag: Option<TagName>,
}

/// A fingerprint of what an ensure should bring about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

/// A buildroot that was ensured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buildroot {
    /// The fingerprint of how it is described.
    pub digest: Digest,
    /// Repositories of the build tag show it from this event on.
    pub event: TagEvent,
}

/// A repository that was asked for and is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoWait {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// The task that makes it, where the build system gives one.
    pub task: Option<TaskId>,
    /// It was asked for after this event, so it shows what happened until then.
    pub shows: TagEvent,
}

/// What keeps going wrong, and when to try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Since when, without a success between.
    pub since: Timestamp,
    /// How often it went wrong.
    pub tries: u32,
    /// When to try again.
    pub next_try: Timestamp,
    /// What was said last, for people.
    pub last: String,
    /// What has to be well before it is forgotten.
    #[serde(default)]
    pub over_when: OverWhen,
}

/// What has to be well before a trouble is forgotten, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverWhen {
    /// Nothing went wrong in a look.
    #[default]
    Quiet,
    /// Nobody doubts any more whether a submission arrived.
    Submitted,
    /// A repository came.
    Repository,
}

/// A build's wish for slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Since when it waits: since its last grant, if it was given some of what it wants.
    pub since: Timestamp,
    /// How many more it could use.
    pub wants: u32,
}

impl ModuleBuild {
    /// Makes the record of a submission, in `init`, with its first transition noted.
    pub fn begin(new: NewBuild, id: BuildId, dist_index: BuildId, now: Timestamp) -> Self {
        Self {
            id,
            new,
            dist_index,
            life: Lifecycle::begin(now),
            submitted_at: now,
            koji_tag: None,
            cg_tag: None,
            arches: Vec::new(),
            surroundings: Surroundings::default(),
            ordering: Ordering::Batches,
            batch: Batch(0),
            components: Vec::new(),
            buildroot: None,
            repo: None,
            repo_before: None,
            repo_task: None,
            trouble: None,
            line: None,
            kept_turn: None,
            is_imported: false,
            is_target_removed: false,
        }
    }

    /// Returns the source RPMs that the user gave, as they were given.
    pub fn srpms(&self) -> Vec<&String> {
        match self.new.given_srpms.is_empty() {
            true => self.new.srpms.values().collect(),
            false => self.new.given_srpms.iter().collect(),
        }
    }

    /// Returns its identity.
    pub fn nsvc(&self) -> &Nsvc {
        &self.new.nsvc
    }

    /// Returns its document.
    pub fn document(&self) -> &Arc<ModuleStream> {
        &self.new.document
    }

    /// Returns its state.
    pub fn state(&self) -> State {
        self.life.state()
    }

    /// Changes the state and notes the change for the trace.
    ///
    /// # Errors
    /// No arrow leads from the present state to `to`; nothing changed.
    pub fn enter(&mut self, to: State, reason: Option<String>, now: Timestamp) -> Result<(), Illegal> {
        self.life.enter(to, reason, now)
    }

    /// Returns the tasks of the repositories that were asked for and are not there yet.
    pub fn repo_tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.repo.iter().chain(&self.repo_before).filter_map(|repo| repo.task)
    }

    /// Returns since when it waits for slots, in line or out of it for a pause; `None`: it does not.
    pub fn turn(&self) -> Option<Timestamp> {
        self.line.map(|line| line.since).or(self.kept_turn)
    }

    /// Leaves the line for a pause; its turn is kept.
    pub fn leave_line(&mut self) {
        self.kept_turn = self.turn();
        self.line = None;
    }

    /// Returns how many slots it holds: its own components with a live try, macros included.
    pub fn slots_held(&self) -> u32 {
        u32::try_from(self.components.iter().filter(|c| c.holds_slot()).count()).unwrap_or(u32::MAX)
    }

    /// Returns a component by its package.
    pub fn component(&self, package: &str) -> Option<&ComponentBuild> {
        self.components
            .iter()
            .map(|component| &**component)
            .find(|component| component.package.as_str() == package)
    }

    /// Splits off what stores keep in tables of their own: the record without document and components, and these two.
    pub fn into_parts(mut self) -> (Self, Arc<ModuleStream>, Vec<Shared<ComponentBuild>>) {
        let document = std::mem::replace(&mut self.new.document, document::left_out());
        let components = std::mem::take(&mut self.components);
        (self, document, components)
    }

    /// Puts together what [`into_parts`](Self::into_parts) split.
    pub fn from_parts(
        mut head: Self,
        document: Arc<ModuleStream>,
        components: Vec<Shared<ComponentBuild>>,
    ) -> Self {
        head.new.document = document;
        head.components = components;
        head
    }

    /// Returns the tag its buildroots are made from; `None` before the tags are named.
    pub fn build_tag(&self) -> Option<TagName> {
        let tag = self.koji_tag.as_ref()?;
        TagName::new(format!("{tag}-build")).ok()
    }
}
