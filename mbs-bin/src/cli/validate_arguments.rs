//! The arguments of `mbs-build validate`.

use std::path::PathBuf;

use clap::Args;

use super::Reader;

/// Which documents are checked, and how what is wrong is shown.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 no errors (there may be warnings), 2 errors, or a file cannot be read"
)]
pub struct ValidateArguments {
    /// The documents' files; `-` is the standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Print each problem as a JSON object on a line of its own
    #[arg(long)]
    pub json: bool,
}

impl ValidateArguments {
    /// Returns for whom to print.
    pub fn reader(&self) -> Reader {
        Reader::of(self.json)
    }
}
