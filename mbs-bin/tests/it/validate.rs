//! `mbs-build validate`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::{mbs_build, run, run_with_input};

const GOOD: &str = "document: modulemd
version: 2
data:
  name: app
  summary: An example
  description: An example.
  license:
    module: [MIT]
  dependencies:
  - buildrequires: {platform: []}
";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn with_odd_key() -> String {
    format!("{GOOD}  sumary: again\n")
}

#[test]
fn a_good_document_is_passed_in_silence() {
    let folder = folder(&[("app.yaml", GOOD)]);
    let ended = run(folder.path(), &["validate", "app.yaml"]);
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "", ""));
}

#[test]
fn a_problem_is_a_line_with_file_place_and_path() {
    let folder = folder(&[("app.yaml", &GOOD.replace("summary: An example", "summary: [1]"))]);
    let ended = run(folder.path(), &["validate", "app.yaml"]);
    assert_eq!(ended.status, 2);
    assert!(ended.out.starts_with("app.yaml:5:12: data.summary: "), "{}", ended.out);
    assert_eq!((ended.out.lines().count(), ended.err.as_str()), (1, ""));
}

#[test]
fn a_warning_alone_is_no_failure() {
    let folder = folder(&[("app.yaml", &with_odd_key())]);
    let ended = run(folder.path(), &["validate", "app.yaml"]);
    assert_eq!(ended.status, 0);
    assert!(ended.out.contains(": warning: data.sumary: "), "{}", ended.out);
}

#[test]
fn what_nothing_can_be_built_of_is_a_warning() {
    let unfit = GOOD.replace("name: app", "name: \"gree ter/x\"").replace("platform: []", "gtk: []");
    let folder = folder(&[("app.yaml", &unfit)]);
    let ended = run(folder.path(), &["validate", "app.yaml"]);
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(
        lines[0].starts_with("app.yaml:4:9: warning: data.name: \"gree ter/x\" is no valid"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("app.yaml:10:5: warning: data.dependencies: no base module"), "{lines:?}");
}

#[test]
fn every_file_and_every_document_is_checked() {
    let defaults = "---\ndocument: modulemd-defaults\nversion: 1\ndata: {}\n";
    let two = format!("{GOOD}{defaults}");
    let folder = folder(&[("bad.yaml", "a: ["), ("good.yaml", GOOD), ("two.yaml", &two)]);
    let ended = run(folder.path(), &["validate", "bad.yaml", "good.yaml", "two.yaml"]);
    assert_eq!(ended.status, 2);
    for file in ["bad.yaml:", "two.yaml:14:"] {
        assert!(ended.out.lines().any(|line| line.starts_with(file)), "{file} in {}", ended.out);
    }
    assert!(!ended.out.contains("good.yaml"), "{}", ended.out);
}

#[test]
fn with_json_each_problem_is_an_object() {
    let folder = folder(&[("app.yaml", &with_odd_key())]);
    let ended = run(folder.path(), &["validate", "--json", "app.yaml"]);
    let problem: serde_json::Value = serde_json::from_str(ended.out.trim_end()).unwrap();
    assert_eq!(
        [&problem["file"], &problem["severity"], &problem["path"]],
        ["app.yaml", "warning", "data.sumary"]
    );
    assert_eq!([&problem["line"], &problem["column"], &problem["document"]], [11, 3, 0]);
}

#[test]
fn the_standard_input_is_a_document() {
    let good = run_with_input(Path::new("."), &["validate", "-"], GOOD);
    assert_eq!((good.status, good.out.as_str()), (0, ""));
    let bad = run_with_input(Path::new("."), &["validate", "-"], "document: modulemd\n");
    assert_eq!(bad.status, 2);
    assert!(bad.out.starts_with("<stdin>:1:1: "), "{}", bad.out);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_checked() {
    let folder = folder(&[("bad.yaml", "document: x\n")]);
    fs::create_dir(folder.path().join("sub")).unwrap();
    let ended = run(folder.path(), &["validate", "missing.yaml", "sub", "bad.yaml"]);
    assert_eq!(ended.status, 2);
    assert_eq!(ended.err, "ERROR: missing.yaml does not exist\nERROR: sub is a folder, not a document\n");
    assert!(ended.out.contains("bad.yaml:"), "{}", ended.out);
}

#[test]
fn with_json_a_file_that_cannot_be_read_is_an_object_too() {
    let folder = folder(&[("app.yaml", &with_odd_key())]);
    let ended = run(folder.path(), &["validate", "--json", "missing.yaml", "app.yaml"]);
    let problems: Vec<serde_json::Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [missing, odd_key] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!([&missing["file"], &missing["severity"]], ["missing.yaml", "error"]);
    assert_eq!(missing["message"], "missing.yaml does not exist");
    assert_eq!(missing["line"], serde_json::Value::Null);
    assert_eq!((&odd_key["file"], ended.status), (&"app.yaml".into(), 2));
}

#[test]
fn text_that_is_not_utf_8_is_a_problem_with_a_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("latin.yaml"), b"document: modulemd\nname: \xe9\n").unwrap();
    let ended = run(folder.path(), &["validate", "latin.yaml"]);
    assert_eq!((ended.status, ended.out.as_str()), (2, "latin.yaml:2:7: the text is not UTF-8\n"));
}

#[test]
fn validate_without_a_file_is_wrong_usage() {
    assert_eq!(mbs_build(Path::new("."), &["validate"]).output().unwrap().status.code(), Some(2));
}
