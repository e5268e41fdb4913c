//! The document of a record: text when stored, and the proof that the text will be read again.
//!
//! A record whose document cannot be read is lost, so [`ModuleStream::check_storable`] writes and reads every document
//! before a record holds it.

use super::read::{Document, read_documents};
use super::stream::ModuleStream;
use super::tree::Limits;

/// Why a document cannot be kept in a record, or read from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the document cannot be kept in a record: {0}")]
pub struct NotStorable(String);

impl ModuleStream {
    /// Proves that the document, once stored, will be read as the same.
    ///
    /// # Errors
    /// Why it would not. The packager has to change it.
    pub fn check_storable(&self) -> Result<(), NotStorable> {
        if Self::from_stored(&self.to_yaml())? == *self {
            Ok(())
        } else {
            Err(NotStorable("what is written is not read as the same".into()))
        }
    }

    /// Reads a document that a record holds.
    ///
    /// # Errors
    /// The first problem of the text.
    pub fn from_stored(text: &str) -> Result<Self, NotStorable> {
        let read = read_documents(text, None, &Limits::of_record());
        if let Some(problem) = read.problems.iter().find(|problem| problem.is_error()) {
            return Err(NotStorable(problem.to_string()));
        }
        match read.documents.into_iter().next().map(|located| located.document) {
            Some(Document::Stream(stream)) => Ok(*stream),
            Some(_) | None => Err(NotStorable("it is no module stream".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulemd::{RpmComponent, read_submission};

    fn document() -> ModuleStream {
        ModuleStream { module_licenses: ["MIT".to_owned()].into(), ..ModuleStream::default() }
    }

    #[test]
    fn a_document_that_is_read_back_as_it_was_can_be_stored() {
        assert_eq!(document().check_storable(), Ok(()));
        assert_eq!(ModuleStream::from_stored(&document().to_yaml()), Ok(document()));
    }

    #[test]
    fn a_document_that_would_not_be_read_names_the_first_problem() {
        let ordered = RpmComponent { buildorder: 1, ..RpmComponent::default() };
        let after = RpmComponent { buildafter: ["a".to_owned()].into(), ..RpmComponent::default() };
        let rpms = [("a".to_owned(), ordered), ("b".to_owned(), after)].into();
        let refused = ModuleStream { rpms, ..document() }.check_storable().unwrap_err().to_string();
        assert!(refused.contains("mixed with 'buildorder'"), "{refused}");
    }

    #[test]
    fn a_document_that_would_be_read_as_another_is_refused() {
        let changed = ModuleStream { name: Some(String::new()), ..document() };
        assert!(changed.check_storable().is_err());
    }

    #[test]
    fn what_a_submission_may_hold_can_be_stored() {
        let items = "x,".repeat(45_000);
        let text = |items: &str| {
            format!(
                "document: modulemd\nversion: 2\ndata:\n  summary: s\n  description: d\n  license: {{module: [MIT]}}\n  xmd: {{a: {}{items}{}}}\n",
                "[".repeat(25),
                "]".repeat(25)
            )
        };
        let (read, _) = read_submission(&text(&items), None, &Limits::of_submission()).unwrap();
        let [stream] = &read.into_streams()[..] else { panic!("one stream") };
        assert_eq!(stream.check_storable(), Ok(()));
        let larger = text(&"x,".repeat(60_000));
        assert!(read_submission(&larger, None, &Limits::of_submission()).is_err());
    }
}
