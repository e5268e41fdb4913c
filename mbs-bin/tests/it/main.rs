//! What the commands print and end with, asked of the real programs.

#![expect(clippy::unwrap_used, reason = "a test whose world cannot be set up has to fail")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

mod config;
mod local;
mod pages;
mod remote;
mod upkeep;
mod validate;

/// How a run ended.
struct Ended {
    status: i32,
    out: String,
    err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Prepares the program to run in a folder.
fn mbs_build(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mbs-build"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Ended {
    mbs_build(folder, arguments).output().unwrap().into()
}

fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Ended {
    let mut command = mbs_build(folder, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    running.wait_with_output().unwrap().into()
}

#[test]
fn without_a_command_the_help_is_an_error() {
    let ended = run(Path::new("."), &[]);
    assert_eq!((ended.status, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("Usage: mbs-build"), "{}", ended.err);
    assert_eq!(run(Path::new("."), &["-v"]).status, 2);
}

#[test]
fn help_that_was_asked_for_is_a_result() {
    for arguments in
        [&["--help"][..], &["help"], &["local", "--help"], &["help", "local"], &["validate", "-h"]]
    {
        let ended = run(Path::new("."), arguments);
        assert_eq!((ended.status, ended.err.as_str()), (0, ""));
        assert!(ended.out.contains("Usage: mbs-build"), "{}", ended.out);
    }
}

#[test]
fn an_unknown_option_is_wrong_usage() {
    let ended = run(Path::new("."), &["local", "--fast"]);
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("--fast"), "{}", ended.err);
}
