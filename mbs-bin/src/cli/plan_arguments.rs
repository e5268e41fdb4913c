//! The arguments of `mbs-build plan`.

use std::path::PathBuf;

use clap::Args;
use mbs_core::ident::NameStream;

use super::Reader;
use crate::sources::SourcesArguments;

/// Which document is looked at, and where the modules are that it is built with.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 it can be built, 2 wrong usage, a missing file, or a document or dependencies \
that do not work out, 3 a store, PDC or a service cannot be asked"
)]
pub struct PlanArguments {
    /// The module's document
    #[arg(value_name = "FILE")]
    pub document: PathBuf,
    /// Ask the service (-s): what it would make of the document, with its own modules and rules
    #[arg(long, conflicts_with = "modules")]
    pub server: bool,
    /// Where the modules are that it is built with
    #[command(flatten)]
    pub sources: SourcesArguments,
    /// The stream to build [default: the document's, else master]
    #[arg(long)]
    pub stream: Option<String>,
    /// Replace the streams of a buildrequired module (repeatable)
    #[arg(long = "buildrequires", value_name = "NAME:STREAM")]
    pub buildrequires: Vec<NameStream>,
    /// Replace the streams of a required module (repeatable)
    #[arg(long = "requires", value_name = "NAME:STREAM")]
    pub requires: Vec<NameStream>,
    /// What is built again: all, changed-and-after or only-changed
    #[arg(long = "rebuild-strategy", value_name = "STRATEGY")]
    pub rebuild_strategy: Option<String>,
    /// Print the answer as JSON, one object
    #[arg(long)]
    pub json: bool,
}

impl PlanArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}
