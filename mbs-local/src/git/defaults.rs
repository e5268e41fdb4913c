//! Which stream of a module a distribution prefers: the documents of a repository of module defaults.
//!
//! What lies in the root counts, and what lies in `overrides/` beats it, whatever its age. Within each, the newer document of
//! a module beats the older. It never decides whether a default is used.

use std::collections::BTreeMap;

use mbs_core::ident::{CommitId, Name, Stream};
use mbs_core::modulemd::{Defaults, Document, Limits, Problems, read_bytes};
use mbs_core::source_control::SourceError;

use super::address::rejected;
use super::remote::Remote;
use super::tree::{Entry, Kind, Part};

/// The folder whose documents win.
const OVERRIDES: &str = "overrides";

impl Remote {
    /// Reads the default streams that a commit names.
    ///
    /// # Errors
    /// `Rejected` if a document is broken or two contradict each other.
    pub(super) async fn default_streams(
        &mut self,
        commit: &CommitId,
    ) -> Result<BTreeMap<Name, Stream>, SourceError> {
        self.bring(commit).await?;
        let mut found = self.defaults_in(commit, "").await?;
        found.extend(self.defaults_in(commit, OVERRIDES).await?);
        let usable = found.into_values().filter_map(|of| of.stream.map(|stream| (of.module, stream)));
        let named = usable.map(|(name, stream)| Ok((Name::new(name)?, Stream::new(stream)?)));
        named.collect::<Result<_, mbs_core::ident::InvalidIdent>>().map_err(|error| {
            rejected(format!("the module defaults of {} cannot be used: {error}", self.address()))
        })
    }

    async fn defaults_in(
        &mut self,
        commit: &CommitId,
        folder: &str,
    ) -> Result<BTreeMap<String, Defaults>, SourceError> {
        let mut files = self.entries(commit, Part::Folder(folder)).await?;
        files.retain(is_document);
        let limits = Limits::default();
        let most = limits.bytes as u64 * 4;
        let mut contents = self.contents(&files, most).await?;
        let mut found = BTreeMap::new();
        for file in &files {
            let bytes = contents.next_bytes(file).map_err(|error| self.disk(&error))?;
            let name = file.path.to_string_lossy();
            for defaults in read_defaults(&bytes, &name, &limits).map_err(|reason| self.unusable(&reason))? {
                add(&mut found, defaults).map_err(|reason| self.unusable(&format!("{name}: {reason}")))?;
            }
        }
        Ok(found)
    }

    fn unusable(&self, reason: &str) -> SourceError {
        rejected(format!("the module defaults of {} cannot be used: {reason}", self.address()))
    }
}

fn is_document(entry: &Entry) -> bool {
    let is_file = matches!(entry.kind, Kind::File | Kind::Program);
    is_file && entry.path.extension().is_some_and(|ending| ending == "yaml")
}

/// The defaults documents of a file; others are passed over.
fn read_defaults(bytes: &[u8], file: &str, limits: &Limits) -> Result<Vec<Defaults>, String> {
    let read = read_bytes(bytes, Some(file), limits);
    if !read.is_fine() {
        return Err(Problems(read.problems).to_string());
    }
    let defaults = read.documents.into_iter().filter_map(|located| match located.document {
        Document::Defaults(defaults) => Some(defaults),
        _ => None,
    });
    Ok(defaults.collect())
}

/// Adds a document to those of its folder: the newer wins; of two of one age, one without a stream yields.
fn add(found: &mut BTreeMap<String, Defaults>, new: Defaults) -> Result<(), String> {
    let Some(known) = found.get_mut(&new.module) else {
        found.insert(new.module.clone(), new);
        return Ok(());
    };
    let age = new.modified.unwrap_or(0).cmp(&known.modified.unwrap_or(0));
    let is_same = known.stream == new.stream || new.stream.is_none();
    if age.is_gt() || (age.is_eq() && known.stream.is_none()) {
        *known = new;
    } else if age.is_eq() && !is_same {
        return Err(format!("the module {} has two default streams of the same age", new.module));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults(stream: Option<&str>, modified: u64) -> Defaults {
        let stream = stream.map(str::to_owned);
        Defaults { module: "m".into(), modified: Some(modified), stream, ..Defaults::default() }
    }

    fn merged(documents: [Defaults; 2]) -> Result<Option<String>, String> {
        let mut found = BTreeMap::new();
        documents.into_iter().try_for_each(|document| add(&mut found, document))?;
        Ok(found["m"].stream.clone())
    }

    #[test]
    fn newer_document_of_a_folder_wins_in_either_order() {
        let (old, new) = (defaults(Some("1"), 1), defaults(Some("2"), 2));
        assert_eq!(merged([old.clone(), new.clone()]).unwrap().unwrap(), "2");
        assert_eq!(merged([new, old.clone()]).unwrap().unwrap(), "2");
        assert_eq!(merged([old, defaults(None, 2)]).unwrap(), None);
    }

    #[test]
    fn documents_of_one_age_must_agree() {
        let (one, two) = (defaults(Some("1"), 1), defaults(Some("2"), 1));
        assert!(merged([one.clone(), two]).unwrap_err().contains("two default streams"));
        assert_eq!(merged([one.clone(), defaults(None, 1)]).unwrap().unwrap(), "1");
        assert_eq!(merged([defaults(None, 1), one]).unwrap().unwrap(), "1");
    }
}
