//! `mbs-manager` on a store, as it is typed: what goes where, and how it ends.

use std::path::Path;

use crate::Ended;
use crate::config::{manager, run};

const PLATFORM: &str = "document: modulemd
version: 2
data:
  name: platform
  stream: f40
  version: 1
  context: '00000000'
  summary: The distribution
  description: Its packages.
  license: {module: [MIT]}
";

/// Runs a command on the store of a folder.
fn kept(folder: &Path, arguments: &[&str]) -> Ended {
    run(manager(folder, &[&["--config", "", "--database", "sqlite:mbs.db"], arguments].concat()))
}

#[test]
fn a_store_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let ended = kept(folder.path(), &["limit", "7"]);
    let expected = "ERROR: mbs.db holds no store; if the path is right, `mbs-manager upgradedb` makes one\n";
    assert_eq!((ended.status, ended.err.as_str()), (3, expected));
    assert!(!folder.path().join("mbs.db").exists());
}

#[test]
fn a_token_goes_to_the_output_alone_and_what_it_is_to_people() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(kept(folder.path(), &["upgradedb"]).status, 0);
    let ended = kept(folder.path(), &["token", "create", "--user", "bot", "--expires", "never"]);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(ended.out.starts_with("mbs_") && ended.out.len() == 4 + 64 + 1, "{}", ended.out);
    let told = "token 1 of bot, good for submit, cancel, without an end; it is not shown again\n";
    assert_eq!(ended.err, told);
}

#[test]
fn who_cannot_be_asked_retires_nothing_unless_they_agree_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("platform.yaml"), PLATFORM).unwrap();
    assert_eq!(kept(folder.path(), &["upgradedb"]).status, 0);
    let ended = kept(folder.path(), &["import", "platform.yaml"]);
    assert_eq!((ended.status, ended.out.as_str()), (0, "1 platform:f40:1:00000000 is imported\n"));
    let ended = kept(folder.path(), &["retire", "platform:f40"]);
    assert_eq!(ended.status, 2);
    assert!(ended.err.contains("say --confirm"), "{}", ended.err);
    let ended = kept(folder.path(), &["retire", "platform:f40", "--confirm"]);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(ended.out.ends_with("1 build retired\n"), "{}", ended.out);
}

#[test]
fn a_local_build_for_dist_git_clients_has_one_bad_end() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["-q", "build_module_locally", "--offline", "--file", "app.yaml", "--stream", "1"];
    let ended = run(manager(folder.path(), &arguments));
    assert_eq!(ended.status, 1);
    assert!(ended.err.starts_with("ERROR: app.yaml does not exist"), "{}", ended.err);
    assert!(ended.err.ends_with("ERROR: Local module build failed.\n"), "{}", ended.err);
}
