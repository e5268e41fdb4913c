//! What the hub notes while it works: how often each component was begun and built, how much ran at the same time, what was
//! published.

use std::collections::BTreeMap;

use mbs_core::ident::{Package, TagName, TaskId};
use mbs_core::store::StateChange;
use serde::{Deserialize, Serialize};

/// A component of a module build: the module's target and the package.
pub type Component = (TagName, Package);

/// How often something happened to a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Tasks begun.
    pub begun: u32,
    /// Tasks that live.
    pub live: u32,
    /// Most tasks that lived at the same time.
    pub most_live: u32,
    /// Tasks that ended well.
    pub built: u32,
}

/// What the hub has seen.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Per component what happened to it, sorted.
    pub components: Vec<(Component, Tally)>,
    /// Everything published, repetitions included, in the order of arrival.
    pub published: Vec<StateChange>,
    /// Most build tasks that lived at the same time.
    pub most_live: usize,
    /// Calls of the build system.
    pub calls: u64,
    /// Calls that took effect and were not answered.
    pub unanswered: u64,
    /// Submissions that came after no late call can arrive any more, and were not let in.
    pub too_late: u64,
    /// Modules that were imported.
    pub imported: usize,
}

/// Notes what happens.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    tallies: BTreeMap<Component, Tally>,
    live: BTreeMap<TaskId, Component>,
    most_live: usize,
    pub(super) published: Vec<StateChange>,
    pub(super) calls: u64,
    pub(super) unanswered: u64,
    pub(super) too_late: u64,
}

impl Ledger {
    /// Notes that a task began.
    pub(super) fn begun(&mut self, task: TaskId, component: Component) {
        let tally = self.tallies.entry(component.clone()).or_default();
        tally.begun += 1;
        tally.live += 1;
        tally.most_live = tally.most_live.max(tally.live);
        self.live.insert(task, component);
        self.most_live = self.most_live.max(self.live.len());
    }

    /// Notes that a task ended well; whether its build can be recorded is another matter.
    pub(super) fn built(&mut self, task: TaskId) {
        if let Some(component) = self.ended(task) {
            self.tallies.entry(component).or_default().built += 1;
        }
    }

    /// Notes that a task lives no more, and returns its component; `None` if it did not live.
    pub(super) fn ended(&mut self, task: TaskId) -> Option<Component> {
        let component = self.live.remove(&task)?;
        self.tallies.entry(component.clone()).or_default().live -= 1;
        Some(component)
    }

    /// Returns what was noted.
    pub(super) fn report(&self, imported: usize) -> Report {
        Report {
            components: self.tallies.iter().map(|(component, tally)| (component.clone(), *tally)).collect(),
            published: self.published.clone(),
            most_live: self.most_live,
            calls: self.calls,
            unanswered: self.unanswered,
            too_late: self.too_late,
            imported,
        }
    }
}
