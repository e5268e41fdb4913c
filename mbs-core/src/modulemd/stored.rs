//! The document of a record: text when stored, and the proof that the text will be read again.
//!
//! A record whose document cannot be read is lost, so [`ModuleStream::check_storable`] writes and reads every document
//! before a record holds it. Of documents that are alike only the first is written and read whole ([`Proofs`]).

use std::sync::Arc;

use super::read::{Document, read_documents};
use super::stream::ModuleStream;
use super::tree::Limits;
use super::xmd::Xmd;

/// So many bytes of text all documents of one submission may have together.
pub(crate) const MOST_TEXT: usize = 16 << 20;

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

    /// Returns how many documents like this one a submission may come to, so that all its records together stay small: at least one.
    pub(crate) fn most_copies(&self) -> usize {
        (MOST_TEXT / self.to_yaml().len().max(1)).max(1)
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

/// Proofs that documents can be stored, of many that are alike.
///
/// Parts of a document are written and read each for itself. So of a document that differs from one that was proven only in what
/// an expansion decides, only that has to be proven.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    /// The last one that was proven whole.
    proven: Option<Arc<ModuleStream>>,
}

impl Proofs {
    /// Proves that a document, once stored, will be read as the same.
    ///
    /// # Errors
    /// As [`ModuleStream::check_storable`].
    pub(crate) fn check(&mut self, document: &Arc<ModuleStream>) -> Result<(), NotStorable> {
        if self.proven.as_deref().is_some_and(|proven| are_alike(proven, document)) {
            return decided(document).check_storable();
        }
        document.check_storable()?;
        self.proven = Some(Arc::clone(document));
        Ok(())
    }
}

/// Returns what an expansion decides of a document, and what every document must have.
fn decided(document: &ModuleStream) -> ModuleStream {
    let mut xmd = Xmd::default();
    if let Some(mbs) = document.xmd.value("mbs") {
        xmd.set("mbs", mbs.clone());
    }
    ModuleStream {
        name: document.name.clone(),
        stream: document.stream.clone(),
        version: document.version,
        context: document.context.clone(),
        static_context: document.static_context,
        module_licenses: document.module_licenses.clone(),
        dependencies: document.dependencies.clone(),
        xmd,
        ..ModuleStream::default()
    }
}

/// Says whether two documents differ only in what an expansion decides.
fn are_alike(one: &ModuleStream, other: &ModuleStream) -> bool {
    // A field that is new must be looked at here.
    let ModuleStream {
        name: _,
        stream: _,
        version: _,
        context: _,
        static_context: _,
        dependencies: _,
        arch,
        summary,
        description,
        servicelevels,
        module_licenses,
        content_licenses,
        xmd,
        references,
        profiles,
        api,
        filter,
        demodularized,
        buildopts,
        rpms,
        modules,
        artifacts,
        rpm_map,
    } = one;
    let own = |xmd: &Xmd| xmd.entries().iter().filter(|(key, _)| key != "mbs").count();
    let given = |xmd: &Xmd, other: &Xmd| {
        own(xmd) == own(other)
            && xmd.entries().iter().all(|(key, value)| key == "mbs" || other.value(key) == Some(value))
    };
    let is_map = |xmd: &Xmd| matches!(xmd, Xmd::Map(_));
    (is_map(xmd) && is_map(&other.xmd) && given(xmd, &other.xmd))
        && (arch, summary, description, servicelevels)
            == (&other.arch, &other.summary, &other.description, &other.servicelevels)
        && (module_licenses, content_licenses, references, profiles)
            == (&other.module_licenses, &other.content_licenses, &other.references, &other.profiles)
        && (api, filter, demodularized, buildopts)
            == (&other.api, &other.filter, &other.demodularized, &other.buildopts)
        && (rpms, modules, artifacts, rpm_map)
            == (&other.rpms, &other.modules, &other.artifacts, &other.rpm_map)
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
    fn of_a_document_like_one_that_was_proven_what_differs_is_proven() {
        let mut proofs = Proofs::default();
        let of = |version, name: &str| {
            let mut document = ModuleStream { version, name: Some(name.to_owned()), ..document() };
            document.set_in_mbs([("mse", Xmd::Bool(true))]);
            Arc::new(document)
        };
        let first = of(Some(1), "a");
        assert_eq!(proofs.check(&first), Ok(()));
        assert_eq!(proofs.check(&of(Some(2), "b")), Ok(()));
        assert!(Arc::ptr_eq(proofs.proven.as_ref().unwrap(), &first), "it was not proven whole");
        assert!(proofs.check(&of(Some(3), "")).is_err());
    }

    #[test]
    fn a_document_that_differs_in_more_is_proven_whole() {
        let mut proofs = Proofs::default();
        proofs.check(&Arc::new(document())).unwrap();
        let rpms = [("a".to_owned(), RpmComponent::default())].into();
        let mut xmd = document();
        xmd.xmd.set("own", Xmd::Bool(true));
        for other in
            [ModuleStream { rpms, ..document() }, xmd, ModuleStream { summary: "s".into(), ..document() }]
        {
            let other = Arc::new(other);
            proofs.check(&other).unwrap();
            assert!(Arc::ptr_eq(proofs.proven.as_ref().unwrap(), &other));
        }
    }

    #[test]
    fn the_larger_a_document_the_fewer_like_it_a_submission_may_come_to() {
        assert!(document().most_copies() > 10_000);
        let large = ModuleStream { description: "d".repeat(1 << 20), ..document() };
        assert_eq!(large.most_copies(), 15);
        let larger = ModuleStream { description: "d".repeat(MOST_TEXT), ..document() };
        assert_eq!(larger.most_copies(), 1);
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
