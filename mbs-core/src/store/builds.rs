//! Making, loading and saving module builds, and what was kept of how each came about.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{
    Amend, AuditEntry, Create, Created, IdempotencyKey, Import, Imported, Loaded, LogLine, Restored, Save,
    Saved, StoreError,
};
use crate::ident::BuildId;
use crate::model::Transition;

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

    /// Takes in a module that was built elsewhere: `ready` at once, with no component, no trace and no event, due only when
    /// woken, with an audit row. One of its identity that is there is overwritten and keeps its id, log and audit; its
    /// components and traces go. The import counts as a change, of which nobody is told: the next has the number after it.
    ///
    /// # Errors
    /// `UnderWay`: one of its identity is not finished; wait or cancel it.
    async fn import(&self, import: Import) -> Result<Imported, StoreError>;

    /// Takes over what another service recorded, all of it or nothing: ids are kept, and what is new afterwards counts on from
    /// the largest. Nobody is told, for these changes were published long ago. Due at once are those that are not finished, and
    /// those for which something is left to do: failed builds are retired some day, a target is removed that is not marked as
    /// removed. They hold the slots that they hold, whatever the limit.
    ///
    /// # Errors
    /// `Taken`: a build of this identity exists. `Rejected`: an id exists, or something speaks of what is not there.
    async fn restore(&self, records: Vec<Restored>) -> Result<(), StoreError>;

    /// Returns the trace of a build, oldest first; empty for an unknown one.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError>;

    /// Returns the log lines of a build, those of its components included, oldest first; empty for an unknown one.
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
