//! Leases, wakes, and when the next look is due.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::tables::{HeldLease, Tables};
use super::{MemoryStore, later};
use crate::bus::Hint;
use crate::ident::BuildId;
use crate::model::State;
use crate::plan::Why;
use crate::store::{Claim, Lease, Signal, StoreError, Work, WorkerId, destinations};

#[async_trait]
impl Work for MemoryStore {
    async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError> {
        self.transact(|tables, now| {
            let due = tables.index.claimable(now, n);
            Ok(due.into_iter().map(|id| tables.lease(id, worker, now)).collect())
        })
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        self.transact(|tables, now| {
            if !tables.honours(lease, now) {
                return Err(StoreError::LeaseLost(lease.build));
            }
            let until = later(now, tables.rules.lease);
            tables.change(lease.build, |row| {
                if let Some(held) = &mut row.work.lease {
                    held.until = until;
                }
            });
            Ok(())
        })
    }

    async fn release(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: Why,
        signal: Signal,
    ) -> Result<(), StoreError> {
        self.transact(|tables, now| {
            if !tables.honours(lease, now) {
                return Ok(());
            }
            let soon = later(now, tables.rules.min_gap);
            tables.change(lease.build, |row| {
                let woken = row.work.woken.then_some(soon);
                row.work.due = wake_at.into_iter().chain(woken).min();
                row.work.lease = None;
                row.work.woken = false;
                row.work.looked_at = Some(now);
                row.work.why = Some(why);
            });
            tables.waking_line(None, now, |tables| tables.adapt(signal, now));
            Ok(())
        })
    }

    async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError> {
        self.transact(|tables, now| {
            let named = tables.named_by(hints);
            tables.wake_all(&named, now);
            Ok(named.len())
        })
    }

    async fn void_leases(&self, worker: &WorkerId) -> Result<usize, StoreError> {
        self.transact(|tables, now| Ok(tables.void_leases(|held| held == worker, now)))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.transact(|tables, _| Ok(tables.index.next_claimable()))
    }

    async fn explain(&self, id: BuildId) -> Result<Option<Why>, StoreError> {
        self.transact(|tables, _| tables.row(id).map(|row| row.work.why.clone()))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.transact(|_, now| Ok(now))
    }
}

impl Tables {
    fn lease(&mut self, id: BuildId, worker: &WorkerId, now: Timestamp) -> Claim {
        self.last_token += 1;
        let token = self.last_token;
        let until = later(now, self.rules.lease);
        self.change(id, |row| {
            row.work.lease = Some(HeldLease { worker: worker.clone(), token, until });
            row.work.woken = false;
        });
        Claim { lease: Lease { build: id, worker: worker.clone(), token }, store_now: now }
    }

    fn honours(&self, lease: &Lease, now: Timestamp) -> bool {
        self.rows.row(lease.build).is_some_and(|row| row.work.honours(lease, now))
    }

    /// Returns the builds that hints name.
    fn named_by(&self, hints: &[Hint]) -> BTreeSet<BuildId> {
        let mut named = BTreeSet::new();
        for hint in hints {
            match hint {
                Hint::Build(id) => named.extend(Some(*id).filter(|id| self.rows.contains(*id))),
                Hint::Tag(tag) => named.extend(destinations(tag).flat_map(|tag| self.index.of_tag(tag))),
                Hint::Task(task) => named.extend(self.index.of_task(*task)),
                Hint::Everything => named.extend(self.index.under_way()),
            }
        }
        named
    }

    /// Returns the builds that a drain keeps where they are.
    pub(super) fn held_by_drain(&self) -> BTreeSet<BuildId> {
        [State::Init, State::Wait].into_iter().flat_map(|state| self.index.in_state(state)).collect()
    }

    pub(super) fn wake_all(&mut self, builds: &BTreeSet<BuildId>, now: Timestamp) {
        let min_gap = self.rules.min_gap;
        for id in builds {
            self.change(*id, |row| row.work.wake(now, min_gap));
        }
    }

    /// Ends the leases of some workers; their builds are due at once.
    pub(super) fn void_leases(&mut self, is_theirs: impl Fn(&WorkerId) -> bool, now: Timestamp) -> usize {
        let lease_of = |id| self.rows.row(id)?.work.lease.as_ref();
        let is_voided = |id: &BuildId| lease_of(*id).is_some_and(|lease| is_theirs(&lease.worker));
        let theirs: Vec<BuildId> = self.index.leased().filter(is_voided).collect();
        for id in &theirs {
            self.change(*id, |row| {
                row.work.lease = None;
                row.work.woken = false;
                row.work.make_due(now);
            });
        }
        theirs.len()
    }
}
