//! A real store in a simulated world: its calls end before the world goes on, and its time is the world's.
//!
//! A world has an executor of its own, which knows no sockets. So each call runs on a runtime beside it until it has ended, as
//! if it took no time: what the world sees of a store is as in memory, what the store does is real.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::bus::Hint;
use mbs_core::clock::Clock as _;
use mbs_core::ident::{BuildId, ComponentId, Nsvc};
use mbs_core::memory::ManualClock;
use mbs_core::model::{ModuleBuild, State, Transition};
use mbs_core::modulemd::ModuleStream;
use mbs_core::plan::Why;
use mbs_core::store::{
    Amend, AuditEntry, BuildDetails, Builds, Catalogue, Claim, Column, ComponentColumn, ComponentFilter,
    ComponentTransition, Create, Created, Delivery, EventNumber, Figures, Filter, IdempotencyKey, Import,
    Imported, Lease, ListedBuild, ListedComponent, Loaded, LogLine, Logged, ModuleRow, ModulesAsked,
    NewToken, Order, Outbox, Page, Restored, Retention, ReuseQuestion, Save, Saved, Settings, Signal, Sink,
    Standing, Store, StoreError, Token, TokenDigest, TokenId, Tokens, Trim, Trimmed, Upkeep, Work, WorkerId,
};
use tokio::runtime::Handle;

/// Sets the time of a store's clock.
#[async_trait]
pub trait Watch: Debug + Send + Sync {
    /// Sets it; the store's next call sees it.
    async fn set(&self, time: Timestamp);
}

/// A store whose calls end at once.
#[derive(Debug)]
pub struct WorldStore {
    /// The real one.
    pub store: Arc<dyn Store>,
    /// Its clock.
    pub watch: Box<dyn Watch>,
    /// The world's clock.
    pub clock: Arc<ManualClock>,
    /// The store's time when the world's clock stands at zero.
    pub start: Timestamp,
    /// Where its calls run: not on the thread of the world.
    pub runtime: Handle,
    /// How the clocks stood when they were compared last.
    pub told: std::sync::Mutex<Option<Timestamp>>,
}

impl WorldStore {
    fn run<T>(&self, call: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            let now = self.start + self.clock.reading();
            let is_told =
                self.told.lock().expect("nothing panics while it holds the time").replace(now) == Some(now);
            if !is_told {
                self.watch.set(now).await;
            }
            call.await
        })
    }
}

macro_rules! at_once {
    ($trait:ident: $($method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl $trait for WorldStore {
            $(async fn $method(&self $(, $argument: $type)*) -> Result<$answer, StoreError> {
                self.run(self.store.$method($($argument),*))
            })*
        }
    };
}

at_once! { Builds:
    create(create: Create) -> Created;
    created_with(key: &IdempotencyKey) -> Option<Created>;
    load(id: BuildId) -> Loaded;
    save(save: Save) -> Saved;
    amend(amend: Amend) -> Saved;
    import(import: Import) -> Imported;
    restore(records: Vec<Restored>) -> ();
    trace(id: BuildId) -> Vec<Transition>;
    log(id: BuildId) -> Vec<LogLine>;
    audit(id: BuildId) -> Vec<AuditEntry>;
}

at_once! { Work:
    claim(worker: &WorkerId, n: usize) -> Vec<Claim>;
    renew(lease: &Lease) -> ();
    release(lease: &Lease, wake_at: Option<Timestamp>, why: Why, signal: Signal) -> ();
    wake(hints: &[Hint]) -> usize;
    void_leases(worker: &WorkerId) -> usize;
    next_due() -> Option<Timestamp>;
    explain(id: BuildId) -> Option<Why>;
    now() -> Timestamp;
}

at_once! { Catalogue:
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

at_once! { Outbox:
    take(sink: &Sink, n: usize) -> Vec<Delivery>;
    hold_seat(sink: &Sink, worker: &WorkerId, how_long: Duration) -> bool;
    ack(sink: &Sink, events: &[EventNumber]) -> ();
    published(after: EventNumber, n: usize) -> Vec<Delivery>;
    last_published() -> EventNumber;
}

at_once! { Upkeep:
    settings() -> Settings;
    change_settings(settings: Settings, by: &str) -> ();
    settings_audit() -> Vec<AuditEntry>;
    trim(retention: &Retention, trim: Trim) -> Trimmed;
    figures() -> Figures;
}

at_once! { Tokens:
    add_token(new: NewToken) -> Token;
    tokens() -> Vec<Token>;
    use_token(digest: &TokenDigest) -> Option<Token>;
    revoke_token(id: TokenId, by: &str) -> Option<Token>;
}
