//! An entry of a module as PDC shows it, whichever endpoint is asked and however old the server.

use serde::{Deserialize, Serialize};

use super::Face;

/// The context of an entry that has none.
pub const NO_CONTEXT: &str = "00000000";

/// A module in PDC. All but its uid may make no sense: people write entries by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its key, in one of several spellings: nothing can be read from it.
    pub uid: String,
    /// The module's name.
    pub name: String,
    /// Its stream.
    pub stream: String,
    /// Its version, as text.
    pub version: String,
    /// Its context; [`NO_CONTEXT`] if it has none.
    pub context: String,
    /// Whether it may be required; true on servers that do not know the question.
    pub active: bool,
    /// The Koji tag that holds its builds; empty or `NA`: not known yet.
    pub koji_tag: String,
    /// Its document as YAML; empty in old entries.
    pub modulemd: String,
    /// The modules it runs with.
    pub runtime_deps: Vec<Dependency>,
    /// The modules it is built with.
    pub build_deps: Vec<Dependency>,
    /// File names of its packages, with epochs: `NAME-EPOCH:VERSION-RELEASE.ARCH.rpm`.
    pub rpms: Vec<String>,
}

/// A stream of a module that another depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dependency {
    /// The module's name.
    pub dependency: String,
    /// The stream.
    pub stream: String,
}

/// How `unreleasedvariants` shows it.
#[derive(Deserialize)]
pub(super) struct Variant {
    variant_uid: String,
    variant_id: String,
    variant_version: String,
    variant_release: String,
    variant_context: Option<String>,
    #[serde(flatten)]
    common: Common,
}

/// How `modules` shows it.
#[derive(Deserialize)]
pub(super) struct Module {
    uid: String,
    name: String,
    stream: String,
    version: String,
    context: String,
    #[serde(flatten)]
    common: Common,
}

#[derive(Deserialize)]
struct Common {
    active: Option<bool>,
    #[serde(default)]
    koji_tag: Option<String>,
    #[serde(default)]
    modulemd: Option<String>,
    #[serde(default)]
    runtime_deps: Vec<Dependency>,
    #[serde(default)]
    build_deps: Vec<Dependency>,
    #[serde(default)]
    rpms: Vec<String>,
}

impl From<Variant> for Entry {
    fn from(shown: Variant) -> Self {
        let context = shown.variant_context.unwrap_or_else(|| NO_CONTEXT.to_owned());
        let identity =
            [shown.variant_uid, shown.variant_id, shown.variant_version, shown.variant_release, context];
        Self::new(identity, shown.common)
    }
}

impl From<Module> for Entry {
    fn from(shown: Module) -> Self {
        Self::new([shown.uid, shown.name, shown.stream, shown.version, shown.context], shown.common)
    }
}

impl Entry {
    fn new([uid, name, stream, version, context]: [String; 5], common: Common) -> Self {
        Self {
            uid,
            name,
            stream,
            version,
            context,
            active: common.active.unwrap_or(true),
            koji_tag: common.koji_tag.unwrap_or_default(),
            modulemd: common.modulemd.unwrap_or_default(),
            runtime_deps: common.runtime_deps,
            build_deps: common.build_deps,
            rpms: common.rpms,
        }
    }

    /// Reads what an endpoint shows.
    ///
    /// # Errors
    /// A field is missing that every server has, or is of another kind.
    pub fn read(face: Face, shown: serde_json::Value) -> Result<Self, serde_json::Error> {
        match face {
            Face::Variants => Ok(serde_json::from_value::<Variant>(shown)?.into()),
            Face::Modules => Ok(serde_json::from_value::<Module>(shown)?.into()),
        }
    }
}
