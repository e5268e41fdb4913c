//! Questions about many builds.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    BuildDetails, Column, ComponentColumn, ComponentFilter, ComponentTransition, Filter, ListedBuild,
    ListedComponent, LogLine, Logged, ModuleRow, ModulesAsked, Order, Page, ReuseQuestion, Standing,
    StoreError,
};
use crate::ident::{BuildId, ComponentId, Nsvc};
use crate::model::{ModuleBuild, State};
use crate::modulemd::ModuleStream;

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

    /// Returns the details of builds, in few questions whatever their number; unknown ones are missing.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn details(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, BuildDetails>, StoreError>;

    /// Returns the traces of components, oldest change first; unknown ones are missing, and those of whom nothing was kept.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn component_traces(
        &self,
        ids: &[ComponentId],
    ) -> Result<BTreeMap<ComponentId, Vec<ComponentTransition>>, StoreError>;

    /// Lists log lines, newest first; of what is unknown there are none. [`Page::before`] is not looked at.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn log_page(&self, of: Logged, page: Page) -> Result<Vec<LogLine>, StoreError>;

    /// Counts log lines.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn count_log(&self, of: Logged) -> Result<u64, StoreError>;

    /// Lists builds under way ([`is_under_way`](super::is_under_way)) without progress since a moment, longest without first: up to `n`, at most
    /// [`MOST_LISTED`](super::MOST_LISTED). Progress is a save or an amendment that changed the record.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn standing(&self, since: Timestamp, n: usize) -> Result<Vec<Standing>, StoreError>;
}
