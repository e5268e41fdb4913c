//! Answers that no PDC gives, and refusals that one does.

use std::time::Duration;

use mbs_core::build_system::Effect;
use mbs_pdc::api::{Change, Entries, Face, NewEntry, branches};
use mbs_pdc::client::{Method, PdcError, Request};
use mbs_pdc::fake_server::{NewRow, Trouble};
use mbs_pdc::server::Server;
use serde_json::Value;

use super::{Stage, UID, is_odd, is_unavailable};
use crate::client::{client, ends, server};
use crate::server::{bytes, json};

/// Returns what an answer in words becomes.
async fn read(status: u16, kind: &str, body: &str) -> PdcError {
    let told = crate::server::Server::start({
        let bytes = bytes(status, &[("Content-Type", kind)], body);
        move |_| bytes.clone()
    })
    .await;
    let entries = Entries::new(client(&server(told.root.as_str(), 20_000)), Face::Variants);
    ends(entries.entry("core-s-1")).await.unwrap_err()
}

#[tokio::test]
async fn a_page_for_people_is_no_answer_of_a_pdc() {
    const PAGE: &str = "<html>\n<head><title>Ours</title></head><body>\u{1b}[31mGo away</body></html>";
    for status in [200, 201, 400, 404, 405, 410] {
        let error = read(status, "text/html", PAGE).await;
        let told =
            format!("the answer of PDC cannot be read: HTTP {status} and the words `Ours [31mGo away`");
        assert_eq!((error.to_string(), error.effect()), (told, Effect::None));
        assert!(matches!(error, PdcError::Protocol { .. }), "{error:?}");
    }
    for status in [500, 502, 503, 504] {
        let error = read(status, "text/html", PAGE).await;
        assert_eq!(
            error.to_string(),
            format!("PDC cannot be reached: HTTP {status} and the words `Ours [31mGo away`")
        );
        assert!(error.is_transient());
    }
    for status in [401, 403] {
        let error = read(status, "text/html", PAGE).await;
        let told =
            format!("PDC does not allow it ({status}): HTTP {status} and the words `Ours [31mGo away`");
        assert_eq!(error.to_string(), told);
        assert!(matches!(error, PdcError::Denied { status: told, .. } if told == status));
    }
}

#[tokio::test]
async fn a_refusal_of_pdc_is_told_in_its_words() {
    const NO: &str = r#"{"detail": "No."}"#;
    const JSON: &str = "application/json";
    let what = || "unreleasedvariants/core-s-1/".to_owned();
    let reason = || "No.".to_owned();
    for (status, wanted) in [
        (400, PdcError::Rejected { status: 400, reason: reason() }),
        (401, PdcError::Denied { status: 401, reason: reason() }),
        (403, PdcError::Denied { status: 403, reason: reason() }),
        (404, PdcError::NotFound { what: what(), reason: reason() }),
        (405, PdcError::Rejected { status: 405, reason: reason() }),
        (409, PdcError::Rejected { status: 409, reason: reason() }),
    ] {
        assert_eq!(read(status, JSON, NO).await, wanted);
        assert_eq!(read(status, "application/json; charset=utf-8", NO).await, wanted);
    }
    let moved = read(302, "text/html", "").await;
    assert_eq!(moved.to_string(), "HTTP 302 sends us to nowhere: is the root of the API right?");
    // What is said to be JSON and is none is no PDC's.
    assert!(matches!(read(404, JSON, "<html>").await, PdcError::Protocol { .. }));
    // Who has nothing to say is quoted.
    assert_eq!(read(400, JSON, "{}").await.to_string(), "PDC refuses it (400): HTTP 400 and the words `{}`");
}

#[tokio::test]
async fn the_words_of_a_server_are_one_line_of_bounded_length() {
    let long = format!(r#"{{"detail": "a\nb\u001b[31m{}"}}"#, "x".repeat(9000));
    let shapes = [
        (400, long.clone()),
        (404, long.clone()),
        (503, long),
        (200, format!(r#"{{"variant_uid": {{"{}": 1}}}}"#, "x\\n".repeat(9000))),
        (200, format!(r#"{{"variant_uid": "a", "active": "{}"}}"#, "x\u{9b}".repeat(9000))),
        (200, format!("\"{}\"", "\u{9b}x".repeat(9000))),
        (200, format!("{}]", "[".repeat(9000))),
    ];
    for (status, body) in shapes {
        let told = read(status, "application/json", &body).await.to_string();
        assert!(told.chars().count() < 700, "{} characters: {told:.300}", told.chars().count());
        assert!(!told.contains(char::is_control), "{told:?}");
    }
}

#[tokio::test]
async fn one_that_is_there_already_is_told_from_one_that_is_refused() {
    let stage = Stage::new().await;
    let entry = |uid: &str, version: &str, koji_tag: &str| NewEntry {
        uid: uid.to_owned(),
        name: "core".to_owned(),
        stream: "s".to_owned(),
        version: version.to_owned(),
        koji_tag: koji_tag.to_owned(),
        modulemd: "document: modulemd".to_owned(),
        ..NewEntry::default()
    };
    let create = async |entry: NewEntry| ends(stage.entries.create(&entry, "ticket 42")).await;
    let same = create(entry("other", "1", "NA")).await.unwrap_err();
    assert!(matches!(same, PdcError::Exists { .. }), "{same:?}");
    let same_uid = create(entry(UID, "2", "NA")).await.unwrap_err();
    assert!(matches!(same_uid, PdcError::Exists { .. }), "{same_uid:?}");
    let refused = create(entry("third", "3", "")).await.unwrap_err();
    assert!(matches!(refused, PdcError::Rejected { status: 400, .. }), "{refused:?}");
    assert_eq!(create(entry("fourth", "4", "NA")).await.unwrap().uid, "fourth");
}

#[tokio::test]
async fn of_a_write_that_was_done_nobody_says_that_nothing_happened() {
    for answer in [
        bytes(204, &[], ""),
        json(200, "{}"),
        json(201, "[1"),
        json(200, ""),
        bytes(200, &[("Content-Type", "text/html")], "<p>done"),
    ] {
        let told = crate::server::Server::playing([answer]).await;
        let entries = Entries::new(client(&server(told.root.as_str(), 20_000)), Face::Variants);
        let change = Change { active: Some(true), ..Change::default() };
        let outcome = ends(entries.change(UID, &change, "ticket 42")).await;
        assert!(is_odd(&outcome, Effect::Unknown), "{outcome:?}");
    }
}

#[tokio::test]
async fn pages_that_do_not_end_are_left() {
    let stage = Stage::new().await;
    for branch in 1..=30 {
        stage.fake.plant_branch("core", &branch.to_string(), "module", &[]);
    }
    let all = Request::new(Method::Get, ["component-branches"]);
    assert_eq!(ends(branches(stage.entries.pdc(), &all)).await.unwrap().len(), 30);
    stage.troubled(Trouble::PageLoop);
    let looped = ends(branches(stage.entries.pdc(), &all)).await;
    assert!(is_odd(&looped, Effect::None), "{looped:?}");
    assert_eq!(stage.asked(), 2, "as many pages as there are");

    // Nor are those that there are said to be so many of.
    for results in ["[1]", "[]"] {
        let page = format!(r#"{{"count": 18446744073709551615, "next": "on", "results": {results}}}"#);
        let told = crate::server::Server::start(move |_| json(200, &page)).await;
        let endless = ends(client(&server(told.root.as_str(), 20_000)).list::<Value>(&all)).await;
        assert!(is_odd(&endless, Effect::None), "{endless:?}");
    }
}

#[tokio::test]
async fn pages_are_bounded_together() {
    let page = format!(r#"{{"count": 9, "next": "on", "results": ["{}"]}}"#, "x".repeat(1000));
    let told = crate::server::Server::start(move |_| json(200, &page)).await;
    let bounded = Server { max_answer_bytes: 2500, ..server(told.root.as_str(), 20_000) };
    let request = Request::new(Method::Get, ["modules"]);
    let outcome = ends(client(&bounded).list::<Value>(&request)).await;
    assert!(is_odd(&outcome, Effect::None), "{outcome:?}");
    let words = outcome.unwrap_err().to_string();
    assert!(words.ends_with("with the pages before it is longer than 2500 bytes"), "{words}");
    assert_eq!(told.heard().len(), 3);
}

#[tokio::test]
async fn pages_have_one_time_together() {
    let stage = Stage::with(|server| server.timeout = Duration::from_millis(300)).await;
    for branch in 0..300 {
        stage.fake.plant_branch("core", &branch.to_string(), "module", &[]);
    }
    // Each comes in its time, and all fifteen would take seven times as long.
    stage.troubled(Trouble::Late(Duration::from_millis(150)));
    let all = Request::new(Method::Get, ["component-branches"]);
    let outcome = ends(branches(stage.entries.pdc(), &all)).await;
    assert!(is_unavailable(&outcome, Effect::None), "{outcome:?}");
    assert!(stage.asked() < 15);
}

#[tokio::test]
async fn a_list_that_changes_between_its_pages_is_asked_for_again_later() {
    let page = r#"{"count": 21, "next": "http://pdc/?page=2", "previous": null, "results": [1]}"#;
    let gone = json(404, r#"{"detail": "Invalid page."}"#);
    let told = crate::server::Server::playing([json(200, page), gone]).await;
    let request = Request::new(Method::Get, ["modules"]);
    let outcome = ends(client(&server(told.root.as_str(), 20_000)).list::<Value>(&request)).await;
    assert!(is_unavailable(&outcome, Effect::None), "{outcome:?}");
}

#[tokio::test]
async fn what_is_no_question_is_asked_once() {
    let stage = Stage::new().await;
    stage.troubled(Trouble::ResetAfter);
    let change = Change { active: Some(true), ..Change::default() };
    let request = change.request(Face::Variants, UID);
    let outcome = ends(stage.entries.pdc().read::<Value>(&request)).await;
    assert!(is_unavailable(&outcome, Effect::Unknown), "{outcome:?}");
    assert_eq!(stage.asked(), 1);
}

#[tokio::test]
async fn an_answer_that_takes_long_to_read_is_read_all_the_same() {
    let stage = Stage::with(|server| server.timeout = Duration::from_secs(20)).await;
    let long = NewRow { modulemd: "x".repeat(1 << 20), ..NewRow::new("core", "s", "2") };
    stage.fake.plant(long);
    let found = stage.find().await.unwrap();
    assert_eq!(found.iter().map(|entry| entry.modulemd.len()).collect::<Vec<_>>(), [0, 1 << 20]);
}
