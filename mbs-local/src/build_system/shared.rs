//! What all calls and all builds under way share, and what buildroots are made from.
//!
//! Makes repositories and finds those that a buildroot needs; decides nothing about tasks.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mbs_core::build_system::{BuildSystemError, Effect};
use mbs_core::bus::Hint;
use mbs_core::ident::{Arch, TagName};
use tokio::sync::{Mutex as AsyncMutex, broadcast};

use super::ledger::Ledger;
use super::{Builder, Checkout, LocalSettings, refusal};
use crate::buildroot::Buildroots;
use crate::error::LocalError;
use crate::mock_build::Mock;
use crate::programs::{Program, Programs};
use crate::repo::{self, Repositories};
use crate::sandbox::Sandbox;

/// What all calls and all builds under way share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: LocalSettings,
    pub(super) arch: Arch,
    pub(super) means: Means,
    pub(super) repositories: Repositories,
    pub(super) checkout: Arc<dyn Checkout>,
    pub(super) ledger: Mutex<Ledger>,
    pub(super) making_repo: AsyncMutex<()>,
    pub(super) hints: broadcast::Sender<Hint>,
    /// Keeps other programs out of the directory.
    pub(super) _lock: File,
}

/// What packages are built with.
#[derive(Debug)]
pub(super) enum Means {
    Rpmbuild { sandbox: Sandbox, buildroots: Buildroots },
    Mock(Mock),
}

impl Means {
    pub(super) async fn of_machine(settings: &LocalSettings, programs: Programs) -> Result<Self, LocalError> {
        let mock = || Mock::new(&programs, settings.mock_base.clone());
        if settings.builder == Builder::Mock {
            return mock().map(Means::Mock);
        }
        programs.require(&Program::FOR_RPMBUILD)?;
        match Sandbox::probe(&programs, &settings.directory).await {
            Ok(sandbox) => {
                let layers = settings.directory.join("layers");
                let buildroots = Buildroots::new(layers, sandbox.clone(), programs).await?;
                Ok(Means::Rpmbuild { sandbox, buildroots })
            }
            Err(refused @ LocalError::NoSandbox { .. }) => mock().map(Means::Mock).map_err(|_| refused),
            Err(error) => Err(error),
        }
    }
}

impl Shared {
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, hint: Hint) {
        // Nobody may be listening.
        let _listeners = self.hints.send(hint);
    }

    /// Makes a repository of what a tag holds, unless the newest shows just that.
    pub(super) async fn make_repo(&self, tag: &TagName) -> Result<(), BuildSystemError> {
        let _one_at_a_time = self.making_repo.lock().await;
        let wanted = self.ledger().repo_wanted(tag)?;
        if let Some((place, event, rpms)) = wanted {
            let made = self.repositories.generate(&place, event.0, &rpms).await;
            made.map_err(|error| refusal(&error, Effect::None))?;
        }
        self.tell(Hint::Tag(tag.clone()));
        Ok(())
    }

    /// Makes repositories of the inherited tags that are kept here, where they lack or are old.
    pub(super) async fn refresh_inherited(&self, build_tag: &TagName) -> Result<(), BuildSystemError> {
        let tags = self.ledger().with_inherited(build_tag);
        for tag in tags.iter().filter(|tag| *tag != build_tag) {
            let is_ours = self.ledger().tags.contains_key(tag);
            if is_ours {
                self.make_repo(tag).await?;
            }
        }
        Ok(())
    }

    /// RPMs of a build tag's newest repository and of what it inherits, the most important tag first.
    pub(super) fn rpms_of_buildroot(&self, build_tag: &TagName) -> Result<Vec<Vec<PathBuf>>, LocalError> {
        let places = self.places_of_buildroot(build_tag)?;
        places.into_iter().map(|place| place.rpms()).collect()
    }

    pub(super) fn places_of_buildroot(&self, build_tag: &TagName) -> Result<Vec<Place>, LocalError> {
        let tags = self.ledger().with_inherited(build_tag);
        let mut places = Vec::new();
        for tag in tags {
            let own = repo::newest(&self.ledger().repo_directory(&tag))?;
            let known = self.settings.known.get(&tag).cloned().map(Place::Directory);
            match own.map(Place::Repository).or(known) {
                Some(place) => places.push(place),
                // Its packages are those of the machine itself.
                None => tracing::debug!(tag = %tag, "no local repository of an inherited tag"),
            }
        }
        Ok(places)
    }
}

/// Where RPMs of an inherited tag are.
#[derive(Debug)]
pub(super) enum Place {
    Repository(repo::Repository),
    Directory(PathBuf),
}

impl Place {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Repository(repository) => &repository.path,
            Self::Directory(path) => path,
        }
    }

    pub(super) fn rpms(&self) -> Result<Vec<PathBuf>, LocalError> {
        let mut rpms = match self {
            Self::Repository(repository) => repository.rpms()?,
            Self::Directory(path) => repo::rpms_of_directory(path)?,
        };
        rpms.retain(|rpm| !rpm.to_string_lossy().ends_with(".src.rpm"));
        Ok(rpms)
    }
}
