//! One package of a module build: its source, its attempts, its tags.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BuildState, Failure};
use crate::ident::{Arch, Batch, BuildId, CommitId, ComponentId, Nvr, Package, TaskId, Weight};

/// The package that carries the module's macros into every buildroot.
pub const MACROS_PACKAGE: &str = "module-build-macros";

/// Where a component's source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComponentSource {
    /// A git repository at a commit.
    Git {
        /// The repository's address.
        url: String,
        /// The commit every ref was resolved to.
        commit: CommitId,
    },
    /// A source RPM that the user gave, by its path or upload name.
    Srpm(String),
    /// The package that the service makes itself.
    Macros,
}

impl ComponentSource {
    /// Returns the commit of a git source.
    pub fn commit(&self) -> Option<&CommitId> {
        match self {
            ComponentSource::Git { commit, .. } => Some(commit),
            ComponentSource::Srpm(_) | ComponentSource::Macros => None,
        }
    }
}

/// One package of a module build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentBuild {
    /// Given by the store when first saved; `None` before.
    pub id: Option<ComponentId>,
    /// The source package that is built.
    pub package: Package,
    /// Where its source is.
    pub source: ComponentSource,
    /// The run it belongs to; on graphs its depth + 2.
    pub batch: Batch,
    /// On graphs: the packages it must follow; empty otherwise.
    #[serde(default)]
    pub after: Vec<Package>,
    /// Architectures; sorted.
    pub arches: Vec<Arch>,
    /// Expected cost.
    pub weight: Weight,
    /// Whether its RPMs are filtered from the module.
    #[serde(default)]
    pub buildonly: bool,
    /// Whether it never goes into the destination tag (the macros).
    #[serde(default)]
    pub build_time_only: bool,
    /// Whether the module's own profile `buildroot` applies to what is built after it.
    #[serde(default)]
    pub buildroot: bool,
    /// Whether the module's own profile `srpm-buildroot` applies to what is built after it.
    #[serde(default)]
    pub srpm_buildroot: bool,
    /// `None`: not submitted yet.
    pub state: Option<BuildState>,
    /// Why it is in its state, for people.
    pub reason: Option<String>,
    /// What was built or is reused.
    pub nvr: Option<Nvr>,
    /// The task that made `nvr`, or the latest one.
    pub task: Option<TaskId>,
    /// Whether it is reused; `None` until decided.
    pub verdict: Option<Verdict>,
    /// Every try, oldest first.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// A build that must leave our tags before another takes its place.
    #[serde(default)]
    pub discarded: Option<Nvr>,
    /// Whether it was seen in the build tag.
    #[serde(default)]
    pub tagged: bool,
    /// Whether it was seen in the destination tag.
    #[serde(default)]
    pub tagged_in_final: bool,
    /// After a try that the build system gave up: not before this moment the next begins.
    #[serde(default)]
    pub retry_at: Option<Timestamp>,
    /// When tagging was last asked for.
    #[serde(default)]
    pub tag_asked_at: Option<Timestamp>,
    /// For buildonly components: whether their RPM names joined the filter.
    #[serde(default)]
    pub is_filtered: bool,
}

/// Whether a component is taken from an earlier build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is.
    Reuse {
        /// The component it is taken from; `None` where the store gave none.
        from: Option<ComponentId>,
        /// The earlier module build.
        build: BuildId,
        /// What was built then.
        nvr: Nvr,
        /// The task that built it, if known.
        task: Option<TaskId>,
    },
    /// It is built.
    Rebuild(WhyRebuild),
}

/// Why a component is built though an earlier build exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum WhyRebuild {
    /// The strategy rebuilds everything.
    #[error("the rebuild strategy is \"all\"")]
    Strategy,
    /// No earlier build fits.
    #[error("there is no earlier build to reuse from")]
    NoSource,
    /// Earlier builds fit but for the modules that they were built with.
    #[error("there is no earlier build with the same buildrequired modules")]
    OtherBuildrequires,
    /// The earlier build lacks the component, or did not complete it.
    #[error("{0} did not build it")]
    NotInSource(String),
    /// One of them was not built from a commit.
    #[error("it is not built from a commit")]
    NoCommit,
    /// The commit differs.
    #[error("its commit changed from {from} to {to}")]
    OtherCommit {
        /// The commit then.
        from: CommitId,
        /// The commit wanted.
        to: CommitId,
    },
    /// Its place in the order differs.
    #[error("it moved from batch {from} to batch {to}")]
    OtherBatch {
        /// The batch then.
        from: Batch,
        /// The batch wanted.
        to: Batch,
    },
    /// The module's own macros differ.
    #[error("the macros of the module changed")]
    OtherMacros,
    /// Something before it differs or is rebuilt.
    #[error("something it may depend on changed: {0}")]
    EarlierChanged(String),
    /// Its architectures differ.
    #[error("its architectures changed")]
    OtherArches,
    /// What was to be reused is gone from the build system.
    #[error("the build {0} that was to be reused is gone")]
    Gone(Nvr),
}

/// One try at a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// When it was recorded.
    pub intended_at: Timestamp,
    /// Later than this nothing was sent.
    pub not_after: Timestamp,
    /// The task; `None` while in doubt.
    pub task: Option<TaskId>,
    /// How it ended; `None` while it lives.
    pub end: Option<AttemptEnd>,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptEnd {
    /// Built.
    Complete(Nvr),
    /// The package does not build.
    Failed {
        /// Why, for the packager.
        reason: String,
        /// Who has to act.
        failure: Failure,
    },
    /// The build system gave up or was told to: not the package's fault.
    Aborted(String),
    /// The build system had a task and does not know it any more: whoever ran it is gone.
    Vanished,
    /// It never reached the build system.
    Lost,
}

impl ComponentBuild {
    /// Makes an unstarted component of which nothing more is known.
    pub fn new(package: Package, source: ComponentSource, batch: Batch) -> Self {
        Self {
            id: None,
            package,
            source,
            batch,
            after: Vec::new(),
            arches: Vec::new(),
            weight: Weight::UNKNOWN,
            buildonly: false,
            build_time_only: false,
            buildroot: false,
            srpm_buildroot: false,
            state: None,
            reason: None,
            nvr: None,
            task: None,
            verdict: None,
            attempts: Vec::new(),
            discarded: None,
            tagged: false,
            tagged_in_final: false,
            retry_at: None,
            tag_asked_at: None,
            is_filtered: false,
        }
    }

    /// Returns the try that lives, if one does.
    pub fn live_attempt(&self) -> Option<&Attempt> {
        self.attempts.last().filter(|attempt| attempt.end.is_none())
    }

    /// Returns the try that lives, to change it.
    pub fn live_attempt_mut(&mut self) -> Option<&mut Attempt> {
        self.attempts.last_mut().filter(|attempt| attempt.end.is_none())
    }

    /// Says whether a live try has no task yet, so that nobody knows what became of it.
    pub fn is_in_doubt(&self) -> bool {
        self.live_attempt().is_some_and(|attempt| attempt.task.is_none())
    }

    /// Says whether it occupies a slot: it has a live try.
    pub fn holds_slot(&self) -> bool {
        self.live_attempt().is_some()
    }

    /// Says whether it is complete.
    pub fn is_complete(&self) -> bool {
        self.state == Some(BuildState::Complete)
    }

    /// Says whether it ended without a usable build.
    pub fn is_unsuccessful(&self) -> bool {
        self.state.is_some_and(BuildState::is_unsuccessful)
    }

    /// Says whether it is the package of the module's macros.
    pub fn is_macros(&self) -> bool {
        self.source == ComponentSource::Macros
    }

    /// Says whether it is in every tag it should be in.
    pub fn is_tagged_everywhere(&self) -> bool {
        self.tagged && (self.build_time_only || self.tagged_in_final)
    }

    /// Counts the tries that ended so, of those begun at `since` or later.
    pub fn tries_since(&self, since: Timestamp, ended: impl Fn(&AttemptEnd) -> bool) -> usize {
        let tries = self.attempts.iter().filter(|attempt| attempt.intended_at >= since);
        tries.filter(|attempt| attempt.end.as_ref().is_some_and(&ended)).count()
    }
}
