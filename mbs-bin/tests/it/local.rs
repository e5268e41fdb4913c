//! `mbs-build local`, as far as it comes without building anything.

use std::fs;
use std::path::Path;

use mbs_local::lock::DirectoryLock;
use tempfile::TempDir;

use crate::{Ended, mbs_build, run};

const DOCUMENT: &str = "document: modulemd
version: 2
data:
  name: app
  stream: 1.0
  summary: An example
  description: An example.
  license:
    module: [MIT]
  dependencies:
  - buildrequires: {platform: []}
    requires: {platform: []}
";

fn folder(document: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.yaml"), document).unwrap();
    folder
}

/// Builds the document of a folder, with results beside it.
fn local(folder: &Path, options: &[&str]) -> Ended {
    run(folder, &[&["local", "app.yaml", "--results", "results"], options].concat())
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ended = local(folder.path(), &[]);
    let expected = "ERROR: app.yaml does not exist.  Specify --file or check pwd.\n";
    assert_eq!((ended.status, ended.err.as_str()), (2, expected));
    assert!(!folder.path().join("results").exists());
}

#[test]
fn without_a_file_the_folders_name_counts() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("nice");
    fs::create_dir(&inner).unwrap();
    let ended = run(&inner, &["local"]);
    assert_eq!(ended.status, 2);
    assert!(ended.err.starts_with("ERROR: nice.yaml does not exist."), "{}", ended.err);
}

#[test]
fn a_bad_document_is_told_with_its_places_and_leaves_no_results() {
    let folder = folder(&DOCUMENT.replace("[MIT]", "{}").replace("An example\n", "[x]\n"));
    let ended = local(folder.path(), &[]);
    assert_eq!(ended.status, 2);
    assert!(ended.err.lines().any(|line| line.starts_with("ERROR: app.yaml:6:12: ")), "{}", ended.err);
    assert!(!folder.path().join("results").exists());
}

#[test]
fn a_warning_is_called_one_once() {
    let folder = folder(&format!("{DOCUMENT}  sumary: again\n"));
    let mut command = mbs_build(folder.path(), &["local", "app.yaml", "--results", "results"]);
    let ended = Ended::from(command.env("PATH", folder.path()).output().unwrap());
    assert!(ended.err.starts_with("WARNING: app.yaml:13:3: data.sumary: unknown key"), "{}", ended.err);
}

#[test]
fn without_any_stream_the_checkout_is_asked_for_one() {
    let folder = folder(&DOCUMENT.replace("  stream: 1.0\n", ""));
    let mut command = mbs_build(folder.path(), &["local", "app.yaml", "--results", "results"]);
    // Temporary folders may lie in a checkout.
    let ceiling = folder.path().parent().unwrap();
    let ended = Ended::from(command.env("GIT_CEILING_DIRECTORIES", ceiling).output().unwrap());
    let expected =
        "ERROR: Unable to determine stream.  Either execute from a git checkout or pass --stream.\n";
    assert_eq!((ended.status, ended.err.as_str()), (2, expected));
}

#[test]
fn resume_and_fresh_exclude_each_other() {
    let ended = local(folder(DOCUMENT).path(), &["--resume", "--fresh"]);
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("cannot be used with"), "{}", ended.err);
}

#[test]
fn a_missing_program_is_a_lack_of_the_machine_and_says_what_to_install() {
    let folder = folder(DOCUMENT);
    let mut command = mbs_build(folder.path(), &["local", "app.yaml", "--results", "results"]);
    let ended = Ended::from(command.env("PATH", folder.path()).output().unwrap());
    let expected =
        "ERROR: git is not installed (Debian: apt-get install git; Fedora: dnf install git-core)\n";
    assert_eq!((ended.status, ended.err.as_str()), (3, expected));
}

#[test]
fn a_results_directory_that_is_a_file_is_wrong_usage() {
    let folder = folder(DOCUMENT);
    fs::write(folder.path().join("results"), "a file").unwrap();
    let ended = local(folder.path(), &[]);
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("results"), "{}", ended.err);
}

#[test]
fn mock_that_is_asked_for_and_not_there_is_named() {
    if Path::new("/usr/bin/mock").exists() {
        println!("mock is installed here: what is said without it was not tested");
        return;
    }
    let folder = folder(DOCUMENT);
    let ended = local(folder.path(), &["--mock"]);
    assert_eq!(ended.status, 3);
    assert!(ended.err.contains("mock"), "{}", ended.err);
}

#[test]
fn a_results_directory_in_use_is_left_alone() {
    let folder = folder(DOCUMENT);
    let _lock = DirectoryLock::take(&folder.path().join("results")).unwrap();
    let ended = local(folder.path(), &[]);
    assert_eq!(ended.status, 3);
    assert!(ended.err.contains(&format!("(process {})", std::process::id())), "{}", ended.err);
    assert!(!folder.path().join("results/builds.db").exists());
}

#[test]
fn a_folder_with_other_things_is_never_taken_for_results() {
    let folder = folder(DOCUMENT);
    let precious = folder.path().join("results").join("work").join("git/precious");
    fs::create_dir_all(precious.parent().unwrap()).unwrap();
    fs::write(&precious, "mine").unwrap();
    let ended = local(folder.path(), &[]);
    let expected = "results is no results directory of mbs-build: it holds work; give a new or empty one with --results\n";
    assert_eq!(ended.status, 2);
    assert!(ended.err.ends_with(expected), "{}", ended.err);
    assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
}

#[test]
fn a_record_that_is_damaged_is_never_overwritten() {
    let folder = folder(DOCUMENT);
    let record = folder.path().join("results/builds.db");
    fs::create_dir(folder.path().join("results")).unwrap();
    fs::write(&record, "half a rec").unwrap();
    let ended = local(folder.path(), &[]);
    assert_eq!(ended.status, 3);
    assert!(ended.err.contains("builds.db cannot be used: "), "{}", ended.err);
    assert_eq!(fs::read_to_string(&record).unwrap(), "half a rec");
}

#[test]
fn with_json_a_run_that_stops_has_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let ended = local(folder.path(), &["--json"]);
    let result: serde_json::Value = serde_json::from_str(ended.out.trim_end()).unwrap();
    assert_eq!((&result["event"], &result["status"]), (&"result".into(), &2.into()));
    assert_eq!(ended.status, 2);
}
