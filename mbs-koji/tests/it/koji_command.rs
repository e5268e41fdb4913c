//! Does Koji's own command-line client understand the fake hub?
//!
//! `scripts/koji-client` installs the client; without it nothing is checked, unless `MBS_REFERENCE_REQUIRED` is set.

use std::path::{Path, PathBuf};
use std::process::Command;

use mbs_core::ident::TaskId;
use mbs_koji::fake_hub::{FakeHub, Setup, TagPlan};
use mbs_koji::xmlrpc::{Call, Value, decode_response, encode_call};

use crate::send::{Letter, send};

#[tokio::test(flavor = "multi_thread")]
async fn kojis_own_client_shows_what_was_built() {
    let Some(client) = client() else { return };
    let hub = FakeHub::start(Setup::default()).await.expect("a port is free");
    let (task, unfinished) = build(&hub);
    let home = tempfile::tempdir().expect("a folder can be made");
    let profile = format!("[koji]\nserver = {}\nauthtype = noauth\n", hub.url());
    std::fs::write(home.path().join("koji.conf"), profile).expect("a file can be written");
    let koji = |command: &str| run(&client, home.path(), command);
    let greeting = koji("moshimoshi");
    assert!(greeting.contains("(Koji 1.35.3)"), "{greeting}");
    assert_eq!(koji("list-tags").lines().collect::<Vec<_>>(), ["f40", "module-x", "module-x-build"]);
    let info = koji("taginfo module-x-build");
    for line in [
        "Arches: aarch64 x86_64",
        "Groups: build",
        "Current repo: repo#1:",
        "Targets that build from this tag:\n  module-x",
        "  0    .... f40 [",
    ] {
        assert!(info.contains(line), "{line} is missing in:\n{info}");
    }
    let info = koji("buildinfo perl-1.0-1");
    for line in [
        "State: COMPLETE",
        "Built by: mbs",
        "Task: 1 build (module-x, /rpms/perl:abc)",
        "perl-1.0-1.src.rpm",
        "perl-1.0-1.x86_64.rpm",
        "Tags: module-x",
    ] {
        assert!(info.contains(line), "{line} is missing in:\n{info}");
    }
    let tagged = koji("list-tagged module-x");
    assert!(
        tagged
            .lines()
            .any(|line| line.split_whitespace().collect::<Vec<_>>() == ["perl-1.0-1", "module-x", "mbs"]),
        "{tagged}"
    );
    assert!(koji(&format!("taskinfo {}", task.0)).contains("State: closed"));
    assert!(koji(&format!("taskinfo {}", unfinished.0)).contains("State: free"));
    assert!(koji("buildinfo perl-9-9").contains("No such build"));
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

/// Builds and tags a package by calls, and begins a second build.
fn build(hub: &FakeHub) -> (TaskId, TaskId) {
    let arches = vec!["aarch64".to_owned(), "x86_64".to_owned()];
    hub.plant_tag_as("f40", &TagPlan { arches: arches.clone(), ..TagPlan::default() });
    hub.plant_tag_as(
        "module-x",
        &TagPlan { arches: arches.clone(), packages: vec!["perl".into()], ..TagPlan::default() },
    );
    let groups = [("build".to_owned(), vec!["bash".to_owned()])].into();
    let plan = TagPlan { arches, inherits: vec!["f40".into()], groups, ..TagPlan::default() };
    hub.plant_tag_as("module-x-build", &plan);
    hub.plant_target("module-x", "module-x-build", "module-x");
    hub.plant_repo("module-x-build");
    let login = ask(hub, &[], &Call::new("login").arg("mbs").arg("mbspw"));
    let id = login.member("session-id").and_then(Value::as_int).expect("a session").to_string();
    let key = login.member("session-key").and_then(Value::as_str).expect("a key").to_owned();
    let session = [("Koji-Session-Id", id), ("Koji-Session-Key", key)];
    let source = Call::new("build").arg("git+https://src.example/rpms/perl?#abc").arg("module-x");
    let build = || TaskId(ask(hub, &session, &source).as_int().expect("a task"));
    let (first, second) = (build(), build());
    hub.finish(first).expect("it lives");
    (first, second)
}

pub(crate) fn ask(hub: &FakeHub, session: &[(&str, String)], call: &Call) -> Value {
    let body = encode_call(call).into_bytes();
    let mut headers = vec![("Content-Length".to_owned(), body.len().to_string())];
    headers.extend(session.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let letter = Letter { verb: "POST".into(), place: "/kojihub".into(), headers, body };
    let url = hub.url();
    let host = url.trim_start_matches("http://").trim_end_matches("/kojihub");
    let reply = send(host, &letter).expect("the hub answers");
    decode_response(&reply.body).expect("it is XML-RPC").expect("it is no fault")
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
