//! Records what was built in PDC: the sink of state changes that makes modules known there.
//!
//! A build that is `ready` gets an entry, or its entry is completed: active, with its tag, document, packages and dependencies. One
//! that is retired becomes inactive. Other changes, and scratch builds, are nothing to PDC. What is recorded is read from our
//! store and the build system at that moment; what is written is decided in `record`. Every step looks first, so that it may
//! happen twice.
//!
//! It is a [`MessageBus`] that gives no hints, for a [`Publisher`](mbs_core::engine::Publisher) with a sink of its own: each
//! build's changes come in order, and a PDC that is away holds up nobody else. What PDC refuses for good is told with the
//! build and PDC's words, and the changes after it go on: `mbs-manager pdc import` can make up for it.
//!
//! Source: PDC, section 8. Differs: the old updater made inactive entries from `wait` on, and changed them with each state.

mod record;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use mbs_core::build_system::{BuildQuestions, BuildSystem, BuildSystemError};
use mbs_core::bus::{BusError, Hint, MessageBus};
use mbs_core::ident::{Nevra, Nvr};
use mbs_core::model::State;
use mbs_core::store::{Catalogue, StateChange, StoreError, Summary};
use tokio::sync::OnceCell;

pub use record::{Step, dependencies, ready, retire, step};

use crate::api::{Entries, Entry, Filter};
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
        match self {
            Self::Pdc(PdcError::Rejected { .. } | PdcError::Exists { .. } | PdcError::NotFound { .. }) => {
                false
            }
            Self::Pdc(_) | Self::Store(_) => true,
            Self::BuildSystem(error) => error.is_transient(),
            Self::NoDocument => false,
        }
    }
}

impl Updater {
    /// Makes one; `store` has the documents of builds, `build_system` their packages.
    pub fn new(pdc: Pdc, store: Arc<dyn Catalogue>, build_system: Arc<dyn BuildSystem>) -> Self {
        Self { pdc, entries: OnceCell::new(), store, build_system }
    }

    /// Records one change; nothing to do is no error.
    ///
    /// # Errors
    /// It is not recorded, or nobody knows whether it is.
    pub async fn record(&self, event: &StateChange) -> Result<(), UpdateError> {
        if event.summary.scratch {
            return Ok(());
        }
        match event.transition.to {
            State::Ready => self.record_ready(event).await,
            State::Garbage => self.record_retired(event).await,
            State::Init | State::Wait | State::Build | State::Done | State::Failed => Ok(()),
        }
    }

    async fn record_ready(&self, event: &StateChange) -> Result<(), UpdateError> {
        let mut documents = self.store.documents(&[event.build]).await?;
        let document = documents.remove(&event.build).ok_or(UpdateError::NoDocument)?;
        let rpms = self.rpms(&event.summary).await?;
        let wanted = ready(&event.summary, &document, &rpms);
        let entries = self.entries().await?;
        let known = entry(entries, &event.summary).await?;
        self.perform(entries, event, step(known.as_ref(), wanted)).await
    }

    async fn record_retired(&self, event: &StateChange) -> Result<(), UpdateError> {
        let entries = self.entries().await?;
        let known = entry(entries, &event.summary).await?;
        self.perform(entries, event, retire(known.as_ref())).await
    }

    async fn perform(&self, entries: &Entries, event: &StateChange, step: Step) -> Result<(), UpdateError> {
        let nsvc = &event.summary.nsvc;
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

    /// Returns all packages that are in the module's tag, by build.
    async fn rpms(&self, summary: &Summary) -> Result<BTreeMap<Nvr, Vec<Nevra>>, BuildSystemError> {
        let Some(tag) = &summary.koji_tag else { return Ok(BTreeMap::new()) };
        let asked = BuildQuestions { tags: [tag.clone()].into(), ..BuildQuestions::default() };
        let tagged = self.build_system.observe(&asked).await?.tags.unwrap_or_default().remove(tag);
        let nvrs = tagged.flatten().unwrap_or_default().into_iter().map(|build| build.nvr);
        let asked = BuildQuestions { rpms_of_builds: nvrs.collect(), ..BuildQuestions::default() };
        if asked.is_empty() {
            return Ok(BTreeMap::new());
        }
        Ok(self.build_system.observe(&asked).await?.rpms_of_builds.unwrap_or_default())
    }
}

/// Returns the entry of a build, whatever its uid.
async fn entry(entries: &Entries, summary: &Summary) -> Result<Option<Entry>, PdcError> {
    let nsvc = &summary.nsvc;
    let filter = Filter {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        version: Some(nsvc.version.to_string()),
        context: Some(nsvc.context.to_string()),
        ..Filter::default()
    };
    // Filters match whatever the case.
    let is_it = |entry: &Entry| crate::resolver::identity(entry).is_ok_and(|found| found == *nsvc);
    Ok(entries.find(&filter).await?.into_iter().find(is_it))
}

#[async_trait]
impl MessageBus for Updater {
    /// Records changes of different builds at once, as many as PDC allows. They are of different builds, or may come in any
    /// order.
    async fn publish(&self, events: &[StateChange]) -> Result<(), BusError> {
        let recorded = join_all(events.iter().map(|event| self.record(event))).await;
        let mut outcome = Ok(());
        for (event, recorded) in events.iter().zip(recorded) {
            let Err(error) = recorded else { continue };
            let nsvc = &event.summary.nsvc;
            if error.can_wait() {
                outcome = Err(BusError::Unavailable { reason: format!("{nsvc} is not recorded: {error}") });
            } else {
                let state = event.transition.to.name();
                tracing::error!(module.nsvc = %nsvc, "PDC is not told that {nsvc} is {state}: {error}");
            }
        }
        outcome
    }

    /// PDC has no news.
    async fn hints(&self) -> Result<Vec<Hint>, BusError> {
        Ok(Vec::new())
    }
}
