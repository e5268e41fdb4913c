//! A line to the store: a backend's, or that of the people at a frontend.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::hesitate;
use super::network::Network;
use crate::bus::Hint;
use crate::ident::{BuildId, ComponentId, Nsvc};
use crate::model::{ModuleBuild, State, Transition};
use crate::modulemd::ModuleStream;
use crate::plan::Why;
use crate::sim::fault::{FaultKind, StoreFault};
use crate::sim::inspector::{Commit, Inspector};
use crate::store::{
    Amend, AuditEntry, BuildDetails, Builds, Catalogue, Claim, Column, ComponentColumn, ComponentFilter,
    ComponentTransition, Create, Created, Delivery, EventNumber, Figures, Filter, IdempotencyKey, Import,
    Imported, Lease, ListedBuild, ListedComponent, Loaded, LogLine, Logged, ModuleRow, ModulesAsked,
    NewToken, Order, Outbox, Page, Restored, Retention, ReuseQuestion, Save, Saved, Settings, Signal, Sink,
    Standing, Store, StoreError, Token, TokenDigest, TokenId, Tokens, Trim, Trimmed, Upkeep, Work, WorkerId,
};

/// Carries calls to the store, and tells the inspector what was committed.
#[derive(Debug, Clone)]
pub(in crate::sim) struct StoreWire {
    pub(in crate::sim) network: Arc<Network>,
    pub(in crate::sim) store: Arc<dyn Store>,
    pub(in crate::sim) inspector: Arc<Inspector>,
}

impl StoreWire {
    /// Carries one call, which may go wrong, and on either side of which its caller may die.
    async fn carry<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        hesitate().await;
        let fault = self.network.next_store_fault();
        let unavailable = || StoreError::Unavailable { reason: "connection reset".into() };
        let answer = match fault {
            Some(StoreFault::Before) => {
                self.network.count(FaultKind::StoreBefore);
                Err(unavailable())
            }
            Some(StoreFault::After) => {
                self.network.count(FaultKind::StoreAfter);
                call.await.and(Err(unavailable()))
            }
            None => call.await,
        };
        hesitate().await;
        answer
    }

    async fn now(&self) -> Timestamp {
        self.store.now().await.unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

#[async_trait]
impl Builds for StoreWire {
    async fn create(&self, create: Create) -> Result<Created, StoreError> {
        self.carry(async {
            let key = create.key.clone();
            let answer = self.store.create(create).await;
            self.inspector.created(key.as_ref(), &answer);
            answer
        })
        .await
    }

    async fn load(&self, id: BuildId) -> Result<Loaded, StoreError> {
        self.carry(async {
            let loaded = self.store.load(id).await?;
            self.inspector.shown(&loaded.slots);
            Ok(loaded)
        })
        .await
    }

    async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        self.carry(async {
            let (lease, revision) = (save.lease.clone(), save.revision);
            let transitions = save.now.life.unsaved().to_vec();
            let saved = self.store.save(save).await?;
            let commit = Commit { based_on: revision, saved: &saved, transitions: &transitions };
            self.inspector.saved(&lease, &commit, self.now().await);
            Ok(saved)
        })
        .await
    }

    async fn created_with(&self, key: &IdempotencyKey) -> Result<Option<Created>, StoreError> {
        self.carry(self.store.created_with(key)).await
    }

    async fn amend(&self, amend: Amend) -> Result<Saved, StoreError> {
        self.carry(async {
            let (revision, what) = (amend.revision, amend.what.clone());
            let transitions = amend.now.life.unsaved().to_vec();
            let saved = self.store.amend(amend).await?;
            let commit = Commit { based_on: revision, saved: &saved, transitions: &transitions };
            self.inspector.amended(&what, &commit);
            Ok(saved)
        })
        .await
    }

    async fn import(&self, import: Import) -> Result<Imported, StoreError> {
        self.carry(self.store.import(import)).await
    }

    async fn restore(&self, records: Vec<Restored>) -> Result<(), StoreError> {
        self.carry(self.store.restore(records)).await
    }

    async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError> {
        self.carry(self.store.trace(id)).await
    }

    async fn log(&self, id: BuildId) -> Result<Vec<LogLine>, StoreError> {
        self.carry(self.store.log(id)).await
    }

    async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError> {
        self.carry(self.store.audit(id)).await
    }
}

#[async_trait]
impl Work for StoreWire {
    async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError> {
        self.carry(async {
            let claims = self.store.claim(worker, n).await?;
            for claim in &claims {
                if self.inspector.claimed(claim) {
                    self.network.count(FaultKind::LeaseTakenOver);
                }
            }
            Ok(claims)
        })
        .await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        self.carry(async {
            self.store.renew(lease).await?;
            self.inspector.renewed(lease, self.now().await);
            Ok(())
        })
        .await
    }

    async fn release(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: Why,
        signal: Signal,
    ) -> Result<(), StoreError> {
        self.carry(async {
            self.store.release(lease, wake_at, why.clone(), signal).await?;
            self.inspector.released(lease, &why);
            Ok(())
        })
        .await
    }

    async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError> {
        self.inspector.woken(hints);
        self.carry(self.store.wake(hints)).await
    }

    async fn void_leases(&self, worker: &WorkerId) -> Result<usize, StoreError> {
        self.carry(self.store.void_leases(worker)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.carry(self.store.next_due()).await
    }

    async fn explain(&self, id: BuildId) -> Result<Option<Why>, StoreError> {
        self.carry(self.store.explain(id)).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.carry(self.store.now()).await
    }
}

#[async_trait]
impl Catalogue for StoreWire {
    async fn list(
        &self,
        filter: &Filter,
        order: &Order<Column>,
        page: Page,
    ) -> Result<Vec<ListedBuild>, StoreError> {
        self.carry(self.store.list(filter, order, page)).await
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        self.carry(self.store.count(filter)).await
    }

    async fn list_components(
        &self,
        filter: &ComponentFilter,
        order: &Order<ComponentColumn>,
        page: Page,
    ) -> Result<Vec<ListedComponent>, StoreError> {
        self.carry(self.store.list_components(filter, order, page)).await
    }

    async fn count_components(&self, filter: &ComponentFilter) -> Result<u64, StoreError> {
        self.carry(self.store.count_components(filter)).await
    }

    async fn find(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, BuildId>, StoreError> {
        self.carry(self.store.find(nsvcs)).await
    }

    async fn modules(&self, asked: &ModulesAsked) -> Result<Vec<ModuleRow>, StoreError> {
        self.carry(self.store.modules(asked)).await
    }

    async fn documents(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, Arc<ModuleStream>>, StoreError> {
        self.carry(self.store.documents(ids)).await
    }

    async fn details(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, BuildDetails>, StoreError> {
        self.carry(self.store.details(ids)).await
    }

    async fn component_traces(
        &self,
        ids: &[ComponentId],
    ) -> Result<BTreeMap<ComponentId, Vec<ComponentTransition>>, StoreError> {
        self.carry(self.store.component_traces(ids)).await
    }

    async fn log_page(&self, of: Logged, page: Page) -> Result<Vec<LogLine>, StoreError> {
        self.carry(self.store.log_page(of, page)).await
    }

    async fn count_log(&self, of: Logged) -> Result<u64, StoreError> {
        self.carry(self.store.count_log(of)).await
    }

    async fn standing(&self, since: Timestamp, n: usize) -> Result<Vec<Standing>, StoreError> {
        self.carry(self.store.standing(since, n)).await
    }

    async fn reuse_candidates(&self, question: &ReuseQuestion) -> Result<Vec<Arc<ModuleBuild>>, StoreError> {
        self.carry(self.store.reuse_candidates(question)).await
    }

    async fn scratch_count(&self, of: &Nsvc) -> Result<u32, StoreError> {
        self.carry(self.store.scratch_count(of)).await
    }

    async fn unfinished(&self, of: &[Nsvc]) -> Result<Vec<(Nsvc, State)>, StoreError> {
        self.carry(self.store.unfinished(of)).await
    }
}

#[async_trait]
impl Outbox for StoreWire {
    async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError> {
        self.carry(self.store.take(sink, n)).await
    }

    async fn ack(&self, sink: &Sink, events: &[EventNumber]) -> Result<(), StoreError> {
        self.carry(self.store.ack(sink, events)).await
    }

    async fn hold_seat(
        &self,
        sink: &Sink,
        worker: &WorkerId,
        how_long: Duration,
    ) -> Result<bool, StoreError> {
        self.carry(self.store.hold_seat(sink, worker, how_long)).await
    }

    async fn published(&self, after: EventNumber, n: usize) -> Result<Vec<Delivery>, StoreError> {
        self.carry(self.store.published(after, n)).await
    }

    async fn last_published(&self) -> Result<EventNumber, StoreError> {
        self.carry(self.store.last_published()).await
    }
}

#[async_trait]
impl Upkeep for StoreWire {
    async fn settings(&self) -> Result<Settings, StoreError> {
        self.carry(self.store.settings()).await
    }

    async fn change_settings(&self, settings: Settings, by: &str) -> Result<(), StoreError> {
        self.carry(async {
            self.store.change_settings(settings.clone(), by).await?;
            self.inspector.set(&settings);
            Ok(())
        })
        .await
    }

    async fn settings_audit(&self) -> Result<Vec<AuditEntry>, StoreError> {
        self.carry(self.store.settings_audit()).await
    }

    async fn trim(&self, retention: &Retention, trim: Trim) -> Result<Trimmed, StoreError> {
        self.carry(self.store.trim(retention, trim)).await
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.carry(self.store.figures()).await
    }
}

#[async_trait]
impl Tokens for StoreWire {
    async fn add_token(&self, new: NewToken) -> Result<Token, StoreError> {
        self.carry(self.store.add_token(new)).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.carry(self.store.tokens()).await
    }

    async fn use_token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError> {
        self.carry(self.store.use_token(digest)).await
    }

    async fn revoke_token(&self, id: TokenId, by: &str) -> Result<Option<Token>, StoreError> {
        self.carry(self.store.revoke_token(id, by)).await
    }
}
