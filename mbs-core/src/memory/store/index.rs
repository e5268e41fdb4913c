//! What can be computed from the rows, kept so that a call reads the rows it is about and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::tables::WorkRow;
use crate::ident::{BuildId, NameStream, Nsvc, TagName, TaskId};
use crate::model::{ModuleBuild, State};
use crate::share::{PlaceInLine, place_in_line};
use crate::store::is_under_way;

/// The indexes over all rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    pub(super) by_nsvc: BTreeMap<Nsvc, BuildId>,
    pub(super) by_stream: BTreeMap<NameStream, BTreeSet<BuildId>>,
    pub(super) line: BTreeSet<PlaceInLine>,
    pub(super) in_use: u32,
    /// By the time a build is due, those without a lease, or with one that was found to have ended.
    due: BTreeSet<(Timestamp, BuildId)>,
    /// By the end of the lease, with the time the build is due.
    leased: BTreeSet<(Timestamp, Timestamp, BuildId)>,
    /// Builds that something outside may matter to: by state, by destination tag, by task.
    under_way: BTreeSet<(State, BuildId)>,
    by_tag: BTreeSet<(TagName, BuildId)>,
    by_task: BTreeSet<(TaskId, BuildId)>,
}

/// When a build can be claimed: when it is due, and the lease on it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claimable {
    due: Timestamp,
    leased_until: Option<Timestamp>,
}

impl Claimable {
    /// `None`: only after a wake. A build is under a lease only while it is due.
    pub(super) fn of(work: &WorkRow) -> Option<Self> {
        Some(Self { due: work.due?, leased_until: work.lease.as_ref().map(|lease| lease.until) })
    }
}

/// What a record puts into the index.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    build: BuildId,
    place: Option<PlaceInLine>,
    held: u32,
    /// `None` for a build that nothing outside matters to; then it has no tag and no tasks here.
    under_way: Option<State>,
    tag: Option<TagName>,
    tasks: BTreeSet<TaskId>,
}

impl Entries {
    pub(super) fn of(build: &ModuleBuild, tau: Duration) -> Self {
        let is_under_way = is_under_way(build);
        Self {
            build: build.id,
            place: build.line.map(|line| place_in_line(build, line, tau)),
            held: build.slots_held(),
            under_way: is_under_way.then(|| build.state()),
            tag: build.koji_tag.clone().filter(|_| is_under_way),
            tasks: tasks_of(build).filter(|_| is_under_way).collect(),
        }
    }
}

fn tasks_of(build: &ModuleBuild) -> impl Iterator<Item = TaskId> {
    let attempts = build.components.iter().flat_map(|component| &component.attempts);
    attempts.filter_map(|attempt| attempt.task).chain(build.repo_tasks())
}

impl Index {
    pub(super) fn add_identity(&mut self, build: &ModuleBuild) {
        self.by_nsvc.insert(build.nsvc().clone(), build.id);
        self.by_stream.entry(build.nsvc().name_stream()).or_default().insert(build.id);
    }

    pub(super) fn add(&mut self, entries: Entries) {
        let build = entries.build;
        self.line.extend(entries.place);
        self.in_use += entries.held;
        self.under_way.extend(entries.under_way.map(|state| (state, build)));
        self.by_tag.extend(entries.tag.map(|tag| (tag, build)));
        self.by_task.extend(entries.tasks.into_iter().map(|task| (task, build)));
    }

    pub(super) fn remove(&mut self, entries: Entries) {
        let build = entries.build;
        self.in_use -= entries.held;
        entries.place.map(|place| self.line.remove(&place));
        entries.under_way.map(|state| self.under_way.remove(&(state, build)));
        entries.tag.map(|tag| self.by_tag.remove(&(tag, build)));
        for task in entries.tasks {
            self.by_task.remove(&(task, build));
        }
    }

    pub(super) fn add_claimable(&mut self, build: BuildId, claimable: Claimable) {
        match claimable.leased_until {
            Some(until) => self.leased.insert((until, claimable.due, build)),
            None => self.due.insert((claimable.due, build)),
        };
    }

    pub(super) fn remove_claimable(&mut self, build: BuildId, claimable: Claimable) {
        // A lease that was found to have ended is among those due.
        self.due.remove(&(claimable.due, build));
        claimable.leased_until.map(|until| self.leased.remove(&(until, claimable.due, build)));
    }

    /// Returns up to `n` builds that can be claimed, oldest due first.
    pub(super) fn claimable(&mut self, now: Timestamp, n: usize) -> Vec<BuildId> {
        while let Some((_, due, build)) = self.leased.first().copied().filter(|(until, ..)| *until <= now) {
            self.leased.pop_first();
            self.due.insert((due, build));
        }
        self.due.iter().take_while(|(at, _)| *at <= now).take(n).map(|(_, build)| *build).collect()
    }

    /// Returns when the next build can be claimed; `None` if none can without a wake.
    pub(super) fn next_claimable(&self) -> Option<Timestamp> {
        let due = self.due.first().map(|(at, _)| *at);
        due.into_iter().chain(self.leased.first().map(|(until, ..)| *until)).min()
    }

    /// Returns the builds under a lease; it may have ended.
    pub(super) fn leased(&self) -> impl Iterator<Item = BuildId> {
        self.leased.iter().map(|(.., build)| *build)
    }

    /// Returns the builds that something outside may matter to.
    pub(super) fn under_way(&self) -> impl Iterator<Item = BuildId> {
        self.under_way.iter().map(|(_, build)| *build)
    }

    pub(super) fn in_state(&self, state: State) -> impl Iterator<Item = BuildId> {
        of_key(&self.under_way, state)
    }

    /// Returns the builds under way of a destination tag.
    pub(super) fn of_tag(&self, tag: TagName) -> impl Iterator<Item = BuildId> {
        of_key(&self.by_tag, tag)
    }

    /// Returns the builds under way that a task belongs to.
    pub(super) fn of_task(&self, task: TaskId) -> impl Iterator<Item = BuildId> {
        of_key(&self.by_task, task)
    }
}

fn of_key<K: Ord + Clone>(
    set: &BTreeSet<(K, BuildId)>,
    key: K,
) -> impl Iterator<Item = BuildId> + use<'_, K> {
    let (first, last) = ((key.clone(), BuildId(i64::MIN)), (key, BuildId(i64::MAX)));
    set.range(first..=last).map(|(_, build)| *build)
}
