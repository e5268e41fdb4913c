//! The arguments of `mbs-build local`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;
use mbs_core::ident::{NameStream, Stream};
use mbs_local::Builder;
use mbs_local::modules::WantedResult;

use super::Reader;

/// What is built on this machine, with what, and where the results go.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 built, 1 the module failed, 2 wrong usage, a missing file or a bad \
document, 3 this machine lacks something")]
pub struct LocalArguments {
    /// The module's document [default: the file named like the current folder, with .yaml]
    #[arg(value_name = "FILE", conflicts_with = "file")]
    pub document: Option<PathBuf>,
    /// The document, as an option
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The stream to build [default: the document's, else the current git branch]
    #[arg(long)]
    pub stream: Option<Stream>,
    /// Build this source RPM instead of the component of the same name (repeatable)
    #[arg(long = "srpm", value_name = "FILE")]
    pub srpms: Vec<PathBuf>,
    /// Leave out every %check
    #[arg(long)]
    pub skiptests: bool,
    /// Replace the streams of a buildrequired module (repeatable)
    #[arg(long = "buildrequires", value_name = "NAME:STREAM")]
    pub buildrequires: Vec<NameStream>,
    /// Replace the streams of a required module (repeatable)
    #[arg(long = "requires", value_name = "NAME:STREAM")]
    pub requires: Vec<NameStream>,
    /// Use an earlier local result of this module, the highest version that fits (repeatable)
    #[arg(short = 'l', long = "add-local-build", value_name = "NAME[:STREAM[:VERSION]]")]
    pub add_local_builds: Vec<WantedResult>,
    /// Look modules up at this module build service, too; of their packages those count that are installed here
    #[arg(long, value_name = "URL")]
    pub resolver: Option<String>,
    /// Which stream is meant where the document leaves several open (repeatable)
    #[arg(short = 's', long = "set-stream", value_name = "NAME:STREAM")]
    pub set_streams: Vec<NameStream>,
    /// The base module that stands for this machine [default: as the machine says]
    #[arg(short = 'p', long, value_name = "NAME:STREAM")]
    pub platform: Option<NameStream>,
    /// How many components may be built at the same time [default: the number of processors]
    #[arg(short = 'j', long, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroU32>,
    /// Build with mock instead of rpmbuild in private namespaces
    #[arg(long)]
    pub mock: bool,
    /// Where results, logs and the record of builds are kept [default: ~/modulebuild/builds]
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// Go on with the last build of this module, even if it failed
    #[arg(long, conflicts_with = "fresh")]
    pub resume: bool,
    /// Begin anew, even if a build is unfinished, and reuse nothing
    #[arg(long)]
    pub fresh: bool,
    /// Print events and result as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

fn jobs(text: &str) -> Result<NonZeroU32, &'static str> {
    text.parse().map_err(|_| "it must be a whole number, 1 or more")
}

impl LocalArguments {
    /// Returns the document's file as it was given; `None` if none was.
    pub fn given_file(&self) -> Option<&PathBuf> {
        self.document.as_ref().or(self.file.as_ref())
    }

    /// Returns what is to build packages.
    pub fn builder(&self) -> Builder {
        if self.mock { Builder::Mock } else { Builder::RpmbuildElseMock }
    }

    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}
