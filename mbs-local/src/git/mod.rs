//! Git as source control, through the git program.
//!
//! It reads repositories: what a ref names, single files, whole trees, module defaults. It never writes to one, never runs
//! anything that a repository brings along, and never decides which repository or ref is wanted. What people give
//! is checked before git starts; what git says is turned into words that a packager can use. Each question to a repository
//! starts with its refs, and what is fetched lives in a folder that goes when the question is answered.
//!
//! | concern | where |
//! | --- | --- |
//! | which texts git may see | `address` |
//! | how git is started and stopped | `run` |
//! | what git's complaints mean | `failure` |
//! | refs, commits, the short-lived copy | `remote` |
//! | single files | `document` |
//! | trees | `tree` |
//! | module defaults | `defaults` |

mod address;
mod defaults;
mod document;
mod failure;
mod remote;
mod run;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mbs_core::ident::{CommitId, Name, Stream};
use mbs_core::source_control::{Fetched, Place, RefQuestion, SourceControl, SourceError};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

pub use address::Protocol;

use address::{check_ref, rejected};
use failure::no_git;
use remote::Remote;
use run::Environment;
use tree::Part;

/// The oldest git that knows all we ask of it, such as settings in variables.
const OLDEST: (u32, u32) = (2, 31);

/// How git is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSettings {
    /// Protocols that addresses may name. By default `https` only.
    ///
    /// Git itself may also use those to which `url.….insteadOf` in the variables `GIT_CONFIG_*` leads.
    pub protocols: BTreeSet<Protocol>,
    /// How long one question to a repository may take; a fetch may take ten times as long.
    pub time_limit: Duration,
    /// How many repositories are read at a time; 0 counts as 1.
    pub parallel: usize,
    /// Where the short-lived copies lie; made if missing. `None`: in the system's folder for temporary files.
    pub cache_dir: Option<PathBuf>,
    /// Largest single document, in bytes.
    pub max_file_bytes: u64,
    /// Largest sum of the files of a commit that is checked out, in bytes.
    pub max_tree_bytes: u64,
    /// Most that is fetched from one repository, in bytes, packed.
    pub max_fetch_bytes: u64,
}

impl Default for GitSettings {
    fn default() -> Self {
        Self {
            protocols: [Protocol::Https].into(),
            time_limit: Duration::from_secs(60),
            parallel: 16,
            cache_dir: None,
            max_file_bytes: 4 << 20,
            max_tree_bytes: 1 << 30,
            max_fetch_bytes: 4 << 30,
        }
    }
}

/// Source control over the git program (2.31 or newer), which it finds along `PATH`.
#[derive(Debug, Clone)]
pub struct GitSourceControl {
    settings: GitSettings,
    environment: Environment,
    turns: Arc<Semaphore>,
    checked: Arc<OnceCell<()>>,
}

impl GitSourceControl {
    /// Prepares the use of git; nothing is started.
    ///
    /// Of this process's variables git sees those that lead to the network (proxies, certificates) and the operator's own
    /// settings in `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_…`, `GIT_CONFIG_VALUE_…`.
    pub fn new(settings: GitSettings) -> Self {
        Self::with_variables(settings, std::env::vars_os())
    }

    /// Prepares the use of git with other variables than those of this process.
    pub fn with_variables(
        settings: GitSettings,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let environment = Environment::new(&settings.protocols, variables);
        let turns = Arc::new(Semaphore::new(settings.parallel.max(1)));
        Self { settings, environment, turns, checked: Arc::default() }
    }

    /// Writes the files of a commit into an empty folder, which is made if missing. There is no `.git` in it.
    ///
    /// Files have their exact bytes; submodules are left out. After an error the folder may hold a part.
    ///
    /// # Errors
    /// `NotFound` if the repository or commit does not exist; `Rejected` if the folder is not empty, the files are too large
    /// together, or a path or link leads out of the tree; `Denied`, `Unavailable` as everywhere.
    pub async fn checkout(
        &self,
        repository: &str,
        commit: &CommitId,
        into: &Path,
    ) -> Result<(), SourceError> {
        self.check_git().await?;
        let (_turn, mut remote) = self.open(repository).await?;
        remote.bring_existing(commit).await?;
        make_empty(into).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty => rejected(format!("{} is not empty", into.display())),
            _ => remote.disk(&error),
        })?;
        let unusable =
            |reason: &str| rejected(format!("commit {commit} of {repository} is unusable: {reason}"));
        let listed = remote.entries(commit, Part::Whole).await?;
        let entries = tree::writable(listed).map_err(|reason| unusable(&reason))?;
        let contents = remote.contents(&entries, self.settings.max_tree_bytes).await?;
        let folder = into.to_owned();
        let writing = tokio::task::spawn_blocking(move || tree::write_tree(&folder, &entries, contents));
        let written = writing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        written.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => unusable(&error.to_string()),
            _ => remote.disk(&error),
        })
    }

    /// Checks once that there is a git, and a usable one.
    async fn check_git(&self) -> Result<(), SourceError> {
        let unavailable =
            |reason: String| SourceError::Unavailable { repository: "in question".into(), reason };
        let check = async || {
            self.environment.find_git().map_err(|lacking| unavailable(lacking.to_string()))?;
            let call = self.environment.git(None).limit(self.settings.time_limit).args(["--version"]);
            let printed = call.printed().await.map_err(|failure| unavailable(no_git(&failure)))?;
            match version(&String::from_utf8_lossy(&printed)) {
                Some(version) if version >= OLDEST => Ok(()),
                _ => Err(unavailable(format!("git {}.{} or newer is needed", OLDEST.0, OLDEST.1))),
            }
        };
        self.checked.get_or_try_init(check).await.copied()
    }

    /// Waits until one more repository may be read, and asks for its refs.
    async fn open(&self, repository: &str) -> Result<(OwnedSemaphorePermit, Remote), SourceError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect("the semaphore is never closed");
        Ok((turn, Remote::ask(&self.settings, &self.environment, repository).await?))
    }

    /// Answers questions in their order, each repository asked once, different ones in parallel.
    async fn ask_all<Q: Question>(&self, questions: Vec<Q>) -> Result<Vec<Answered<Q>>, SourceError> {
        self.check_git().await?;
        let mut by_repository: BTreeMap<String, Vec<(usize, Q)>> = BTreeMap::new();
        for (index, question) in questions.into_iter().enumerate() {
            by_repository.entry(question.repository().to_owned()).or_default().push((index, question));
        }
        let mut running = JoinSet::new();
        for (repository, questions) in by_repository {
            running.spawn(self.clone().ask_one(repository, questions));
        }
        let mut answers: Vec<(usize, Answered<Q>)> = running.join_all().await.into_iter().flatten().collect();
        answers.sort_by_key(|(index, _)| *index);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    /// Answers all questions about one repository.
    async fn ask_one<Q: Question>(
        self,
        repository: String,
        questions: Vec<(usize, Q)>,
    ) -> Vec<(usize, Answered<Q>)> {
        let (_turn, mut remote) = match self.open(&repository).await {
            Ok(opened) => opened,
            Err(error) => return questions.iter().map(|(index, _)| (*index, Err(error.clone()))).collect(),
        };
        let mut answers = Vec::with_capacity(questions.len());
        for (index, question) in questions {
            answers.push((index, question.answer(&mut remote).await));
        }
        answers
    }
}

/// What can be asked about a repository.
trait Question: Send + Sync + 'static {
    /// What comes back.
    type Answer: Send + 'static;

    /// Names the repository, as given.
    fn repository(&self) -> &str;

    /// Asks it.
    fn answer(&self, remote: &mut Remote) -> impl Future<Output = Result<Self::Answer, SourceError>> + Send;
}

type Answered<Q> = Result<<Q as Question>::Answer, SourceError>;

impl Question for Place {
    type Answer = Fetched;

    fn repository(&self) -> &str {
        &self.repository
    }

    async fn answer(&self, remote: &mut Remote) -> Result<Fetched, SourceError> {
        remote.document(self).await
    }
}

impl Question for RefQuestion {
    type Answer = CommitId;

    fn repository(&self) -> &str {
        &self.repository
    }

    async fn answer(&self, remote: &mut Remote) -> Result<CommitId, SourceError> {
        remote.resolve(&self.git_ref).await
    }
}

#[async_trait]
impl SourceControl for GitSourceControl {
    async fn documents(&self, places: &[Place]) -> Result<Vec<Result<Fetched, SourceError>>, SourceError> {
        self.ask_all(places.to_vec()).await
    }

    async fn resolve_refs(
        &self,
        questions: &BTreeSet<RefQuestion>,
    ) -> Result<BTreeMap<RefQuestion, Result<CommitId, SourceError>>, SourceError> {
        let answers = self.ask_all(questions.iter().cloned().collect()).await?;
        Ok(questions.iter().cloned().zip(answers).collect())
    }

    async fn default_streams(
        &self,
        repository: &str,
        branch: &str,
    ) -> Result<Option<BTreeMap<Name, Stream>>, SourceError> {
        check_ref(branch)?;
        self.check_git().await?;
        let (_turn, mut remote) = self.open(repository).await?;
        match remote.head(branch).cloned() {
            Some(commit) => remote.default_streams(&commit).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Reads `git version 2.47.3` and its relatives.
fn version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Makes a folder and its parents, or finds it empty.
fn make_empty(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    match std::fs::read_dir(folder)?.next() {
        None => Ok(()),
        Some(_) => Err(io::ErrorKind::DirectoryNotEmpty.into()),
    }
}
