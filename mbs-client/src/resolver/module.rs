//! From a build that a service shows to a module that can be required: pure.

use std::sync::{Arc, OnceLock};

use mbs_core::ident::{InvalidIdent, Nsvc, TagName};
use mbs_core::model::State;
use mbs_core::modulemd::ModuleStream;
use mbs_core::resolver::KnownModule;

use crate::api::ModuleBuild;
use crate::client::told;

/// Why a build is none that can be required. It is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A part of its identity or its tag makes no sense.
    #[error(transparent)]
    Ident(#[from] InvalidIdent),
    /// The service shows no document of it.
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
        /// What the build says.
        wanted: String,
    },
}

/// A build whose identity makes sense. Its document is read when somebody wants it.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) nsvc: Nsvc,
    pub(super) is_ready: bool,
    shown: Box<ModuleBuild>,
    known: OnceLock<Option<KnownModule>>,
}

impl Build {
    /// Takes a build that a service shows; one whose identity makes no sense is told and left out.
    pub(super) fn of(shown: ModuleBuild) -> Option<Self> {
        match shown.nsvc() {
            Ok(nsvc) => {
                let is_ready = shown.known_state() == Some(State::Ready);
                Some(Self { nsvc, is_ready, shown: Box::new(shown), known: OnceLock::new() })
            }
            Err(error) => {
                leave_out(&shown, &error.into());
                None
            }
        }
    }

    /// Returns the module; a build that is broken is told once, and left out.
    pub(super) fn known(&self) -> Option<&KnownModule> {
        let read = || known(&self.shown).map_err(|broken| leave_out(&self.shown, &broken)).ok();
        self.known.get_or_init(read).as_ref()
    }
}

fn leave_out(shown: &ModuleBuild, broken: &Broken) {
    let module = told(&format!("{}:{}:{}", shown.name, shown.stream, shown.version));
    tracing::warn!(
        module.id = shown.id.0,
        "build {} of the service, {module}, is left out: {broken}",
        shown.id
    );
}

/// Reads a build, in its extended form, as a module that can be required.
///
/// # Errors
/// It makes no sense.
pub fn known(shown: &ModuleBuild) -> Result<KnownModule, Broken> {
    let nsvc = shown.nsvc()?;
    let tag = shown.koji_tag.as_deref().filter(|tag| !tag.is_empty()).map(TagName::new).transpose()?;
    let document = Arc::new(document(shown, &nsvc)?);
    Ok(KnownModule { nsvc, tag, document, is_ready: shown.known_state() == Some(State::Ready) })
}

/// Reads a build's document, which then says in full what it is of.
fn document(shown: &ModuleBuild, nsvc: &Nsvc) -> Result<ModuleStream, Broken> {
    let text = shown.modulemd.as_deref().filter(|text| !text.trim().is_empty()).ok_or(Broken::NoDocument)?;
    let read = ModuleStream::from_stored(text);
    let mut document = read.map_err(|error| Broken::Document(told(&error.to_string())))?;
    for (found, wanted) in [(&document.name, nsvc.name.as_str()), (&document.stream, nsvc.stream.as_str())] {
        if let Some(found) = found.as_deref().filter(|found| *found != wanted) {
            return Err(Broken::Another { found: told(found), wanted: wanted.to_owned() });
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
    use serde_json::{Value, json};

    use super::*;

    const DOCUMENT: &str = "document: modulemd
version: 2
data:
  name: platform
  stream: \"1.10\"
  version: 3
  summary: A platform
  description: Of a distribution.
  license: {module: [MIT]}
  xmd: {mbs: {buildrequires: {}, virtual_streams: [010]}}
";

    fn shown(changes: &Value) -> ModuleBuild {
        let mut build = json!({
            "id": 1, "name": "platform", "stream": "1.10", "version": "3", "context": "00000000", "state": 5,
            "state_name": "ready", "koji_tag": "module-1.10-build", "modulemd": DOCUMENT,
        });
        build.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(build).unwrap()
    }

    #[test]
    fn a_build_is_the_module_that_its_members_say() {
        let module = known(&shown(&json!({}))).unwrap();
        assert_eq!(module.nsvc.to_string(), "platform:1.10:3:00000000");
        assert_eq!((module.tag.as_ref().unwrap().as_str(), module.is_ready), ("module-1.10-build", true));
        assert_eq!(module.document.context.as_deref(), Some("00000000"));
        assert_eq!(module.virtual_streams(), ["010"]);
        let retired = known(&shown(&json!({"state": 6, "koji_tag": null}))).unwrap();
        assert_eq!((retired.tag, retired.is_ready), (None, false));
    }

    #[test]
    fn what_makes_no_sense_says_why() {
        let told = |changes: Value| known(&shown(&changes)).unwrap_err().to_string();
        assert_eq!(told(json!({"modulemd": null})), "it has no document");
        assert!(told(json!({"modulemd": "- a"})).starts_with("its document cannot be read: "));
        assert_eq!(told(json!({"stream": "1.1"})), "its document is one of 1.10, not of 1.1");
        assert!(told(json!({"version": "3a"})).contains("3a"));
        assert!(told(json!({"koji_tag": "a b"})).contains("a b"));
    }
}
