//! A service that has modules and answers lists of them, with as much of REST as the resolver uses; what it does not know of a
//! question, it refuses.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex};

use mbs_client::client::Client;
use mbs_client::fake_server::{Answer, FakeServer, Heard};
use mbs_client::login::Login;
use mbs_client::resolver::MbsResolver;
use mbs_client::server::Server;
use mbs_core::ident::Nsvc;
use mbs_core::modulemd::ModuleStream;
use mbs_core::resolver::KnownModule;
use serde_json::{Value, json};

/// The service and a resolver over it.
pub(crate) struct Universe {
    pub(crate) server: FakeServer,
    pub(crate) resolver: MbsResolver,
    modules: Arc<Mutex<Vec<KnownModule>>>,
}

/// No page has more builds, whatever is asked for.
pub(crate) const MOST: usize = 100;

impl Universe {
    pub(crate) async fn empty() -> Self {
        let modules: Arc<Mutex<Vec<KnownModule>>> = Arc::default();
        let known = Arc::clone(&modules);
        let server = FakeServer::start(move |heard| list(&known.lock().unwrap(), heard)).await.unwrap();
        let client = Client::new(Server::new(server.url()), Login::Anonymous).unwrap();
        Self { server, resolver: MbsResolver::new(client), modules }
    }

    pub(crate) fn add(&self, module: KnownModule) {
        self.modules.lock().unwrap().push(module);
    }

    pub(crate) fn retire(&self, nsvc: &Nsvc) {
        let mut modules = self.modules.lock().unwrap();
        modules.iter_mut().find(|module| module.nsvc == *nsvc).unwrap().is_ready = false;
    }
}

fn shown(id: usize, module: &KnownModule, heard: &Heard) -> Value {
    let (state, name) = if module.is_ready { (5, "ready") } else { (6, "garbage") };
    let mut build = json!({
        "id": id + 1, "name": module.nsvc.name, "stream": module.nsvc.stream,
        "version": module.nsvc.version.to_string(), "context": module.nsvc.context, "state": state, "state_name": name,
    });
    if heard.values("verbose") == ["true"] {
        build["koji_tag"] = json!(module.tag);
        build["modulemd"] = json!(readable(&module.document).to_yaml());
    }
    build
}

/// Returns a document with what no stored one lacks.
fn readable(document: &ModuleStream) -> ModuleStream {
    let mut document = document.clone();
    for text in [&mut document.summary, &mut document.description] {
        if text.is_empty() {
            *text = "A module of the tests.".to_owned();
        }
    }
    document.module_licenses.insert("MIT".to_owned());
    document
}

/// Says whether a build is one that a parameter wants.
fn is_wanted(module: &KnownModule, key: &str, values: &[String]) -> bool {
    let Nsvc { name, stream, version, context } = &module.nsvc;
    let (version, value) = (version.to_string(), values[0].as_str());
    match key {
        "name" => name.as_str() == value,
        "stream" => stream.as_str() == value,
        "nsvc" => {
            let own = [name.as_str(), stream.as_str(), version.as_str(), context.as_str()];
            value.split(':').zip(own).all(|(part, own)| part == own)
        }
        "state" => values.iter().any(|state| state == if module.is_ready { "ready" } else { "garbage" }),
        "koji_tag" => module.tag.as_ref().is_some_and(|tag| tag.as_str() == value),
        "base_module_br" => module.was_built_against(&value.parse().unwrap()),
        "verbose" | "short" => value == "true",
        "page" | "per_page" => value.parse::<u64>().is_ok(),
        "order_desc_by" => values == ["version"],
        other => panic!("{other} is not known"),
    }
}

fn list(modules: &[KnownModule], heard: &Heard) -> Answer {
    assert_eq!((heard.method.as_str(), heard.path()), ("GET", "/module-build-service/1/module-builds/"));
    let keys: Vec<String> = heard.query().into_iter().map(|(key, _)| key).collect();
    let is_meant = |module: &KnownModule| keys.iter().all(|key| is_wanted(module, key, &heard.values(key)));
    let mut found: Vec<(usize, &KnownModule)> =
        modules.iter().enumerate().filter(|(_, module)| is_meant(module)).collect();
    found.sort_by_key(|(id, _)| Reverse(*id));
    if keys.iter().any(|key| key == "order_desc_by") {
        found.sort_by_key(|(_, module)| Reverse(module.nsvc.version));
    }
    let number = |key: &str| heard.values(key)[0].parse::<usize>().unwrap();
    let (page, per_page) = (number("page"), number("per_page").min(MOST));
    let pages = found.len().div_ceil(per_page);
    let items = found.iter().skip((page - 1) * per_page).take(per_page);
    let items: Vec<Value> = items.map(|(id, module)| shown(*id, module, heard)).collect();
    let next = (page < pages).then_some("http://elsewhere.invalid/");
    let meta =
        json!({"page": page, "per_page": per_page, "pages": pages, "total": found.len(), "next": next});
    Answer::json(200, &json!({"items": items, "meta": meta}))
}
