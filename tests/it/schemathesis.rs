//! Does the frontend answer as its own description says? schemathesis makes requests of the description, such as it allows and such as
//! it does not, and holds the answers to it.
//!
//! `scripts/schemathesis` installs it; without it nothing is checked, unless `MBS_REFERENCE_REQUIRED` is set.

use std::path::PathBuf;
use std::process::Command;

use mbs_tests::needed::left_out;
use mbs_tests::served::Served;
use mbs_tests::within::run_within_limit;

use crate::rest_golden::recordings;

/// What answers are held to. That odd parameters are refused is not: clients know most of them to be read leniently.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method,allow_header_conformance";

/// So many requests are made of each operation at random, beside those that follow from the description.
const EXAMPLES: &str = "50";

/// A frontend with nothing in it, that fetches nothing from anywhere.
const EMPTY: &str = "[access]\nno_auth = true\n[building]\nsystem = \"mock\"\n[submission]\n\
    scmurls = [\"https://none.invalid/\"]\nyaml_submit_allowed = true\nmodules_allow_scratch = true\n";

/// Returns the path of the program; `None` if it is missing and may be.
fn program() -> Option<PathBuf> {
    let script = mbs_tests::root().join("scripts/schemathesis");
    let output = Command::new(script).arg("--installed").output().expect("the script runs");
    if output.status.success() {
        return Some(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    left_out(String::from_utf8_lossy(&output.stderr).trim())
}

/// Runs it against a version of the interface; the same requests each time.
fn assert_answers_as_described(served: &Served, version: u8) {
    let Some(program) = program() else { return };
    let description = format!("http://{}/module-build-service/{version}/openapi.json", served.address);
    let mut command = Command::new(program);
    command.current_dir(served.folder.path()).args(["run", &description, "--no-color", "--checks", CHECKS]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES]);
    command.arg("--generation-deterministic");
    command.args(["--continue-on-failure", "--request-timeout", "60"]);
    // A stream of events has no end that could be waited for.
    command.args(["--exclude-path-regex", "/events$"]);
    let ran = run_within_limit(&mut command).expect("it runs");
    assert_eq!(ran.status, Some(0), "{}\n{}\n{}", ran.out, ran.err, served.said().unwrap_or_default());
}

#[test]
fn over_recorded_state_the_answers_are_as_described() {
    let Some(recordings) = recordings() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rest-golden-server"));
    command.args(["--profile", "open", "--state"]).arg(recordings.canonicalize().unwrap());
    let served = Served::start(&mut command, folder).unwrap();
    assert_answers_as_described(&served, 2);
}

#[test]
fn with_nothing_recorded_the_answers_are_as_described() {
    assert_answers_as_described(&Served::frontend(EMPTY, None).unwrap(), 1);
}
