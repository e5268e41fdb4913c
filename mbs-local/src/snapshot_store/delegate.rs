//! The five traits of a store, each call handed to memory: those that change what must last wait for the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::bus::Hint;
use mbs_core::ident::{BuildId, Nsvc};
use mbs_core::model::{ModuleBuild, State, Transition};
use mbs_core::modulemd::ModuleStream;
use mbs_core::plan::Why;
use mbs_core::store::{
    Amend, AuditEntry, Builds, Catalogue, Claim, Column, ComponentColumn, ComponentFilter, Create, Created,
    Delivery, EventNumber, Filter, IdempotencyKey, Lease, ListedBuild, ListedComponent, Loaded, LogLine,
    ModuleRow, ModulesAsked, Order, Outbox, Page, Retention, ReuseQuestion, Save, Saved, Settings, Signal,
    Sink, StoreError, Trim, Trimmed, Upkeep, Work, WorkerId,
};

use super::SnapshotStore;

#[async_trait]
impl Builds for SnapshotStore {
    async fn create(&self, create: Create) -> Result<Created, StoreError> {
        self.changed(self.memory.create(create)).await
    }

    async fn load(&self, id: BuildId) -> Result<Loaded, StoreError> {
        self.answered(self.memory.load(id)).await
    }

    async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        self.changed(self.memory.save(save)).await
    }

    async fn created_with(&self, key: &IdempotencyKey) -> Result<Option<Created>, StoreError> {
        self.answered(self.memory.created_with(key)).await
    }

    async fn amend(&self, amend: Amend) -> Result<Saved, StoreError> {
        self.changed(self.memory.amend(amend)).await
    }

    async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError> {
        self.answered(self.memory.trace(id)).await
    }

    async fn log(&self, id: BuildId) -> Result<Vec<LogLine>, StoreError> {
        self.answered(self.memory.log(id)).await
    }

    async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError> {
        self.answered(self.memory.audit(id)).await
    }
}

#[async_trait]
impl Work for SnapshotStore {
    async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError> {
        self.answered(self.memory.claim(worker, n)).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        self.answered(self.memory.renew(lease)).await
    }

    async fn release(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: Why,
        signal: Signal,
    ) -> Result<(), StoreError> {
        self.answered(self.memory.release(lease, wake_at, why, signal)).await
    }

    async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError> {
        self.answered(self.memory.wake(hints)).await
    }

    async fn void_leases(&self, worker: &WorkerId) -> Result<usize, StoreError> {
        self.answered(self.memory.void_leases(worker)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.answered(self.memory.next_due()).await
    }

    async fn explain(&self, id: BuildId) -> Result<Option<Why>, StoreError> {
        self.answered(self.memory.explain(id)).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.answered(self.memory.now()).await
    }
}

#[async_trait]
impl Catalogue for SnapshotStore {
    async fn list(
        &self,
        filter: &Filter,
        order: &Order<Column>,
        page: Page,
    ) -> Result<Vec<ListedBuild>, StoreError> {
        self.answered(self.memory.list(filter, order, page)).await
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        self.answered(self.memory.count(filter)).await
    }

    async fn list_components(
        &self,
        filter: &ComponentFilter,
        order: &Order<ComponentColumn>,
        page: Page,
    ) -> Result<Vec<ListedComponent>, StoreError> {
        self.answered(self.memory.list_components(filter, order, page)).await
    }

    async fn count_components(&self, filter: &ComponentFilter) -> Result<u64, StoreError> {
        self.answered(self.memory.count_components(filter)).await
    }

    async fn find(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, BuildId>, StoreError> {
        self.answered(self.memory.find(nsvcs)).await
    }

    async fn modules(&self, asked: &ModulesAsked) -> Result<Vec<ModuleRow>, StoreError> {
        self.answered(self.memory.modules(asked)).await
    }

    async fn documents(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, Arc<ModuleStream>>, StoreError> {
        self.answered(self.memory.documents(ids)).await
    }

    async fn reuse_candidates(&self, question: &ReuseQuestion) -> Result<Vec<Arc<ModuleBuild>>, StoreError> {
        self.answered(self.memory.reuse_candidates(question)).await
    }

    async fn scratch_count(&self, of: &Nsvc) -> Result<u32, StoreError> {
        self.answered(self.memory.scratch_count(of)).await
    }

    async fn unfinished(&self, of: &[Nsvc]) -> Result<Vec<(Nsvc, State)>, StoreError> {
        self.answered(self.memory.unfinished(of)).await
    }
}

#[async_trait]
impl Outbox for SnapshotStore {
    async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError> {
        self.answered(self.memory.take(sink, n)).await
    }

    async fn ack(&self, sink: &Sink, events: &[EventNumber]) -> Result<(), StoreError> {
        self.changed(self.memory.ack(sink, events)).await
    }
}

#[async_trait]
impl Upkeep for SnapshotStore {
    async fn settings(&self) -> Result<Settings, StoreError> {
        self.answered(self.memory.settings()).await
    }

    async fn change_settings(&self, settings: Settings, by: &str) -> Result<(), StoreError> {
        self.changed(self.memory.change_settings(settings, by)).await
    }

    async fn settings_audit(&self) -> Result<Vec<AuditEntry>, StoreError> {
        self.answered(self.memory.settings_audit()).await
    }

    async fn trim(&self, retention: &Retention, trim: Trim) -> Result<Trimmed, StoreError> {
        self.changed(self.memory.trim(retention, trim)).await
    }
}
