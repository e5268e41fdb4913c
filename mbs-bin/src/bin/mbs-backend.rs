//! The `mbs-backend` command: reads the arguments and hands them to the library.

use std::process::ExitCode;

use clap::Parser as _;
use mbs_bin::backend::{self, Arguments};

fn main() -> ExitCode {
    backend::run(&Arguments::parse()).into()
}
