//! The interface over a store in memory: what no recording shows, since the original had none of it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use mbs_core::memory::{ManualClock, MemorySourceControl, MemoryStore};
use mbs_core::modulemd::{Limits, read_submission};
use mbs_core::policy::Policy;
use mbs_core::resolver::StoreResolver;
use mbs_core::store::{Builds as _, Import};
use mbs_core::submission::Rules;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;

const PLATFORM: &str = "document: modulemd\nversion: 2\ndata:\n  name: platform\n  stream: f40\n  version: 1\n  context: c0\n  \
    summary: s\n  description: d\n  license: {module: [MIT]}\n  xmd: {mbs: {mse: TRUE, commit: virtual, buildrequires: {}}}\n";

pub(super) const MODULE: &str = "document: modulemd\nversion: 2\ndata:\n  name: app\n  stream: '1'\n  version: 5\n  summary: s\n  \
    description: d\n  license: {module: [MIT]}\n  dependencies: [{buildrequires: {platform: [f40]}, requires: {platform: [f40]}}]\n";

/// A frontend where nobody logs in, with one base module. The sender tells it of news.
pub(super) async fn frontend() -> (Frontend, watch::Sender<u64>) {
    let policy = Arc::new(Policy::default());
    let start = "2024-01-01T00:00:00Z".parse().unwrap();
    let store = Arc::new(MemoryStore::new(Arc::new(ManualClock::new()), start, &policy));
    let (read, _) = read_submission(PLATFORM, None, &Limits::of_submission()).unwrap();
    let document = Arc::new(read.into_streams().remove(0));
    let nsvc = "platform:f40:1:c0".parse().unwrap();
    store.import(Import { document, nsvc, koji_tag: None, by: "anna".into() }).await.unwrap();
    let store: Arc<dyn Store> = store;
    let desk = Desk {
        store: Arc::clone(&store),
        resolver: Arc::new(StoreResolver::new(Arc::clone(&store))),
        source_control: Arc::new(MemorySourceControl::new()),
        rules: Arc::new(Rules { yaml_submit_allowed: true, ..Rules::default() }),
        policy,
    };
    let (told, news) = watch::channel(0);
    let setup = Setup {
        store,
        desk,
        build_system: None,
        access: Access { no_auth: true, ..Access::default() },
        most_body: 1 << 20,
        most_per_page: 1_000,
        within: Duration::from_secs(60),
        news,
    };
    (Frontend::new(setup).unwrap(), told)
}

pub(super) async fn sent(frontend: &Frontend, request: Request<Body>) -> (StatusCode, Value) {
    let answer = frontend.answer(request, None).await;
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into()))
}

pub(super) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(super) fn submission(key: Option<&str>, more: &Value) -> Request<Body> {
    let mut body = json!({"modulemd": MODULE});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = Request::post("/module-build-service/2/module-builds/");
    let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn the_same_submission_with_the_same_key_gets_the_same_build() {
    let (frontend, _told) = frontend().await;
    let (status, first) = sent(&frontend, submission(Some("k"), &json!({}))).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, again) = sent(&frontend, submission(Some("k"), &json!({}))).await;
    assert_eq!((status, &again[0]["id"]), (StatusCode::CREATED, &first[0]["id"]));
    let (status, _) = sent(&frontend, submission(Some("k"), &json!({"side_tag": "s"}))).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = sent(&frontend, submission(None, &json!({}))).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = sent(&frontend, submission(Some(""), &json!({}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_plan_says_what_would_be_and_records_nothing() {
    let (frontend, _told) = frontend().await;
    let body = json!({"modulemd": MODULE}).to_string();
    let plan = || Request::post("/module-build-service/2/plan").body(Body::from(body.clone())).unwrap();
    let (status, planned) = sent(&frontend, plan()).await;
    assert_eq!((status, &planned["builds"][0]["disposition"]), (StatusCode::OK, &json!("new")));
    assert_eq!(planned["builds"][0]["buildrequires"], json!({"platform": "f40"}));
    let (_, listed) = sent(&frontend, get("/module-build-service/1/module-builds/?name=app")).await;
    assert_eq!(listed["meta"]["total"], 0);
}

#[tokio::test]
async fn events_are_told_from_the_one_after_the_last_that_was_seen() {
    let (frontend, told) = frontend().await;
    sent(&frontend, submission(None, &json!({}))).await;
    let followed = frontend.answer(get("/module-build-service/2/events?after=0&name=app"), None).await;
    let mut body = followed.into_body();
    let mut next = async || {
        let frame = body.frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    };
    assert_eq!(next().await.unwrap(), "retry: 2000\nid: 0\n\n");
    let event = next().await.unwrap();
    let (head, data) = event.split_once("data: ").unwrap();
    assert_eq!(head, "id: 1\nevent: state\n");
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&data["name"], &data["state_name"], data.get("tasks")),
        (&json!("app"), &json!("init"), None)
    );
    let cancel =
        Request::patch("/module-build-service/1/module-builds/2").body(Body::from("{\"state\": \"failed\"}"));
    let (status, cancelled) = sent(&frontend, cancel.unwrap()).await;
    assert_eq!((status, &cancelled["state_reason"]), (StatusCode::OK, &json!("Canceled by anonymous.")));
    told.send_replace(1);
    let event = next().await.unwrap();
    assert!(
        event.starts_with("id: 2\nevent: state\n") && event.contains("\"state_name\":\"failed\""),
        "{event}"
    );
    frontend.stop();
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn why_a_build_is_not_further_and_its_log_can_be_asked() {
    let (frontend, _told) = frontend().await;
    sent(&frontend, submission(None, &json!({}))).await;
    let (status, explained) = sent(&frontend, get("/module-build-service/1/module-builds/2/explain")).await;
    assert_eq!(
        (status, &explained["state_name"], &explained["why"]),
        (StatusCode::OK, &json!("init"), &Value::Null)
    );
    for below in ["explain", "log", "messages"] {
        let (status, _) =
            sent(&frontend, get(&format!("/module-build-service/1/module-builds/99/{below}"))).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{below}");
    }
    let (status, log) = sent(&frontend, get("/module-build-service/1/module-builds/2/log")).await;
    assert_eq!((status, log), (StatusCode::OK, json!("")));
}

#[tokio::test]
async fn figures_name_what_operators_watch() {
    let (frontend, _told) = frontend().await;
    sent(&frontend, submission(None, &json!({}))).await;
    let (status, text) = sent(&frontend, get("/module-build-service/1/monitor/metrics")).await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "builds_success_total 0",
        "mbs_builds{state=\"init\"} 1",
        "mbs_slots_limit +Inf",
        "messaging_rx_total 0",
    ] {
        assert!(text.as_str().unwrap().lines().any(|one| one == line), "{line} in {text}");
    }
    assert_eq!(sent(&frontend, get("/readyz")).await, (StatusCode::OK, json!("ready\n")));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_the_clients_fault() {
    let (frontend, _told) = frontend().await;
    for (method, path) in [("POST", "module-builds/"), ("POST", "plan"), ("PATCH", "module-builds/1")] {
        let never = Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>());
        let request = Request::builder().method(method).uri(format!("/module-build-service/2/{path}"));
        let (status, told) = sent(&frontend, request.body(never).unwrap()).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{path}");
        assert_eq!(told["message"], "The body of the request did not come in time");
    }
}

#[tokio::test]
async fn a_large_document_in_a_hundred_ways_is_refused() {
    let (frontend, _told) = frontend().await;
    for stream in 100..200 {
        let text = PLATFORM.replace("f40", &format!("f{stream}"));
        let (read, _) = read_submission(&text, None, &Limits::of_submission()).unwrap();
        let document = Arc::new(read.into_streams().remove(0));
        let nsvc = format!("platform:f{stream}:1:c0").parse().unwrap();
        frontend.store.import(Import { document, nsvc, koji_tag: None, by: "anna".into() }).await.unwrap();
    }
    let api: String = (0..45_000).map(|number| format!("name-of-rpm-{number:05},")).collect();
    let large = async |streams: &str| {
        let text = format!("{MODULE}  api: {{rpms: [{api}]}}\n").replace("[f40]", streams);
        let body = json!({"modulemd": text}).to_string();
        let request = Request::post("/module-build-service/2/module-builds/").body(Body::from(body)).unwrap();
        sent(&frontend, request).await
    };
    let hundred: Vec<String> = (100..200).map(|stream| format!("f{stream}")).collect();
    let (status, told) = large(&format!("[{}]", hundred.join(", "))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(told["message"].as_str().unwrap().contains("too many for a document of its size"), "{told}");
    let (status, built) = large("[f100, f101]").await;
    assert_eq!((status, built.as_array().map(Vec::len)), (StatusCode::CREATED, Some(2)));
}
