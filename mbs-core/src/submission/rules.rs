//! What an installation allows in a submission, beside [`crate::policy::Policy`].

use serde::{Deserialize, Serialize};

use crate::ident::Name;

/// The configured rules of submissions. Keys keep the names of the configuration page; all have defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Whether stream, version and context may hold dashes.
    pub allow_dashes_in_svc: bool,
    /// Whether a document may name itself differently from its repository.
    pub allow_name_override_from_scm: bool,
    /// Whether a document may name a stream other than its branch.
    pub allow_stream_override_from_scm: bool,
    /// The module whose buildrequired stream the branch name may override.
    pub br_stream_override_module: Name,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            allow_dashes_in_svc: false,
            allow_name_override_from_scm: false,
            allow_stream_override_from_scm: false,
            br_stream_override_module: Name::new("platform").expect("the built-in name is valid"),
        }
    }
}
