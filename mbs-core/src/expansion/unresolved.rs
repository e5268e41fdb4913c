//! Why the dependencies of a document do not work out, in words that say what to change.

use super::Clash;
use crate::ident::{InvalidIdent, NameStream, Nsvc};
use crate::model::State;

/// The dependencies of a document do not work out: change them, or wait for other modules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// A base module is missing, or none is buildrequired.
    #[error("None of the base module ({}) streams in the buildrequires section could be found.{}", .names.join(" or "), missing_streams(.missing))]
    NoBaseModule {
        /// The configured base modules.
        names: Vec<String>,
        /// Those that were named.
        missing: Vec<NameStream>,
    },
    /// Only base modules of the form x.y.z can be compatible with others.
    #[error(
        "Cannot get compatible base modules, because stream of resolved base module {0} is not in x.y.z format."
    )]
    NotXyz(NameStream),
    /// A required module has no build.
    #[error("Cannot find any module builds for {0}")]
    NoBuilds(NameStream),
    /// Several streams are possible, and nobody chose.
    #[error(
        "There are multiple streams to choose from for module {module} ({}), choose one with -s module_name:module_stream",
        any_or(.streams)
    )]
    AmbiguousStream {
        /// The module.
        module: String,
        /// The streams as written; empty: any.
        streams: Vec<String>,
    },
    /// The stream that was chosen is none of those that the document allows.
    #[error(
        "The stream {chosen} was chosen for module {module}, but its dependencies allow {}; override them with --buildrequires {module}:{chosen} or --requires {module}:{chosen}",
        .allowed.join(", ")
    )]
    ChosenStream {
        /// The module.
        module: String,
        /// The stream that was chosen.
        chosen: String,
        /// The streams as written.
        allowed: Vec<String>,
    },
    /// Several dependency pairs fit.
    #[error(
        "The dependencies can be met in several ways: {}; choose one with -s module_name:module_stream",
        .0.join(" or ")
    )]
    AmbiguousPairs(Vec<String>),
    /// What is required excludes each other.
    #[error("The module has conflicting buildrequires of: {0}")]
    Clash(Box<Clash>),
    /// More builds than are allowed.
    #[error(
        "The dependencies of the module can be met in more than {most} ways; name fewer streams in the buildrequires"
    )]
    TooManyContexts {
        /// So many are allowed.
        most: usize,
    },
    /// More builds than are allowed of a document that is so large.
    #[error(
        "The dependencies of the module can be met in more than {most} ways, which are too many for a document of its size; name \
         fewer streams in the buildrequires, or make the document smaller"
    )]
    TooManyForItsSize {
        /// So many are allowed.
        most: usize,
    },
    /// What a build requires at run time cannot be read.
    #[error("what {by} requires at run time cannot be used: {why}")]
    UnusableRequire {
        /// The build.
        by: Box<Nsvc>,
        /// The name or stream, and what is wrong with it.
        why: InvalidIdent,
    },
    /// What is required at run time goes on through too many modules.
    #[error("The requirements of the module lead through more than {levels} levels of modules")]
    TooDeep {
        /// So many are followed.
        levels: usize,
    },
    /// The search was given up.
    #[error(
        "The requirements of the module leave too many choices to find out whether they can be met; name streams in the buildrequires"
    )]
    GivenUp,
    /// A build of the same name, stream and version as a buildrequire is not finished.
    #[error("Buildrequire {}-{}-{} is in \"{state}\" state", .nsvc.name, .nsvc.stream, .nsvc.version)]
    Unfinished {
        /// The build.
        nsvc: Box<Nsvc>,
        /// Its state.
        state: State,
    },
    /// A name or stream is unusable.
    #[error("{0}")]
    Ident(#[from] InvalidIdent),
}

fn missing_streams(missing: &[NameStream]) -> String {
    if missing.is_empty() {
        return String::new();
    }
    let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    format!("  Missing streams are ({}).", names.join(", "))
}

fn any_or(streams: &[String]) -> String {
    if streams.is_empty() { "any".to_owned() } else { streams.join(", ") }
}
