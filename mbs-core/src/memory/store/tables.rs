//! The tables of the memory store, and the indexes that are derived from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::later;
use crate::ident::{BuildId, NameStream, Nsvc, Revision};
use crate::model::{ModuleBuild, Transition};
use crate::plan::Why;
use crate::policy::Policy;
use crate::share::{PlaceInLine, Throttle, place_in_line};
use crate::store::{
    AuditEntry, EventNumber, Lease, LogLine, Settings, Sink, StateChange, StoreError, WorkerId,
};

/// All that is stored. Rows are changed through [`Tables::change`] only, which keeps the indexes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Tables {
    pub(super) rows: BTreeMap<BuildId, Row>,
    pub(super) events: BTreeMap<EventNumber, StateChange>,
    pub(super) positions: BTreeMap<Sink, Position>,
    pub(super) keys: BTreeMap<String, KeptKey>,
    pub(super) settings: Settings,
    pub(super) settings_audit: Vec<AuditEntry>,
    pub(super) throttle: Throttle,
    pub(super) last_build: i64,
    pub(super) last_component: i64,
    pub(super) last_token: u64,
    pub(super) last_event: u64,
    /// The store's time when the snapshot was taken.
    pub(super) saved_at: Timestamp,
    #[serde(skip)]
    pub(super) generation: u64,
    #[serde(skip)]
    pub(super) index: Index,
    #[serde(skip)]
    pub(super) rules: Rules,
}

/// One build with everything kept beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) build: Arc<ModuleBuild>,
    pub(super) revision: Revision,
    #[serde(default)]
    pub(super) work: WorkRow,
    #[serde(default)]
    pub(super) trace: Vec<Transition>,
    #[serde(default)]
    pub(super) log: Vec<LogLine>,
    #[serde(default)]
    pub(super) audit: Vec<AuditEntry>,
    /// The number of its last event.
    #[serde(default)]
    pub(super) last_seq: u64,
}

/// When a build is to be looked at, and who does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct WorkRow {
    /// `None`: only when woken. It stays as it is during a look, so that a look that crashed is due again.
    pub(super) due: Option<Timestamp>,
    pub(super) lease: Option<HeldLease>,
    /// Whether a wake came during the look.
    pub(super) woken: bool,
    /// When the last look ended.
    pub(super) looked_at: Option<Timestamp>,
    pub(super) why: Option<Why>,
}

/// A lease and its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct HeldLease {
    pub(super) worker: WorkerId,
    pub(super) token: u64,
    pub(super) until: Timestamp,
}

/// What a sink has acknowledged: everything up to `floor`, and those beyond it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Position {
    pub(super) floor: u64,
    pub(super) beyond: BTreeSet<EventNumber>,
}

/// What an idempotency key was used for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptKey {
    pub(super) content: String,
    pub(super) builds: Vec<BuildId>,
    pub(super) at: Timestamp,
}

/// What the store takes from the policy.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) lease: Duration,
    pub(super) min_gap: Duration,
    pub(super) tau: Duration,
    pub(super) adapt_every: Duration,
}

impl Rules {
    pub(super) fn of(policy: &Policy) -> Self {
        Self {
            lease: policy.lease,
            min_gap: policy.min_gap,
            tau: policy.tau,
            adapt_every: policy.adapt_every,
        }
    }
}

/// What can be computed from the rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    pub(super) by_nsvc: BTreeMap<Nsvc, BuildId>,
    pub(super) by_stream: BTreeMap<NameStream, BTreeSet<BuildId>>,
    /// By the moment a build can be claimed: when it is due, and no lease on it lives.
    pub(super) claimable: BTreeSet<(Timestamp, BuildId)>,
    pub(super) line: BTreeSet<PlaceInLine>,
    pub(super) in_use: u32,
}

/// What one row puts into the index.
#[derive(Debug, PartialEq)]
struct Entry {
    claimable: Option<(Timestamp, BuildId)>,
    place: Option<PlaceInLine>,
    held: u32,
}

impl Entry {
    fn of(row: &Row, rules: &Rules) -> Self {
        Self {
            claimable: row.work.claimable_at().map(|at| (at, row.build.id)),
            place: row.build.line.map(|line| place_in_line(&row.build, line, rules.tau)),
            held: row.build.slots_held(),
        }
    }
}

impl Index {
    fn add(&mut self, entry: &Entry) {
        self.claimable.extend(entry.claimable);
        self.line.extend(entry.place);
        self.in_use += entry.held;
    }

    fn remove(&mut self, entry: &Entry) {
        if let Some(key) = entry.claimable {
            self.claimable.remove(&key);
        }
        if let Some(place) = entry.place {
            self.line.remove(&place);
        }
        self.in_use -= entry.held;
    }
}

impl WorkRow {
    /// Returns the end of a lease that lives.
    pub(super) fn leased_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.lease.as_ref().map(|lease| lease.until).filter(|until| *until > now)
    }

    /// Says whether this very lease lives.
    pub(super) fn honours(&self, lease: &Lease, now: Timestamp) -> bool {
        self.lease
            .as_ref()
            .is_some_and(|held| held.token == lease.token && held.worker == lease.worker && held.until > now)
    }

    /// Makes the build due, not before the gap after its last look is over; during a look it is remembered.
    pub(super) fn wake(&mut self, now: Timestamp, min_gap: Duration) {
        if self.leased_until(now).is_some() {
            self.woken = true;
            return;
        }
        let soonest = self.looked_at.map_or(now, |looked| now.max(later(looked, min_gap)));
        self.due = Some(self.due.map_or(soonest, |due| due.min(soonest)));
    }

    /// Makes the build due at once; during a look it is remembered.
    pub(super) fn make_due(&mut self, now: Timestamp) {
        if self.leased_until(now).is_some() {
            self.woken = true;
        } else {
            self.due = Some(self.due.map_or(now, |due| due.min(now)));
        }
    }

    fn claimable_at(&self) -> Option<Timestamp> {
        let due = self.due?;
        Some(self.lease.as_ref().map_or(due, |lease| due.max(lease.until)))
    }
}

impl Tables {
    pub(super) fn row(&self, id: BuildId) -> Result<&Row, StoreError> {
        self.rows.get(&id).ok_or(StoreError::NotFound(id))
    }

    /// Adds a row whose id is new.
    pub(super) fn insert(&mut self, row: Row) {
        self.generation += 1;
        self.index_identity(&row);
        self.index.add(&Entry::of(&row, &self.rules));
        self.rows.insert(row.build.id, row);
    }

    /// Changes a row and what the indexes know of it; an unknown id changes nothing.
    pub(super) fn change(&mut self, id: BuildId, change: impl FnOnce(&mut Row)) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        self.generation += 1;
        let before = Entry::of(row, &self.rules);
        change(row);
        let after = Entry::of(row, &self.rules);
        if before != after {
            self.index.remove(&before);
            self.index.add(&after);
        }
    }

    /// Computes all indexes anew, and the counters from what they must be beyond.
    pub(super) fn reindex(&mut self, rules: Rules) {
        self.rules = rules;
        self.index = Index::default();
        for row in std::mem::take(&mut self.rows).into_values() {
            self.insert(row);
        }
        let builds = self.rows.keys().map(|id| id.0);
        self.last_build = builds.max().unwrap_or(0).max(self.last_build);
        let components = self.rows.values().flat_map(|row| &row.build.components);
        let component_ids = components.filter_map(|component| component.id).map(|id| id.0);
        self.last_component = component_ids.max().unwrap_or(0).max(self.last_component);
        let tokens = self.rows.values().filter_map(|row| row.work.lease.as_ref()).map(|lease| lease.token);
        self.last_token = tokens.max().unwrap_or(0).max(self.last_token);
        let last_event = self.events.last_key_value().map_or(0, |(number, _)| number.0);
        self.last_event = last_event.max(self.last_event);
    }

    fn index_identity(&mut self, row: &Row) {
        let nsvc = row.build.nsvc();
        self.index.by_nsvc.insert(nsvc.clone(), row.build.id);
        self.index.by_stream.entry(nsvc.name_stream()).or_default().insert(row.build.id);
    }

    /// Returns the rows of a name:stream, smallest id first.
    pub(super) fn rows_of(&self, module: &NameStream) -> impl DoubleEndedIterator<Item = &Row> + use<'_> {
        self.index.by_stream.get(module).into_iter().flatten().filter_map(|id| self.rows.get(id))
    }
}
