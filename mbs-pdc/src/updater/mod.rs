//! Records what was built in PDC: the sink of state changes that makes modules known there.
//!
//! A build that is `ready` gets an entry, or its entry is completed: active, with its tag, document, packages and dependencies. One
//! that is retired becomes inactive. Other changes, and scratch builds, are nothing to PDC. What is recorded is read from our
//! store and the build system at that moment; what is written is decided in `record`. Every step looks first, so that it may
//! happen twice.
//!
//! It is a [`MessageBus`] that gives no hints, for a [`Publisher`](mbs_core::engine::Publisher) with a sink of its own: each
//! build's changes come in order, and a PDC that is away holds up nobody else. What PDC refuses for good is told with the
//! build and PDC's words, and the changes after it go on: `mbs-manager pdc import` can make up for it. A change that cannot be
//! recorded yet holds up those of its own build alone.
//!
//! Source: PDC, section 8. Differs: the old updater made inactive entries from `wait` on, and changed them with each state.

mod record;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use mbs_core::build_system::{BuildQuestions, BuildSystem, BuildSystemError};
use mbs_core::bus::{BusError, Hint, MessageBus};
use mbs_core::ident::Nsvc;
use mbs_core::model::State;
use mbs_core::store::{Catalogue, ModulesAsked, StateChange, StoreError, Summary};
use tokio::sync::OnceCell;

pub use record::{Rpms, Step, dependencies, entry_of, ready, retire, step};

use crate::api::{Entries, Face, Filter, NewEntry};
use crate::client::{Pdc, PdcError};

/// Records builds in a PDC.
#[derive(Debug)]
pub struct Updater {
    pdc: Pdc,
    /// The newest endpoint that the server has, once somebody asked.
    entries: OnceCell<Entries>,
    store: Arc<dyn Catalogue>,
    build_system: Arc<dyn BuildSystem>,
}

/// Why a build is not recorded.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// PDC does not take it.
    #[error(transparent)]
    Pdc(#[from] PdcError),
    /// Our store does not give its document.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The build system does not tell its packages.
    #[error(transparent)]
    BuildSystem(#[from] BuildSystemError),
    /// Our store does not know it.
    #[error("the store has no document of it")]
    NoDocument,
}

impl UpdateError {
    /// Says whether the same change can be recorded later: what is wrong passes, or somebody can mend it elsewhere. Otherwise
    /// the change itself is refused.
    fn can_wait(&self) -> bool {
        !matches!(self, Self::Pdc(PdcError::Rejected { .. }) | Self::NoDocument)
    }
}

impl Updater {
    /// Makes one; `store` has the documents of builds, `build_system` their packages.
    pub fn new(pdc: Pdc, store: Arc<dyn Catalogue>, build_system: Arc<dyn BuildSystem>) -> Self {
        Self { pdc, entries: OnceCell::new(), store, build_system }
    }

    /// Records what has become of the build of a change; nothing to do is no error. The change says where to look, and our store
    /// what is so: a change that comes late, or again, brings nothing back.
    ///
    /// # Errors
    /// It is not recorded, or nobody knows whether it is.
    pub async fn record(&self, event: &StateChange) -> Result<(), UpdateError> {
        if event.summary.scratch || !matches!(event.transition.to, State::Ready | State::Garbage) {
            return Ok(());
        }
        let entries = self.entries().await?;
        let wanted = self.wanted(entries.face(), event).await?;
        match self.bring_about(entries, event, wanted.as_ref()).await {
            // Somebody was faster.
            Err(PdcError::Exists { .. } | PdcError::NotFound { .. }) => {
                Ok(self.bring_about(entries, event, wanted.as_ref()).await?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Returns what PDC is to know of a build; `None`: it is not to be chosen any more.
    async fn wanted(&self, face: Face, event: &StateChange) -> Result<Option<NewEntry>, UpdateError> {
        let asked = ModulesAsked { exactly: vec![event.summary.nsvc.clone()], ..ModulesAsked::default() };
        if !self.store.modules(&asked).await?.iter().any(|row| row.id == event.build && row.is_ready) {
            return Ok(None);
        }
        let mut documents = self.store.documents(&[event.build]).await?;
        let document = documents.remove(&event.build).ok_or(UpdateError::NoDocument)?;
        let rpms = self.rpms(&event.summary).await?;
        if rpms.is_none() {
            let nsvc = &event.summary.nsvc;
            tracing::warn!(module.nsvc = %nsvc, "the tag of {nsvc} is gone: PDC is not told its packages");
        }
        Ok(Some(ready(face, &event.summary, &document, rpms.as_ref())))
    }

    /// Looks at what PDC knows, and does what lacks.
    async fn bring_about(
        &self,
        entries: &Entries,
        event: &StateChange,
        wanted: Option<&NewEntry>,
    ) -> Result<(), PdcError> {
        let nsvc = &event.summary.nsvc;
        let known = entry_of(entries.face(), nsvc, entries.find(&of_version(nsvc)).await?);
        let step = match wanted {
            Some(wanted) => step(known.as_ref(), wanted.clone()),
            None => retire(known.as_ref()),
        };
        let comment = format!("build {} is {}", event.build, event.transition.to.name());
        match step {
            Step::Nothing => tracing::debug!(module.nsvc = %nsvc, "PDC knows {nsvc} already"),
            Step::Create(entry) => {
                entries.create(&entry, &comment).await?;
                tracing::info!(module.nsvc = %nsvc, "{nsvc} is recorded in PDC");
            }
            Step::Change(uid, change) => {
                entries.change(&uid, &change, &comment).await?;
                tracing::info!(module.nsvc = %nsvc, "PDC's entry {uid:?} of {nsvc} is changed");
            }
        }
        Ok(())
    }

    async fn entries(&self) -> Result<&Entries, PdcError> {
        self.entries.get_or_try_init(|| Entries::newest(self.pdc.clone())).await
    }

    /// Returns all packages that are in the module's tag; `None`: there is no such tag.
    async fn rpms(&self, summary: &Summary) -> Result<Option<Rpms>, BuildSystemError> {
        let Some(tag) = &summary.koji_tag else { return Ok(None) };
        let asked = BuildQuestions { tags: [tag.clone()].into(), ..BuildQuestions::default() };
        let tagged = self.build_system.observe(&asked).await?.tags.unwrap_or_default().remove(tag);
        let Some(tagged) = tagged.flatten() else { return Ok(None) };
        let rpms_of_builds = tagged.into_iter().map(|build| build.nvr).collect();
        let asked = BuildQuestions { rpms_of_builds, ..BuildQuestions::default() };
        if asked.is_empty() {
            return Ok(Some(Rpms::new()));
        }
        Ok(self.build_system.observe(&asked).await?.rpms_of_builds)
    }
}

/// Asks for all contexts of a version: old servers know no contexts.
fn of_version(nsvc: &Nsvc) -> Filter {
    Filter {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        version: Some(nsvc.version.to_string()),
        ..Filter::default()
    }
}

#[async_trait]
impl MessageBus for Updater {
    async fn publish(&self, events: &[StateChange]) -> Result<(), BusError> {
        self.publish_each(events).await.into_iter().collect()
    }

    /// Records changes of different builds at once, as many as PDC allows.
    async fn publish_each(&self, events: &[StateChange]) -> Vec<Result<(), BusError>> {
        let each = events.iter().map(async |event| {
            let Err(error) = self.record(event).await else { return Ok(()) };
            let nsvc = &event.summary.nsvc;
            if error.can_wait() {
                return Err(BusError::Unavailable { reason: format!("{nsvc} is not recorded: {error}") });
            }
            let state = event.transition.to.name();
            tracing::error!(module.nsvc = %nsvc, "PDC is not told that {nsvc} is {state}: {error}");
            Ok(())
        });
        join_all(each).await
    }

    /// PDC has no news.
    async fn hints(&self) -> Result<Vec<Hint>, BusError> {
        Ok(Vec::new())
    }
}
