//! The programs under test, compiled as the tests are: with the same profile, into the same folder, from the same lock file.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use crate::root;

static MBS_BUILD: LazyLock<PathBuf> = LazyLock::new(|| compiled(&["-p", "mbs-bin", "--bin", "mbs-build"]));

static MBS_MANAGER: LazyLock<PathBuf> =
    LazyLock::new(|| compiled(&["-p", "mbs-bin", "--bin", "mbs-manager"]));

/// Returns the path of `mbs-build`; cargo makes it if it is missing or old.
pub fn mbs_build() -> &'static Path {
    &MBS_BUILD
}

/// Returns the path of `mbs-manager`; cargo makes it if it is missing or old.
pub fn mbs_manager() -> &'static Path {
    &MBS_MANAGER
}

static MBS_FRONTEND: LazyLock<PathBuf> =
    LazyLock::new(|| compiled(&["-p", "mbs-bin", "--bin", "mbs-frontend"]));

/// Returns the path of `mbs-frontend`; cargo makes it if it is missing or old.
pub fn mbs_frontend() -> &'static Path {
    &MBS_FRONTEND
}

/// Returns the path of an example of `mbs-examples`; cargo makes it if it is missing or old.
pub fn example(name: &str) -> PathBuf {
    compiled(&["-p", "mbs-examples", "--example", name])
}

/// Has cargo compile the one program that is selected, and returns where cargo says it is.
fn compiled(selection: &[&str]) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its path");
    let folder = test.ancestors().nth(2).expect("tests lie in the folder deps of their profile's folder");
    let (Some(target), Some(profile)) = (folder.parent(), folder.file_name()) else {
        panic!("{} is in no target folder", test.display())
    };
    // Only this profile's folder has another name.
    let profile = if profile == "debug" { "dev".as_ref() } else { profile };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--message-format", "json-render-diagnostics"]);
    cargo.arg("--target-dir").arg(target).arg("--profile").arg(profile).args(selection);
    let done = cargo.current_dir(root()).stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(done.status.success(), "{selection:?} does not compile");
    let messages = String::from_utf8_lossy(&done.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    programs.next().expect("cargo names what it made")
}
