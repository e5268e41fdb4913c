//! Sources of scratch builds, uploaded to a fake hub.

use std::fs;

use mbs_client::fake_server::Answer;
use mbs_koji::fake_hub::{FakeHub, Setup};
use serde_json::json;

use super::{Service, build};

/// A service beside a hub to which the user may upload.
fn service(password: &str) -> (Service, FakeHub) {
    let service = Service::new(|_| Answer::json(201, &build(7, json!({}))));
    let hub = service.runtime.block_on(FakeHub::start(Setup::default())).unwrap();
    let profile = format!("[farm]\nserver = {}\nuser = mbs\npassword = {password}\n", hub.url());
    service.write(".koji/config", &profile);
    (service, hub)
}

const SUBMIT: [&str; 6] = ["--login", "none", "submit", "https://x/app?#abc", "main", "--scratch"];

#[test]
fn files_are_uploaded_to_koji_before_the_service_is_told_their_paths() {
    let (service, hub) = service("mbspw");
    service.write("bash-5-1.src.rpm", "content");
    let more =
        ["--koji-profile", "farm", "--srpm", "bash-5-1.src.rpm", "--srpm", "cli-build/1.a/zlib.src.rpm"];
    let ended = service.run(&[&SUBMIT[..], &more].concat());
    assert_eq!((ended.status, ended.out.as_str()), (0, "Submitted module build 7\n"), "{}", ended.err);
    let body = service.server.heard()[0].json();
    let paths: Vec<&str> =
        body["srpms"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    assert!(paths[0].starts_with("cli-build/") && paths[0].ends_with("/bash-5-1.src.rpm"), "{paths:?}");
    assert_eq!((paths[1], paths.len()), ("cli-build/1.a/zlib.src.rpm", 2));
    assert_eq!(hub.counters().calls_of("rawUpload"), 1);
    assert_eq!(hub.counters().calls_of("logout"), 1);
}

#[test]
fn a_koji_that_takes_nothing_keeps_the_service_from_being_told() {
    let (service, _hub) = service("wrong");
    service.write("bash-5-1.src.rpm", "content");
    let ended =
        service.run(&[&SUBMIT[..], &["--koji-profile", "farm", "--srpm", "bash-5-1.src.rpm"]].concat());
    assert_eq!(ended.status, 3);
    assert!(ended.err.starts_with("ERROR: bash-5-1.src.rpm cannot be uploaded: "), "{}", ended.err);
    assert_eq!(service.asked(), [""; 0]);
    let ended =
        service.run(&[&SUBMIT[..], &["--koji-profile", "none", "--srpm", "bash-5-1.src.rpm"]].concat());
    assert!(ended.status == 3 && ended.err.contains("no source can be uploaded: "), "{}", ended.err);
}

#[test]
fn what_is_no_source_is_told_before_anything_is_sent() {
    let (service, hub) = service("mbspw");
    fs::write(service.path("bash.spec"), "x").unwrap();
    for (file, told) in [("bash.spec", "is no source RPM"), ("missing.src.rpm", "does not exist")] {
        service.write("good.src.rpm", "content");
        let ended = service.run(&[&SUBMIT[..], &["--srpm", "good.src.rpm", "--srpm", file]].concat());
        assert!(ended.status == 2 && ended.err.contains(told), "{}", ended.err);
    }
    assert_eq!(hub.counters().calls_of("rawUpload"), 0);
    let ended = service.run(&["submit", "https://x/app?#abc", "main", "--srpm", "good.src.rpm"]);
    assert!(ended.status == 2 && ended.err.contains("--scratch"), "{}", ended.err);
}
