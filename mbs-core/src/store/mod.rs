//! The trait of whatever keeps the records: PostgreSQL, SQLite, memory. One object, six small traits.
//!
//! The store guards the invariants it can: a lease and a revision per build, the limit on builds in progress, events in
//! order and never before their commit. Its clock is the only clock that decides. It never judges what a build should do.

use crate::model::{ModuleBuild, NewBuild};

mod builds;
mod catalogue;
pub mod checks;
mod columns;
mod details;
mod error;
mod figures;
mod history;
mod listing;
mod outbox;
mod rows;
mod summary;
mod taking;
mod tokens;
mod types;
mod upkeep;
mod work;

#[cfg(feature = "mock")]
pub use builds::MockBuilds;
#[cfg(feature = "mock")]
pub use catalogue::MockCatalogue;
#[cfg(feature = "mock")]
pub use outbox::MockOutbox;
#[cfg(feature = "mock")]
pub use tokens::MockTokens;
#[cfg(feature = "mock")]
pub use upkeep::MockUpkeep;
#[cfg(feature = "mock")]
pub use work::MockWork;

pub use builds::Builds;
pub use catalogue::Catalogue;
pub use columns::{
    BuildColumns, ComponentColumns, Rules, destinations, document_digest, is_under_way, sortable,
    sortable_text, virtual_streams,
};
pub use details::{BaseBuild, BuildDetails};
pub use error::StoreError;
pub use figures::{Ending, Figures, Standing};
pub use history::{AuditEntry, ComponentTransition, LogLine, Logged, Note};
pub use listing::{
    BaseFilter, Column, ComponentColumn, ComponentFilter, Condition, Direction, Filter, ListedBuild,
    ListedComponent, MOST_LISTED, Order, Page, Value,
};
pub use outbox::Outbox;
pub use rows::{AttemptRow, Changes, ComponentRow};
pub use summary::{ComponentSummary, Detail, Summary, buildrequires};
pub use taking::{IMPORT_OWNER, Import, Imported, Present, Restored};
pub use tokens::{NewToken, Revoked, Scope, Token, TokenDigest, TokenId, Tokens};
pub use types::{
    Amend, Claim, Create, Created, Delivery, EventNumber, IdempotencyKey, Lease, Loaded, ModuleRow,
    ModulesAsked, Retention, ReuseQuestion, Save, Saved, Settings, Signal, Sink, Slots, StateChange, Trim,
    Trimmed, WorkerId,
};
pub use upkeep::Upkeep;
pub use work::Work;

/// Everything a store does.
pub trait Store: Builds + Work + Catalogue + Outbox + Upkeep + Tokens {}

impl<T: Builds + Work + Catalogue + Outbox + Upkeep + Tokens> Store for T {}

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
