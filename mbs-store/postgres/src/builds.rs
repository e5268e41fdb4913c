//! Loading and saving, and what was kept of how each build came about.

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::ident::{BuildId, Revision};
use mbs_core::model::{ModuleBuild, Transition};
use mbs_core::store::checks::{self, rejected};
use mbs_core::store::{
    Amend, AuditEntry, Builds, Create, Created, IdempotencyKey, Import, Imported, Loaded, LogLine, Note,
    Restored, Save, Saved, Slots, StoreError,
};
use sqlx::PgConnection;

use crate::PostgresStore;
use crate::error::Failure;
use crate::figures::count_endings;
use crate::history::write_audit;
use crate::line::{Moved, Reach, SlotsNow, lock_settings, tell};
use crate::work::{Leased, is_honoured, lock_work};
use crate::write::{Step, number_components};

#[async_trait]
impl Builds for PostgresStore {
    async fn create(&self, create: Create) -> Result<Created, StoreError> {
        self.retried(|| self.create_once(&create)).await
    }

    async fn created_with(&self, key: &IdempotencyKey) -> Result<Option<Created>, StoreError> {
        self.retried(|| self.created_once(key)).await
    }

    async fn load(&self, id: BuildId) -> Result<Loaded, StoreError> {
        self.retried(|| async {
            let stored = self.read(&mut *self.pool.acquire().await?, id).await?;
            Ok(Loaded { build: stored.build, revision: stored.revision, slots: stored.slots.slots() })
        })
        .await
    }

    async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        self.retried(|| self.save_once(&save)).await
    }

    async fn amend(&self, amend: Amend) -> Result<Saved, StoreError> {
        self.retried(|| self.amend_once(&amend)).await
    }

    async fn import(&self, import: Import) -> Result<Imported, StoreError> {
        self.retried(|| self.import_once(&import)).await
    }

    async fn restore(&self, records: Vec<Restored>) -> Result<(), StoreError> {
        self.retried(|| self.restore_once(&records)).await
    }

    async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError> {
        self.retried(|| self.trace_of(id)).await
    }

    async fn log(&self, id: BuildId) -> Result<Vec<LogLine>, StoreError> {
        self.retried(|| self.log_of(id)).await
    }

    async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError> {
        self.retried(|| self.audit_of(id)).await
    }
}

/// The numbers of a record that is locked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Locked {
    pub(crate) revision: i64,
    pub(crate) last_seq: i64,
}

impl PostgresStore {
    async fn save_once(&self, save: &Save) -> Result<Saved, Failure> {
        let id = save.lease.build;
        if save.now.id != id {
            return Err(rejected(format!(
                "the lease is on module build {id}, the record is of {}",
                save.now.id
            ))
            .into());
        }
        let mut transaction = self.pool.begin().await?;
        let connection = &mut *transaction;
        let locked = lock_record(connection, id).await?;
        if save.now.slots_held() > save.was.slots_held() {
            lock_settings(connection).await?;
        }
        let seen = self.leased(connection, &save.lease).await?.ok_or(StoreError::NotFound(id))?;
        check(save, locked, &seen)?;
        let mut now = save.now.clone();
        let next = Next { was: &save.was, locked, notes: &save.notes, at: seen.now };
        self.commit(connection, &mut now, next).await?;
        let moved = self.adapt(connection, (save.signal, seen.now), &seen.slots).await?;
        let reach = if moved == Moved::Yes { Reach::Everybody } else { Reach::Head };
        let mut slots = self.wake_line(connection, Some(id), reach).await?;
        count_endings(connection, &save.now).await?;
        // Locks may have been waited for since it was checked.
        if !is_honoured(connection, &save.lease).await? {
            return Err(StoreError::LeaseLost(id).into());
        }
        transaction.commit().await?;
        let frees = now.slots_held() < save.was.slots_held() || now.line != save.was.line;
        if frees || moved == Moved::Yes {
            slots = self.look_again(Some(id)).await.unwrap_or(slots);
        }
        Ok(Saved { build: now, revision: revision(locked.revision + 1), slots })
    }

    async fn amend_once(&self, amend: &Amend) -> Result<Saved, Failure> {
        let mut transaction = self.pool.begin().await?;
        let (mut now, id) = (amend.now.clone(), amend.now.id);
        lock_record(&mut transaction, id).await?;
        let audit = (&*amend.by, &*amend.what);
        let locked = self.commit_by_hand(&mut transaction, (&mut now, amend.revision), audit).await?;
        let slots = self.wake_after_hand(&mut transaction, &[id]).await?;
        count_endings(&mut transaction, &amend.now).await?;
        transaction.commit().await?;
        Ok(Saved { build: now, revision: revision(locked.revision + 1), slots })
    }

    /// Writes what a person did to a record that is locked, with the audit row.
    pub(crate) async fn commit_by_hand(
        &self,
        connection: &mut PgConnection,
        (now, loaded_at): (&mut ModuleBuild, Revision),
        (by, what): (&str, &str),
    ) -> Result<Locked, Failure> {
        let stored = self.read(connection, now.id).await?;
        if stored.revision != loaded_at {
            return Err(StoreError::Stale(now.id).into());
        }
        checks::by_hand(&stored.build, now)?;
        let at = database_time(connection).await?;
        let locked = Locked { revision: database_revision(stored.revision), last_seq: stored.last_seq };
        self.commit(connection, now, Next { was: &stored.build, locked, notes: &[], at }).await?;
        let entry = AuditEntry { at, by: by.to_owned(), what: what.to_owned() };
        write_audit(connection, Some(now.id), &entry).await?;
        Ok(locked)
    }

    /// Makes builds due that a person changed, and wakes those in line for whom that leaves a slot.
    pub(crate) async fn wake_after_hand(
        &self,
        connection: &mut PgConnection,
        changed: &[BuildId],
    ) -> Result<Slots, Failure> {
        let seen = SlotsNow::read(connection, Reach::Head).await?;
        let changed: Vec<i64> = changed.iter().map(|build| build.0).collect();
        let mut line = seen.may_take(None);
        line.retain(|build| !changed.contains(build));
        lock_work(connection, &changed, &line).await?;
        let due = sqlx::query!(
            "UPDATE work SET
                 woken = woken OR coalesce(lease_until > store_now(), false),
                 due = CASE WHEN lease_until > store_now() THEN due ELSE least(due, store_now()) END
             WHERE build_id = ANY($1)",
            &changed,
        );
        due.execute(&mut *connection).await?;
        tell(connection).await?;
        self.wake_builds(connection, &line).await?;
        Ok(seen.slots())
    }

    /// Writes a record that passed its checks: components get ids, transitions are taken.
    async fn commit(
        &self,
        connection: &mut PgConnection,
        now: &mut ModuleBuild,
        next: Next<'_>,
    ) -> Result<(), Failure> {
        number_components(connection, now).await?;
        let transitions = now.life.take_unsaved();
        let step = Step {
            was: Some(next.was),
            now,
            last_seq: next.locked.last_seq,
            revision: next.locked.revision + 1,
            transitions: &transitions,
            notes: next.notes,
            at: next.at,
        };
        self.write(connection, &step).await
    }
}

/// What a record is written over, and what with it.
#[derive(Debug, Clone, Copy)]
struct Next<'a> {
    was: &'a ModuleBuild,
    locked: Locked,
    notes: &'a [Note],
    at: Timestamp,
}

/// Checks in the order of the contract: lease, revision, slots; what only a defective caller does comes between.
fn check(save: &Save, locked: Locked, seen: &Leased) -> Result<(), StoreError> {
    let id = save.lease.build;
    if !seen.is_honoured() {
        return Err(StoreError::LeaseLost(id));
    }
    if revision(locked.revision) != save.revision {
        return Err(StoreError::Stale(id));
    }
    checks::successor(&save.was, &save.now)?;
    checks::slots(&save.was, &save.now, &seen.slots.slots())
}

/// Locks a record against other changes of it.
pub(crate) async fn lock_record(connection: &mut PgConnection, id: BuildId) -> Result<Locked, Failure> {
    let locked = sqlx::query_as!(
        Locked,
        "SELECT revision, last_seq FROM module_builds WHERE id = $1 FOR NO KEY UPDATE",
        id.0,
    );
    Ok(locked.fetch_optional(connection).await?.ok_or(StoreError::NotFound(id))?)
}

pub(crate) async fn database_time(connection: &mut PgConnection) -> Result<Timestamp, Failure> {
    let now = sqlx::query_scalar!(r#"SELECT store_now() AS "now!""#).fetch_one(connection).await?;
    Ok(now.to_jiff())
}

fn revision(stored: i64) -> Revision {
    Revision(u64::try_from(stored).unwrap_or_default())
}

fn database_revision(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}
