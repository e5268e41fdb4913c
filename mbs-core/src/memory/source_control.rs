//! Repositories in memory: branches, tags, commits with times and files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use sha1::{Digest, Sha1};

use crate::ident::{CommitId, Name, Stream};
use crate::source_control::{Fetched, Place, RefQuestion, SourceControl, SourceError};

/// So many characters at least make a short commit.
const SHORTEST_COMMIT: usize = 4;

/// Repositories that a program fills by hand. A repository exists once something was committed to it.
#[derive(Debug, Default)]
pub struct MemorySourceControl {
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    repositories: BTreeMap<String, Repository>,
    commits_made: u64,
}

#[derive(Debug, Default)]
struct Repository {
    /// Branch → its commits, oldest first.
    branches: BTreeMap<String, Vec<CommitId>>,
    tags: BTreeMap<String, CommitId>,
    commits: BTreeMap<CommitId, Commit>,
    defaults: BTreeMap<String, BTreeMap<Name, Stream>>,
    outage: Option<String>,
}

#[derive(Debug, Clone)]
struct Commit {
    at: Timestamp,
    files: BTreeMap<String, String>,
}

impl MemorySourceControl {
    /// Makes a source control without repositories.
    pub fn new() -> Self {
        Self::default()
    }

    /// Commits files on top of a branch and returns the commit; other files stay as they are. Repository and branch come
    /// into being with their first commit.
    pub fn commit(&self, repository: &str, branch: &str, at: Timestamp, files: &[(&str, &str)]) -> CommitId {
        let mut shelf = self.shelf();
        shelf.commits_made += 1;
        let id = commit_id(repository, shelf.commits_made);
        let repository = shelf.repositories.entry(repository.to_owned()).or_default();
        let history = repository.branches.entry(branch.to_owned()).or_default();
        let last = history.last().and_then(|last| repository.commits.get(last));
        let mut all = last.map(|last| last.files.clone()).unwrap_or_default();
        all.extend(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
        history.push(id.clone());
        repository.commits.insert(id.clone(), Commit { at, files: all });
        id
    }

    /// Begins a branch at the newest commit of another.
    ///
    /// # Errors
    /// `NotFound` without that repository or branch, `Rejected` if the new branch exists.
    pub fn branch(&self, repository: &str, from: &str, new: &str) -> Result<(), SourceError> {
        self.change(repository, |found| {
            let history = found.history(repository, from)?.to_vec();
            if found.branches.contains_key(new) {
                return Err(SourceError::Rejected {
                    reason: format!("{repository} has a branch {new} already"),
                });
            }
            found.branches.insert(new.to_owned(), history);
            Ok(())
        })
    }

    /// Names a commit by a tag; an older tag of that name moves.
    ///
    /// # Errors
    /// `NotFound` without that repository or commit.
    pub fn tag(&self, repository: &str, tag: &str, commit: &CommitId) -> Result<(), SourceError> {
        self.change(repository, |found| {
            found.file_tree(repository, commit)?;
            found.tags.insert(tag.to_owned(), commit.clone());
            Ok(())
        })
    }

    /// Says which default streams a branch of a repository names.
    ///
    /// # Errors
    /// `NotFound` without that repository or branch.
    pub fn set_default_streams(
        &self,
        repository: &str,
        branch: &str,
        streams: BTreeMap<Name, Stream>,
    ) -> Result<(), SourceError> {
        self.change(repository, |found| {
            found.history(repository, branch)?;
            found.defaults.insert(branch.to_owned(), streams);
            Ok(())
        })
    }

    /// Cuts a repository off: until [`reconnect`](Self::reconnect) it is `Unavailable` for this reason.
    ///
    /// # Errors
    /// `NotFound` without that repository.
    pub fn cut_off(&self, repository: &str, reason: &str) -> Result<(), SourceError> {
        let outage = Some(reason.to_owned());
        self.shelf().repository_mut(repository).map(|found| found.outage = outage)
    }

    /// Makes a repository reachable again.
    ///
    /// # Errors
    /// `NotFound` without that repository.
    pub fn reconnect(&self, repository: &str) -> Result<(), SourceError> {
        self.shelf().repository_mut(repository).map(|found| found.outage = None)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("nothing panics while it holds the shelf")
    }

    fn change(
        &self,
        repository: &str,
        change: impl FnOnce(&mut Repository) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        change(self.shelf().repository_mut(repository)?)
    }
}

#[async_trait]
impl SourceControl for MemorySourceControl {
    async fn documents(&self, places: &[Place]) -> Result<Vec<Result<Fetched, SourceError>>, SourceError> {
        let shelf = self.shelf();
        Ok(places.iter().map(|place| shelf.fetch(place)).collect())
    }

    async fn resolve_refs(
        &self,
        questions: &BTreeSet<RefQuestion>,
    ) -> Result<BTreeMap<RefQuestion, Result<CommitId, SourceError>>, SourceError> {
        let shelf = self.shelf();
        let resolve = |question: &RefQuestion| {
            let repository = shelf.reach(&question.repository)?;
            repository.resolve(&question.repository, &question.git_ref)
        };
        Ok(questions.iter().map(|question| (question.clone(), resolve(question))).collect())
    }

    async fn default_streams(
        &self,
        repository: &str,
        branch: &str,
    ) -> Result<Option<BTreeMap<Name, Stream>>, SourceError> {
        let shelf = self.shelf();
        let found = shelf.reach(repository)?;
        let exists = found.branches.contains_key(branch);
        Ok(exists.then(|| found.defaults.get(branch).cloned().unwrap_or_default()))
    }
}

impl Shelf {
    fn repository_mut(&mut self, address: &str) -> Result<&mut Repository, SourceError> {
        self.repositories.get_mut(address).ok_or_else(|| no_repository(address))
    }

    /// Returns a repository that can be reached.
    fn reach(&self, address: &str) -> Result<&Repository, SourceError> {
        let found = self.repositories.get(address).ok_or_else(|| no_repository(address))?;
        match &found.outage {
            None => Ok(found),
            Some(reason) => {
                Err(SourceError::Unavailable { repository: address.to_owned(), reason: reason.clone() })
            }
        }
    }

    fn fetch(&self, place: &Place) -> Result<Fetched, SourceError> {
        let address = &place.repository;
        let repository = self.reach(address)?;
        let commit = repository.resolve(address, &place.revision)?;
        if let Some(branch) = &place.branch
            && !repository.history(address, branch)?.contains(&commit)
        {
            return Err(SourceError::NotOnBranch { commit: place.revision.clone(), branch: branch.clone() });
        }
        let found = repository.file_tree(address, &commit)?;
        let text = found.files.get(&place.path).cloned();
        let text =
            text.ok_or_else(|| not_found(format!("the file {} at {commit} in {address}", place.path)))?;
        Ok(Fetched { commit, committed_at: found.at, text })
    }
}

impl Repository {
    fn history(&self, address: &str, branch: &str) -> Result<&[CommitId], SourceError> {
        let history = self.branches.get(branch).map(Vec::as_slice);
        history.ok_or_else(|| not_found(format!("the branch {branch} of {address}")))
    }

    fn file_tree(&self, address: &str, commit: &CommitId) -> Result<&Commit, SourceError> {
        self.commits.get(commit).ok_or_else(|| not_found(format!("the commit {commit} in {address}")))
    }

    /// Finds a commit: by branch, then by tag, then by its full or short hash.
    fn resolve(&self, address: &str, git_ref: &str) -> Result<CommitId, SourceError> {
        if git_ref.is_empty() || git_ref.starts_with('-') {
            return Err(SourceError::Rejected { reason: format!("{git_ref:?} is no ref of {address}") });
        }
        let of_branch = self.branches.get(git_ref).and_then(|history| history.last());
        if let Some(commit) = of_branch.or(self.tags.get(git_ref)) {
            return Ok(commit.clone());
        }
        let begins = |commit: &&CommitId| commit.as_str().starts_with(git_ref);
        let matching: Vec<&CommitId> = self.commits.keys().filter(begins).collect();
        match matching[..] {
            [commit] if git_ref.len() >= SHORTEST_COMMIT => Ok(commit.clone()),
            [_, _, ..] if git_ref.len() >= SHORTEST_COMMIT => {
                let reason = format!("{git_ref} names more than one commit of {address}");
                Err(SourceError::Rejected { reason })
            }
            _ => Err(not_found(format!("the ref {git_ref} of {address}"))),
        }
    }
}

/// Makes a commit's hash: the same program gets the same ones each time.
fn commit_id(repository: &str, number: u64) -> CommitId {
    let digest = Sha1::digest(format!("{repository} {number}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    CommitId::new(hex).expect("a SHA-1 is 40 hexadecimal digits")
}

fn not_found(what: String) -> SourceError {
    SourceError::NotFound { what }
}

fn no_repository(address: &str) -> SourceError {
    not_found(format!("the repository {address}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::samples::{at, now_or_panic};

    const REPO: &str = "https://src.example.com/modules/app";

    fn place(revision: &str, branch: Option<&str>, path: &str) -> Place {
        Place {
            repository: REPO.into(),
            revision: revision.into(),
            branch: branch.map(str::to_owned),
            path: path.into(),
        }
    }

    fn fetch(sources: &MemorySourceControl, place: Place) -> Result<Fetched, SourceError> {
        now_or_panic(sources.documents(&[place])).unwrap().remove(0)
    }

    fn resolve(sources: &MemorySourceControl, git_ref: &str) -> Result<CommitId, SourceError> {
        let question = RefQuestion { repository: REPO.into(), git_ref: git_ref.into() };
        let mut answers = now_or_panic(sources.resolve_refs(&BTreeSet::from([question.clone()]))).unwrap();
        answers.remove(&question).unwrap()
    }

    #[test]
    fn a_branch_wins_over_a_tag_and_both_over_a_hash() {
        let sources = MemorySourceControl::new();
        let first = sources.commit(REPO, "main", at(1), &[]);
        let second = sources.commit(REPO, "main", at(2), &[]);
        assert_eq!(resolve(&sources, &first.as_str()[..8]), Ok(first.clone()));
        assert_eq!(resolve(&sources, first.as_str()), Ok(first.clone()));
        sources.tag(REPO, "v1", &first).unwrap();
        assert_eq!(resolve(&sources, "v1"), Ok(first.clone()));
        sources.tag(REPO, "main", &first).unwrap();
        assert_eq!(resolve(&sources, "main"), Ok(second.clone()));
        sources.tag(REPO, &first.as_str()[..8], &second).unwrap();
        assert_eq!(resolve(&sources, &first.as_str()[..8]), Ok(second));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let sources = MemorySourceControl::new();
        let missing = |outcome: Result<CommitId, SourceError>| match outcome {
            Err(SourceError::NotFound { what }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(missing(resolve(&sources, "main")), format!("the repository {REPO}"));
        let commit = sources.commit(REPO, "main", at(1), &[]);
        assert_eq!(missing(resolve(&sources, "f29")), format!("the ref f29 of {REPO}"));
        assert_eq!(missing(resolve(&sources, &commit.as_str()[..3])).split(' ').next(), Some("the"));
        let file = fetch(&sources, place("main", None, "app.yaml"));
        assert_eq!(file, Err(not_found(format!("the file app.yaml at {commit} in {REPO}"))));
    }

    #[test]
    fn one_repository_out_of_reach_spoils_no_other_answer() {
        let sources = MemorySourceControl::new();
        sources.commit(REPO, "main", at(1), &[("f", "1")]);
        sources.commit("other", "main", at(1), &[("f", "2")]);
        sources.cut_off(REPO, "no route").unwrap();
        let places =
            [place("main", None, "f"), Place { repository: "other".into(), ..place("main", None, "f") }];
        let answers = now_or_panic(sources.documents(&places)).unwrap();
        assert!(answers[0].as_ref().is_err_and(SourceError::is_transient));
        assert_eq!(answers[1].as_ref().unwrap().text, "2");
        sources.reconnect(REPO).unwrap();
        assert!(fetch(&sources, place("main", None, "f")).is_ok());
    }
}
