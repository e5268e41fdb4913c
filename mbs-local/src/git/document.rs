//! Single files at a commit: the documents that people submit.
//!
//! A document is a plain file of bounded size with UTF-8 text. A link is none, wherever it leads. Whether the text makes
//! sense is decided elsewhere.

use jiff::Timestamp;
use mbs_core::ident::CommitId;
use mbs_core::source_control::{Fetched, Place, SourceError};

use super::address::{check_path, check_ref, rejected};
use super::remote::Remote;
use super::tree::{Entry, Kind, Part};

impl Remote {
    /// Fetches the file at a place.
    ///
    /// # Errors
    /// `NotFound` if there is no such revision or file, `NotOnBranch` if the commit or the branch is not where it should be,
    /// `Rejected` if the file is no readable text or a name is malformed.
    pub(super) async fn document(&mut self, place: &Place) -> Result<Fetched, SourceError> {
        check_path(&place.path)?;
        place.branch.as_deref().map_or(Ok(()), check_ref)?;
        let commit = self.resolve(&place.revision).await?;
        if let Some(branch) = &place.branch
            && !self.is_on_branch(&commit, branch).await?
        {
            let commit = place.revision.clone();
            return Err(SourceError::NotOnBranch { commit, branch: branch.clone() });
        }
        self.bring_existing(&commit).await?;
        let committed_at = self.committed_at(&commit).await?;
        let text = self.text(&commit, &place.path).await?;
        Ok(Fetched { commit, committed_at, text })
    }

    async fn committed_at(&mut self, commit: &CommitId) -> Result<Timestamp, SourceError> {
        let call = self.git().await?.args(["log", "-1", "--format=%ct", commit.as_str()]);
        let printed = call.printed().await.map_err(|failure| self.error(failure))?;
        let seconds = String::from_utf8_lossy(&printed).trim().parse().ok();
        seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| {
            rejected(format!("the time of commit {commit} of {} makes no sense", self.address()))
        })
    }

    async fn text(&mut self, commit: &CommitId, path: &str) -> Result<String, SourceError> {
        let entries = self.entries(commit, Part::Path(path)).await?;
        let what = format!("the file {path} at commit {commit}");
        let Some(entry) = entries.first() else { return Err(self.lacks(&what)) };
        let refused = |why: String| rejected(format!("{what} of {} {why}", self.address()));
        self.check_readable(entry).map_err(&refused)?;
        let mut contents = self.contents(&entries[..1], entry.size).await?;
        let bytes = contents.next_bytes(entry).map_err(|error| self.disk(&error))?;
        let refused = |why: &str| rejected(format!("{what} of {} {why}", self.address()));
        String::from_utf8(bytes).map_err(|_| refused("is not UTF-8 text"))
    }

    fn check_readable(&self, entry: &Entry) -> Result<(), String> {
        let most = self.settings().max_file_bytes;
        match entry.kind {
            Kind::Link => Err("is a symbolic link; links are not followed".into()),
            Kind::Folder => Err("is a folder".into()),
            Kind::Submodule => Err("is another repository".into()),
            Kind::File | Kind::Program if entry.size > most => {
                Err(format!("is {} bytes large, {most} are allowed", entry.size))
            }
            Kind::File | Kind::Program => Ok(()),
        }
    }
}
