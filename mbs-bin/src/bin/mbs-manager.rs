//! The `mbs-manager` command: reads the arguments and hands them to the library.

use std::process::ExitCode;

use clap::Parser as _;
use mbs_bin::manager::{self, Arguments};

fn main() -> ExitCode {
    manager::run(&Arguments::parse()).into()
}
