//! The `mbs-build` command: reads the arguments and hands them to the library.

use std::process::ExitCode;

use clap::Parser as _;
use mbs_bin::cli::{self, Arguments};

fn main() -> ExitCode {
    cli::run(Arguments::parse()).into()
}
