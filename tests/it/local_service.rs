//! Can a module be built here that requires what only a service knows?

#![expect(clippy::unwrap_used, reason = "what a test cannot do without fails it")]

use mbs_client::fake_server::{Answer, FakeServer, Heard};
use mbs_tests::needed;
use mbs_tests::small_module::{Content, SmallModule};
use mbs_tests::within::run_within_limit;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

/// A module that was built at the service for `platform:f40`, with packages in a tag that this machine does not know.
const GTK: &str = "document: modulemd
version: 2
data:
  name: gtk
  stream: 3
  version: 20230101000000
  context: 75741a8b
  summary: A module
  description: A module of a service.
  license:
    module: [MIT]
  dependencies:
  - requires: {platform: [f40]}
  xmd:
    mbs: {mse: TRUE, commit: 4fb8afe884aa44efc624f9014bb1ba8da9e14b87, buildrequires: {}}
";

/// Answers that there is this one module.
fn gtk(heard: &Heard) -> Answer {
    let build = json!({
        "id": 9, "name": "gtk", "stream": "3", "version": "20230101000000", "context": "75741a8b", "state": 5,
        "state_name": "ready", "koji_tag": "module-gtk-3-20230101000000-75741a8b", "modulemd": GTK,
    });
    let is_meant = heard.values("name").first().is_none_or(|name| name == "gtk");
    let items = if is_meant { vec![build] } else { Vec::new() };
    let meta = json!({"page": 1, "pages": 1, "per_page": 10, "total": items.len(), "next": null});
    Answer::json(200, &json!({"items": items, "meta": meta}))
}

fn service() -> (Runtime, FakeServer) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(FakeServer::start(gtk)).unwrap();
    (runtime, server)
}

fn module() -> SmallModule {
    let module = SmallModule::new(&[("one", Content::Bytes(1))]).unwrap();
    let text =
        module.document().replace("buildrequires: {platform: []}", "buildrequires: {platform: [], gtk: [3]}");
    module.write_document("small.yaml", &text).unwrap();
    module
}

#[test]
fn a_module_of_a_service_is_built_with_and_its_packages_are_this_machines() {
    if !needed::can_build() {
        return;
    }
    let ((_runtime, server), module) = (service(), module());
    let ran = run_within_limit(module.local("small.yaml").args(["--resolver", server.url()])).unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let told = ": gtk:3:20230101000000:75741a8b is known from the service only: of its packages those count that are \
                installed here";
    assert!(ran.err.contains(told), "{ran:?}");
    let asked = server.lines();
    assert!(
        asked.iter().all(|line| line.contains("name=gtk&stream=3")),
        "only what this machine lacks: {asked:?}"
    );
    assert_eq!(asked.len(), 1, "and that once: {asked:?}");
}

#[test]
fn without_the_service_the_module_is_not_known() {
    if !needed::can_build() {
        return;
    }
    let module = module();
    let ran = run_within_limit(&mut module.local("small.yaml")).unwrap();
    assert!(ran.status == Some(2) && ran.err.contains("gtk:3"), "{ran:?}");
    let ran = run_within_limit(module.local("small.yaml").args(["--resolver", "nowhere"])).unwrap();
    assert!(ran.status == Some(2) && ran.err.contains("ERROR: --resolver: "), "{ran:?}");
}
