//! The trait of whatever keeps the records: PostgreSQL, SQLite, memory. One object, five small traits.
//!
//! The store guards the invariants it can: a lease and a revision per build, the limit on builds in progress, events in
//! order and never before their commit. Its clock is the only clock that decides. It never judges what a build should do.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::bus::Hint;
use crate::ident::{BuildId, Nsvc};
use crate::model::{ModuleBuild, NewBuild, State, Transition};
use crate::modulemd::ModuleStream;
use crate::plan::Why;

pub mod checks;
mod columns;
mod error;
mod listing;
mod rows;
mod summary;
mod types;

pub use columns::{
    BuildColumns, ComponentColumns, Rules, destinations, document_digest, is_under_way, sortable,
    sortable_text, virtual_streams,
};
pub use error::StoreError;
pub use listing::{
    BaseFilter, Column, ComponentColumn, ComponentFilter, Condition, Direction, Filter, ListedBuild,
    ListedComponent, MOST_LISTED, Order, Page, Value,
};
pub use rows::{AttemptRow, Changes, ComponentRow};
pub use summary::{ComponentSummary, Detail, Summary, buildrequires};
pub use types::{
    Amend, AuditEntry, Claim, Create, Created, Delivery, EventNumber, IdempotencyKey, Lease, Loaded, LogLine,
    ModuleRow, ModulesAsked, Retention, ReuseQuestion, Save, Saved, Settings, Signal, Sink, Slots,
    StateChange, Trim, Trimmed, WorkerId,
};

/// Everything a store does.
pub trait Store: Builds + Work + Catalogue + Outbox + Upkeep {}

impl<T: Builds + Work + Catalogue + Outbox + Upkeep> Store for T {}

/// Making, loading and saving module builds, and what was kept of how each came about.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Builds: Debug + Send + Sync + 'static {
    /// Records all contexts of one submission, new and resumed, or none. Afterwards each has its id, first trace row and
    /// first event, and is due at once; a resumed one has its audit row. Ids grow. The same key with the same content gives the
    /// same builds again. The answer has the new ones, the resumed and the existing, each in the order given.
    ///
    /// # Errors
    /// `Taken`, `Stale`: another submission was faster; read and decide again. `KeyReused`: the key came with another content.
    async fn create(&self, create: Create) -> Result<Created, StoreError>;

    /// Returns what a submission with this key got; `None` if there was none.
    ///
    /// # Errors
    /// `KeyReused`: the key came with another content.
    async fn created_with(&self, key: &IdempotencyKey) -> Result<Option<Created>, StoreError>;

    /// Loads one consistent state of a build, and of the slots.
    ///
    /// # Errors
    /// `NotFound`.
    async fn load(&self, id: BuildId) -> Result<Loaded, StoreError>;

    /// Saves what a plan decided, in one transaction: record, slots, line, traces, events, log lines, wakes. Those in line
    /// for whom a slot is left now become due. The limit that counts is the effective one; the save's own signal is taken in
    /// after it ([`crate::share::adapt`]).
    ///
    /// # Errors
    /// Nothing is saved on `LeaseLost`, `Stale` (a person was faster: load and plan again), `NoSlot` (plan again with these
    /// figures; only for a record that holds more slots than before), checked in this order, `NotFound`, `Rejected` (the record cannot have come from the one loaded: a defect). `Unavailable`: unknown,
    /// load again.
    async fn save(&self, save: Save) -> Result<Saved, StoreError>;

    /// Saves what a person did to a build, without a lease, with an audit row; the build is due at once.
    ///
    /// # Errors
    /// `Stale`: load and apply again. `NotFound`. `Rejected` if it would raise the slots held.
    async fn amend(&self, amend: Amend) -> Result<Saved, StoreError>;

    /// Returns the trace of a build, oldest first; empty for an unknown one.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError>;

    /// Returns the log lines of a build, oldest first; empty for an unknown one.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn log(&self, id: BuildId) -> Result<Vec<LogLine>, StoreError>;

    /// Returns what people did to a build, oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError>;
}

/// Who looks at which build, and when.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Work: Debug + Send + Sync + 'static {
    /// Gives up to `n` due builds, oldest due first, with a lease each; no other claim returns them before the lease
    /// expires by the store's clock.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError>;

    /// Prolongs a lease by its full length.
    ///
    /// # Errors
    /// `LeaseLost`: stop working on the build.
    async fn renew(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Gives a build back: due at `wake_at` (`None`: only when woken), or after the gap if a wake came since the claim. `why`
    /// is what people are shown; the signal is taken in as by a save. If the lease is lost nothing happens.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn release(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: Why,
        signal: Signal,
    ) -> Result<(), StoreError>;

    /// Makes the builds due that the hints name, not before the gap after their last look, and returns how many; unknown ones
    /// are ignored, and of those that ended all that are not named by id: nothing outside matters to them.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError>;

    /// Voids all leases of a worker that restarts under an exclusive lock; its builds are due at once.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn void_leases(&self, worker: &WorkerId) -> Result<usize, StoreError>;

    /// Returns when the next build becomes due without a wake, be it that its lease expires; `None` if none does.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Returns why a build is not further, as its last look said; `None` before the first.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    async fn explain(&self, id: BuildId) -> Result<Option<Why>, StoreError>;

    /// Returns the store's time.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn now(&self) -> Result<Timestamp, StoreError>;
}

/// Questions about many builds.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Catalogue: Debug + Send + Sync + 'static {
    /// Lists builds that pass a filter.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(
        &self,
        filter: &Filter,
        order: &Order<Column>,
        page: Page,
    ) -> Result<Vec<ListedBuild>, StoreError>;

    /// Counts the builds that pass a filter, which may cost more than a page of them.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn count(&self, filter: &Filter) -> Result<u64, StoreError>;

    /// Lists components that pass a filter. [`Page::before`] speaks of their module builds.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list_components(
        &self,
        filter: &ComponentFilter,
        order: &Order<ComponentColumn>,
        page: Page,
    ) -> Result<Vec<ListedComponent>, StoreError>;

    /// Counts the components that pass a filter, which may cost more than a page of them.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn count_components(&self, filter: &ComponentFilter) -> Result<u64, StoreError>;

    /// Returns the ids of these builds; unknown ones are missing.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, BuildId>, StoreError>;

    /// Returns what resolvers choose from, by identity. Scratch builds are never `ready` and so never among them.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn modules(&self, asked: &ModulesAsked) -> Result<Vec<ModuleRow>, StoreError>;

    /// Returns the documents of builds; unknown ones are missing.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn documents(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, Arc<ModuleStream>>, StoreError>;

    /// Returns the builds that could be reused from, last completed first: not the one that asks, no scratch builds. Which is
    /// taken is decided by [`crate::reuse`].
    ///
    /// # Errors
    /// `Unavailable`.
    async fn reuse_candidates(&self, question: &ReuseQuestion) -> Result<Vec<Arc<ModuleBuild>>, StoreError>;

    /// Counts the scratch builds of a name, stream and version whose context begins with a text.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn scratch_count(&self, of: &Nsvc) -> Result<u32, StoreError>;

    /// Returns the builds with the name, stream and version of one of these that are in `init`, `wait`, `build` or `done`,
    /// sorted, scratch builds left out.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn unfinished(&self, of: &[Nsvc]) -> Result<Vec<(Nsvc, State)>, StoreError>;
}

/// Events on their way out.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Returns up to `n` events that a sink has not acknowledged, per build the oldest only, by their numbers. A sink is known
    /// from its first call on; it gets what is still kept.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError>;

    /// Notes that a sink has these events; those already noted are fine.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn ack(&self, sink: &Sink, events: &[EventNumber]) -> Result<(), StoreError>;
}

/// What operators set, and what time sweeps away.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Upkeep: Debug + Send + Sync + 'static {
    /// Returns the settings.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn settings(&self) -> Result<Settings, StoreError>;

    /// Changes the settings; who did is kept. Those become due who can go on now: in line, as far as slots became free for
    /// them; in `init` and `wait`, if a drain ended.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn change_settings(&self, settings: Settings, by: &str) -> Result<(), StoreError>;

    /// Returns who changed the settings, oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn settings_audit(&self) -> Result<Vec<AuditEntry>, StoreError>;

    /// Removes or counts what is kept no longer. States and traces stay.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn trim(&self, retention: &Retention, trim: Trim) -> Result<Trimmed, StoreError>;
}

impl Created {
    /// Makes the builds that a submission got, in the order given.
    pub fn new(builds: Vec<ModuleBuild>) -> Self {
        Self { builds }
    }
}

impl From<NewBuild> for Create {
    fn from(new: NewBuild) -> Self {
        Self { new: vec![new], ..Self::default() }
    }
}
