//! An entry of a module as PDC shows it, whichever endpoint is asked and however old the server.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::Face;
use super::row::{Modules, Row, Shown, Variants};

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

impl Entry {
    /// Reads what an endpoint shows.
    ///
    /// # Errors
    /// A field is missing that every server has, or is of another kind. Numbers stand for their text, null for an empty list.
    pub fn read(face: Face, shown: serde_json::Value) -> Result<Self, serde_json::Error> {
        match face {
            Face::Variants => one::<Variants>(shown),
            Face::Modules => one::<Modules>(shown),
        }
    }
}

fn one<F: Shown>(shown: serde_json::Value) -> Result<Entry, serde_json::Error> {
    let row: Row<F> = serde_json::from_value(shown)?;
    row.entry().map_err(|unreadable| serde_json::Error::custom(unreadable.why))
}
