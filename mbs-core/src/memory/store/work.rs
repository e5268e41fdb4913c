//! Leases, wakes, and when the next look is due.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::tables::{HeldLease, Row, Tables};
use super::{MemoryStore, later};
use crate::bus::Hint;
use crate::ident::{BuildId, TagName, TaskId};
use crate::model::{ModuleBuild, State};
use crate::plan::Why;
use crate::store::{Claim, Lease, Signal, StoreError, Work, WorkerId};

#[async_trait]
impl Work for MemoryStore {
    async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError> {
        self.transact(|tables, now| {
            let due = tables.due(now, n);
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
            let named = tables.named_by(&Named::by(hints));
            tables.wake_all(&named, now);
            Ok(named.len())
        })
    }

    async fn void_leases(&self, worker: &WorkerId) -> Result<usize, StoreError> {
        self.transact(|tables, now| Ok(tables.void_leases(|held| held == worker, now)))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.transact(|tables, _| Ok(tables.index.claimable.first().map(|(at, _)| *at)))
    }

    async fn explain(&self, id: BuildId) -> Result<Option<Why>, StoreError> {
        self.transact(|tables, _| tables.row(id).map(|row| row.work.why.clone()))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.transact(|_, now| Ok(now))
    }
}

/// What a batch of hints names.
#[derive(Debug, Default)]
struct Named<'a> {
    builds: BTreeSet<BuildId>,
    tags: BTreeSet<&'a str>,
    tasks: BTreeSet<TaskId>,
    everything: bool,
}

impl<'a> Named<'a> {
    fn by(hints: &'a [Hint]) -> Self {
        let mut named = Self::default();
        for hint in hints {
            match hint {
                Hint::Build(id) => named.builds.extend([*id]),
                Hint::Tag(tag) => named.tags.extend(destinations(tag)),
                Hint::Task(task) => named.tasks.extend([*task]),
                Hint::Everything => named.everything = true,
            }
        }
        named
    }

    fn names(&self, build: &ModuleBuild) -> bool {
        self.builds.contains(&build.id)
            || self.everything && is_under_way(build)
            || build.koji_tag.as_ref().is_some_and(|tag| self.tags.contains(tag.as_str()))
            || !self.tasks.is_empty() && tasks_of(build).any(|task| self.tasks.contains(&task))
    }
}

/// Returns the destination tags of the builds that may own a tag: it is one itself, or made of one.
fn destinations(tag: &TagName) -> impl Iterator<Item = &str> {
    std::iter::once(tag.as_str()).chain(tag.as_str().strip_suffix("-build"))
}

fn tasks_of(build: &ModuleBuild) -> impl Iterator<Item = TaskId> {
    let attempts = build.components.iter().flat_map(|component| &component.attempts);
    attempts.filter_map(|attempt| attempt.task).chain(build.repo.as_ref().and_then(|repo| repo.task))
}

/// Says whether something outside may matter to a build: those that ended have timers only.
fn is_under_way(build: &ModuleBuild) -> bool {
    match build.state() {
        State::Init | State::Wait | State::Build => true,
        State::Done => !build.new.scratch,
        State::Failed => !build.life.is_settled(),
        State::Ready | State::Garbage => false,
    }
}

impl Tables {
    /// Returns who can be claimed, oldest due first.
    fn due(&self, now: Timestamp, n: usize) -> Vec<BuildId> {
        let claimable = self.index.claimable.iter().take_while(|(at, _)| *at <= now);
        let mut due: Vec<_> =
            claimable.map(|(_, id)| (self.rows.get(id).map(|row| row.work.due), *id)).collect();
        due.sort_unstable();
        due.truncate(n);
        due.into_iter().map(|(_, id)| id).collect()
    }

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
        self.rows.get(&lease.build).is_some_and(|row| row.work.honours(lease, now))
    }

    fn named_by(&self, named: &Named<'_>) -> Vec<BuildId> {
        self.rows.values().filter(|row| named.names(&row.build)).map(|row| row.build.id).collect()
    }

    /// Returns the builds that a drain keeps where they are.
    pub(super) fn held_by_drain(&self) -> Vec<BuildId> {
        let is_held = |row: &&Row| matches!(row.build.state(), State::Init | State::Wait);
        self.rows.values().filter(is_held).map(|row| row.build.id).collect()
    }

    pub(super) fn wake_all(&mut self, builds: &[BuildId], now: Timestamp) {
        let min_gap = self.rules.min_gap;
        for id in builds {
            self.change(*id, |row| row.work.wake(now, min_gap));
        }
    }

    /// Ends the leases of some workers; their builds are due at once.
    pub(super) fn void_leases(&mut self, is_theirs: impl Fn(&WorkerId) -> bool, now: Timestamp) -> usize {
        let leased = self.rows.iter().filter_map(|(id, row)| Some((*id, row.work.lease.as_ref()?)));
        let theirs: Vec<BuildId> =
            leased.filter(|(_, lease)| is_theirs(&lease.worker)).map(|(id, _)| id).collect();
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
