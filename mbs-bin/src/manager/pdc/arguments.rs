//! The arguments of `mbs-manager pdc`.
//!
//! They say what is wanted; what that means on the PDC at hand is decided where it is used.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mbs_core::ident::TagName;
use mbs_pdc::api::Face;

const STATUSES: &str = "Exit status: 0 done, or so already; 1 PDC refuses it, has something else there or nothing, or you said \
no; 2 wrong usage, a missing file, a document that is not a good one; 3 PDC cannot be reached, or what is configured for it cannot be used. \
After 1 and 2 nothing has been changed, after 3 only if it says so.";

/// Which PDC is worked on, and what is done there.
#[derive(Debug, Args)]
#[command(after_help = STATUSES)]
pub struct PdcArguments {
    /// What all commands have.
    #[command(flatten)]
    pub common: CommonArguments,
    /// What to do
    #[command(subcommand)]
    pub command: PdcCommand,
}

/// What all commands have.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Common options")]
pub struct CommonArguments {
    /// The PDC: the root of its API (https://HOST/rest_api/v1), or a name that PDC's own configuration describes
    /// (/etc/pdc.d/*.json, ~/.config/pdc/client_config.json)
    #[arg(long, env = "MBS_PDC", value_name = "NAME|URL", global = true, hide_env_values = true)]
    pub server: Option<String>,
    /// A file with the token that writes need, which nobody but its owner may read [default: as configured for the server]
    #[arg(long, value_name = "PATH", global = true)]
    pub token_file: Option<PathBuf>,
    /// The endpoint to use: unreleasedvariants, or modules [default: modules where the server has it; to import a document
    /// without a context, or under a uid of your own, unreleasedvariants, which alone takes them]
    #[arg(long, value_enum, value_name = "variants|modules", hide_possible_values = true, global = true)]
    pub face: Option<FaceName>,
    /// Why it is done, for PDC's audit trail [default: the command and who gave it]
    #[arg(long, value_name = "TEXT", value_parser = comment, global = true)]
    pub comment: Option<String>,
    /// Ask nothing: change what is to be changed
    #[arg(short = 'y', long, global = true)]
    pub yes: bool,
}

/// An endpoint over the modules of a PDC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FaceName {
    /// `unreleasedvariants`.
    #[value(alias = "unreleasedvariants")]
    Variants,
    /// `modules`.
    Modules,
}

impl From<FaceName> for Face {
    fn from(name: FaceName) -> Self {
        match name {
            FaceName::Variants => Self::Variants,
            FaceName::Modules => Self::Modules,
        }
    }
}

/// What `mbs-manager pdc` can do.
#[derive(Debug, Subcommand)]
pub enum PdcCommand {
    /// Enter modules that nothing builds, each from its modulemd document
    ///
    /// All documents are checked, and PDC is asked what it has, before anything is written; then one request enters all of them,
    /// or none. What is there already as it should be is left alone, so the same command can be given again.
    #[command(after_help = STATUSES)]
    Import(ImportArguments),
    /// Let services require modules
    #[command(after_help = STATUSES)]
    Activate(ChangeArguments),
    /// Withdraw modules: services do not choose them any more
    #[command(after_help = STATUSES)]
    Deactivate(ChangeArguments),
    /// Tie a module to another Koji tag
    #[command(after_help = STATUSES)]
    Retag(RetagArguments),
    /// Show all that PDC knows of a module
    #[command(after_help = STATUSES)]
    Show(ShowArguments),
    /// List modules
    #[command(after_help = STATUSES)]
    List(ListArguments),
}

impl PdcCommand {
    /// Returns its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Import(_) => "import",
            Self::Activate(_) => "activate",
            Self::Deactivate(_) => "deactivate",
            Self::Retag(_) => "retag",
            Self::Show(_) => "show",
            Self::List(_) => "list",
        }
    }

    /// Returns whether and how it changes something.
    pub fn writing(&self) -> Writing {
        let is_rehearsal = match self {
            Self::Import(arguments) => arguments.dry_run,
            Self::Activate(arguments) | Self::Deactivate(arguments) => arguments.dry_run,
            Self::Retag(arguments) => arguments.dry_run,
            Self::Show(_) | Self::List(_) => return Writing::Never,
        };
        if is_rehearsal { Writing::Shown } else { Writing::Done }
    }
}

/// Whether what a command would write is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// It writes nothing.
    Never,
    /// It is shown only.
    Shown,
    /// It is sent.
    Done,
}

/// Which documents are entered, and as what.
#[derive(Debug, Default, Args)]
pub struct ImportArguments {
    /// A modulemd document (version 1 or 2) with name, stream and version
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The Koji tag that holds the module's builds [default: the document's xmd.mbs.koji_tag]
    #[arg(long, value_name = "TAG")]
    pub koji_tag: Option<TagName>,
    /// The key in PDC, through unreleasedvariants [default: NAME:STREAM:VERSION:CONTEXT; without a context
    /// NAME-STREAM-VERSION]
    #[arg(long)]
    pub uid: Option<String>,
    /// Let services require it at once
    #[arg(long)]
    pub active: bool,
    /// Show the request, and send nothing that changes anything
    #[arg(long)]
    pub dry_run: bool,
}

/// Which entries are changed.
#[derive(Debug, Args)]
pub struct ChangeArguments {
    /// The key of an entry, as `list` shows it
    #[arg(value_name = "UID", required = true)]
    pub uids: Vec<String>,
    /// Show the request, and send nothing that changes anything
    #[arg(long)]
    pub dry_run: bool,
}

/// Which entry gets which tag.
#[derive(Debug, Args)]
pub struct RetagArguments {
    /// The key of the entry, as `list` shows it
    pub uid: String,
    /// The Koji tag that holds its builds
    pub tag: TagName,
    /// Show the request, and send nothing that changes anything
    #[arg(long)]
    pub dry_run: bool,
}

/// Which entry is shown.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The key of the entry, as `list` shows it
    pub uid: String,
    /// Print it as JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// Which entries are listed: those that have everything that is given.
#[derive(Debug, Default, Args)]
pub struct ListArguments {
    /// The module's name
    #[arg(long)]
    pub name: Option<String>,
    /// Its stream
    #[arg(long)]
    pub stream: Option<String>,
    /// Its version
    #[arg(long)]
    pub version: Option<String>,
    /// Its context
    #[arg(long)]
    pub context: Option<String>,
    /// Whether services may require it
    #[arg(long, value_enum, value_name = "yes|no", hide_possible_values = true)]
    pub active: Option<YesNo>,
    /// The Koji tag that holds its builds
    #[arg(long)]
    pub tag: Option<String>,
    /// A source package that it has
    #[arg(long, value_name = "PACKAGE")]
    pub component: Option<String>,
    /// A module that it is built with
    #[arg(long, value_name = "NAME[:STREAM]", value_parser = dependency)]
    pub build_dep: Option<AskedDependency>,
    /// A module that it runs with
    #[arg(long, value_name = "NAME[:STREAM]", value_parser = dependency)]
    pub runtime_dep: Option<AskedDependency>,
    /// Print each as a JSON object on a line of its own
    #[arg(long)]
    pub json: bool,
}

/// A module, in a stream or in any.
pub type AskedDependency = (String, Option<String>);

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}

fn dependency(text: &str) -> Result<AskedDependency, &'static str> {
    let (name, stream) = match text.split_once(':') {
        Some((name, stream)) => (name, Some(stream)),
        None => (text, None),
    };
    match (name, stream) {
        ("", _) | (_, Some("")) => Err("it must be NAME or NAME:STREAM"),
        (name, stream) => Ok((name.to_owned(), stream.map(str::to_owned))),
    }
}

fn comment(text: &str) -> Result<String, &'static str> {
    let is_fit = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_fit { Ok(text.to_owned()) } else { Err("PDC takes one line of ASCII characters") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_a_name_with_or_without_a_stream() {
        assert_eq!(dependency("perl"), Ok(("perl".into(), None)));
        assert_eq!(dependency("perl:5.30"), Ok(("perl".into(), Some("5.30".into()))));
        assert!(["", ":5", "perl:"].into_iter().all(|text| dependency(text).is_err()));
    }

    #[test]
    fn a_comment_is_what_a_header_can_hold() {
        assert_eq!(comment("ticket 42"), Ok("ticket 42".into()));
        assert!(["", "two\nlines", "f\u{fc}r"].into_iter().all(|text| comment(text).is_err()));
    }
}
