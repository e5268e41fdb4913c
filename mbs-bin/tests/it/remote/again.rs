//! `mbs-build resume`.

use mbs_client::fake_server::{Answer, Heard};
use serde_json::{Value, json};

use super::{API, Service, build, not_found};

const DOCUMENT: &str = "document: modulemd
version: 2
data:
  name: desktop
  stream: \"f26\"
  version: 2620170601141014
  context: c0ffee42
  summary: A desktop
  description: A desktop.
  license:
    module: [MIT]
  xmd:
    mbs: {mse: TRUE, branch: f26, buildrequires: {}}
";

/// A service with a build that failed, where the second strategy is the usual one.
fn service(changes: &Value) -> Service {
    let strategy = |name: &str, is_default: bool| json!({"name": name, "description": "", "allowed": true, "default": is_default});
    let strategies = json!({"items": [strategy("all", false), strategy("changed-and-after", true)]});
    let mut failed = build(7, json!({"state": 4, "state_name": "failed", "modulemd": DOCUMENT}));
    failed.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Service::new(move |heard: &Heard| {
        match (heard.method.as_str(), heard.path().strip_prefix(API).unwrap()) {
            ("GET", "module-builds/7") => Answer::json(200, &failed),
            ("GET", "rebuild-strategies/") => Answer::json(200, &strategies),
            ("POST", "module-builds/") => Answer::json(201, &build(7, json!({}))),
            _ => not_found(),
        }
    })
}

fn sent(service: &Service) -> Value {
    service.server.heard().last().unwrap().json()
}

#[test]
fn a_build_is_submitted_as_it_was() {
    let service = service(&json!({"scmurl": "https://x/desktop?#abc", "rebuild_strategy": "all"}));
    let ended = service.run(&["--login", "none", "resume", "7"]);
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "Submitted module build 7\n", ""));
    let wanted = ["GET module-builds/7?verbose=true", "GET rebuild-strategies/", "POST module-builds/"];
    assert_eq!(service.asked(), wanted);
    let wanted = json!({"scmurl": "https://x/desktop?#abc", "branch": "f26", "rebuild_strategy": "all"});
    assert_eq!(sent(&service), wanted);
}

#[test]
fn a_document_that_was_given_is_given_again() {
    let base = json!([{"id": 1, "name": "platform", "stream": "f26", "version": "3", "state": 5, "state_name": "ready"}]);
    let service =
        service(&json!({"base_module_buildrequires": base, "rebuild_strategy": "changed-and-after"}));
    let ended = service.run(&["--login", "none", "resume", "7", "--json"]);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap()["id"], 7);
    let body = sent(&service);
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["modulemd"]);
    let text = body["modulemd"].as_str().unwrap();
    assert!(
        text.contains("version: 20170601141014\n") && !text.contains("mbs") && !text.contains("c0ffee42"),
        "{text}"
    );
}

#[test]
fn a_build_that_is_not_there_or_not_shown_is_told() {
    let ended = Service::with([]).run(&["resume", "7"]);
    assert_eq!((ended.status, ended.err.as_str()), (1, "ERROR: No such module found.\n"));
    let ended = service(&json!({"modulemd": null})).run(&["--login", "none", "resume", "7"]);
    let told = "ERROR: build 7 cannot be resumed: the service does not say its document\n";
    assert_eq!((ended.status, ended.err.as_str()), (1, told));
}
