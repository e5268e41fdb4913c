//! Stores that are wrong on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::bus::Hint;
use crate::ident::{BuildId, ComponentId, Nsvc, Revision};
use crate::memory::{ManualClock, MemoryStore};
use crate::model::{ModuleBuild, State, Transition};
use crate::modulemd::ModuleStream;
use crate::plan::Why;
use crate::sim::cast;
use crate::store::{
    Amend, AuditEntry, BuildDetails, Builds, Catalogue, Claim, Column, ComponentColumn, ComponentFilter,
    ComponentTransition, Create, Created, Delivery, EventNumber, Figures, Filter, IdempotencyKey, Import,
    Imported, Lease, ListedBuild, ListedComponent, Loaded, LogLine, Logged, ModuleRow, ModulesAsked,
    NewToken, Order, Outbox, Page, Restored, Retention, ReuseQuestion, Save, Saved, Settings, Signal, Sink,
    Standing, Store, StoreError, Token, TokenDigest, TokenId, Tokens, Trim, Trimmed, Upkeep, Work, WorkerId,
};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// It lifts the limit where it is in the way.
    LiftsTheLimit,
    /// It takes records that it should refuse, and forgets them.
    ChecksNothing,
    /// It lacks the last row of each trace.
    LacksARow,
    /// Whoever claims ends the leases of others.
    VoidsLeases,
    /// It saves for who held a lease once.
    SavesWithoutLease,
    /// It saves over what somebody else saved.
    SavesOverOthers,
    /// It keeps no audit.
    KeepsNoAudit,
    /// It wakes a build that no plan can be made for, at once.
    WakesThePoisoned,
    /// It keeps no keys.
    ForgetsKeys,
    /// It keeps no keys, and makes a submission that it has had into another one.
    SubmitsAnew,
    /// It looks at keys only, not at what came with them.
    TrustsKeys,
    /// It tells of a change that was not made.
    Foretells,
    /// It never tells of one kind of change.
    KeepsQuietAbout(State),
    /// It leaves one kind of change out.
    LeavesOut(State),
}

/// A store in memory, with a defect.
#[derive(Debug)]
struct Bent {
    memory: MemoryStore,
    defect: Defect,
    workers: Mutex<BTreeSet<WorkerId>>,
}

/// Makes a store with a defect.
pub(super) fn with(clock: &Arc<ManualClock>, defect: Defect) -> Arc<dyn Store> {
    let memory = MemoryStore::new(clock.clone(), cast::start(), &cast::policy());
    Arc::new(Bent { memory, defect, workers: Mutex::default() })
}

/// Implements a trait by what memory does, but for what stands in braces.
macro_rules! bent {
    ($trait:ident { $($by_hand:tt)* } $($method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl $trait for Bent {
            $($by_hand)*

            $(async fn $method(&self $(, $argument: $type)*) -> Result<$answer, StoreError> {
                self.memory.$method($($argument),*).await
            })*
        }
    };
}

impl Bent {
    async fn slots(&self, id: BuildId) -> Result<crate::store::Slots, StoreError> {
        Ok(self.memory.load(id).await?.slots)
    }

    /// Saves with no limit at all.
    async fn save_unlimited(&self, save: Save) -> Result<Saved, StoreError> {
        let (id, settings) = (save.now.id, self.memory.settings().await?);
        self.memory.change_settings(Settings { limit: None, ..settings.clone() }, "nobody").await?;
        let saved = self.memory.save(save).await?;
        self.memory.change_settings(settings, "nobody").await?;
        Ok(Saved { slots: self.slots(id).await?, ..saved })
    }

    /// Says that a record was saved, and forgets it.
    async fn pretend(&self, save: &Save) -> Result<Saved, StoreError> {
        let mut build = save.now.clone();
        build.life.take_unsaved();
        let slots = self.slots(build.id).await?;
        Ok(Saved { build, revision: Revision(save.revision.0 + 1), slots })
    }

    async fn save_unleased(&self, save: &Save) -> Result<Saved, StoreError> {
        let (now, revision) = (save.now.clone(), save.revision);
        self.memory.amend(Amend { now, revision, by: String::new(), what: String::new() }).await
    }
}

bent! {
    Builds {
        async fn create(&self, mut create: Create) -> Result<Created, StoreError> {
            match self.defect {
                Defect::ForgetsKeys | Defect::SubmitsAnew => create.key = None,
                Defect::TrustsKeys => create.key.iter_mut().for_each(|key| key.content.clear()),
                _ => {}
            }
            let answer = self.memory.create(create.clone()).await;
            if self.defect == Defect::SubmitsAnew && matches!(answer, Err(StoreError::Taken(_))) {
                create.new.iter_mut().for_each(|new| new.nsvc.version.0 += 1_000);
                return self.memory.create(create).await;
            }
            answer
        }

        async fn save(&self, save: Save) -> Result<Saved, StoreError> {
            match (self.memory.save(save.clone()).await, self.defect) {
                (Err(StoreError::NoSlot { .. }), Defect::LiftsTheLimit) => self.save_unlimited(save).await,
                (Err(StoreError::LeaseLost(_)), Defect::SavesWithoutLease) => self.save_unleased(&save).await,
                (Err(StoreError::Stale(_)), Defect::SavesOverOthers) => self.pretend(&save).await,
                (Err(StoreError::Rejected { .. }), Defect::ChecksNothing) => self.pretend(&save).await,
                (answer, _) => answer,
            }
        }

        async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError> {
            let mut trace = self.memory.trace(id).await?;
            if self.defect == Defect::LacksARow {
                trace.pop();
            }
            Ok(trace)
        }

        async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError> {
            if self.defect == Defect::KeepsNoAudit {
                return Ok(Vec::new());
            }
            self.memory.audit(id).await
        }
    }
    load(id: BuildId) -> Loaded;
    created_with(key: &IdempotencyKey) -> Option<Created>;
    amend(amend: Amend) -> Saved;
    import(import: Import) -> Imported;
    restore(records: Vec<Restored>) -> ();
    log(id: BuildId) -> Vec<LogLine>;
}

bent! {
    Work {
        async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError> {
            self.workers.lock().unwrap().insert(worker.clone());
            if self.defect == Defect::VoidsLeases {
                let workers = self.workers.lock().unwrap().clone();
                for other in workers.iter().filter(|other| *other != worker) {
                    self.memory.void_leases(other).await?;
                }
            }
            self.memory.claim(worker, n).await
        }

        async fn release(
            &self,
            lease: &Lease,
            wake_at: Option<Timestamp>,
            why: Why,
            signal: Signal,
        ) -> Result<(), StoreError> {
            let is_woken = self.defect == Defect::WakesThePoisoned && matches!(why, Why::Contradiction { .. });
            self.memory.release(lease, wake_at, why, signal).await?;
            if is_woken {
                self.memory.wake(&[Hint::Build(lease.build)]).await?;
            }
            Ok(())
        }
    }
    renew(lease: &Lease) -> ();
    wake(hints: &[Hint]) -> usize;
    void_leases(worker: &WorkerId) -> usize;
    next_due() -> Option<Timestamp>;
    explain(id: BuildId) -> Option<Why>;
    now() -> Timestamp;
}

bent! {
    Catalogue {}
    list(filter: &Filter, order: &Order<Column>, page: Page) -> Vec<ListedBuild>;
    count(filter: &Filter) -> u64;
    list_components(filter: &ComponentFilter, order: &Order<ComponentColumn>, page: Page) -> Vec<ListedComponent>;
    count_components(filter: &ComponentFilter) -> u64;
    find(nsvcs: &[Nsvc]) -> BTreeMap<Nsvc, BuildId>;
    modules(asked: &ModulesAsked) -> Vec<ModuleRow>;
    documents(ids: &[BuildId]) -> BTreeMap<BuildId, Arc<ModuleStream>>;
    details(ids: &[BuildId]) -> BTreeMap<BuildId, BuildDetails>;
    component_traces(ids: &[ComponentId]) -> BTreeMap<ComponentId, Vec<ComponentTransition>>;
    log_page(of: Logged, page: Page) -> Vec<LogLine>;
    count_log(of: Logged) -> u64;
    standing(since: Timestamp, n: usize) -> Vec<Standing>;
    reuse_candidates(question: &ReuseQuestion) -> Vec<Arc<ModuleBuild>>;
    scratch_count(of: &Nsvc) -> u32;
    unfinished(of: &[Nsvc]) -> Vec<(Nsvc, State)>;
}

bent! {
    Outbox {
        async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError> {
            let mut events = self.memory.take(sink, n).await?;
            match self.defect {
                Defect::Foretells => events.iter_mut().for_each(|event| event.event.seq += 1),
                Defect::KeepsQuietAbout(state) => events.retain(|event| event.event.transition.to != state),
                Defect::LeavesOut(state) => {
                    let is_left_out = |event: &Delivery| event.event.transition.to == state;
                    let numbers: Vec<_> =
                        events.iter().filter(|event| is_left_out(event)).map(|event| event.number).collect();
                    self.memory.ack(sink, &numbers).await?;
                    events = self.memory.take(sink, n).await?;
                }
                _ => {}
            }
            Ok(events)
        }
    }
    ack(sink: &Sink, events: &[EventNumber]) -> ();
    published(after: EventNumber, n: usize) -> Vec<Delivery>;
    hold_seat(sink: &Sink, worker: &WorkerId, how_long: Duration) -> bool;
    last_published() -> EventNumber;
}

bent! {
    Upkeep {}
    settings() -> Settings;
    change_settings(settings: Settings, by: &str) -> ();
    settings_audit() -> Vec<AuditEntry>;
    trim(retention: &Retention, trim: Trim) -> Trimmed;
    figures() -> Figures;
}

bent! {
    Tokens {}
    add_token(new: NewToken) -> Token;
    tokens() -> Vec<Token>;
    use_token(digest: &TokenDigest) -> Option<Token>;
    revoke_token(id: TokenId, by: &str) -> Option<Token>;
}
