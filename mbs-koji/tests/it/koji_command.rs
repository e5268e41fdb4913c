//! Does Koji's own command-line client show what our build system did?
//!
//! `scripts/koji-client` installs the client; without it nothing is checked, unless `MBS_REFERENCE_REQUIRED` is set.

use std::path::{Path, PathBuf};
use std::process::Command;

use mbs_core::build_system::{BuildSystem as _, TagRequest};
use mbs_core::ident::{TagName, TaskId};

use crate::site::{BASE, DIST, Site, id, job, spec};

#[tokio::test(flavor = "multi_thread")]
async fn kojis_own_client_shows_what_our_build_system_did() {
    let Some(client) = client() else { return };
    let site = Site::new("1.35.3").await;
    let (task, unfinished) = build(&site).await;
    let home = tempfile::tempdir().expect("a folder can be made");
    let profile = format!("[koji]\nserver = {}\nauthtype = noauth\n", site.hub.url());
    std::fs::write(home.path().join("koji.conf"), profile).expect("a file can be written");
    let koji = |command: &str| run(&client, home.path(), command);
    let greeting = koji("moshimoshi");
    assert!(greeting.contains("(Koji 1.35.3)"), "{greeting}");
    assert_eq!(koji("list-tags").lines().collect::<Vec<_>>(), [BASE, "module-app", "module-app-build"]);
    let info = koji("taginfo module-app-build");
    for line in [
        "Arches: aarch64 x86_64",
        "Groups: build, srpm-build",
        "Required permission: 'tag'",
        "Current repo: repo#1:",
        "Targets that build from this tag:\n  module-app",
        "  0    .... f40-build [",
    ] {
        assert!(info.contains(line), "{line} is missing in:\n{info}");
    }
    let nvr = format!("perl-1.0-1{DIST}");
    let info = koji(&format!("buildinfo {nvr}"));
    for line in [
        "State: COMPLETE",
        "Built by: mbs",
        &format!("Task: {task} build (module-app, /rpms/perl:{})", "a".repeat(40)),
        &format!("{nvr}.src.rpm"),
        &format!("{nvr}.x86_64.rpm"),
        "Tags: module-app module-app-build",
    ] {
        assert!(info.contains(line), "{line} is missing in:\n{info}");
    }
    let tagged = koji("list-tagged module-app");
    let is_listed =
        |line: &str| line.split_whitespace().collect::<Vec<_>>() == [nvr.as_str(), "module-app", "mbs"];
    assert!(tagged.lines().any(is_listed), "{tagged}");
    assert!(koji(&format!("taskinfo {task}")).contains("State: closed"));
    let task = koji(&format!("taskinfo {unfinished}"));
    assert!(task.contains("State: free") && task.contains("Owner: mbs"), "{task}");
    assert!(koji("buildinfo perl-9-9").contains("No such build"));
}

/// Lets the build system make a buildroot with a repository, build and tag one package, and begin another.
async fn build(site: &Site) -> (TaskId, TaskId) {
    let spec = spec(&["perl", "php"]);
    site.system.ensure_buildroot(&spec).await.unwrap();
    site.system.request_repo(&spec.build_tag).await.unwrap();
    site.hub.serve_requests();
    let repo = site.hub.live_tasks().first().unwrap().id;
    site.hub.finish(repo).unwrap();
    let first = site.system.submit(&job(&id("perl"))).await.unwrap();
    let second = site.system.submit(&job(&id("php"))).await.unwrap();
    site.hub.finish(first).unwrap();
    let request = |tag: &TagName| TagRequest {
        tag: tag.clone(),
        package: id("perl"),
        nvr: id(&format!("perl-1.0-1{DIST}")),
    };
    site.system.ensure_tagged(&[request(&spec.tag), request(&spec.build_tag)]).await.unwrap();
    (first, second)
}

/// Returns the client's path; `None` if it is missing and may be.
///
/// # Panics
/// It is missing though `MBS_REFERENCE_REQUIRED` is set.
fn client() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/koji-client");
    let output = Command::new(script).arg("--installed").output().expect("the script runs");
    if output.status.success() {
        return Some(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(std::env::var_os("MBS_REFERENCE_REQUIRED").is_none(), "{why}");
    eprintln!("not checked, {why}");
    None
}

/// Runs a command of the client, without anybody's configuration, and returns what it says.
fn run(client: &Path, home: &Path, command: &str) -> String {
    let mut koji = Command::new(client);
    koji.arg("--config").arg(home.join("koji.conf")).args(command.split(' '));
    koji.env("HOME", home).env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
    let output = koji.output().expect("the client runs");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}
