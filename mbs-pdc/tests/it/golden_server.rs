//! The fake server answers what the recorded one did, request for request.
//!
//! Where an answer cannot be the same, [`LOOSENESS`] says so and why.

use std::collections::BTreeMap;

use mbs_pdc::fake_server::{FakePdc, Setup};
use serde_json::Value;

use crate::raw::{ADMIN, ask, request};
use crate::recorded::{Exchange, Request, Response, Scenario, scenarios};

/// The headers that are compared, whether they were recorded or not.
const HEADERS: [&str; 7] =
    ["vary", "allow", "content-type", "cache-control", "location", "www-authenticate", "pdc-warning"];

/// Where answers may differ: to what it applies, what is left of both sides, and why.
const LOOSENESS: [Loose; 8] = [
    Loose { name: "numbers of changesets", is: changesets, make: without_numbers },
    Loose { name: "times of changesets", is: changesets, make: without_times },
    Loose {
        name: "values in changesets, whose members have the order of their day",
        is: changesets,
        make: as_json,
    },
    Loose { name: "tokens that are made up", is: refreshed, make: without_token },
    Loose {
        name: "rights, which are a set, and the groups that give them",
        is: current_user,
        make: as_rights,
    },
    Loose { name: "documentation", is: options, make: nothing },
    Loose { name: "pages for people", is: any, make: without_page },
    Loose { name: "the words of the JSON parser", is: any, make: without_parser },
];

struct Loose {
    /// What may differ, and by its nature why.
    name: &'static str,
    is: fn(&Request) -> bool,
    make: fn(&mut Value),
}

fn any(_: &Request) -> bool {
    true
}

fn changesets(request: &Request) -> bool {
    request.path.contains("/changesets/")
}

fn refreshed(request: &Request) -> bool {
    request.path.contains("/auth/token/")
}

fn current_user(request: &Request) -> bool {
    request.path.ends_with("/auth/current-user/")
}

fn options(request: &Request) -> bool {
    request.method == "OPTIONS"
}

/// Goes over a changeset, or over all on a page.
fn each_changeset(body: &mut Value, change: impl Fn(&mut Value)) {
    if body.get("changes").is_some() {
        return change(body);
    }
    let on_page = body.get("results").is_some();
    let all = if on_page { &mut body["results"] } else { body };
    all.as_array_mut().into_iter().flatten().for_each(change);
}

fn without_numbers(body: &mut Value) {
    each_changeset(body, |changeset| {
        changeset["id"] = Value::Null;
        for change in changeset["changes"].as_array_mut().unwrap() {
            change["resource_id"] = Value::Null;
        }
    });
}

fn without_times(body: &mut Value) {
    each_changeset(body, |changeset| {
        for name in ["requested_on", "committed_on"] {
            let time: Result<jiff::Timestamp, _> = changeset[name].as_str().unwrap().parse();
            changeset[name] = time.is_ok().into();
        }
        let duration = changeset["duration"].as_str().unwrap().split_once('.').unwrap().1.len();
        changeset["duration"] = duration.into();
    });
}

fn as_json(body: &mut Value) {
    each_changeset(body, |changeset| {
        for change in changeset["changes"].as_array_mut().unwrap() {
            for name in ["old_value", "new_value"] {
                change[name] = serde_json::from_str(change[name].as_str().unwrap()).unwrap();
            }
        }
    });
}

fn without_token(body: &mut Value) {
    if let Some(token) = body.get_mut("token") {
        *token = token.as_str().unwrap().len().into();
    }
}

fn as_rights(body: &mut Value) {
    if let Some(rights) = body.get_mut("resource_permissions").and_then(Value::as_array_mut) {
        rights.sort_by_key(ToString::to_string);
    }
    if let Some(members) = body.as_object_mut() {
        for name in ["groups", "permissions"] {
            members.insert(name.to_owned(), Value::Null);
        }
    }
}

fn nothing(body: &mut Value) {
    *body = Value::Null;
}

fn without_page(body: &mut Value) {
    if let Some(text) = body.get_mut("__text__") {
        *text = text.as_str().unwrap().contains('<').into();
    }
}

fn without_parser(body: &mut Value) {
    const START: &str = "JSON parse error - ";
    if let Some(detail) = body.get_mut("detail").filter(|text| text.to_string().contains(START)) {
        *detail = START.into();
    }
}

#[tokio::test]
async fn golden_exchanges_are_answered_as_they_were() {
    let mut differences = Vec::new();
    for scenario in scenarios() {
        let Scenario { scenario: name, exchanges, client_results, .. } = &scenario;
        println!("{name}: {} exchanges, {} results of a client", exchanges.len(), client_results.len());
        differences.extend(replay(&scenario).await);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Replays a scenario, and returns what differs.
async fn replay(scenario: &Scenario) -> Vec<String> {
    let pdc = FakePdc::start(Setup::default()).await.unwrap();
    for step in &scenario.setup {
        let path = step.path.trim_start_matches("/rest_api/v1/");
        let answer = ask(&pdc, &request("POST", path, ADMIN, step.body.clone())).await;
        assert_eq!(answer.status, 201, "{}: {} {:?}", scenario.scenario, step.body, answer);
    }
    let mut tokens = BTreeMap::new();
    let mut differences = Vec::new();
    for (place, exchange) in scenario.exchanges.iter().enumerate() {
        let answer = ask(&pdc, &with_tokens(&exchange.request, &tokens)).await;
        learn(&exchange.response, &answer, &mut tokens);
        let what =
            format!("{} {place}: {} {}", scenario.scenario, exchange.request.method, exchange.request.path);
        differences.extend(compare(exchange, answer).into_iter().map(|text| format!("{what}: {text}")));
    }
    differences
}

/// Puts the tokens that this server made up into the places of those that the other did.
fn with_tokens(request: &Request, tokens: &BTreeMap<String, String>) -> Request {
    let mut request = request.clone();
    if let Some(header) = request.headers.get_mut("Authorization") {
        for (theirs, ours) in tokens {
            *header = header.replace(theirs, ours);
        }
    }
    request
}

fn learn(recorded: &Response, answer: &Response, tokens: &mut BTreeMap<String, String>) {
    let token = |response: &Response| response.body.get("token")?.as_str().map(str::to_owned);
    if let (Some(theirs), Some(ours)) = (token(recorded), token(answer)) {
        tokens.insert(theirs, ours);
    }
}

fn compare(exchange: &Exchange, mut answer: Response) -> Vec<String> {
    let Exchange { request, response: recorded } = exchange;
    let mut differences = Vec::new();
    let mut note = |what: &str, recorded: String, answer: String| {
        if recorded != answer {
            differences.push(format!("{what}\n  recorded {recorded}\n  answered {answer}"));
        }
    };
    let line = |response: &Response| format!("{} {}", response.status, response.reason);
    note("status", line(recorded), line(&answer));
    let mut expected = recorded.clone();
    expected.headers = std::mem::take(&mut expected.headers)
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    for name in HEADERS {
        note(name, format!("{:?}", expected.headers.get(name)), format!("{:?}", answer.headers.get(name)));
    }
    for loose in LOOSENESS.iter().filter(|loose| (loose.is)(request)) {
        (loose.make)(&mut expected.body);
        (loose.make)(&mut answer.body);
    }
    note("body", expected.body.to_string(), answer.body.to_string());
    differences
}

#[test]
fn golden_looseness_says_what_it_is_about() {
    assert!(LOOSENESS.iter().all(|loose| !loose.name.is_empty()));
}
