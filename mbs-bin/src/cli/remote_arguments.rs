//! The arguments of the commands that talk to a service.

use std::path::PathBuf;

use clap::Args;
use mbs_core::ident::NameStream;

use super::Reader;

const STATUSES: &str = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 the service cannot be reached";

const SUBMIT_STATUSES: &str = "Exit status: 0 submitted, 1 not logged in, 2 wrong usage, 3 the service cannot be \
reached, 251 an -o that is no KEY=VALUE, 252 refused, 253 an odd answer, 254 no git URL or branch";

/// Which module builds are shown.
#[derive(Debug, Args)]
#[command(after_help = STATUSES)]
pub struct OverviewArguments {
    /// Show builds in the states done, ready and failed, not those in init, wait and build
    #[arg(long)]
    pub finished: bool,
    /// Show so many, the newest
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub limit: usize,
    /// Print each build as a JSON object on a line of its own
    #[arg(long)]
    pub json: bool,
}

/// Which module build is meant.
#[derive(Debug, Args)]
#[command(after_help = STATUSES)]
pub struct BuildArguments {
    /// The number of the module build
    #[arg(value_name = "ID")]
    pub id: String,
    /// Print the answer as JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// Which module build is watched.
#[derive(Debug, Args)]
#[command(after_help = STATUSES)]
pub struct WatchArguments {
    /// The number of the module build
    #[arg(value_name = "ID")]
    pub id: String,
    /// Look again after so many seconds
    #[arg(long, value_name = "SECS", default_value_t = 30)]
    pub every: u64,
    /// Print the build as a JSON object on a line at each look
    #[arg(long)]
    pub json: bool,
}

/// Whose log is shown.
#[derive(Debug, Args)]
#[command(after_help = STATUSES)]
pub struct LogArguments {
    /// The number of the module build
    #[arg(value_name = "ID")]
    pub id: String,
    /// Show further lines as they come, until the build has ended
    #[arg(short = 'f', long)]
    pub follow: bool,
    /// Look again after so many seconds
    #[arg(long, value_name = "SECS", default_value_t = 5)]
    pub every: u64,
    /// Print each line as a JSON object on a line of its own
    #[arg(long)]
    pub json: bool,
}

/// What is submitted again.
#[derive(Debug, Args)]
#[command(after_help = SUBMIT_STATUSES)]
pub struct ResumeArguments {
    /// The number of the module build
    #[arg(value_name = "ID")]
    pub id: String,
    /// Watch the build then
    #[arg(short = 'w', long)]
    pub watch: bool,
    /// Print the builds as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

/// How a login or its end is told.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 done, 1 refused, 3 the service or the provider cannot be reached, or the token \
cannot be kept"
)]
pub struct LoginArguments {
    /// Print what was done as JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// What is submitted.
#[derive(Debug, Args)]
#[command(after_help = SUBMIT_STATUSES)]
pub struct SubmitArguments {
    /// Where the document is: https://HOST/PATH?#COMMIT [default: as CLIENT giturl says]
    #[arg(value_name = "SCM_URL", conflicts_with = "file")]
    pub scm_url: Option<String>,
    /// The branch that the commit is on [default: the current git branch]
    #[arg(value_name = "BRANCH")]
    pub branch: Option<String>,
    /// Watch the build then
    #[arg(short = 'w', long)]
    pub watch: bool,
    /// A further member of what is sent, as text (repeatable)
    #[arg(short = 'o', value_name = "KEY=VALUE")]
    pub options: Vec<String>,
    /// Submit this document, where the service takes some directly
    #[arg(long, value_name = "YAML")]
    pub file: Option<PathBuf>,
    /// The stream, instead of the document's
    #[arg(long, requires = "file")]
    pub stream: Option<String>,
    /// Throw the build away when it is done
    #[arg(long)]
    pub scratch: bool,
    /// Build this source RPM instead of the component of the same name: a file, which is uploaded to Koji, or the path of an
    /// upload, cli-build/… (repeatable)
    #[arg(long = "srpm", value_name = "FILE", requires = "scratch")]
    pub srpms: Vec<String>,
    /// Which Koji sources are uploaded to: the name of a profile in Koji's own configuration
    #[arg(long, value_name = "PROFILE", env = "KOJI_PROFILE", default_value = "koji")]
    pub koji_profile: String,
    /// Replace the streams of a buildrequired module (repeatable)
    #[arg(long = "buildrequire", visible_alias = "buildrequires", value_name = "NAME:STREAM")]
    pub buildrequires: Vec<NameStream>,
    /// Replace the streams of a required module (repeatable)
    #[arg(long = "require", visible_alias = "requires", value_name = "NAME:STREAM")]
    pub requires: Vec<NameStream>,
    /// What is built again: all, changed-and-after or only-changed
    #[arg(long = "rebuild-strategy", value_name = "STRATEGY")]
    pub rebuild_strategy: Option<String>,
    /// Take components from this build: its number, or N:S:V:C
    #[arg(long = "reuse-from", value_name = "BUILD")]
    pub reuse_from: Option<String>,
    /// Say what would be built, and submit nothing; services of ours can
    #[arg(long, conflicts_with = "watch")]
    pub dry_run: bool,
    /// Print the builds as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

impl LogArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}

impl ResumeArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}

impl LoginArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}

impl OverviewArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}

impl BuildArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}

impl WatchArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}

impl SubmitArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}
