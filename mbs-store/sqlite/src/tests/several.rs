//! Several stores on one file as one store: each call goes to the next of them, as if a proxy spread it over programs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::bus::Hint;
use mbs_core::ident::{BuildId, ComponentId, Nsvc};
use mbs_core::model::{ModuleBuild, State, Transition};
use mbs_core::modulemd::ModuleStream;
use mbs_core::plan::Why;
use mbs_core::store::{
    Amend, AuditEntry, BuildDetails, Builds, Catalogue, Claim, Column, ComponentColumn, ComponentFilter,
    ComponentTransition, Create, Created, Delivery, EventNumber, Figures, Filter, IdempotencyKey, Import,
    Imported, Lease, ListedBuild, ListedComponent, Loaded, LogLine, Logged, ModuleRow, ModulesAsked,
    NewToken, Order, Outbox, Page, Restored, Retention, ReuseQuestion, Save, Saved, Settings, Signal, Sink,
    Standing, StoreError, Token, TokenDigest, TokenId, Tokens, Trim, Trimmed, Upkeep, Work, WorkerId,
};

use crate::SqliteStore;

/// Stores that are asked in turns.
#[derive(Debug)]
pub(super) struct Several {
    stores: [SqliteStore; 2],
    calls: AtomicUsize,
}

impl Several {
    pub(super) fn of(stores: [SqliteStore; 2]) -> Self {
        Self { stores, calls: AtomicUsize::new(0) }
    }

    fn next(&self) -> &SqliteStore {
        &self.stores[self.calls.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

#[async_trait]
impl Builds for Several {
    async fn create(&self, create: Create) -> Result<Created, StoreError> {
        self.next().create(create).await
    }

    async fn created_with(&self, key: &IdempotencyKey) -> Result<Option<Created>, StoreError> {
        self.next().created_with(key).await
    }

    async fn load(&self, id: BuildId) -> Result<Loaded, StoreError> {
        self.next().load(id).await
    }

    async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        self.next().save(save).await
    }

    async fn amend(&self, amend: Amend) -> Result<Saved, StoreError> {
        self.next().amend(amend).await
    }

    async fn import(&self, import: Import) -> Result<Imported, StoreError> {
        self.next().import(import).await
    }

    async fn restore(&self, records: Vec<Restored>) -> Result<(), StoreError> {
        self.next().restore(records).await
    }

    async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError> {
        self.next().trace(id).await
    }

    async fn log(&self, id: BuildId) -> Result<Vec<LogLine>, StoreError> {
        self.next().log(id).await
    }

    async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError> {
        self.next().audit(id).await
    }
}

#[async_trait]
impl Work for Several {
    async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError> {
        self.next().claim(worker, n).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        self.next().renew(lease).await
    }

    async fn release(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: Why,
        signal: Signal,
    ) -> Result<(), StoreError> {
        self.next().release(lease, wake_at, why, signal).await
    }

    async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError> {
        self.next().wake(hints).await
    }

    async fn void_leases(&self, worker: &WorkerId) -> Result<usize, StoreError> {
        self.next().void_leases(worker).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.next().next_due().await
    }

    async fn explain(&self, id: BuildId) -> Result<Option<Why>, StoreError> {
        self.next().explain(id).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.next().now().await
    }
}

#[async_trait]
impl Catalogue for Several {
    async fn list(
        &self,
        filter: &Filter,
        order: &Order<Column>,
        page: Page,
    ) -> Result<Vec<ListedBuild>, StoreError> {
        self.next().list(filter, order, page).await
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        self.next().count(filter).await
    }

    async fn list_components(
        &self,
        filter: &ComponentFilter,
        order: &Order<ComponentColumn>,
        page: Page,
    ) -> Result<Vec<ListedComponent>, StoreError> {
        self.next().list_components(filter, order, page).await
    }

    async fn count_components(&self, filter: &ComponentFilter) -> Result<u64, StoreError> {
        self.next().count_components(filter).await
    }

    async fn find(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, BuildId>, StoreError> {
        self.next().find(nsvcs).await
    }

    async fn modules(&self, asked: &ModulesAsked) -> Result<Vec<ModuleRow>, StoreError> {
        self.next().modules(asked).await
    }

    async fn documents(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, Arc<ModuleStream>>, StoreError> {
        self.next().documents(ids).await
    }

    async fn details(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, BuildDetails>, StoreError> {
        self.next().details(ids).await
    }

    async fn component_traces(
        &self,
        ids: &[ComponentId],
    ) -> Result<BTreeMap<ComponentId, Vec<ComponentTransition>>, StoreError> {
        self.next().component_traces(ids).await
    }

    async fn log_page(&self, of: Logged, page: Page) -> Result<Vec<LogLine>, StoreError> {
        self.next().log_page(of, page).await
    }

    async fn count_log(&self, of: Logged) -> Result<u64, StoreError> {
        self.next().count_log(of).await
    }

    async fn standing(&self, since: Timestamp, n: usize) -> Result<Vec<Standing>, StoreError> {
        self.next().standing(since, n).await
    }

    async fn reuse_candidates(&self, question: &ReuseQuestion) -> Result<Vec<Arc<ModuleBuild>>, StoreError> {
        self.next().reuse_candidates(question).await
    }

    async fn scratch_count(&self, of: &Nsvc) -> Result<u32, StoreError> {
        self.next().scratch_count(of).await
    }

    async fn unfinished(&self, of: &[Nsvc]) -> Result<Vec<(Nsvc, State)>, StoreError> {
        self.next().unfinished(of).await
    }
}

#[async_trait]
impl Outbox for Several {
    async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError> {
        self.next().take(sink, n).await
    }

    async fn ack(&self, sink: &Sink, events: &[EventNumber]) -> Result<(), StoreError> {
        self.next().ack(sink, events).await
    }

    async fn hold_seat(
        &self,
        sink: &Sink,
        worker: &WorkerId,
        how_long: Duration,
    ) -> Result<bool, StoreError> {
        self.next().hold_seat(sink, worker, how_long).await
    }

    async fn published(&self, after: EventNumber, n: usize) -> Result<Vec<Delivery>, StoreError> {
        self.next().published(after, n).await
    }

    async fn last_published(&self) -> Result<EventNumber, StoreError> {
        self.next().last_published().await
    }
}

#[async_trait]
impl Upkeep for Several {
    async fn settings(&self) -> Result<Settings, StoreError> {
        self.next().settings().await
    }

    async fn change_settings(&self, settings: Settings, by: &str) -> Result<(), StoreError> {
        self.next().change_settings(settings, by).await
    }

    async fn settings_audit(&self) -> Result<Vec<AuditEntry>, StoreError> {
        self.next().settings_audit().await
    }

    async fn trim(&self, retention: &Retention, trim: Trim) -> Result<Trimmed, StoreError> {
        self.next().trim(retention, trim).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.next().figures().await
    }
}

#[async_trait]
impl Tokens for Several {
    async fn add_token(&self, new: NewToken) -> Result<Token, StoreError> {
        self.next().add_token(new).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.next().tokens().await
    }

    async fn use_token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError> {
        self.next().use_token(digest).await
    }

    async fn revoke_token(&self, id: TokenId, by: &str) -> Result<Option<Token>, StoreError> {
        self.next().revoke_token(id, by).await
    }
}
