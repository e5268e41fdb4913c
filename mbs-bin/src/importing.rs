//! The document of a module that was built elsewhere, read for whoever takes it in: the REST interface and `mbs-manager import`.
//! What such a document must say is decided in the core.

use mbs_core::ident::CommitId;
use mbs_core::modulemd::{Limits, read_submission};
use mbs_core::policy::Policy;
use mbs_core::source_control::{Fetched, Place, SourceControl};
use mbs_core::submission::{Importable, Refused, ScmUrl};

/// Fetches the document that a repository of modules has of itself.
///
/// # Errors
/// It cannot be read, in words for people.
pub(crate) async fn fetched(source_control: &dyn SourceControl, url: &ScmUrl) -> Result<Fetched, String> {
    let place = Place {
        repository: url.repository.clone(),
        revision: url.revision.clone(),
        branch: None,
        path: file_of(url),
    };
    let fetched = source_control.documents(&[place]).await.map_err(|error| error.to_string())?.pop();
    fetched.ok_or_else(|| format!("{url} cannot be read"))?.map_err(|error| error.to_string())
}

/// Returns the name of the document in a repository of modules.
pub(crate) fn file_of(url: &ScmUrl) -> String {
    format!("{}.yaml", url.name())
}

/// Reads the document of a module that is taken in, and what its author should know of it; `commit` is where it was read.
///
/// # Errors
/// Its author has to change it.
pub(crate) fn importable(
    file: &str,
    text: &str,
    commit: &CommitId,
    policy: &Policy,
) -> Result<(Importable, Vec<String>), Refused> {
    let invalid = |what: String| Refused::InvalidDocument { file: format!("{file} "), what };
    let (read, warnings) = read_submission(text, Some(file), &Limits::of_submission())
        .map_err(|problems| invalid(problems.to_string()))?;
    let mut documents = read.into_streams();
    let (Some(document), true) = (documents.pop(), documents.is_empty()) else {
        return Err(invalid("a module that is imported has one document of one context".to_owned()));
    };
    let importable = Importable::of(document, commit, policy)?;
    Ok((importable, warnings.iter().map(|warning| format!("{warning:#}")).collect()))
}
