//! `mbs-build explain` and `log`.

use std::sync::atomic::{AtomicUsize, Ordering};

use mbs_client::fake_server::{Answer, Heard};
use serde_json::{Value, json};

use super::{Service, build, not_found};

/// A service of ours that answers why a build is not further.
fn explaining(answer: Value) -> Service {
    Service::new(move |heard: &Heard| match heard.path() {
        "/module-build-service/2/module-builds/7/explain" => Answer::json(200, &answer),
        _ => not_found(),
    })
}

#[test]
fn the_reason_is_a_line() {
    let told = json!({"id": 7, "state_name": "build", "why": {"kind": "finished"}, "text": "waiting\nfor 3"});
    let ended = explaining(told).run(&["explain", "7"]);
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "waiting for 3\n", ""));
    let untold = json!({"id": 7, "state_name": "build", "why": {"kind": "waiting-for-slot", "in_use": 2, "limit": 2, "ahead": [5]}});
    let ended = explaining(untold).run(&["explain", "7"]);
    assert_eq!(ended.out, "waiting for a slot: 2 of 2 in use, next in line after modules 5\n");
    let unseen = json!({"id": 7, "state_name": "init", "why": null, "text": null});
    assert_eq!(explaining(unseen).run(&["explain", "7"]).out, "nobody has looked at it yet\n");
}

#[test]
fn with_json_the_reason_is_data() {
    let told = json!({"id": 7, "state_name": "build", "why": {"kind": "new"}, "text": "so", "more": 1});
    let ended = explaining(told.clone()).run(&["explain", "7", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), told);
}

#[test]
fn a_build_or_a_service_that_cannot_explain_says_so() {
    let ended = explaining(json!({})).run(&["explain", "8"]);
    assert_eq!(
        (ended.status, ended.out.as_str(), ended.err.as_str()),
        (1, "", "ERROR: No such module found.\n")
    );
    let original = Service::new(|_| Answer::of(404, "text/html", "<title>404 Not Found</title>"));
    let ended = original.run(&["explain", "7"]);
    assert_eq!((ended.status, ended.err.as_str()), (1, "ERROR: HTTP 404 and the words `404 Not Found`\n"));
}

fn message(id: i64) -> Value {
    json!({"id": id, "message": format!("line {id}"), "time_created": "2023-04-01T08:15:00Z"})
}

/// Answers with these lines, which come newest first, on pages as they are asked for.
fn lines(heard: &Heard, ids: std::ops::RangeInclusive<i64>) -> Answer {
    let number = |key: &str| heard.values(key)[0].parse::<usize>().unwrap();
    let (page, per_page) = (number("page"), number("per_page"));
    let all: Vec<Value> = ids.rev().map(message).collect();
    let shown: Vec<&Value> = all.iter().skip((page - 1) * per_page).take(per_page).collect();
    let next = (page * per_page < all.len()).then_some("http://elsewhere.invalid/");
    let meta = json!({"page": page, "pages": 1, "per_page": per_page, "total": all.len(), "next": next});
    Answer::json(200, &json!({"messages": shown, "meta": meta}))
}

#[test]
fn a_log_is_printed_oldest_first_over_all_its_pages() {
    let service = Service::new(|heard| lines(heard, 1..=250));
    let ended = service.run(&["log", "7"]);
    let printed: Vec<&str> = ended.out.lines().collect();
    assert_eq!((ended.status, printed.len(), ended.err.as_str()), (0, 250, ""));
    assert_eq!(
        (printed[0], printed[249]),
        ("2023-04-01T08:15:00Z  line 1", "2023-04-01T08:15:00Z  line 250")
    );
    assert_eq!(service.asked()[0], "GET module-builds/7/messages?per_page=100&page=1");
    let ended = service.run(&["log", "7", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(ended.out.lines().next().unwrap()).unwrap(), message(1));
    assert_eq!(Service::with([]).run(&["log", "7"]).err, "ERROR: No such module found.\n");
}

#[test]
fn a_log_is_followed_until_the_build_has_ended_and_no_line_comes_twice() {
    let looks = AtomicUsize::new(0);
    let service = Service::new(move |heard| {
        if heard.path().ends_with("/messages") {
            return lines(heard, 1..=[2, 2, 130, 131][looks.load(Ordering::Relaxed).min(3)]);
        }
        let state = match looks.fetch_add(1, Ordering::Relaxed) {
            0..=1 => json!({}),
            _ => json!({"state": 4, "state_name": "failed"}),
        };
        Answer::json(200, &build(7, state))
    });
    let ended = service.run(&["log", "7", "--follow", "--every", "0"]);
    let numbers: Vec<String> = (1..=131).map(|id| format!("2023-04-01T08:15:00Z  line {id}")).collect();
    assert_eq!(
        (ended.status, ended.out.lines().collect::<Vec<_>>()),
        (0, numbers.iter().map(String::as_str).collect())
    );
}
