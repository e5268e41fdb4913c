//! What a build system is asked, and what it answers, in batches.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ident::{Arch, Nevra, Nvr, Package, RepoId, TagEvent, TagName, TaskId, Weight};

/// What to ask a build system. Empty parts are not asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BuildQuestions {
    /// State of these tasks and the builds they made.
    pub tasks: BTreeSet<TaskId>,
    /// Builds in these tags, inheritance off.
    pub tags: BTreeSet<TagName>,
    /// The newest finished repository of this tag.
    pub repo_of: Option<TagName>,
    /// What is being done for a repository that was asked for.
    pub repo_asked: Option<AskedRepo>,
    /// What exists already for components that are in doubt or next.
    pub search: Option<Search>,
    /// Why these tasks failed.
    pub failures: BTreeSet<TaskId>,
    /// The RPMs of these builds.
    pub rpms_of_builds: BTreeSet<Nvr>,
    /// The architectures of these tags.
    pub tag_arches: BTreeSet<TagName>,
    /// The latest RPMs of these tags, inherited ones and external repositories for `arches` included.
    pub tag_rpms: BTreeSet<TagName>,
    /// For `tag_rpms`: the architectures that count.
    pub arches: BTreeSet<Arch>,
    /// Expected cost of these packages.
    pub weights: BTreeSet<Package>,
}

impl BuildQuestions {
    /// Says whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
            && self.tags.is_empty()
            && self.repo_of.is_none()
            && self.repo_asked.is_none()
            && self.search.is_none()
            && self.failures.is_empty()
            && self.rpms_of_builds.is_empty()
            && self.tag_arches.is_empty()
            && self.tag_rpms.is_empty()
            && self.weights.is_empty()
    }
}

/// A repository that was asked for, by what it has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRepo {
    /// The tag it is of.
    pub tag: TagName,
    /// What happened until this event.
    pub shows: TagEvent,
}

/// Which earlier attempts to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The packages in question, and the target that tasks of each name. The macros may have one that many modules share.
    pub packages: BTreeMap<Package, TagName>,
    /// The module's own target, whichever a package is built in: it tells whose a task is, as does the dist tag.
    pub module_target: TagName,
    /// Tags whose newest build of the package counts.
    pub tags: Vec<TagName>,
    /// Untagged complete builds count if their release ends in this: the dist tag with its dot.
    pub dist_suffix: String,
}

/// What a build system answered. `None`: not asked; empty: asked, and there is nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BuildAnswers {
    /// Per asked task what it is; `None` for a task that the build system does not know (any more).
    pub tasks: Option<BTreeMap<TaskId, Option<TaskSeen>>>,
    /// Per asked tag its builds, newest last; `None` for a tag that does not exist.
    pub tags: Option<BTreeMap<TagName, Option<Vec<TaggedBuild>>>>,
    /// The newest finished repository of the asked tag; the inner `None`: there is none yet.
    pub repo: Option<Option<RepoSeen>>,
    /// The tasks that the build system began by itself for the repository that was asked for, the newest with the highest id.
    /// It begins another when one fails, and none is ours to cancel. `None` as well if it keeps no such request: a build
    /// system that gives the task at once never does.
    pub repo_tries: Option<BTreeSet<TaskId>>,
    /// What the search found.
    pub search: Option<Found>,
    /// Per asked task why it failed.
    pub failures: Option<BTreeMap<TaskId, TaskFailure>>,
    /// Per asked build its RPMs, source RPM included; unknown builds are missing.
    pub rpms_of_builds: Option<BTreeMap<Nvr, Vec<Nevra>>>,
    /// Per asked tag its architectures; `None` for a tag that does not exist or has none.
    pub tag_arches: Option<BTreeMap<TagName, Option<Vec<Arch>>>>,
    /// Per asked tag its RPMs; unknown tags are missing.
    pub tag_rpms: Option<BTreeMap<TagName, Vec<Nevra>>>,
    /// Per asked package its expected cost; one of which nothing is known is missing.
    pub weights: Option<BTreeMap<Package, Weight>>,
}

impl BuildAnswers {
    /// Adds the answers of a later round; maps of the same part are joined, later answers win.
    pub fn absorb(&mut self, later: BuildAnswers) {
        fn join<K: Ord, V>(mine: &mut Option<BTreeMap<K, V>>, later: Option<BTreeMap<K, V>>) {
            if let Some(later) = later {
                mine.get_or_insert_with(BTreeMap::new).extend(later);
            }
        }
        join(&mut self.tasks, later.tasks);
        join(&mut self.tags, later.tags);
        join(&mut self.failures, later.failures);
        join(&mut self.rpms_of_builds, later.rpms_of_builds);
        join(&mut self.tag_arches, later.tag_arches);
        join(&mut self.tag_rpms, later.tag_rpms);
        join(&mut self.weights, later.weights);
        self.repo = later.repo.or(self.repo.take());
        self.repo_tries = later.repo_tries.or(self.repo_tries.take());
        match (&mut self.search, later.search) {
            (Some(mine), Some(later)) => {
                mine.live.extend(later.live);
                mine.builds.extend(later.builds);
                mine.is_final &= later.is_final;
            }
            (mine, later) => *mine = later.or(mine.take()),
        }
    }
}

/// State of a task, in Koji's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TaskState {
    /// Waits for a builder.
    Free,
    /// Runs.
    Open,
    /// Ended well.
    Closed,
    /// Was cancelled.
    Canceled,
    /// Is given to a builder that has not begun.
    Assigned,
    /// Ended badly.
    Failed,
}

impl TaskState {
    /// Says whether the task may still do something.
    pub fn is_live(self) -> bool {
        matches!(self, TaskState::Free | TaskState::Open | TaskState::Assigned)
    }
}

/// A task as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSeen {
    /// Its state.
    pub state: TaskState,
    /// The builds it made; exactly one for a build that went well.
    pub builds: Vec<Nvr>,
}

/// A build in a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedBuild {
    /// The source package.
    pub package: Package,
    /// What was built.
    pub nvr: Nvr,
    /// The task that built it, if one did.
    pub task: Option<TaskId>,
    /// When it was put into this tag.
    pub event: TagEvent,
}

/// A finished repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepoSeen {
    /// Its id.
    pub id: RepoId,
    /// The moment whose tag content it shows.
    pub event: TagEvent,
}

/// What exists of earlier attempts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Live tasks that build a package for its target and for this very module; oldest first.
    pub live: Vec<(Package, TaskId)>,
    /// Complete builds: in one of the tags, else untagged ones with our dist tag.
    pub builds: Vec<FoundBuild>,
    /// Whether no call of an earlier attempt can still be under way: what was not found does not exist.
    pub is_final: bool,
}

/// A complete build that an earlier attempt left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBuild {
    /// The source package.
    pub package: Package,
    /// What was built.
    pub nvr: Nvr,
    /// The task that built it, if one did.
    pub task: Option<TaskId>,
    /// The tag it was found in; `None`: it is in none of those asked.
    pub tag: Option<TagName>,
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFailure {
    /// One or two sentences for the packager: the phase, the error, where the log is.
    pub reason: String,
    /// Whether the package (not the build system) is at fault.
    pub is_package_fault: bool,
}
