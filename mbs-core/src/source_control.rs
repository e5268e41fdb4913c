//! The trait of whatever keeps documents and package sources: git, memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ident::{CommitId, Name, Stream};

/// Reads repositories. It never decides which ref or document is wanted.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SourceControl: Debug + Send + Sync + 'static {
    /// Fetches one file per place, with the commit it is from. Answers stand in the order of the places.
    ///
    /// # Errors
    /// The outer error: nothing could be asked. The inner ones concern one place each.
    async fn documents(&self, places: &[Place]) -> Result<Vec<Result<Fetched, SourceError>>, SourceError>;

    /// Resolves refs to full commits, all of them in parallel. Every question is answered.
    ///
    /// A branch of that name wins, then what git makes of it: a tag, a short or full hash.
    ///
    /// # Errors
    /// The outer error: nothing could be asked. The inner ones concern one question each.
    async fn resolve_refs(
        &self,
        questions: &BTreeSet<RefQuestion>,
    ) -> Result<BTreeMap<RefQuestion, Result<CommitId, SourceError>>, SourceError>;

    /// Reads the default streams that a repository of module defaults names on a branch: module → stream. `None` if the
    /// branch does not exist. Documents in `overrides/` win.
    ///
    /// # Errors
    /// `Rejected` if a document is broken, naming it.
    async fn default_streams(
        &self,
        repository: &str,
        branch: &str,
    ) -> Result<Option<BTreeMap<Name, Stream>>, SourceError>;
}

/// A file at a revision of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The repository's address.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// The commit must be on this branch; `None`: any.
    pub branch: Option<String>,
    /// The file's path inside the repository.
    pub path: String,
}

/// A file as it was at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The commit.
    pub commit: CommitId,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// The file's content.
    pub text: String,
}

/// A ref of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefQuestion {
    /// The repository's address.
    pub repository: String,
    /// Branch, tag, short or full commit.
    pub git_ref: String,
}

/// Why sources could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The repository, ref or file does not exist. The packager mends the document or pushes.
    #[error("{what} does not exist")]
    NotFound {
        /// Kind, name and repository of what is missing.
        what: String,
    },
    /// The commit is not on the branch it should be on.
    #[error("Commit {commit} is not in branch {branch}.")]
    NotOnBranch {
        /// The commit asked for.
        commit: String,
        /// The branch it should be on.
        branch: String,
    },
    /// The repository wants a login, or its protocol is not among the allowed ones.
    #[error("not allowed: {what}")]
    Denied {
        /// The repository and the reason.
        what: String,
    },
    /// The address or ref is malformed, or what was read is unusable.
    #[error("{reason}")]
    Rejected {
        /// What is wrong, with the address.
        reason: String,
    },
    /// The repository cannot be reached or did not answer in time. Ask again later.
    #[error("the repository {repository} cannot be read: {reason}")]
    Unavailable {
        /// Its address.
        repository: String,
        /// What happened.
        reason: String,
    },
}

impl SourceError {
    /// Says whether asking again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
