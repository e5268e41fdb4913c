//! Why a submission, a resume or a cancellation is refused, in the words that clients know. Source: rest-api, sections 6 and 7.

use std::fmt;

use crate::expansion::Unresolved;
use crate::ident::{BuildId, InvalidIdent, Nsvc};
use crate::model::State;
use crate::source_control::SourceError;

/// How a refusal is answered: what the person who asked has to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedAs {
    /// The request or document makes no sense: change it (400).
    BadRequest,
    /// It is not allowed here: ask an administrator (403).
    Forbidden,
    /// It exists already: nothing to do (409).
    Conflict,
    /// The document or its dependencies do not work out: change it, or wait for other modules (422).
    Unprocessable,
}

/// The part of a dependency pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// What must be there when building.
    Buildrequires,
    /// What must be there when running.
    Requires,
}

impl Section {
    /// Returns the key that documents use.
    pub fn key(self) -> &'static str {
        match self {
            Section::Buildrequires => "buildrequires",
            Section::Requires => "requires",
        }
    }

    fn singular(self) -> &'static str {
        match self {
            Section::Buildrequires => "buildrequire",
            Section::Requires => "require",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// A refusal, by what is wrong. Its text is the answer; [`Refused::answered_as`] says how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The document cannot be used; `file` is empty or the file's name and a blank.
    #[error("The modulemd {file}is invalid. The error was:\n'{what}'\nPlease verify the syntax is correct.")]
    InvalidDocument {
        /// The file and a blank, or nothing.
        file: String,
        /// The key, and what is wrong with it.
        what: String,
    },
    /// The document names itself differently from its repository.
    #[error("The name \"{0}\" that is stored in the modulemd is not valid")]
    ForeignName(String),
    /// The document's stream has a dash.
    #[error("Dashes are not allowed in the stream value")]
    DashInDocumentStream,
    /// The document names a stream other than its branch.
    #[error(
        "The stream \"{stream}\" that is stored in the modulemd does not match the stream determined by the branch \"{branch}\""
    )]
    ForeignStream {
        /// The document's stream.
        stream: String,
        /// The branch as submitted.
        branch: String,
    },
    /// Scratch builds are switched off.
    #[error("Scratch builds are not enabled")]
    ScratchSwitchedOff,
    /// Source RPMs for a build that is no try.
    #[error("srpms may only be specified for scratch builds")]
    SrpmsWithoutScratch,
    /// Documents without a repository are switched off.
    #[error("YAML submission is not enabled")]
    YamlSwitchedOff,
    /// A parameter is missing.
    #[error("Missing {0}")]
    Missing(&'static str),
    /// Modules may not come from there.
    #[error("The submitted scmurl {} is not allowed", shown(.0))]
    ForeignScmUrl(String),
    /// The address is none.
    #[error(
        "The submitted scmurl {} is not valid.  Expected format is '{}?[module-path]#[revision]'",
        shown(.0),
        shown(before_query(.0))
    )]
    InvalidScmUrl(String),
    /// Name or stream may be overridden for a document given directly only.
    #[error("{0} override is only allowed when a YAML file is submitted")]
    OverrideWithoutDocument(&'static str),
    /// Users may not choose what is built again.
    #[error(
        "The request contains the \"rebuild_strategy\" parameter but overriding the default isn't allowed"
    )]
    StrategyFixed,
    /// Users may not choose this.
    #[error("The rebuild method of \"{wanted}\" is not allowed. Choose from: {}.", .allowed.join(", "))]
    StrategyNotAllowed {
        /// What was asked for.
        wanted: String,
        /// What may be, in the order of the configuration.
        allowed: Vec<String>,
    },
    /// Nothing is reused where all is built.
    #[error(
        "You cannot specify the parameter \"reuse_components_from\" when the \"rebuild_strategy\" parameter is set to \"all\""
    )]
    ReuseWithStrategyAll,
    /// The build to reuse from is named by neither number nor identity.
    #[error("The parameter \"reuse_components_from\" contains an invalid module identifier")]
    ReuseFromNothing,
    /// The build to reuse from does not exist.
    #[error("The module in the parameter \"reuse_components_from\" could not be found")]
    ReuseFromUnknown,
    /// The build to reuse from is not ready.
    #[error("The module in the parameter \"reuse_components_from\" must be in the ready state")]
    ReuseFromUnready,
    /// The document could not be fetched for a reason that the submitter can mend.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The stream is past its end of life.
    #[error("Module {0} is marked as EOL in PDC.")]
    EndOfLife(String),
    /// Nobody knows the stream.
    #[error("No such module {module} found at {place}")]
    UnknownLife {
        /// Name and stream.
        module: String,
        /// Who was asked.
        place: String,
    },
    /// The document is empty.
    #[error("The input modulemd was empty")]
    EmptyDocument,
    /// A document from git has a version.
    #[error(
        "The version \"{0}\" is already defined in the modulemd but it shouldn't be since the version is generated based on the commit time"
    )]
    VersionInDocument(u64),
    /// Nothing says how the module is called.
    #[error(
        "The module's name was not present in the modulemd file. Please use the \"module_name\" parameter"
    )]
    NoName,
    /// A static context lacks a section.
    #[error("The {}context '{context}' is missing the '{section}' key!", second_blank(.section))]
    ContextLacksSection {
        /// The context.
        context: String,
        /// What is missing.
        section: Section,
    },
    /// A static context names no usable stream for a module.
    #[error("The stream of '{}' in '{section}' of the context '{context}' {why}", .module.escape_debug())]
    ContextStream {
        /// The module.
        module: String,
        /// Where it stands.
        section: Section,
        /// The context.
        context: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The static contexts cannot be read at all.
    #[error("{0}")]
    Contexts(String),
    /// An included module comes from a repository of its own.
    #[error("Custom module repositories aren't allowed.  '{module}' bears repository '{}'", .repository.escape_debug())]
    OwnRepository {
        /// The included module.
        module: String,
        /// Its repository.
        repository: String,
    },
    /// `xmd.mbs` is used.
    #[error("The \"mbs\" xmd field is reserved for MBS")]
    ReservedXmd,
    /// A base module is imported, never built.
    #[error("You cannot build a module named \"{0}\" since it is a base module")]
    BaseModule(String),
    /// Overrides apply nowhere.
    #[error("The {} overrides for the following modules aren't applicable: {}", .section.singular(), .modules.join(", "))]
    OverridesNowhere {
        /// Which overrides.
        section: Section,
        /// The modules, sorted.
        modules: Vec<String>,
    },
    /// The dependencies do not work out.
    #[error(transparent)]
    Dependencies(#[from] Unresolved),
    /// Nothing can be chosen for some buildrequire of every dependency pair: these, sorted.
    #[error(
        "No dependency combination was satisfied. Please verify the buildrequires in your modulemd have previously been built.{}",
        nothing_for(.0)
    )]
    NoCombination(Vec<String>),
    /// A static context stands for one build.
    #[error(
        "The static context '{context}' can be built in several ways: {}; name one stream of each module",
        .ways.join(" or ")
    )]
    StaticContextInSeveralWays {
        /// The context.
        context: String,
        /// What each way is built with.
        ways: Vec<String>,
    },
    /// Only tries may be built from this branch.
    #[error("Only scratch module builds can be built from this branch.")]
    ScratchOnlyBranch,
    /// A resumed build keeps its strategy.
    #[error("You cannot change the module's \"rebuild_strategy\" when resuming a module build")]
    StrategyChanged,
    /// Only failed builds that are not scratch can be resumed.
    #[error("The module build {nsvc} cannot be resumed: it is {what}")]
    NotResumable {
        /// The build.
        nsvc: Box<Nsvc>,
        /// Its state, or that it is a scratch build.
        what: String,
    },
    /// A part of the identity has a dash.
    #[error("Dashes not allowed in {0}")]
    Dash(&'static str),
    /// A part of the identity is unusable.
    #[error("{0}")]
    Ident(#[from] InvalidIdent),
    /// All builds of the submission exist.
    #[error(
        "Module (state={}) already exists. Only a new build, resubmission of a failed build or build against new buildrequirements is allowed.",
        .0.number()
    )]
    Exists(State),
    /// A scratch build has the identity.
    #[error("The context of {nsvc} is in use by the scratch build {id}")]
    TakenByScratch {
        /// The identity.
        nsvc: Box<Nsvc>,
        /// The scratch build.
        id: BuildId,
    },
    /// A module that was built elsewhere cannot be taken in: its document would break later submissions.
    #[error("{0}")]
    NotImportable(&'static str),
    /// The build ended already.
    #[error("To cancel a module build, it must be in one of the following states: build, init, wait")]
    NotCancellable,
}

/// So much of an address is repeated, in characters.
const LONGEST_ADDRESS: usize = 500;

/// Returns an address as it can be repeated: what would break a line, or is beyond reason, is left out.
fn shown(address: &str) -> String {
    let plain = address.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
    plain.take(LONGEST_ADDRESS).collect()
}

fn before_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// So many modules are named where more may be wrong.
const MOST_NAMED: usize = 10;

fn nothing_for(modules: &[String]) -> String {
    if modules.is_empty() {
        String::new()
    } else {
        let shown = &modules[..modules.len().min(MOST_NAMED)];
        let more = match modules.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(" Nothing can be chosen for {}{more}.", shown.join(", "))
    }
}

/// Clients know one of these two texts with a doubled blank.
fn second_blank(section: &Section) -> &'static str {
    match section {
        Section::Buildrequires => " ",
        Section::Requires => "",
    }
}

impl Refused {
    /// Says how the refusal is answered.
    pub fn answered_as(&self) -> RefusedAs {
        match self {
            Refused::OwnRepository { .. }
            | Refused::ScratchSwitchedOff
            | Refused::SrpmsWithoutScratch
            | Refused::YamlSwitchedOff
            | Refused::ForeignScmUrl(_) => RefusedAs::Forbidden,
            Refused::Exists(_) | Refused::TakenByScratch { .. } => RefusedAs::Conflict,
            Refused::Source(SourceError::NotOnBranch { .. }) => RefusedAs::BadRequest,
            Refused::InvalidDocument { .. }
            | Refused::EmptyDocument
            | Refused::NotImportable(_)
            | Refused::Source(_)
            | Refused::Dependencies(_) => RefusedAs::Unprocessable,
            Refused::Missing(_)
            | Refused::InvalidScmUrl(_)
            | Refused::OverrideWithoutDocument(_)
            | Refused::StrategyFixed
            | Refused::StrategyNotAllowed { .. }
            | Refused::ReuseWithStrategyAll
            | Refused::ReuseFromNothing
            | Refused::ReuseFromUnknown
            | Refused::ReuseFromUnready
            | Refused::EndOfLife(_)
            | Refused::UnknownLife { .. }
            | Refused::NoCombination(_)
            | Refused::StaticContextInSeveralWays { .. }
            | Refused::ScratchOnlyBranch
            | Refused::ForeignName(_)
            | Refused::DashInDocumentStream
            | Refused::ForeignStream { .. }
            | Refused::VersionInDocument(_)
            | Refused::NoName
            | Refused::ContextLacksSection { .. }
            | Refused::ContextStream { .. }
            | Refused::Contexts(_)
            | Refused::ReservedXmd
            | Refused::BaseModule(_)
            | Refused::OverridesNowhere { .. }
            | Refused::StrategyChanged
            | Refused::NotResumable { .. }
            | Refused::Dash(_)
            | Refused::Ident(_)
            | Refused::NotCancellable => RefusedAs::BadRequest,
        }
    }
}
