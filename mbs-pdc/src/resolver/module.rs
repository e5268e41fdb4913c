//! From an entry of PDC to a module build that can be required: pure.

use std::sync::Arc;

use mbs_core::ident::{Context, InvalidIdent, Name, Nsvc, Stream, TagName, Version};
use mbs_core::modulemd::ModuleStream;
use mbs_core::resolver::KnownModule;

use crate::api::Entry;

/// The tag of a module that has not begun to build.
const NO_TAG: &str = "NA";

/// As many characters of what makes no sense are told.
const LONGEST_TOLD: usize = 100;

/// Why an entry is none that can be required. It is left out; whoever maintains PDC has to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A name, stream, context or tag is none.
    #[error(transparent)]
    Ident(#[from] InvalidIdent),
    /// Its version is no number.
    #[error("its version {0:?} is no number")]
    Version(String),
    /// It has no document.
    #[error("it has no document")]
    NoDocument,
    /// Its document cannot be read.
    #[error("its document cannot be read: {0}")]
    Document(String),
    /// Its document speaks of another module.
    #[error("its document is one of {found}, not of {wanted}")]
    Another {
        /// What the document says: a name or a stream.
        found: String,
        /// What the entry says.
        wanted: String,
    },
}

/// Returns what build an entry is of: by its fields, never by its uid.
///
/// # Errors
/// A field makes no sense.
pub fn identity(entry: &Entry) -> Result<Nsvc, Broken> {
    Ok(Nsvc {
        name: Name::new(&entry.name)?,
        stream: Stream::new(&entry.stream)?,
        version: version(&entry.version)?,
        context: Context::new(&entry.context)?,
    })
}

/// Reads a version. Only one spelling of a number is looked for, so another would not be found again.
fn version(text: &str) -> Result<Version, Broken> {
    let number = text.parse().ok().filter(|number: &u64| number.to_string() == text);
    number.map(Version).ok_or_else(|| Broken::Version(text.chars().take(LONGEST_TOLD).collect()))
}

/// Reads an entry as a module build, which is `ready` if the entry is active.
///
/// # Errors
/// It makes no sense.
pub fn known(entry: &Entry) -> Result<KnownModule, Broken> {
    let nsvc = identity(entry)?;
    let tag = match entry.koji_tag.as_str() {
        "" | NO_TAG => None,
        tag => Some(TagName::new(tag)?),
    };
    let document = Arc::new(document(entry, &nsvc)?);
    Ok(KnownModule { nsvc, tag, document, is_ready: entry.active })
}

/// Reads an entry's document, which then says in full what it is of.
fn document(entry: &Entry, nsvc: &Nsvc) -> Result<ModuleStream, Broken> {
    if entry.modulemd.trim().is_empty() {
        return Err(Broken::NoDocument);
    }
    let read = ModuleStream::from_stored(&entry.modulemd);
    let mut document = read.map_err(|error| Broken::Document(error.to_string()))?;
    for (found, wanted) in [(&document.name, nsvc.name.as_str()), (&document.stream, nsvc.stream.as_str())] {
        if let Some(found) = found.as_deref().filter(|found| *found != wanted) {
            return Err(Broken::Another { found: found.to_owned(), wanted: wanted.to_owned() });
        }
    }
    document.name = Some(nsvc.name.to_string());
    document.stream = Some(nsvc.stream.to_string());
    document.version = Some(nsvc.version.0);
    document.context = Some(nsvc.context.to_string());
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::NO_CONTEXT;

    const DOCUMENT: &str = "document: modulemd
version: 1
data:
  stream: 1.10
  summary: A platform
  description: Of a distribution.
  license: {module: [MIT]}
  xmd: {mbs: {commit: 1e3, buildrequires: {}, virtual_streams: [010]}}
";

    fn entry() -> Entry {
        Entry {
            uid: "platform-1.10-3".into(),
            name: "platform".into(),
            stream: "1.10".into(),
            version: "3".into(),
            context: NO_CONTEXT.into(),
            active: true,
            koji_tag: "module-1.10-build".into(),
            modulemd: DOCUMENT.into(),
            runtime_deps: Vec::new(),
            build_deps: Vec::new(),
            rpms: Vec::new(),
        }
    }

    #[test]
    fn an_entry_is_the_build_that_its_fields_say() {
        let module = known(&entry()).unwrap();
        assert_eq!(module.nsvc.to_string(), "platform:1.10:3:00000000");
        assert_eq!((module.tag.unwrap().as_str(), module.is_ready), ("module-1.10-build", true));
        assert_eq!(module.document.version, Some(3));
        assert_eq!(module.document.stream.as_deref(), Some("1.10"));
        let virtual_streams = module.document.xmd.at(&["mbs", "virtual_streams"]).unwrap().texts();
        assert_eq!(virtual_streams, ["010"]);
    }

    #[test]
    fn a_tag_that_is_not_known_yet_is_none() {
        for tag in ["", "NA"] {
            assert_eq!(known(&Entry { koji_tag: tag.into(), ..entry() }).unwrap().tag, None);
        }
    }

    #[test]
    fn what_makes_no_sense_says_why() {
        let told = |entry: Entry| known(&entry).unwrap_err().to_string();
        for version in ["3a", "007", "+7", ""] {
            let told = told(Entry { version: version.into(), ..entry() });
            assert_eq!(told, format!("its version {version:?} is no number"));
        }
        assert_eq!(told(Entry { modulemd: " \n".into(), ..entry() }), "it has no document");
        assert!(
            told(Entry { modulemd: "- a".into(), ..entry() }).starts_with("its document cannot be read: ")
        );
        assert_eq!(
            told(Entry { stream: "1.1".into(), ..entry() }),
            "its document is one of 1.10, not of 1.1"
        );
        assert!(told(Entry { name: "a:b".into(), ..entry() }).contains("a:b"));
        assert!(told(Entry { koji_tag: "a b".into(), ..entry() }).contains("a b"));
    }
}
