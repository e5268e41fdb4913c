//! What single builds and extended lists tell beside a summary.

use crate::context::Contexts;
use crate::ident::{Arch, BuildId, Nsvc};
use crate::model::{State, Transition};

/// What is told of a build where all of it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildDetails {
    /// The stored document, YAML text.
    pub document: String,
    /// Architectures, sorted; empty before `wait` and for what was built elsewhere.
    pub arches: Vec<Arch>,
    /// The hashes of its dependencies; empty texts: unknown.
    pub contexts: Contexts,
    /// The build that components are taken from.
    pub reuse_from: Option<BuildId>,
    /// Its changes of state, oldest first; empty for what was built elsewhere.
    pub trace: Vec<Transition>,
    /// The number of a base module's stream; `None` for other modules, and for a stream without digits.
    pub stream_version: Option<f64>,
    /// What it provides, sorted; only base modules provide anything.
    pub virtual_streams: Vec<String>,
    /// The base module builds it buildrequires, as recorded at submission, that the store has; by id.
    pub bases: Vec<BaseBuild>,
}

/// A base module build that another build buildrequires.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseBuild {
    /// Its id.
    pub id: BuildId,
    /// Its identity.
    pub nsvc: Nsvc,
    /// Its state.
    pub state: State,
    /// The number of its stream; `None`: the stream has no digits.
    pub stream_version: Option<f64>,
}
