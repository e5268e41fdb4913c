//! The tables of the memory store, and how rows are changed with the indexes over them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::index::{Claimable, Entries, Index};
use super::later;
use super::rows::Rows;
use crate::ident::{BuildId, ComponentId, NameStream, Revision};
use crate::model::{ModuleBuild, Transition};
use crate::plan::Why;
use crate::share::Throttle;
use crate::store::{
    AuditEntry, ComponentTransition, Ending, EventNumber, Lease, LogLine, Rules, Settings, Sink, StateChange,
    StoreError, Token, TokenDigest, WorkerId,
};

/// All that is stored. Rows are changed through [`Tables::change`] only, which keeps the indexes.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub(super) rows: Rows,
    pub(super) events: BTreeMap<EventNumber, Arc<StateChange>>,
    pub(super) positions: BTreeMap<Sink, Position>,
    pub(super) seats: BTreeMap<Sink, Seat>,
    pub(super) keys: BTreeMap<String, KeptKey>,
    pub(super) settings: Settings,
    pub(super) settings_audit: Vec<AuditEntry>,
    /// Tokens by id, with their digests.
    pub(super) tokens: Vec<(TokenDigest, Token)>,
    pub(super) throttle: Throttle,
    pub(super) last_build: i64,
    pub(super) last_component: i64,
    pub(super) last_line: i64,
    /// The build of each component there ever was.
    pub(super) build_of: BTreeMap<ComponentId, BuildId>,
    pub(super) last_token: u64,
    pub(super) last_event: u64,
    pub(super) endings: BTreeMap<Ending, u64>,
    pub(super) generation: u64,
    pub(super) calls: u64,
    pub(super) index: Index,
    pub(super) rules: Rules,
}

/// One build with everything kept beside it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) build: Arc<ModuleBuild>,
    pub(super) revision: Revision,
    pub(super) work: WorkRow,
    pub(super) trace: Vec<Transition>,
    pub(super) component_traces: BTreeMap<ComponentId, Vec<ComponentTransition>>,
    pub(super) log: Vec<LogLine>,
    pub(super) audit: Vec<AuditEntry>,
    /// The number of its last event.
    pub(super) last_seq: u64,
    /// When its record changed last.
    pub(super) progressed_at: Timestamp,
}

/// When a build is to be looked at, and who does.
#[derive(Debug, Clone, Default)]
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
#[derive(Debug, Clone)]
pub(super) struct HeldLease {
    pub(super) worker: WorkerId,
    pub(super) token: u64,
    pub(super) until: Timestamp,
}

/// What a sink has acknowledged: everything up to `floor`, and those beyond it.
#[derive(Debug, Clone, Default)]
pub(super) struct Position {
    pub(super) floor: u64,
    pub(super) beyond: BTreeSet<EventNumber>,
}

/// Who publishes to a sink, and until when.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub(super) worker: WorkerId,
    pub(super) until: Timestamp,
}

/// What an idempotency key was used for.
#[derive(Debug, Clone)]
pub(super) struct KeptKey {
    pub(super) content: String,
    pub(super) builds: Vec<BuildId>,
    pub(super) at: Timestamp,
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

    /// Says whether it waits for a look.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now) && self.leased_until(now).is_none()
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
}

impl Tables {
    pub(super) fn row(&self, id: BuildId) -> Result<&Row, StoreError> {
        self.rows.row(id).ok_or(StoreError::NotFound(id))
    }

    /// Adds a row whose id is new.
    pub(super) fn insert(&mut self, row: Row) {
        self.generation += 1;
        let id = row.build.id;
        self.index.add_identity(&row.build);
        self.index.add(Entries::of(&row.build, self.rules.tau));
        Claimable::of(&row.work).into_iter().for_each(|claimable| self.index.add_claimable(id, claimable));
        self.rows.insert(row);
    }

    /// Changes a row and what the indexes know of it; an unknown id changes nothing.
    pub(super) fn change(&mut self, id: BuildId, change: impl FnOnce(&mut Row)) {
        let Some(row) = self.rows.row_mut(id) else { return };
        self.generation += 1;
        let (build, was) = (Arc::clone(&row.build), Claimable::of(&row.work));
        change(row);
        let is = Claimable::of(&row.work);
        if was != is {
            was.into_iter().for_each(|was| self.index.remove_claimable(id, was));
            is.into_iter().for_each(|is| self.index.add_claimable(id, is));
        }
        if !Arc::ptr_eq(&build, &row.build) {
            self.index.remove(Entries::of(&build, self.rules.tau));
            self.index.add(Entries::of(&row.build, self.rules.tau));
        }
    }

    /// Returns the rows of a name:stream, smallest id first.
    pub(super) fn rows_of(&self, module: &NameStream) -> impl DoubleEndedIterator<Item = &Row> + use<'_> {
        self.index.by_stream.get(module).into_iter().flatten().filter_map(|id| self.rows.row(*id))
    }
}
