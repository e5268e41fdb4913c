//! What the client does when things do not go well.

use std::time::Duration;

use mbs_client::api::{Filter, Form, Source, Submission};
use mbs_client::client::{Client, ClientError, Method, Request};
use mbs_client::fake_server::{Answer, FakeServer};
use mbs_client::login::Login;
use mbs_client::server::{ApiVersion, Server};
use mbs_core::build_system::Effect;
use mbs_core::ident::BuildId;
use mbs_core::model::State;
use serde_json::{Value, json};

use crate::{client, settings};

fn read() -> Request {
    Request::new(Method::Get, ["about", ""])
}

fn build(id: i64) -> Value {
    json!({"id": id, "name": "app", "stream": "1", "version": "2", "context": "c", "state": 0, "state_name": "init"})
}

#[tokio::test]
async fn a_read_is_sent_again_until_somebody_answers() {
    let busy = Answer::of(503, "text/html", "<h1>Busy</h1>");
    let server = FakeServer::playing([Answer::nothing(), busy, Answer::json(200, &json!(1))]).await.unwrap();
    assert_eq!(client(&server).read::<Value>(&read()).await, Ok(json!(1)));
    assert_eq!(server.lines(), ["GET /module-build-service/1/about/"; 3]);
}

#[tokio::test]
async fn a_service_that_stays_away_is_told_after_so_many_attempts() {
    let server = FakeServer::start(|_| Answer::of(502, "text/html", "<h1>Bad Gateway</h1>")).await.unwrap();
    let error = client(&server).read::<Value>(&read()).await.unwrap_err();
    let told = "the module build service cannot be reached: HTTP 502 and the words `Bad Gateway`";
    assert_eq!((error.to_string().as_str(), error.effect()), (told, Effect::None));
    assert_eq!(server.heard().len(), 4);
}

#[tokio::test]
async fn whoever_wants_to_be_left_alone_for_long_is() {
    let server = FakeServer::start(|_| Answer::of(503, "text/plain", "later").header("Retry-After", "3600"));
    let server = server.await.unwrap();
    client(&server).read::<Value>(&read()).await.unwrap_err();
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_change_is_sent_once_and_nobody_knows_what_became_of_it() {
    for answer in [Answer::nothing(), Answer::of(502, "text/html", "<h1>Bad Gateway</h1>")] {
        let server = FakeServer::start(move |_| answer.clone()).await.unwrap();
        let error = client(&server).cancel(BuildId(7)).await.unwrap_err();
        assert!(error.is_transient() && error.effect() == Effect::Unknown, "{error}");
        assert_eq!(server.lines(), ["PATCH /module-build-service/1/module-builds/7"]);
        assert_eq!(server.heard()[0].json(), json!({"state": "failed"}));
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_had_nothing_happen() {
    let server = FakeServer::playing([]).await.unwrap();
    let settings = settings(&server);
    drop(server);
    let client = Client::new(settings, Login::Anonymous).unwrap();
    let error = client.cancel(BuildId(7)).await.unwrap_err();
    assert!(error.is_transient() && error.effect() == Effect::None, "{error}");
}

#[tokio::test]
async fn a_redirect_on_the_same_host_keeps_method_and_body() {
    let to = "https://127.0.0.1/module-build-service/1/other/?a=b";
    let moved = Answer::of(308, "text/html", "").header("Location", to);
    let server = FakeServer::playing([moved, Answer::json(200, &build(7))]).await.unwrap();
    client(&server).cancel(BuildId(7)).await.unwrap();
    let lines = ["PATCH /module-build-service/1/module-builds/7", "PATCH /module-build-service/1/other/?a=b"];
    assert_eq!(server.lines(), lines);
    assert_eq!(server.heard()[1].json(), json!({"state": "failed"}));
}

#[tokio::test]
async fn redirects_elsewhere_and_of_other_kinds_are_not_followed() {
    for (status, place) in [(308, "http://elsewhere.invalid/"), (301, "/module-build-service/1/about/")] {
        let server =
            FakeServer::start(move |_| Answer::of(status, "text/html", "").header("Location", place));
        let server = server.await.unwrap();
        let error = client(&server).read::<Value>(&read()).await.unwrap_err();
        let told = format!("HTTP {status} sends us to {place}: is the server's address right?");
        assert_eq!(error, ClientError::Configuration { what: told });
        assert_eq!(server.heard().len(), 1);
    }
}

#[tokio::test]
async fn redirects_without_end_have_one() {
    let server =
        FakeServer::start(|_| Answer::of(308, "text/html", "").header("Location", "/x")).await.unwrap();
    let error = client(&server).read::<Value>(&read()).await.unwrap_err();
    assert!(matches!(&error, ClientError::Odd { what, .. } if what.contains("on and on")), "{error}");
    assert_eq!(server.heard().len(), 3);
}

#[tokio::test]
async fn an_answer_is_not_read_beyond_its_bound() {
    let long = Answer::json(200, &json!("x".repeat(100)));
    let server = FakeServer::start(move |_| long.clone()).await.unwrap();
    let settings = Server { max_answer_bytes: 100, ..settings(&server) };
    let error = Client::new(settings, Login::Anonymous).unwrap().read::<Value>(&read()).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Odd { what, .. } if what.contains("longer than 100 bytes")),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_answer_of_a_service_is_told_by_its_beginning() {
    let server = FakeServer::start(|_| Answer::of(200, "text/html", "<p>Welcome\u{1b}[2J")).await.unwrap();
    let error = client(&server).about().await.unwrap_err().to_string();
    assert!(error.ends_with("in what begins `<p>Welcome [2J`"), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_left() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let settings = Server { timeout: Duration::from_millis(20), retries: 0, ..Server::new(url) };
    let error = Client::new(settings, Login::Anonymous).unwrap().about().await.unwrap_err();
    assert_eq!(error.to_string(), "the module build service cannot be reached: it did not answer in time");
}

fn page(items: &[i64], page: u64, pages: u64) -> Answer {
    let next = (page < pages).then(|| format!("http://elsewhere.invalid/?page={}", page + 1));
    let meta = json!({"page": page, "pages": pages, "per_page": 2, "total": 5, "next": next});
    Answer::json(200, &json!({"items": items.iter().map(|id| build(*id)).collect::<Vec<_>>(), "meta": meta}))
}

#[tokio::test]
async fn pages_are_counted_and_read_as_far_as_they_are_wanted() {
    let server = FakeServer::start(|heard| match heard.values("page")[0].as_str() {
        "1" => page(&[9, 8], 1, 3),
        "2" => page(&[7, 6], 2, 3),
        _ => page(&[5], 3, 3),
    });
    let server = server.await.unwrap();
    let filter = Filter { states: vec![State::Init], ..Filter::default() };
    let ids = async |most| {
        let builds = client(&server).module_builds(&filter, Form::Short).all(most).await.unwrap();
        builds.into_iter().map(|build| build.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ids(100).await, [9, 8, 7, 6, 5]);
    assert_eq!(ids(3).await, [9, 8, 7]);
    assert_eq!(
        server.lines()[..3],
        [1, 2, 3].map(|page| format!(
            "GET /module-build-service/1/module-builds/?state=init&short=true&page={page}"
        ))
    );
    assert_eq!(server.heard().len(), 5, "no page is read that nobody wants");
}

fn submission() -> Submission {
    let source = Source::Git { scmurl: "https://x/a?#b".into(), branch: "main".into() };
    Submission { source, ..Submission::default() }
}

#[tokio::test]
async fn a_submission_speaks_the_newest_version_that_the_service_has_unless_one_is_chosen() {
    for (about, version) in [(json!({"api_version": 2}), 2), (json!({"api_version": 1}), 1), (json!({}), 1)] {
        let server = FakeServer::start(move |heard| match heard.method.as_str() {
            "GET" => Answer::json(200, &about),
            _ => Answer::json(201, &json!([build(7), build(8)])),
        });
        let server = server.await.unwrap();
        assert_eq!(client(&server).submit(&submission()).await.unwrap().len(), 2);
        let post = format!("POST /module-build-service/{version}/module-builds/");
        assert_eq!(server.lines(), ["GET /module-build-service/1/about/".to_owned(), post]);
    }
    let server = FakeServer::start(|_| Answer::json(201, &build(7))).await.unwrap();
    let settings = Server { version: Some(ApiVersion::One), ..settings(&server) };
    let builds = Client::new(settings, Login::Anonymous).unwrap().submit(&submission()).await.unwrap();
    assert_eq!(builds.len(), 1);
    assert_eq!(server.lines(), ["POST /module-build-service/1/module-builds/"]);
}

#[tokio::test]
async fn an_answer_to_a_submission_that_names_no_build_leaves_a_doubt() {
    for body in [json!([]), json!({}), json!("x")] {
        let server = FakeServer::start(move |_| Answer::json(200, &body)).await.unwrap();
        let settings = Server { version: Some(ApiVersion::Two), ..settings(&server) };
        let outcome = Client::new(settings, Login::Anonymous).unwrap().submit(&submission()).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, ClientError::Odd { effect: Effect::Unknown, .. }), "{error}");
    }
}
