//! What a look asks, and what it was told. The engine asks; only [`super::missing`] and [`super::plan`] judge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::build_system::{BuildAnswers, BuildQuestions, BuildSystemError};
use crate::ident::{CommitId, Name, NameStream, Nsvc, Nvr, Package, Stream, TagEvent, TagName, TaskId};
use crate::model::{Digest, ModuleBuild};
use crate::resolver::{Against, KnownModule};
use crate::source_control::{Fetched, Place, RefQuestion, SourceError};
use crate::store::{ReuseQuestion, Slots};

/// What to ask next, one part per trait. Empty: enough is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObservationQuery {
    /// For the build system.
    pub build: BuildQuestions,
    /// For source control.
    pub sources: SourceQuestions,
    /// For the resolver.
    pub modules: ModuleQuestions,
    /// For the store.
    pub reuse: Option<ReuseQuestion>,
}

/// Questions for source control.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceQuestions {
    /// Files to fetch.
    pub documents: BTreeSet<Place>,
    /// Refs to resolve.
    pub refs: BTreeSet<RefQuestion>,
    /// Repositories of module defaults, with the branch.
    pub default_streams: BTreeSet<DefaultsPlace>,
}

/// A branch of a repository of module defaults.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DefaultsPlace {
    /// The repository's address.
    pub repository: String,
    /// The branch.
    pub branch: String,
}

/// Questions for the resolver.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModuleQuestions {
    /// Exactly these builds.
    pub builds: BTreeSet<Nsvc>,
    /// Base modules compatible with this one, retired ones included.
    pub compatible_bases: BTreeSet<Nsvc>,
    /// The latest builds of these against each of `latest_bases`.
    pub latest: BTreeSet<NameStream>,
    /// See `latest`.
    pub latest_bases: Vec<Nsvc>,
    /// The builds in this tag.
    pub tagged: Option<TagName>,
}

impl ObservationQuery {
    /// Says whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.build.is_empty() && self.sources.is_empty() && self.modules.is_empty() && self.reuse.is_none()
    }
}

impl SourceQuestions {
    /// Says whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.refs.is_empty() && self.default_streams.is_empty()
    }
}

impl ModuleQuestions {
    /// Says whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.builds.is_empty()
            && self.compatible_bases.is_empty()
            && self.latest.is_empty()
            && self.tagged.is_none()
    }

    /// Returns the base modules of `latest`, each by itself: which of its builds fits is decided here.
    pub(crate) fn against(&self) -> Against {
        Against::FirstOf(self.latest_bases.iter().map(|base| vec![base.clone()]).collect())
    }
}

/// What a look was told so far. Not asked is missing or `None`; asked and failed is in `troubles`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// From the build system.
    pub build: BuildAnswers,
    /// Packages whose earlier attempts were searched for, and a moment by the store's clock that the search was not before.
    pub searched: BTreeMap<Package, Timestamp>,
    /// Tasks of which it was asked why they failed; those without an answer gave no reason.
    pub failures_asked: BTreeSet<TaskId>,
    /// Builds whose RPMs were asked for; those without an answer do not exist.
    pub rpms_asked: BTreeSet<Nvr>,
    /// Files, per place.
    pub documents: BTreeMap<Place, Result<Fetched, SourceError>>,
    /// Commits, per ref.
    pub refs: BTreeMap<RefQuestion, Result<CommitId, SourceError>>,
    /// Default streams, per place; `None`: there is no such branch.
    pub default_streams: BTreeMap<DefaultsPlace, Option<BTreeMap<Name, Stream>>>,
    /// Builds, per identity; `None`: unknown.
    pub modules: BTreeMap<Nsvc, Option<KnownModule>>,
    /// Compatible base modules, newest first, per base module.
    pub compatible_bases: BTreeMap<Nsvc, Vec<KnownModule>>,
    /// Latest builds, per module; empty: none.
    pub latest: BTreeMap<NameStream, Vec<KnownModule>>,
    /// Builds in the tag that was asked about; `Some(None)`: modules have no tags.
    pub tagged: Option<Option<BTreeSet<Nsvc>>>,
    /// Earlier builds to reuse from, best first.
    pub reuse: Option<Vec<Arc<ModuleBuild>>>,
    /// The slots, as of the last load or save.
    pub slots: Slots,
    /// What became of the actions that followed the last plan of this look.
    pub outcomes: Vec<(ActionKey, Result<Outcome, BuildSystemError>)>,
    /// Questions that could not be asked.
    pub troubles: Vec<AskingTrouble>,
}

/// A trait that could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskingTrouble {
    /// What it said, for people.
    pub what: String,
    /// Whether asking again is pointless: a source that is broken, not one that is out of reach.
    pub is_final: bool,
    /// How long it asked to be left alone.
    pub retry_after: Option<Duration>,
}

impl Observation {
    /// Notes what was asked of the build system, where the answer alone does not tell, so that it is not asked again in
    /// this look; `asked_at` is a moment by the store's clock that this was not before.
    pub fn note_asked(&mut self, questions: &BuildQuestions, asked_at: Timestamp) {
        let searched = questions.search.iter().flat_map(|search| search.packages.keys().cloned());
        self.searched.extend(searched.map(|package| (package, asked_at)));
        self.failures_asked.extend(&questions.failures);
        self.rpms_asked.extend(questions.rpms_of_builds.iter().cloned());
    }

    /// Notes the outcome of an action of this look, and forgets the answers that it outdates.
    pub fn note_outcome(&mut self, key: ActionKey, outcome: Result<Outcome, BuildSystemError>) {
        match (&key, &outcome) {
            // The tags are there now, and empty if they were not before.
            (ActionKey::Buildroot(_), Ok(_)) => {
                let tags = self.build.tags.iter_mut().flat_map(|tags| tags.values_mut());
                tags.filter(|builds| builds.is_none()).for_each(|builds| *builds = Some(Vec::new()));
            }
            (ActionKey::Repo, Ok(_)) => (self.build.repo, self.build.repo_tries) = (None, None),
            (ActionKey::Untag, Ok(_)) => self.build.tags = None,
            // What the search did not find may be there now.
            (ActionKey::Submit { package, .. }, _) => {
                self.searched.remove(package);
            }
            (_, Ok(_) | Err(_)) => {}
        }
        self.outcomes.push((key, outcome));
    }

    /// Returns the outcome of an action of this look.
    pub fn outcome(&self, key: &ActionKey) -> Option<&Result<Outcome, BuildSystemError>> {
        self.outcomes.iter().rev().find(|(k, _)| k == key).map(|(_, outcome)| outcome)
    }
}

/// The same intention has the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionKey {
    /// Make the buildroot as described by what has this digest.
    Buildroot(Digest),
    /// Submit an attempt.
    Submit {
        /// The component.
        package: Package,
        /// The attempt's number.
        attempt: u32,
    },
    /// Tag builds.
    Tag,
    /// Ask for a repository.
    Repo,
    /// Cancel tasks.
    Cancel,
    /// Import the module.
    Import,
    /// Untag builds.
    Untag,
    /// Remove the target.
    RemoveTarget,
}

/// What an action brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Done,
    /// The buildroot holds, and repositories show it from this event on.
    BuildrootHolds(TagEvent),
    /// A component was taken.
    Submitted(TaskId),
    /// A repository will come.
    RepoRequested(Option<TaskId>),
}
