//! Making, loading and saving.

use async_trait::async_trait;
use mbs_core::ident::BuildId;
use mbs_core::model::Transition;
use mbs_core::store::checks::{self, rejected};
use mbs_core::store::{
    Amend, AuditEntry, Builds, Create, Created, IdempotencyKey, Import, Imported, Loaded, LogLine, Restored,
    Save, Saved, StoreError,
};

use crate::SqliteStore;
use crate::error::Outcome;
use crate::line::{slots, slots_without_line};
use crate::record::record;
use crate::work::Held;
use crate::write::Before;

#[async_trait]
impl Builds for SqliteStore {
    async fn create(&self, create: Create) -> Result<Created, StoreError> {
        self.told(self.create_builds(create).await)
    }

    async fn created_with(&self, key: &IdempotencyKey) -> Result<Option<Created>, StoreError> {
        self.told(self.created_before(key).await)
    }

    async fn load(&self, id: BuildId) -> Result<Loaded, StoreError> {
        self.told(self.load_build(id).await)
    }

    async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        self.told(self.save_build(save).await)
    }

    async fn amend(&self, amend: Amend) -> Result<Saved, StoreError> {
        self.told(self.amend_build(amend).await)
    }

    async fn import(&self, import: Import) -> Result<Imported, StoreError> {
        self.told(self.import_build(&import).await)
    }

    async fn restore(&self, records: Vec<Restored>) -> Result<(), StoreError> {
        self.told(self.restore_builds(records).await)
    }

    async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError> {
        self.told(self.trace_of(id.0).await)
    }

    async fn log(&self, id: BuildId) -> Result<Vec<LogLine>, StoreError> {
        self.told(self.log_of(id.0).await)
    }

    async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError> {
        self.told(self.audit_of(id.0).await)
    }
}

impl SqliteStore {
    async fn load_build(&self, id: BuildId) -> Outcome<Loaded> {
        let mut read = self.read().await?;
        let stored = record(&mut read, &self.documents, id).await?;
        let slots = slots(&mut read).await?;
        Ok(Loaded { build: stored.build, revision: stored.revision, slots })
    }

    /// Checks in the order of the contract: lease, revision, slots; what only a defective caller does comes between. That the
    /// record was loaded as it is stored is proved by its revision.
    async fn save_build(&self, save: Save) -> Outcome<Saved> {
        let Save { was, now, revision, lease, notes, signal } = save;
        let id = lease.build;
        if now.id != id {
            let reason = format!("the lease is on module build {id}, the record is of {}", now.id);
            return Err(rejected(reason).into());
        }
        let mut write = self.write().await?;
        let held = Held::read(write.connection(), id).await?;
        if !held.honours(&lease, write.micros()) {
            return Err(StoreError::LeaseLost(id).into());
        }
        if held.revision != revision {
            return Err(StoreError::Stale(id).into());
        }
        checks::successor(&was, &now)?;
        checks::slots(&was, &now, &slots_without_line(write.connection()).await?)?;
        let before = Before { build: &was, revision, last_seq: held.last_seq };
        let (build, revision) = write.change(before, now, notes).await?;
        write.adapt(signal).await?;
        write.wake_line(Some(id)).await?;
        let slots = slots(write.connection()).await?;
        write.commit().await?;
        Ok(Saved { build, revision, slots })
    }

    async fn amend_build(&self, amend: Amend) -> Outcome<Saved> {
        let Amend { now, revision, by, what } = amend;
        let mut write = self.write().await?;
        let stored = write.record(now.id).await?;
        if stored.revision != revision {
            return Err(StoreError::Stale(now.id).into());
        }
        checks::by_hand(&stored.build, &now)?;
        let (build, revision) = write.change_by_hand(&stored, now, (&by, &what)).await?;
        let slots = slots(write.connection()).await?;
        write.commit().await?;
        Ok(Saved { build, revision, slots })
    }
}
