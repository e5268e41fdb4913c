//! The store in memory, and stores with a defect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{broken_by, keeps_all};
use crate::bus::Hint;
use crate::contract::samples::at;
use crate::contract::{StoreGround, store};
use crate::ident::{BuildId, ComponentId, Nsvc};
use crate::memory::{ManualClock, MemoryStore};
use crate::model::{Failure, ModuleBuild, State, Transition};
use crate::modulemd::ModuleStream;
use crate::plan::Why;
use crate::policy::Policy;
use crate::store::{
    Amend, AuditEntry, BuildDetails, Builds, Catalogue, Claim, Column, ComponentColumn, ComponentFilter,
    ComponentTransition, Create, Created, Delivery, EventNumber, Figures, Filter, IdempotencyKey, Import,
    Imported, Lease, ListedBuild, ListedComponent, Loaded, LogLine, Logged, ModuleRow, ModulesAsked,
    NewToken, Order, Outbox, Page, Restored, Retention, ReuseQuestion, Save, Saved, Settings, Signal, Sink,
    Standing, Store, StoreError, Token, TokenDigest, TokenId, Tokens, Trim, Trimmed, Upkeep, Work, WorkerId,
};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    Nothing,
    SavesWithoutLease,
    ForgetsAnEvent,
    KeepsNoAudit,
    LosesWakesDuringLooks,
    ClaimsNewestDueFirst,
    GivesTheFirstPageOnly,
    ListsLogsOldestFirst,
    ForgetsTheFirstState,
    ForgetsBaseModules,
    OverwritesWhatRuns,
    MakesImportsDue,
    RestoresWhatItCan,
    PublishesFromTheStart,
    SeatsEverybody,
    CountsFailuresNow,
    CountsOneEventTooMany,
    CountsLeasesAsDue,
    ShowsTheNewestStanding,
    TakesRevokedTokens,
}

/// A store in memory, with a defect.
#[derive(Debug)]
struct Faulty {
    memory: MemoryStore,
    defect: Defect,
    /// Builds that were claimed and not given back.
    looked_at: Mutex<BTreeSet<BuildId>>,
}

struct Ground {
    clock: Arc<ManualClock>,
    store: Faulty,
}

#[async_trait]
impl StoreGround for Ground {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

async fn ground(defect: Defect) -> Ground {
    let clock = Arc::new(ManualClock::new());
    let memory = MemoryStore::new(clock.clone(), at(0), &Policy::default());
    Ground { clock, store: Faulty { memory, defect, looked_at: Mutex::default() } }
}

/// Implements a trait by what memory does, but for what stands in braces.
macro_rules! faulty {
    ($trait:ident { $($by_hand:tt)* } $($method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl $trait for Faulty {
            $($by_hand)*

            $(async fn $method(&self $(, $argument: $type)*) -> Result<$answer, StoreError> {
                self.memory.$method($($argument),*).await
            })*
        }
    };
}

impl Faulty {
    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }
}

faulty! {
    Builds {
        async fn save(&self, save: Save) -> Result<Saved, StoreError> {
            let is_current = self.memory.load(save.now.id).await?.revision == save.revision;
            let (now, revision) = (save.now.clone(), save.revision);
            match self.memory.save(save).await {
                Err(StoreError::LeaseLost(_)) if is_current && self.has(Defect::SavesWithoutLease) => {
                    self.memory.amend(Amend { now, revision, by: String::new(), what: String::new() }).await
                }
                outcome => outcome,
            }
        }

        async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError> {
            let mut audit = self.memory.audit(id).await?;
            audit.retain(|entry| entry.what != "cancelled it" || !self.has(Defect::KeepsNoAudit));
            Ok(audit)
        }

        async fn import(&self, import: Import) -> Result<Imported, StoreError> {
            let there = self.memory.find(std::slice::from_ref(&import.nsvc)).await?;
            match (self.memory.import(import).await, there.values().next()) {
                (Err(StoreError::UnderWay(..)), Some(id)) if self.has(Defect::OverwritesWhatRuns) => {
                    Ok(Imported { build: self.memory.load(*id).await?.build, was_there: true })
                }
                (imported, None) if self.has(Defect::MakesImportsDue) => {
                    let imported = imported?;
                    self.memory.wake(&[Hint::Build(imported.build.id)]).await?;
                    Ok(imported)
                }
                (outcome, _) => outcome,
            }
        }

        async fn restore(&self, records: Vec<Restored>) -> Result<(), StoreError> {
            let outcome = self.memory.restore(records.clone()).await;
            if outcome.is_err() && self.has(Defect::RestoresWhatItCan) {
                for record in records {
                    self.memory.restore(vec![record]).await.ok();
                }
            }
            outcome
        }
    }
    create(create: Create) -> Created;
    load(id: BuildId) -> Loaded;
    created_with(key: &IdempotencyKey) -> Option<Created>;
    amend(amend: Amend) -> Saved;
    trace(id: BuildId) -> Vec<Transition>;
    log(id: BuildId) -> Vec<LogLine>;
}

faulty! {
    Work {
        async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError> {
            let mut claims = self.memory.claim(worker, n).await?;
            self.looked_at.lock().unwrap().extend(claims.iter().map(|claim| claim.lease.build));
            if self.has(Defect::ClaimsNewestDueFirst) {
                claims.reverse();
            }
            Ok(claims)
        }

        async fn release(
            &self,
            lease: &Lease,
            wake_at: Option<Timestamp>,
            why: Why,
            signal: Signal,
        ) -> Result<(), StoreError> {
            self.looked_at.lock().unwrap().remove(&lease.build);
            self.memory.release(lease, wake_at, why, signal).await
        }

        async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError> {
            let is_lost = match hints {
                [Hint::Build(id)] => self.looked_at.lock().unwrap().contains(id),
                _ => false,
            };
            if is_lost && self.has(Defect::LosesWakesDuringLooks) {
                return Ok(1);
            }
            self.memory.wake(hints).await
        }
    }
    renew(lease: &Lease) -> ();
    void_leases(worker: &WorkerId) -> usize;
    next_due() -> Option<Timestamp>;
    explain(id: BuildId) -> Option<Why>;
    now() -> Timestamp;
}

faulty! {
    Catalogue {
        async fn list(
            &self,
            filter: &Filter,
            order: &Order<Column>,
            page: Page,
        ) -> Result<Vec<ListedBuild>, StoreError> {
            let before = page.before.filter(|_| !self.has(Defect::GivesTheFirstPageOnly));
            self.memory.list(filter, order, Page { before, ..page }).await
        }

        async fn standing(&self, since: Timestamp, n: usize) -> Result<Vec<Standing>, StoreError> {
            let mut standing = self.memory.standing(since, usize::MAX).await?;
            if self.has(Defect::ShowsTheNewestStanding) {
                standing.reverse();
            }
            standing.truncate(n);
            Ok(standing)
        }

        async fn details(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, BuildDetails>, StoreError> {
            let mut details = self.memory.details(ids).await?;
            if self.has(Defect::ForgetsBaseModules) {
                details.values_mut().for_each(|details| details.bases.truncate(1));
            }
            Ok(details)
        }

        async fn component_traces(
            &self,
            ids: &[ComponentId],
        ) -> Result<BTreeMap<ComponentId, Vec<ComponentTransition>>, StoreError> {
            let mut traces = self.memory.component_traces(ids).await?;
            if self.has(Defect::ForgetsTheFirstState) {
                traces.values_mut().for_each(|trace| trace.retain(|change| change.at != at(0)));
            }
            Ok(traces)
        }

        async fn log_page(&self, of: Logged, page: Page) -> Result<Vec<LogLine>, StoreError> {
            let mut lines = self.memory.log_page(of, page).await?;
            if self.has(Defect::ListsLogsOldestFirst) {
                lines.reverse();
            }
            Ok(lines)
        }
    }
    find(nsvcs: &[Nsvc]) -> BTreeMap<Nsvc, BuildId>;
    count(filter: &Filter) -> u64;
    list_components(filter: &ComponentFilter, order: &Order<ComponentColumn>, page: Page) -> Vec<ListedComponent>;
    count_components(filter: &ComponentFilter) -> u64;
    modules(asked: &ModulesAsked) -> Vec<ModuleRow>;
    documents(ids: &[BuildId]) -> BTreeMap<BuildId, Arc<ModuleStream>>;
    count_log(of: Logged) -> u64;
    reuse_candidates(question: &ReuseQuestion) -> Vec<Arc<ModuleBuild>>;
    scratch_count(of: &Nsvc) -> u32;
    unfinished(of: &[Nsvc]) -> Vec<(Nsvc, State)>;
}

faulty! {
    Outbox {
        async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError> {
            let mut events = self.memory.take(sink, n).await?;
            let is_kept =
                |event: &Delivery| event.event.transition.to != State::Build || !self.has(Defect::ForgetsAnEvent);
            events.retain(is_kept);
            Ok(events)
        }

        async fn hold_seat(
            &self,
            sink: &Sink,
            worker: &WorkerId,
            how_long: Duration,
        ) -> Result<bool, StoreError> {
            let is_held = self.memory.hold_seat(sink, worker, how_long).await?;
            Ok(is_held || self.has(Defect::SeatsEverybody))
        }

        async fn published(&self, after: EventNumber, n: usize) -> Result<Vec<Delivery>, StoreError> {
            let after = if self.has(Defect::PublishesFromTheStart) { EventNumber(0) } else { after };
            self.memory.published(after, n).await
        }
    }
    ack(sink: &Sink, events: &[EventNumber]) -> ();
    last_published() -> EventNumber;
}

faulty! {
    Upkeep {
        async fn figures(&self) -> Result<Figures, StoreError> {
            let mut figures = self.memory.figures().await?;
            if self.has(Defect::CountsFailuresNow) {
                let failed = figures.by_state.get(&State::Failed).copied().unwrap_or_default();
                figures.failed = [(Failure::Unspec, failed), (Failure::User, 0), (Failure::Infra, 0)].into();
            }
            if self.has(Defect::CountsOneEventTooMany) {
                figures.pending.values_mut().for_each(|lacking| *lacking += 1);
            }
            if self.has(Defect::CountsLeasesAsDue) {
                figures.due += self.looked_at.lock().unwrap().len() as u64;
            }
            Ok(figures)
        }
    }
    settings() -> Settings;
    change_settings(settings: Settings, by: &str) -> ();
    settings_audit() -> Vec<AuditEntry>;
    trim(retention: &Retention, trim: Trim) -> Trimmed;
}

faulty! {
    Tokens {
        async fn use_token(&self, digest: &TokenDigest) -> Result<Option<Token>, StoreError> {
            let used = self.memory.use_token(digest).await?;
            if used.is_some() || !self.has(Defect::TakesRevokedTokens) {
                return Ok(used);
            }
            Ok(self.memory.tokens().await?.into_iter().find(|token| token.revoked.is_some()))
        }
    }
    add_token(new: NewToken) -> Token;
    tokens() -> Vec<Token>;
    revoke_token(id: TokenId, by: &str) -> Option<Token>;
}

#[test]
fn the_store_in_memory_keeps_its_contract() {
    keeps_all(store(|| ground(Defect::Nothing)));
}

#[test]
fn each_defect_of_a_store_is_named_by_its_promise() {
    for (defect, promise) in [
        (Defect::SavesWithoutLease, "without_the_lease_nothing_is_saved"),
        (Defect::ForgetsAnEvent, "transitions_go_to_the_trace_and_become_events_in_order"),
        (Defect::KeepsNoAudit, "an_amendment_is_saved_with_trace_event_and_audit_and_is_due_at_once"),
        (Defect::LosesWakesDuringLooks, "a_wake_during_a_look_is_worth_one_look_after_the_gap"),
        (Defect::ClaimsNewestDueFirst, "the_oldest_due_is_claimed_first_and_no_more_than_asked"),
        (Defect::GivesTheFirstPageOnly, "builds_are_listed_page_by_page"),
        (Defect::ListsLogsOldestFirst, "logs_are_given_newest_first_page_by_page"),
        (Defect::ForgetsTheFirstState, "every_change_of_a_components_state_is_kept"),
        (Defect::ForgetsBaseModules, "details_are_those_of_the_record_its_trace_and_its_base_modules"),
        (Defect::OverwritesWhatRuns, "an_import_never_overwrites_what_is_under_way"),
        (Defect::MakesImportsDue, "an_import_is_ready_at_once_and_nobody_is_told"),
        (Defect::RestoresWhatItCan, "a_restoration_that_meets_something_restores_nothing"),
        (Defect::SeatsEverybody, "one_worker_at_a_time_has_the_seat_of_a_sink"),
        (Defect::PublishesFromTheStart, "published_events_come_by_their_numbers_to_any_reader"),
        (Defect::CountsFailuresNow, "endings_are_counted_and_never_forgotten"),
        (Defect::CountsOneEventTooMany, "figures_tell_what_each_sink_lacks"),
        (Defect::CountsLeasesAsDue, "figures_tell_states_slots_and_what_is_due"),
        (Defect::ShowsTheNewestStanding, "what_stands_still_is_known_longest_first"),
        (Defect::TakesRevokedTokens, "a_revoked_token_counts_no_longer"),
    ] {
        assert_eq!(broken_by(store(|| ground(defect))), [promise], "{defect:?}");
    }
}
