//! `mbs-build plan --server` and `submit --dry-run`.

use mbs_client::fake_server::{Answer, Heard};
use serde_json::{Value, json};

use super::{Service, not_found};

fn plans() -> Value {
    json!({
        "builds": [{
            "nsvc": "app:1:20240102030405:c0ffee42", "exists": false, "requires": [{"platform": ["f39"]}],
            "buildrequires": [{"nsvc": "platform:f39:3:00000000", "why": "asked for"}], "reuse_from": null,
            "ordering": "batches", "included": [], "cost": 1.5, "longest": 1.5,
            "components": [{"package": "liba", "batch": 2, "after": [], "ref": "main", "is_built": true,
                "fate": "built\u{1b}[2J", "cost": 1.5}],
        }],
        "warnings": ["nobody knows perl"],
    })
}

fn planning(answer: Answer) -> Service {
    Service::new(move |heard: &Heard| match (heard.method.as_str(), heard.path()) {
        ("POST", "/module-build-service/2/plan") => answer.clone(),
        _ => not_found(),
    })
}

#[test]
fn the_service_says_what_it_would_make_of_a_document() {
    let service = planning(Answer::json(200, &plans()));
    service.write("app.yaml", "document: modulemd\n");
    let arguments =
        ["--login", "none", "plan", "app.yaml", "--server", "--stream", "1", "--requires", "gtk:3"];
    let ended = service.run(&arguments);
    let expected = "One build:

app:1:20240102030405:c0ffee42
  built with
    platform:f39:3:00000000  asked for
  runs with platform:f39
  batch 2
    liba  main, built\\u{1b}[2J
  builds 1 of 1 components, cost 1.5, the longest row of them 1.5
";
    assert_eq!((ended.status, ended.out.as_str()), (0, expected));
    assert_eq!(ended.err, "WARNING: nobody knows perl\n");
    let wanted = json!({"modulemd": "document: modulemd\n", "module_name": "app", "module_stream": "1",
        "require_overrides": {"gtk": ["3"]}});
    assert_eq!(service.server.heard()[0].json(), wanted);
    let ended = service.run(&["--login", "none", "plan", "app.yaml", "--server", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), plans());
}

#[test]
fn a_submission_can_be_tried_dry() {
    let service = planning(Answer::json(200, &plans()));
    let ended = service.run(&["--login", "none", "submit", "--dry-run", "https://x/app?#abc", "main"]);
    assert!(ended.status == 0 && ended.out.starts_with("One build:\n\napp:1:"), "{}", ended.out);
    assert_eq!(service.server.heard()[0].json(), json!({"scmurl": "https://x/app?#abc", "branch": "main"}));
    assert_eq!(service.server.heard().len(), 1);
}

#[test]
fn what_does_not_work_out_is_wrong_usage_as_in_a_plan_without_a_service() {
    let service =
        planning(Answer::refusal(422, "Unprocessable Entity", "Cannot find any module builds for gtk:99"));
    service.write("app.yaml", "document: modulemd\n");
    let ended = service.run(&["--login", "none", "plan", "app.yaml", "--server"]);
    let told = "ERROR: Cannot find any module builds for gtk:99\n";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (2, "", told));
    let ended = service.run(&["plan", "app.yaml", "--server", "-m", "modules.yaml"]);
    assert_eq!(ended.status, 2, "modules are the service's");
    let ended = service.run(&["plan", "app.yaml"]);
    assert_eq!(ended.status, 2, "nobody knows where modules are");
}

#[test]
fn modules_of_a_service_are_a_place_for_a_plan_here() {
    const APP: &str = "document: modulemd
version: 2
data:
  name: app
  stream: 1
  summary: An example
  description: An example.
  license: {module: [MIT]}
  dependencies:
  - buildrequires: {platform: [f39]}
    requires: {platform: [f39]}
";
    const PLATFORM: &str = "document: modulemd
version: 2
data:
  name: platform
  stream: f39
  version: 3
  context: 00000000
  summary: A platform
  description: A platform.
  license: {module: [MIT]}
  xmd: {mbs: {mse: TRUE, buildrequires: {}, koji_tag: module-f39-build, commit: virtual}}
";
    let service = Service::new(|heard: &Heard| {
        let known = json!({"id": 2, "name": "platform", "stream": "f39", "version": "3", "context": "00000000",
            "state": 5, "state_name": "ready", "koji_tag": "module-f39-build", "modulemd": PLATFORM});
        let is_it = |key: &str, own: &str| heard.values(key).first().is_none_or(|value| value == own);
        let items =
            if is_it("name", "platform") && is_it("stream", "f39") { vec![known] } else { Vec::new() };
        super::page(&items, 1, 1)
    });
    service.write("app.yaml", APP);
    let ended = service.run(&["plan", "app.yaml", "--mbs", service.server.url()]);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(ended.out.contains("\n    platform:f39:3:00000000  "), "{}", ended.out);
}
