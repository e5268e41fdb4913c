//! The `mbs-frontend` command: reads the arguments and hands them to the library.

use std::process::ExitCode;

use clap::Parser as _;
use mbs_bin::frontend::{self, Arguments};

fn main() -> ExitCode {
    frontend::run(&Arguments::parse()).into()
}
