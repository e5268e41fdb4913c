//! People: they submit, cancel, resume and operate through the store alone, and try again when it does not answer.

use std::sync::Arc;
use std::time::Duration;

use super::wires::{Network, StoreWire};
use crate::clock::Clock;
use crate::ident::BuildId;
use crate::model::{ModuleBuild, NewBuild};
use crate::store::{Amend, Builds, Create, IdempotencyKey, Loaded, Settings, StoreError, Upkeep, Work};
use crate::submission::{cancel, resume};

/// What people have in hand.
#[derive(Debug, Clone)]
pub(super) struct People {
    pub(super) store: StoreWire,
    pub(super) network: Arc<Network>,
}

/// A person tries so often, then gives up.
const PATIENCE: usize = 50;

impl People {
    /// Submits, with the same key until there is an answer.
    pub(super) async fn submit(self, new: NewBuild, key: IdempotencyKey) {
        for _ in 0..PATIENCE {
            let create = Create {
                new: vec![new.clone()],
                by: new.owner.clone(),
                key: Some(key.clone()),
                ..Create::default()
            };
            match self.store.create(create).await {
                Err(StoreError::Unavailable { .. }) => self.wait().await,
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Cancels a build; one that ended meanwhile is left alone.
    pub(super) async fn cancel(self, id: BuildId) {
        self.change(id, "cancel", |build, now| cancel(build, "mary", now).ok()).await;
    }

    /// Goes on with a failed build.
    pub(super) async fn resume(self, id: BuildId) {
        self.change(id, "resume", |build, now| resume(build, "mary", None, now).ok()).await;
    }

    async fn change(
        &self,
        id: BuildId,
        what: &str,
        change: impl Fn(&ModuleBuild, jiff::Timestamp) -> Option<ModuleBuild>,
    ) {
        for _ in 0..PATIENCE {
            let read = async {
                let loaded = self.store.load(id).await?;
                Ok::<(Loaded, jiff::Timestamp), StoreError>((loaded, self.store.now().await?))
            };
            let Ok((loaded, now)) = read.await else {
                self.wait().await;
                continue;
            };
            let Some(changed) = change(&loaded.build, now) else { return };
            let amend =
                Amend { now: changed, revision: loaded.revision, by: "mary".into(), what: what.to_owned() };
            match self.store.amend(amend).await {
                Err(StoreError::Unavailable { .. } | StoreError::Stale(_)) => self.wait().await,
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Changes what is set, as one operator; two at a time would overwrite each other.
    pub(super) async fn operate(self, change: impl Fn(&mut Settings) + Send + Sync) {
        for _ in 0..PATIENCE {
            let changed = async {
                let mut settings = self.store.settings().await?;
                change(&mut settings);
                self.store.change_settings(settings, "oscar").await
            };
            match changed.await {
                Err(error) if error.is_transient() => self.wait().await,
                Ok(()) | Err(_) => return,
            }
        }
    }

    async fn wait(&self) {
        let clock = &self.network.clock;
        clock.sleep_until(clock.reading() + Duration::from_secs(3)).await;
    }
}
