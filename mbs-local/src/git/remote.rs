//! One repository elsewhere: what its refs name, and a short-lived copy of what is read from it.
//!
//! The refs are asked for once. Commits are fetched alone if the server allows that, else with everything on branches
//! and tags. A copy is never used twice, so nothing in it grows old, and a crash leaves nothing that matters.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mbs_core::ident::CommitId;
use mbs_core::source_control::SourceError;
use tempfile::TempDir;

use super::GitSettings;
use super::address::{Address, check_ref, rejected};
use super::failure::{Cause, cause, full, source_error};
use super::run::{Call, Environment, Failure};
use crate::error::LocalError;
use crate::files::check_room;

/// A fetch may take so many times longer than a question.
const FETCH_FACTOR: u32 = 10;

/// How often the size of a copy is looked at while it is fetched.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// All branches and tags, under names that no ref of the repository can take.
const EVERYTHING: [&str; 2] = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];

/// A repository whose refs are known.
#[derive(Debug)]
pub(super) struct Remote {
    settings: GitSettings,
    environment: Environment,
    address: Address,
    refs: BTreeMap<String, CommitId>,
    copy: Option<Copy>,
}

/// A bare repository that vanishes when dropped.
#[derive(Debug)]
struct Copy {
    folder: TempDir,
    is_whole: bool,
}

impl Remote {
    /// Asks for the refs of a repository.
    ///
    /// A server that redirects to the same address with `.git` behind it, as many do, is asked there.
    ///
    /// # Errors
    /// The repository cannot be read.
    pub(super) async fn ask(
        settings: &GitSettings,
        environment: &Environment,
        repository: &str,
    ) -> Result<Self, SourceError> {
        let given = Address::parse(repository, &settings.protocols)?;
        let answer = match list_refs(settings, environment, &given).await {
            Err(Failure::Refused { said }) if cause(&said) == Cause::Redirected => {
                let other = given.with_git_suffix().unwrap_or_else(|| given.clone());
                list_refs(settings, environment, &other).await.map(|refs| (other, refs))
            }
            other => other.map(|refs| (given.clone(), refs)),
        };
        let (address, listed) = answer.map_err(|failure| source_error(&given, failure))?;
        let refs = read_refs(&listed);
        Ok(Self { settings: settings.clone(), environment: environment.clone(), address, refs, copy: None })
    }

    /// Returns the address in git's spelling.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the commit at the end of a branch; `None` if there is no such branch.
    pub(super) fn head(&self, branch: &str) -> Option<&CommitId> {
        self.refs.get(&format!("refs/heads/{branch}"))
    }

    /// Finds the commit of a branch, tag, full ref or hash, the first of these that there is.
    ///
    /// # Errors
    /// `Rejected` if the text is no name at all or a hash of several commits, `NotFound` if nothing has it.
    pub(super) async fn resolve(&mut self, revision: &str) -> Result<CommitId, SourceError> {
        check_ref(revision)?;
        if let Some(commit) = self.named(revision) {
            return Ok(commit.clone());
        }
        let hash = revision.to_ascii_lowercase();
        let is_hash = (4..=64).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_hash || self.refs.is_empty() {
            return Err(self.lacks(&format!("branch, tag or commit {revision:?}")));
        }
        match CommitId::new(&*hash) {
            Ok(commit) if self.refs.values().any(|known| *known == commit) => return Ok(commit),
            Ok(commit) => self.bring(&commit).await?,
            Err(_) => self.bring_everything().await?,
        }
        self.commit_of(&hash).await
    }

    /// Fetches a commit with its files, unless it is here.
    ///
    /// # Errors
    /// The repository cannot be read. That it lacks the commit is no error.
    pub(super) async fn bring(&mut self, commit: &CommitId) -> Result<(), SourceError> {
        if self.has(commit.as_str()).await? || self.copy.as_ref().is_some_and(|copy| copy.is_whole) {
            return Ok(());
        }
        match self.fetch(&["--depth=1"], &[commit.as_str()]).await {
            Err(Failure::Refused { said }) if !is_final(cause(&said)) => self.bring_everything().await,
            other => other.map_err(|failure| self.error(failure)),
        }
    }

    /// Fetches a commit with its files, unless it is here.
    ///
    /// # Errors
    /// `NotFound` if the repository lacks the commit, else it cannot be read.
    pub(super) async fn bring_existing(&mut self, commit: &CommitId) -> Result<(), SourceError> {
        self.bring(commit).await?;
        if self.has(commit.as_str()).await? { Ok(()) } else { Err(self.lacks(&format!("commit {commit}"))) }
    }

    /// Says whether a commit is the end of a branch or lies before it.
    ///
    /// # Errors
    /// The repository cannot be read.
    pub(super) async fn is_on_branch(
        &mut self,
        commit: &CommitId,
        branch: &str,
    ) -> Result<bool, SourceError> {
        let Some(head) = self.head(branch).cloned() else { return Ok(false) };
        if head == *commit {
            return Ok(true);
        }
        self.bring_everything().await?;
        let tip = format!("refs/remotes/origin/{branch}");
        let call = self.git().await?.args(["merge-base", "--is-ancestor", commit.as_str(), &tip]);
        let finished = call.run().await.map_err(|failure| self.error(failure))?;
        Ok(finished.status.success())
    }

    /// Prepares a call of git on the copy, which is made if there is none.
    ///
    /// # Errors
    /// `Unavailable` if the copy cannot be made.
    pub(super) async fn git(&mut self) -> Result<Call, SourceError> {
        let folder = self.folder().await?;
        Ok(self.environment.git(Some(&folder)).limit(self.settings.time_limit))
    }

    /// Returns the settings it is read with.
    pub(super) fn settings(&self) -> &GitSettings {
        &self.settings
    }

    /// Makes a file that vanishes when closed.
    ///
    /// # Errors
    /// Trouble with the disk.
    pub(super) fn scratch_file(&self) -> io::Result<File> {
        let Some(parent) = &self.settings.cache_dir else { return tempfile::tempfile() };
        std::fs::create_dir_all(parent)?;
        tempfile::tempfile_in(parent)
    }

    /// Says in our words why git failed on this repository. On a full disk git words that in many ways, or says nothing at all.
    pub(super) fn error(&self, failure: Failure) -> SourceError {
        let place = || self.settings.cache_dir.clone().unwrap_or_else(std::env::temp_dir);
        let is_full = || matches!(check_room(&place()), Err(LocalError::DiskFull { .. }));
        match failure {
            Failure::Refused { .. } if is_full() => full(&self.address),
            failure => source_error(&self.address, failure),
        }
    }

    /// Says that something is not in this repository.
    pub(super) fn lacks(&self, what: &str) -> SourceError {
        SourceError::NotFound { what: format!("{what} of {}", self.address) }
    }

    fn named(&self, revision: &str) -> Option<&CommitId> {
        let names = [format!("refs/heads/{revision}"), format!("refs/tags/{revision}"), revision.to_owned()];
        names.iter().find_map(|name| self.refs.get(name))
    }

    /// Whether an object is here and is, or leads to, a commit.
    async fn has(&mut self, hash: &str) -> Result<bool, SourceError> {
        let call = self.git().await?.args(["cat-file", "-e", &format!("{hash}^{{commit}}")]);
        let finished = call.run().await.map_err(|failure| self.error(failure))?;
        Ok(finished.status.success())
    }

    /// The commit with a hash, short or full, or that of the tag with the hash.
    async fn commit_of(&mut self, hash: &str) -> Result<CommitId, SourceError> {
        let asked = format!("{hash}^{{commit}}");
        let call = self.git().await?.args(["rev-parse", "--verify", "--end-of-options", &asked]);
        let finished = call.run().await.map_err(|failure| self.error(failure))?;
        if !finished.status.success() && finished.said.contains("ambiguous") {
            return Err(rejected(format!(
                "{hash:?} is the beginning of several commits of {}",
                self.address
            )));
        }
        let printed = String::from_utf8_lossy(&finished.printed);
        CommitId::new(printed.trim()).map_err(|_| self.lacks(&format!("commit {hash}")))
    }

    async fn bring_everything(&mut self) -> Result<(), SourceError> {
        let folder = self.folder().await?;
        if self.copy.as_ref().is_some_and(|copy| copy.is_whole) {
            return Ok(());
        }
        let options: &[&str] = if folder.join("shallow").exists() { &["--unshallow"] } else { &[] };
        self.fetch(options, &EVERYTHING).await.map_err(|failure| self.error(failure))?;
        if let Some(copy) = &mut self.copy {
            copy.is_whole = true;
        }
        Ok(())
    }

    async fn fetch(&mut self, options: &[&str], refspecs: &[&str]) -> Result<(), Failure> {
        let folder = self.folder_or_failure().await?;
        let call = self.environment.git(Some(&folder)).limit(self.settings.time_limit * FETCH_FACTOR);
        let call = call.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]).args(options);
        let call = call.args(["--end-of-options", &self.address.to_string()]).args(refspecs);
        let most = self.settings.max_fetch_bytes;
        tokio::select! {
            fetched = call.printed() => fetched.map(drop)?,
            () = outgrown(&folder, most) => return Err(Failure::TooMuch(most)),
        }
        if packed_bytes(&folder) > most { Err(Failure::TooMuch(most)) } else { Ok(()) }
    }

    async fn folder(&mut self) -> Result<PathBuf, SourceError> {
        self.folder_or_failure().await.map_err(|failure| self.error(failure))
    }

    async fn folder_or_failure(&mut self) -> Result<PathBuf, Failure> {
        if let Some(copy) = &self.copy {
            return Ok(copy.folder.path().to_owned());
        }
        let folder = scratch_folder(self.settings.cache_dir.as_deref()).map_err(Failure::NotStarted)?;
        let is_long = self.refs.values().any(|commit| commit.as_str().len() == 64);
        let format = if is_long { "--object-format=sha256" } else { "--object-format=sha1" };
        let call = self.environment.git(None).limit(self.settings.time_limit);
        let call = call.args(["init", "--quiet", "--bare", format, "--"]).args([folder.path()]);
        call.printed().await?;
        let path = folder.path().to_owned();
        self.copy = Some(Copy { folder, is_whole: false });
        Ok(path)
    }
}

/// Whether another way of asking cannot help.
fn is_final(cause: Cause) -> bool {
    match cause {
        Cause::NotOffered => false,
        Cause::Redirected | Cause::Absent | Cause::Denied(_) | Cause::Passing(_) => true,
    }
}

/// An empty folder that vanishes when dropped.
fn scratch_folder(parent: Option<&Path>) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    let named = builder.prefix("mbs-git-");
    match parent {
        Some(parent) => std::fs::create_dir_all(parent).and_then(|()| named.tempdir_in(parent)),
        None => named.tempdir(),
    }
}

async fn list_refs(
    settings: &GitSettings,
    environment: &Environment,
    address: &Address,
) -> Result<Vec<u8>, Failure> {
    let call = environment.git(None).limit(settings.time_limit);
    call.args(["ls-remote", "--quiet", "--end-of-options", &address.to_string()]).printed().await
}

/// Reads lines of hash and ref. What an annotated tag leads to replaces the tag itself.
fn read_refs(listed: &[u8]) -> BTreeMap<String, CommitId> {
    let text = String::from_utf8_lossy(listed);
    let mut refs = BTreeMap::new();
    for (hash, name) in text.lines().filter_map(|line| line.split_once('\t')) {
        if let Ok(commit) = CommitId::new(hash) {
            refs.insert(name.strip_suffix("^{}").unwrap_or(name).to_owned(), commit);
        }
    }
    refs
}

/// Returns when a copy has become too large.
async fn outgrown(folder: &Path, most: u64) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        if packed_bytes(folder) > most {
            return;
        }
    }
}

/// The size of the packs of a copy, unfinished ones included.
fn packed_bytes(folder: &Path) -> u64 {
    let Ok(files) = std::fs::read_dir(folder.join("objects/pack")) else { return 0 };
    files.filter_map(|file| file.ok()?.metadata().ok()).map(|of| of.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotated_tags_are_read_as_what_they_lead_to() {
        let (tag, commit) = ("a".repeat(40), "b".repeat(40));
        let listed = format!("{commit}\tHEAD\n{tag}\trefs/tags/v1\n{commit}\trefs/tags/v1^{{}}\nnonsense\n");
        let refs = read_refs(listed.as_bytes());
        let names: Vec<_> = refs.iter().map(|(name, commit)| (name.as_str(), commit.as_str())).collect();
        assert_eq!(names, [("HEAD", &*commit), ("refs/tags/v1", &*commit)]);
    }
}
