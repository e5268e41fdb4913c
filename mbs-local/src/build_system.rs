//! The build system of this machine: `rpmbuild` (or mock) below, tags and repositories as files.
//!
//! What is known is kept in one directory, held under a lock by one program at a time: so a search for earlier attempts is
//! always final, and a task that has no result when the directory is opened is *lost*, for its processes died with the
//! program that started them. Builds run on tokio tasks, as many as are submitted: the engine limits. Nothing
//! is decided here about what is built, tagged or tried again.
//!
//! | below the state directory | |
//! | --- | --- |
//! | `tags/NAME.json`, `targets/NAME.json` | what buildroots are made from |
//! | `tasks/ID/` | `task.json`, `result.json` once ended, logs, RPMs |
//! | `repos/TAG/EVENT/` | repositories |
//! | `layers/` | unpacked buildroots; a cache |

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mbs_core::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, Effect,
    FinishedModule, TagRequest,
};
use mbs_core::bus::Hint;
use mbs_core::ident::{Arch, CommitId, TagEvent, TagName, TaskId};
use mbs_core::model::ModuleBuild;
use mbs_core::modulemd::ModuleStream;
use mbs_core::source_control::SourceError;
use tokio::sync::{Mutex as AsyncMutex, broadcast};

use crate::error::{AtPath as _, LocalError};
use crate::files::ensure_private_directory;
use crate::git::GitSourceControl;
use crate::process::Invocation;
use crate::programs::{Program, Programs};
use crate::repo::Repositories;

mod answers;
mod finished;
mod ledger;
mod record;
mod shared;
mod work;

use ledger::Ledger;
use shared::{Means, Shared};

/// How many hints may wait for a slow listener; more are dropped, which costs the listener a poll.
const WAITING_HINTS: usize = 1024;

/// Writes the files of a commit into a directory.
#[async_trait]
pub trait Checkout: std::fmt::Debug + Send + Sync + 'static {
    /// Fills `into`, which is empty or missing, with the files of a commit.
    ///
    /// # Errors
    /// As for any question to source control.
    async fn checkout(&self, repository: &str, commit: &CommitId, into: &Path) -> Result<(), SourceError>;
}

#[async_trait]
impl Checkout for GitSourceControl {
    async fn checkout(&self, repository: &str, commit: &CommitId, into: &Path) -> Result<(), SourceError> {
        GitSourceControl::checkout(self, repository, commit, into).await
    }
}

/// What builds packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Builder {
    /// `rpmbuild` in a private namespace; mock where there are no such namespaces but mock is installed.
    #[default]
    RpmbuildElseMock,
    /// Mock.
    Mock,
}

/// How this machine builds.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// Where all state is kept; made if missing.
    pub directory: PathBuf,
    /// Where finished modules are put: `module-NAME-STREAM-VERSION/results`.
    pub results: PathBuf,
    /// What builds packages.
    pub builder: Builder,
    /// Mock's own configuration to start from.
    pub mock_base: PathBuf,
    /// Directories with RPMs of modules that were built before, by their tags.
    pub known: BTreeMap<TagName, PathBuf>,
    /// How long one step of a component (source RPM, build) may take.
    pub limit: Duration,
}

impl LocalSettings {
    /// Keeps state and results in these directories; `rpmbuild`, no modules built before, a day for each step.
    pub fn new(directory: PathBuf, results: PathBuf) -> Self {
        Self {
            directory,
            results,
            builder: Builder::default(),
            mock_base: "/etc/mock/default.cfg".into(),
            known: BTreeMap::new(),
            limit: Duration::from_secs(24 * 3600),
        }
    }

    /// Programs are started elsewhere, so paths must not depend on where we are.
    fn with_absolute_paths(mut self) -> Result<Self, LocalError> {
        for path in [&mut self.directory, &mut self.results].into_iter().chain(self.known.values_mut()) {
            *path = std::path::absolute(&*path).at(&*path)?;
        }
        Ok(self)
    }
}

/// Builds packages on this machine.
#[derive(Debug, Clone)]
pub struct LocalBuildSystem {
    shared: Arc<Shared>,
}

impl LocalBuildSystem {
    /// Opens the state directory and finds out how this machine can build. Tasks without a result are lost from now on.
    ///
    /// # Errors
    /// [`LocalError::is_lack_of_machine`]: something must be installed or allowed first. `Unusable` if another program has
    /// the directory open, or a file in it cannot be understood.
    pub async fn open(
        settings: LocalSettings,
        programs: Programs,
        checkout: Arc<dyn Checkout>,
    ) -> Result<Self, LocalError> {
        let settings = settings.with_absolute_paths()?;
        ensure_private_directory(&settings.directory)?;
        let lock = exclusive_lock(&settings.directory)?;
        let repositories = Repositories::new(&programs)?;
        let arch = native_arch(&programs).await?;
        let means = Means::of_machine(&settings, programs).await?;
        let ledger = Mutex::new(Ledger::open(&settings.directory).await?);
        let shared = Shared {
            settings,
            arch,
            means,
            repositories,
            checkout,
            ledger,
            making_repo: AsyncMutex::new(()),
            hints: broadcast::Sender::new(WAITING_HINTS),
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The only architecture that is built for.
    pub fn arch(&self) -> &Arch {
        &self.shared.arch
    }

    /// Says in a few words what builds packages here.
    pub fn means(&self) -> &'static str {
        match self.shared.means {
            Means::Rpmbuild { .. } => "rpmbuild in a private namespace",
            Means::Mock(_) => "mock",
        }
    }

    /// Listens for what changed; a listener that is too slow misses some.
    pub fn hints(&self) -> broadcast::Receiver<Hint> {
        self.shared.hints.subscribe()
    }

    /// The directory with the logs of a task.
    pub fn log_directory(&self, task: TaskId) -> PathBuf {
        self.shared.ledger().task_directory(task)
    }

    /// Where a finished module is put.
    pub fn results_of(&self, build: &ModuleBuild) -> PathBuf {
        finished::results_directory(&self.shared.settings.results, build.nsvc())
    }
}

#[async_trait]
impl BuildSystem for LocalBuildSystem {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        let answers = answers::answer(&self.shared.ledger(), &self.shared.settings, questions);
        answers.map_err(|error| refusal(&error, Effect::None))
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        self.shared.ledger().ensure_buildroot(spec)
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        work::submit(&self.shared, job)
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        let tagged = self.shared.ledger().tag_all(requests);
        requests.iter().for_each(|request| self.shared.tell(Hint::Tag(request.tag.clone())));
        tagged
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        requests.iter().try_for_each(|request| self.shared.ledger().untag(request))
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        self.shared.make_repo(tag).await.map(|()| None)
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        work::cancel(&self.shared, tasks).await;
        Ok(())
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        let published = finished::publish(&self.shared, module).await;
        published.map_err(|error| refusal(&error, Effect::Unknown))
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        self.shared.ledger().remove_target(target)
    }

    async fn final_documents(
        &self,
        build: &ModuleBuild,
    ) -> Result<BTreeMap<Arch, ModuleStream>, BuildSystemError> {
        let finished = finished::final_document(&self.shared, build);
        let (document, _) = finished.map_err(|error| refusal(&error, Effect::None))?;
        Ok([(self.shared.arch.clone(), document)].into())
    }

    async fn tags_of_rpm(&self, file_name: &str) -> Result<Vec<TagName>, BuildSystemError> {
        Ok(self.shared.ledger().tags_of_rpm(file_name))
    }
}

/// Says in the trait's words why something was not done.
fn refusal(error: &LocalError, effect: Effect) -> BuildSystemError {
    let reason = error.to_string();
    match error {
        LocalError::NotAllowed { .. } => BuildSystemError::Denied { what: reason },
        LocalError::Unusable(_) | LocalError::Lacking(_) | LocalError::NoSandbox { .. } => {
            BuildSystemError::Rejected { reason }
        }
        LocalError::DiskFull { .. }
        | LocalError::Io { .. }
        | LocalError::Program { .. }
        | LocalError::TimedOut { .. } => BuildSystemError::Unavailable { reason, retry_after: None, effect },
    }
}

fn exclusive_lock(directory: &Path) -> Result<File, LocalError> {
    let path = directory.join("lock");
    let lock = File::options().create(true).append(true).open(&path).at(&path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            let what = format!("another program builds in {}: wait for it or end it", directory.display());
            Err(LocalError::Unusable(what))
        }
        Err(TryLockError::Error(error)) => Err(LocalError::of_file(&path, error)),
    }
}

async fn native_arch(programs: &Programs) -> Result<Arch, LocalError> {
    let rpm = Invocation::of(programs.find(Program::Rpm)?).args(["--eval", "%_target_cpu"]);
    let name = rpm.run().await?.printed_if_successful()?;
    Arch::new(name.trim()).map_err(|error| LocalError::Unusable(error.to_string()))
}

#[cfg(test)]
mod tests;
