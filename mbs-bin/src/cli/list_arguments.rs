//! The arguments of `mbs-build list`: which builds, and in which order.

use clap::Args;
use clap::builder::BoolishValueParser;
use jiff::Timestamp;
use mbs_core::model::State;

use super::Reader;

/// Which module builds are listed; all that is given has to hold.
#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 the service cannot be reached")]
pub struct ListArguments {
    /// The module's name
    #[arg(long)]
    pub name: Option<String>,
    /// Its stream
    #[arg(long)]
    pub stream: Option<String>,
    /// Its version
    #[arg(long = "module-version", value_name = "VERSION")]
    pub version: Option<String>,
    /// Its context
    #[arg(long)]
    pub context: Option<String>,
    /// Name, stream, version and context at once, or the first of them
    #[arg(long, value_name = "N[:S[:V[:C]]]", conflicts_with_all = ["name", "stream", "version", "context"])]
    pub nsvc: Option<String>,
    /// In this state: init, wait, build, done, failed, ready or garbage (repeatable: any of them)
    #[arg(long = "state", value_name = "STATE", value_parser = state)]
    pub states: Vec<State>,
    /// Who submitted it
    #[arg(long)]
    pub owner: Option<String>,
    /// The tag for what is built
    #[arg(long)]
    pub koji_tag: Option<String>,
    /// What is built again: all, changed-and-after or only-changed
    #[arg(long, value_name = "STRATEGY")]
    pub rebuild_strategy: Option<String>,
    /// Whether it is thrown away when it is done
    #[arg(long, value_name = "yes|no", value_parser = BoolishValueParser::new())]
    pub scratch: Option<bool>,
    /// The base module that it is built on, or the first parts of it
    #[arg(long, value_name = "N[:S[:V[:C]]]")]
    pub base: Option<String>,
    /// A virtual stream that it has; base modules only (repeatable: any of them)
    #[arg(long = "virtual-stream", value_name = "STREAM")]
    pub virtual_streams: Vec<String>,
    /// The file name of an RPM that it contains
    #[arg(long, value_name = "FILE")]
    pub rpm: Option<String>,
    /// Submitted then or earlier, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub submitted_before: Option<Timestamp>,
    /// Submitted then or later
    #[arg(long, value_name = "TIME")]
    pub submitted_after: Option<Timestamp>,
    /// Changed last then or earlier
    #[arg(long, value_name = "TIME")]
    pub modified_before: Option<Timestamp>,
    /// Changed last then or later
    #[arg(long, value_name = "TIME")]
    pub modified_after: Option<Timestamp>,
    /// Ended then or earlier
    #[arg(long, value_name = "TIME")]
    pub completed_before: Option<Timestamp>,
    /// Ended then or later
    #[arg(long, value_name = "TIME")]
    pub completed_after: Option<Timestamp>,
    /// Sort by this member of builds (repeatable) [default: the newest first]
    #[arg(long = "order-by", value_name = "MEMBER")]
    pub order_by: Vec<String>,
    /// Sort the other way round
    #[arg(long, requires = "order_by")]
    pub reverse: bool,
    /// Show so many
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub limit: usize,
    /// Print each build as a JSON object on a line of its own
    #[arg(long)]
    pub json: bool,
}

fn state(text: &str) -> Result<State, &'static str> {
    let named = State::ALL.into_iter().find(|state| state.name() == text);
    named.ok_or("it must be init, wait, build, done, failed, ready or garbage")
}

impl ListArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}
