//! The two endpoints over the one table of modules.

/// Which endpoint is asked: two views of the same entries. What one calls version the other calls stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Face {
    /// `unreleasedvariants`: what every release of the original service asked, and the only one that old servers have.
    #[default]
    Variants,
    /// `modules`: the newer one, which makes uids itself.
    Modules,
}

impl Face {
    /// Returns the path below the root of the API.
    pub fn path(self) -> &'static str {
        match self {
            Self::Variants => "unreleasedvariants",
            Self::Modules => "modules",
        }
    }

    /// Returns what the fields of an entry are called, as filters too.
    pub(super) fn names(self) -> &'static Names {
        match self {
            Self::Variants => &VARIANTS,
            Self::Modules => &MODULES,
        }
    }
}

/// What an endpoint calls the fields that have two names.
pub(super) struct Names {
    pub(super) uid: &'static str,
    /// The module's name as it is looked up.
    pub(super) name: &'static str,
    pub(super) stream: &'static str,
    pub(super) version: &'static str,
    pub(super) context: &'static str,
}

const VARIANTS: Names = Names {
    uid: "variant_uid",
    name: "variant_id",
    stream: "variant_version",
    version: "variant_release",
    context: "variant_context",
};

const MODULES: Names =
    Names { uid: "uid", name: "name", stream: "stream", version: "version", context: "context" };
