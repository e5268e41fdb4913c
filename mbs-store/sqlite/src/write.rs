//! Transactions that write: the lock first, then the time, then all that a changed record brings with it.
//!
//! Never judges a change: who calls has checked it. What did not change is not written.

use jiff::Timestamp;
use mbs_core::ident::{BuildId, ComponentId, Revision};
use mbs_core::model::ModuleBuild;
use mbs_core::store::{AuditEntry, ComponentTransition, Note, StateChange};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::SqliteStore;
use crate::error::Outcome;
use crate::record::{Stored, record};
use crate::time;

/// A transaction that holds the file's write lock. Dropped, it leaves no trace.
pub(crate) struct Write<'s> {
    pub(crate) store: &'s SqliteStore,
    /// The store's time, as of the lock: it never goes back from one transaction to the next but with the clock.
    pub(crate) now: Timestamp,
    transaction: Transaction<'static, Sqlite>,
}

/// A record as it was before a change, and its numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before<'b> {
    pub(crate) build: &'b ModuleBuild,
    pub(crate) revision: Revision,
    /// The number of its last event.
    pub(crate) last_seq: u64,
}

impl<'b> From<&'b Stored> for Before<'b> {
    fn from(stored: &'b Stored) -> Self {
        Self { build: &stored.build, revision: stored.revision, last_seq: stored.last_seq }
    }
}

impl SqliteStore {
    /// Waits for the write lock and begins a transaction under it.
    pub(crate) async fn write(&self) -> Outcome<Write<'_>> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { store: self, now: self.wall(), transaction })
    }

    /// Returns the time, as finely as the file keeps it.
    pub(crate) fn wall(&self) -> Timestamp {
        time::cut((self.time)())
    }
}

impl Write<'_> {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// Returns the time as the file keeps it.
    pub(crate) fn micros(&self) -> i64 {
        time::micros(self.now)
    }

    /// Makes it so, and tells who waits for that.
    pub(crate) async fn commit(self) -> Outcome<()> {
        self.transaction.commit().await?;
        self.store.changes.note();
        Ok(())
    }

    pub(crate) async fn record(&mut self, id: BuildId) -> Outcome<Stored> {
        let documents = &self.store.documents;
        record(&mut self.transaction, documents, id).await
    }

    /// Moves a counter on and returns where it stood.
    pub(crate) async fn count_on(&mut self, counter: &str, by: usize) -> Outcome<i64> {
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        let last = sqlx::query_scalar!(
            "UPDATE counters SET last = last + ?2 WHERE name = ?1 RETURNING last",
            counter,
            by,
        );
        Ok(last.fetch_one(self.connection()).await? - by)
    }

    /// Writes a record that passed its checks: components get ids, transitions go to the traces, those of the build become
    /// events, notes go to the log. Returns it as stored, with its revision.
    pub(crate) async fn change(
        &mut self,
        before: Before<'_>,
        mut build: ModuleBuild,
        notes: Vec<Note>,
    ) -> Outcome<(ModuleBuild, Revision)> {
        self.number_components(&mut build).await?;
        let transitions = build.life.take_unsaved();
        self.count_endings(&build, &transitions).await?;
        let reason = before.build.life.reason().map(str::to_owned);
        let events = StateChange::all_of(&build, before.last_seq, reason, &transitions);
        let revision = Revision(before.revision.0 + 1);
        let last_seq = events.last().map_or(before.last_seq, |event| event.seq);
        self.update_head(before.build, &build, (revision, last_seq)).await?;
        self.write_parts(Some(before.build), &build).await?;
        self.announce(&events).await?;
        self.add_to_traces(&ComponentTransition::between(Some(before.build), &build, self.now)).await?;
        self.log(build.id, &Note::lines(&notes, &build, self.now)).await?;
        Ok((build, revision))
    }

    /// Writes what a person did to a record that passed its checks, with the audit row; the build is due at once.
    pub(crate) async fn change_by_hand(
        &mut self,
        before: &Stored,
        build: ModuleBuild,
        (by, what): (&str, &str),
    ) -> Outcome<(ModuleBuild, Revision)> {
        let id = build.id;
        let changed = self.change(before.into(), build, Vec::new()).await?;
        self.wake_line(Some(id)).await?;
        let entry = AuditEntry { at: self.now, by: by.to_owned(), what: what.to_owned() };
        self.audit(Some(id), &entry).await?;
        self.make_due(id).await?;
        Ok(changed)
    }

    async fn number_components(&mut self, build: &mut ModuleBuild) -> Outcome<()> {
        let new = build.components.iter().filter(|component| component.id.is_none()).count();
        if new == 0 {
            return Ok(());
        }
        let mut last = self.count_on("component", new).await?;
        for component in build.components.iter_mut().filter(|component| component.id.is_none()) {
            last += 1;
            component.id = Some(ComponentId(last));
        }
        Ok(())
    }
}
