//! What the build system in memory knows: its nouns, and how they are looked up.

use std::collections::{BTreeMap, BTreeSet};

use super::missing;
use crate::build_system::{BuildSystemError, FinishedModule, RepoSeen, TaggedBuild, TaskFailure, TaskState};
use crate::bus::Hint;
use crate::ident::{Arch, Nevra, Nvr, Package, TagEvent, TagName, TaskId, Weight};

/// All that the build system knows.
#[derive(Default)]
pub(super) struct Plant {
    pub(super) tags: BTreeMap<TagName, Tag>,
    pub(super) targets: BTreeMap<TagName, Target>,
    pub(super) tasks: BTreeMap<TaskId, Task>,
    /// The tasks that have not ended, by the target they build in, or the tag of the repository they make.
    pub(super) live: BTreeSet<(TagName, TaskId)>,
    pub(super) builds: BTreeMap<Nvr, Built>,
    pub(super) imports: BTreeMap<Nvr, FinishedModule>,
    pub(super) recipes: BTreeMap<Package, Recipe>,
    pub(super) weights: BTreeMap<Package, Weight>,
    pub(super) external_rpms: BTreeMap<TagName, Vec<Nevra>>,
    pub(super) paces: BTreeMap<TaskKind, Pace>,
    pub(super) news: BTreeSet<Hint>,
    pub(super) search_is_final: bool,
    pub(super) permits_twins: bool,
    /// Counts observes.
    pub(super) observes: u64,
    /// Counts changes.
    pub(super) generation: u64,
    pub(super) last_event: i64,
    pub(super) last_repo: i64,
    pub(super) last_task: i64,
}

/// A set of builds, and what buildroots made from it look like.
#[derive(Default)]
pub(super) struct Tag {
    pub(super) view: TagSummary,
    /// When that last changed.
    pub(super) set_up_at: Option<TagEvent>,
    /// Oldest tagging first.
    pub(super) builds: Vec<TaggedBuild>,
    pub(super) repo: Option<RepoSeen>,
}

/// How a tag is set up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagSummary {
    /// Its architectures, sorted.
    pub arches: Vec<Arch>,
    /// Packages that may be in it.
    pub packages: BTreeSet<Package>,
    /// Packages that are blocked in it.
    pub blocked: BTreeSet<Package>,
    /// RPM names by group.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// Tags it inherits, most important first.
    pub inherits: Vec<TagName>,
}

/// What builds are built from and meant for.
#[derive(PartialEq, Eq)]
pub(super) struct Target {
    pub(super) build_tag: TagName,
    pub(super) tag: TagName,
}

/// A unit of work.
pub(super) struct Task {
    pub(super) state: TaskState,
    pub(super) work: TaskWork,
    pub(super) built: Option<Nvr>,
    pub(super) failure: Option<TaskFailure>,
    /// How many observes had passed when it began.
    pub(super) begun_at: u64,
}

/// What a task does.
pub(super) enum TaskWork {
    Build { package: Package, target: TagName, dist: String, arches: Vec<Arch>, nvr: Nvr },
    Repo { tag: TagName, event: TagEvent },
}

/// A complete build.
pub(super) struct Built {
    pub(super) task: Option<TaskId>,
    pub(super) rpms: Vec<Nevra>,
    pub(super) made: TagEvent,
}

/// What comes out when a package is built.
#[derive(Clone)]
pub(super) struct Recipe {
    pub(super) version: String,
    pub(super) rpm_names: Vec<String>,
}

/// A kind of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskKind {
    /// It builds a package.
    Build,
    /// It makes a repository.
    Repo,
}

/// When tasks end, well, without anybody saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// Never.
    #[default]
    ByHand,
    /// In the call that begins them.
    AtOnce,
    /// So that the observe of this number after their begin sees them ended.
    AfterObserves(u32),
}

/// A task as a script sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSummary {
    /// Its id.
    pub id: TaskId,
    /// What it does.
    pub kind: TaskKind,
    /// Its state.
    pub state: TaskState,
    /// What it builds; `None` for repositories.
    pub package: Option<Package>,
    /// The target it builds in, or the tag of the repository.
    pub place: TagName,
}

impl TaskWork {
    pub(super) fn kind(&self) -> TaskKind {
        match self {
            TaskWork::Build { .. } => TaskKind::Build,
            TaskWork::Repo { .. } => TaskKind::Repo,
        }
    }

    /// Returns the target it builds in, or the tag of the repository.
    pub(super) fn place(&self) -> &TagName {
        match self {
            TaskWork::Build { target, .. } => target,
            TaskWork::Repo { tag, .. } => tag,
        }
    }
}

impl Task {
    pub(super) fn summary(&self, id: TaskId) -> TaskSummary {
        let (package, place) = match &self.work {
            TaskWork::Build { package, target, .. } => (Some(package.clone()), target.clone()),
            TaskWork::Repo { tag, .. } => (None, tag.clone()),
        };
        TaskSummary { id, kind: self.work.kind(), state: self.state, package, place }
    }

    /// Says whether it builds a package of a module build, which its target and dist tag tell.
    pub(super) fn builds(&self, wanted: &Package, in_target: &TagName, with_dist: &str) -> bool {
        match &self.work {
            TaskWork::Build { package, target, dist, .. } => {
                package == wanted && target == in_target && dist == with_dist
            }
            TaskWork::Repo { .. } => false,
        }
    }
}

impl Plant {
    pub(super) fn tag_of(&self, name: &TagName) -> Result<&Tag, BuildSystemError> {
        self.tags.get(name).ok_or_else(|| missing("tag", name))
    }

    pub(super) fn tag_mut(&mut self, name: &TagName) -> Result<&mut Tag, BuildSystemError> {
        self.tags.get_mut(name).ok_or_else(|| missing("tag", name))
    }

    /// Returns the live tasks of a target, or those that make a repository of a tag, oldest first.
    pub(super) fn live_in<'a>(&'a self, place: &TagName) -> impl Iterator<Item = (TaskId, &'a Task)> {
        let of = |task| (place.clone(), TaskId(task));
        let ids = self.live.range(of(i64::MIN)..=of(i64::MAX)).map(|(_, id)| *id);
        ids.filter_map(|id| Some((id, self.tasks.get(&id)?)))
    }

    /// Returns the complete builds of a package, in the order of their NVRs.
    pub(super) fn builds_of<'a>(
        &'a self,
        package: &'a Package,
    ) -> impl Iterator<Item = (&'a Nvr, &'a Built)> {
        let first = Nvr::of(package.as_str(), "", "");
        self.builds.range(first..).take_while(|(nvr, _)| nvr.name() == package.as_str())
    }

    pub(super) fn task_mut(&mut self, id: TaskId) -> Result<&mut Task, BuildSystemError> {
        self.tasks.get_mut(&id).ok_or_else(|| missing("task", &id))
    }

    pub(super) fn next_event(&mut self) -> TagEvent {
        self.generation += 1;
        self.last_event += 1;
        TagEvent(self.last_event)
    }

    pub(super) fn pace(&self, kind: TaskKind) -> Pace {
        self.paces.get(&kind).copied().unwrap_or_default()
    }

    pub(super) fn recipe(&self, package: &Package) -> Recipe {
        let usual = || Recipe { version: "1".to_owned(), rpm_names: vec![package.to_string()] };
        self.recipes.get(package).cloned().unwrap_or_else(usual)
    }

    /// Returns the newest build of a package in a tag.
    pub(super) fn newest_in<'a>(&'a self, tag: &TagName, package: &Package) -> Option<&'a TaggedBuild> {
        self.tags.get(tag)?.builds.iter().rev().find(|build| build.package == *package)
    }

    /// Returns per package the newest build of a tag, or else of what it inherits, first come first.
    pub(super) fn latest_builds(&self, tag: &TagName) -> BTreeMap<&Package, &TaggedBuild> {
        let mut latest = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut to_visit = vec![tag];
        while let Some(name) = to_visit.pop() {
            let Some(tag) = self.tags.get(name).filter(|_| seen.insert(name)) else { continue };
            for build in tag.builds.iter().rev() {
                latest.entry(&build.package).or_insert(build);
            }
            to_visit.extend(tag.view.inherits.iter().rev());
        }
        latest
    }
}
