//! The description against the interface: every address, method and parameter of one is in the other, and answers have the shapes
//! that are described.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use mbs_core::ident::{Batch, BuildId, TaskId};
use mbs_core::model::{BuildState, ComponentBuild, ComponentSource};
use mbs_core::store::Amend;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::answer::Answer;
use super::super::query::asked;
use super::super::route::{Astray, Resource, Route};
use super::super::tests::{frontend, get, sent, submission};
use super::shape::wrong;
use super::*;

/// Everything that has an address, as paths of the description name it: a new resource fails to compile until it is in here.
fn path(resource: Resource) -> &'static str {
    match resource {
        Resource::About => "2/about/",
        Resource::Builds => "2/module-builds/",
        Resource::Build(_) => "2/module-builds/{id}",
        Resource::BuildMessages(_) => "2/module-builds/{id}/messages",
        Resource::Explain(_) => "2/module-builds/{id}/explain",
        Resource::Log(_) => "2/module-builds/{id}/log",
        Resource::Components => "2/component-builds/",
        Resource::Component(_) => "2/component-builds/{id}",
        Resource::ComponentMessages(_) => "2/component-builds/{id}/messages",
        Resource::Strategies => "2/rebuild-strategies/",
        Resource::FinalDocuments(_) => "2/final-modulemd/{id}",
        Resource::Import => "2/import-module/",
        Resource::Plan => "2/plan",
        Resource::Events => "2/events",
        Resource::Metrics => "2/monitor/metrics",
        Resource::Description => "2/openapi.json",
        Resource::Page => "",
        Resource::Health => "/healthz",
        Resource::Readiness => "/readyz",
    }
}

/// Parameters that are read to be refused.
const REFUSED: &str = "id";

/// Returns each address of the description with its methods, and what each of them says.
fn described() -> BTreeMap<String, BTreeMap<Method, Value>> {
    let document = description(2, "");
    let methods = |at: &Value| {
        let named = at.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters");
        named.map(|(name, what)| (name.to_uppercase().parse().unwrap(), what.clone())).collect()
    };
    document["paths"].as_object().unwrap().iter().map(|(path, at)| (path.clone(), methods(at))).collect()
}

/// Returns what a request to an address of the description is for.
fn resource(method: &Method, path: &str) -> Resource {
    Route::of(method, &path.replace("{id}", "7"))
        .unwrap_or_else(|astray| panic!("{path}: {astray:?}"))
        .resource
}

/// Returns the names of the query parameters that an operation has.
fn parameters(operation: &Value) -> BTreeSet<String> {
    let document = description(2, "");
    let listed = operation["parameters"].as_array().cloned().unwrap_or_default();
    let listed = listed.iter().map(|one| {
        let to = one["$ref"].as_str().map(|to| document.pointer(&to[1..]).unwrap());
        to.unwrap_or(one).clone()
    });
    let of_query = listed.filter(|one| one["in"] == "query");
    of_query.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_address_that_is_described_is_served_with_the_methods_that_are_described() {
    for (path, methods) in described() {
        let Err(Astray::Options(allow)) = Route::of(&Method::OPTIONS, &path.replace("{id}", "7")) else {
            panic!("{path} is not served");
        };
        let served: BTreeSet<&str> =
            allow.split(", ").filter(|method| !["HEAD", "OPTIONS"].contains(method)).collect();
        assert_eq!(methods.keys().map(Method::as_str).collect::<BTreeSet<_>>(), served, "{path}");
    }
}

#[test]
fn every_address_that_is_served_is_described() {
    let described = described();
    let pairs = described.iter().map(|(path, methods)| (path, methods.keys().next().unwrap()));
    let found: Vec<(String, Resource)> =
        pairs.map(|(path, method)| (path.clone(), resource(method, path))).collect();
    for (described, resource) in &found {
        let served = path(*resource);
        let served = if served.starts_with('/') { served.to_owned() } else { format!("{ROOT}/{served}") };
        assert_eq!(*described, served);
    }
    // As many as `path` knows; whoever adds one there meets this.
    assert_eq!(found.len(), 19);
}

/// A frontend with a module build 1 that has a component build 1, and another module build 2 that was submitted.
async fn with_component() -> (Frontend, watch::Sender<u64>) {
    let (frontend, told) = frontend().await;
    let loaded = frontend.store.load(BuildId(1)).await.unwrap();
    let mut now = loaded.build;
    let source = ComponentSource::Macros;
    let mut component = ComponentBuild::new("a".parse().unwrap(), source, Batch(2));
    component.state = Some(BuildState::Complete);
    component.nvr = Some("a-1-1.module".parse().unwrap());
    component.task = Some(TaskId(7));
    now.components.push(component.into());
    let amend =
        Amend { now, revision: loaded.revision, by: "anna".into(), what: "gave it a component".into() };
    frontend.store.amend(amend).await.unwrap();
    let (status, _) = sent(&frontend, submission(None, &json!({}))).await;
    assert_eq!(status, StatusCode::CREATED);
    (frontend, told)
}

/// Returns what is answered, and which parameters were read for it.
async fn read(frontend: &Frontend, path: &str) -> (Answer, BTreeSet<String>) {
    drop(asked::taken());
    let answer = frontend.answer(get(&path.replace("{id}", "1")), None).await;
    (answer, asked::taken())
}

#[tokio::test]
async fn the_parameters_that_are_read_are_those_that_are_described() {
    let (frontend, _told) = with_component().await;
    for (path, methods) in described() {
        let Some(operation) = methods.get(&Method::GET) else { continue };
        let (answer, mut read) = read(&frontend, &path).await;
        let (wanted, is_answered) = (parameters(operation), answer.status() == StatusCode::OK);
        assert!(is_answered || path.contains("final-modulemd"), "{path}: {}", answer.status());
        if !wanted.contains(REFUSED) {
            read.remove(REFUSED);
        }
        assert_eq!(read, wanted, "{path}");
    }
}

#[test]
fn every_column_that_a_list_is_sorted_by_is_described() {
    use mbs_core::store::{Column, ComponentColumn};

    use super::super::lists::{build_column, component_column};

    let described = described();
    let columns = |list: &str| -> Vec<String> {
        let operation = &described[&format!("{ROOT}/2/{list}/")][&Method::GET];
        let order =
            operation["parameters"].as_array().unwrap().iter().find(|one| one["name"] == "order_by").unwrap();
        serde_json::from_value(order["schema"]["items"]["enum"].clone()).unwrap()
    };
    let builds: BTreeSet<Column> =
        columns("module-builds").iter().map(|name| build_column(name).expect(name)).collect();
    assert!(builds.iter().eq(&Column::ALL));
    let components: BTreeSet<ComponentColumn> =
        columns("component-builds").iter().map(|name| component_column(name).expect(name)).collect();
    assert!(components.iter().eq(&ComponentColumn::ALL));
}

/// Checks an answer against what the description says of it: status, type, shape.
async fn hold(document: &Value, path: &str, method: &str, answer: Answer) {
    let operation = &document["paths"][path][method];
    let response = &operation["responses"][answer.status().as_str()];
    let response = response["$ref"].as_str().map_or(response, |to| document.pointer(&to[1..]).unwrap());
    let told = format!("{method} {path}: {}", answer.status());
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let content = response["content"].get(&kind).unwrap_or_else(|| panic!("{told}: no {kind} in {response}"));
    if kind == "application/json" {
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let wrong = wrong(document, &content["schema"], &serde_json::from_slice(&body).unwrap());
        assert_eq!(wrong, None, "{told}");
    }
}

#[tokio::test]
async fn what_is_read_has_the_shape_that_is_described() {
    let (frontend, _told) = with_component().await;
    let document = description(2, "");
    for (path, methods) in described().iter().filter(|(_, methods)| methods.contains_key(&Method::GET)) {
        for id in ["1", "2", "99"] {
            for query in ["", "?verbose=1", "?short=1&per_page=1", "?order_by=x&after=x"] {
                if methods.is_empty() || (id == "99" && query.contains('x') && !path.contains("{id}")) {
                    continue;
                }
                let answer =
                    frontend.answer(get(&format!("{}{query}", path.replace("{id}", id))), None).await;
                hold(&document, path, "get", answer).await;
            }
        }
    }
}

#[tokio::test]
async fn what_is_written_is_answered_in_the_shape_that_is_described() {
    let (frontend, _told) = with_component().await;
    let (first, second) = (description(1, ""), description(2, ""));
    let request = |method: &str, path: &str, body: Value| {
        Request::builder().method(method).uri(path).body(Body::from(body.to_string())).unwrap()
    };
    let document = |stream: &str| json!({"modulemd": super::super::tests::MODULE.replace("'1'", stream)});
    let list = |version: u64| format!("{ROOT}/{version}/module-builds/");
    let cases = [
        (&first, "POST", list(1), document("a"), 201),
        (&second, "POST", list(2), document("b"), 201),
        (&second, "POST", list(2), document("b"), 409),
        (&second, "POST", list(2), json!({}), 400),
        (&second, "POST", list(2), json!({"modulemd": "x"}), 422),
        (&second, "POST", format!("{ROOT}/2/plan"), document("c"), 200),
        (&second, "POST", format!("{ROOT}/2/import-module/"), json!({"scmurl": "x"}), 403),
        (&second, "PATCH", format!("{ROOT}/2/module-builds/2"), json!({"state": "failed"}), 200),
        (&second, "PATCH", format!("{ROOT}/2/module-builds/99"), json!({"state": "failed"}), 404),
    ];
    for (described, method, path, body, status) in cases {
        let answer = frontend.answer(request(method, &path, body), None).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        let path = path.replace("builds/99", "builds/{id}");
        hold(described, &path.replace("builds/2", "builds/{id}"), &method.to_lowercase(), answer).await;
    }
}

#[tokio::test]
async fn the_description_says_where_the_service_is() {
    let (frontend, _told) = frontend().await;
    let asked = |path: &str| Request::get(format!("{ROOT}/{path}")).header("x-script-name", "/mbs");
    let (_, document) = sent(&frontend, asked("1/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!(document["servers"], json!([{"url": "/mbs"}]));
    assert!(document["paths"].get("/module-build-service/1/about/").is_some());
    let page = frontend.answer(asked("").body(Body::empty()).unwrap(), None).await;
    assert_eq!(page.headers()[header::CONTENT_SECURITY_POLICY], NOTHING_ELSE);
    let page = page.into_body().collect().await.unwrap().to_bytes();
    let page = std::str::from_utf8(&page).unwrap();
    for name in described().keys() {
        assert!(page.contains(&format!("<code>{name}</code>")), "{name}");
    }
    for outside in ["src=", "<script", "<link", "url(", "http:", "href=\"/", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
}
