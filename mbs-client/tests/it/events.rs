//! Streams of events, as long as they last and beyond.

use mbs_client::api::{Event, Events};
use mbs_client::client::ClientError;
use mbs_client::fake_server::{Answer, FakeServer, Heard};
use serde_json::{Value, json};

use crate::client;

const KIND: &str = "text/event-stream";

fn event(id: &str, data: &str) -> Event {
    Event { id: Some(id.to_owned()), kind: "module".to_owned(), data: data.to_owned() }
}

async fn next(events: &mut Events, many: usize) -> Vec<Event> {
    let mut came = Vec::new();
    for _ in 0..many {
        came.push(events.next().await.unwrap());
    }
    came
}

/// Plays two events behind the last one that the client names, then breaks off.
fn two_more(heard: &Heard) -> Answer {
    let last: u32 = heard.headers.get("last-event-id").map_or(0, |id| id.parse().unwrap());
    let event = |id| format!("id: {id}\nevent: module\ndata: {{\"n\": {id}}}\n\n");
    Answer::streamed(KIND, &format!(": hello\n\n{}{}id: 99\ndata: cut", event(last + 1), event(last + 2)))
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_taken_up_behind_the_last_event() {
    let server = FakeServer::start(two_more).await.unwrap();
    let mut events = client(&server).events(None);
    let came = next(&mut events, 5).await;
    let wanted: Vec<Event> = (1..=5).map(|id| event(&id.to_string(), &format!("{{\"n\": {id}}}"))).collect();
    assert_eq!(came, wanted);
    assert_eq!((events.last_id(), came[4].json::<Value>().unwrap()), (Some("5"), json!({"n": 5})));
    let asked: Vec<Option<String>> =
        server.heard().iter().map(|heard| heard.headers.get("last-event-id").cloned()).collect();
    assert_eq!(asked, [None, Some("2".to_owned()), Some("4".to_owned())]);
    assert_eq!(server.lines()[0], "GET /module-build-service/2/events");
    assert_eq!(server.heard()[0].headers["accept"], KIND);
}

#[tokio::test]
async fn a_stream_is_taken_up_where_an_earlier_one_ended() {
    let server = FakeServer::start(two_more).await.unwrap();
    let mut events = client(&server).events(Some("40".to_owned()));
    assert_eq!(events.next().await.unwrap().id.as_deref(), Some("41"));
}

#[tokio::test]
async fn a_service_without_events_says_so_once() {
    let server = FakeServer::start(|_| Answer::refusal(404, "Not Found", "nothing here")).await.unwrap();
    let error = client(&server).events(None).next().await.unwrap_err();
    assert!(matches!(error, ClientError::Refused { status: 404, .. }), "{error}");
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_service_that_stays_away_is_told_and_can_be_asked_again() {
    let server = FakeServer::start(|heard| match heard.headers.get("last-event-id").map(String::as_str) {
        None => Answer::streamed(KIND, "id: 1\nevent: module\ndata: a\n\n"),
        Some(_) => Answer::nothing(),
    });
    let server = server.await.unwrap();
    let mut events = client(&server).events(None);
    assert_eq!(events.next().await, Ok(event("1", "a")));
    assert!(events.next().await.unwrap_err().is_transient());
    let asked = server.heard().len();
    assert!(events.next().await.unwrap_err().is_transient());
    assert!(server.heard().len() > asked);
}

#[tokio::test]
async fn an_event_without_end_is_not_read_to_it() {
    let endless = format!("data: {}", "x".repeat(2 << 20));
    let server = FakeServer::start(move |_| Answer::streamed(KIND, &endless)).await.unwrap();
    let error = client(&server).events(None).next().await.unwrap_err();
    assert!(matches!(error, ClientError::Odd { .. }), "{error}");
}
