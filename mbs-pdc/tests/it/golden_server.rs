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

/// Where answers may differ.
const LOOSENESS: [Loose; 8] = [
    ("numbers of changesets", "the recorded store had counted before", changesets, without_numbers),
    ("times of changesets", "it was another day", changesets, without_times),
    ("texts of values in changesets", "members of an object have no order", changesets, as_json),
    ("new tokens", "they are made up", refreshed, without_token),
    (
        "rights",
        "they are a set; what else users had and through which groups is not said",
        current_user,
        as_rights,
    ),
    ("what can be done with a place", "it is prose", options, nothing),
    ("pages", "they are for people", any, without_page),
    ("what is wrong with broken JSON", "they are the words of another parser", any, without_parser),
];

/// What may differ, why, for which requests, and what is left of either side.
type Loose = (&'static str, &'static str, fn(&Request) -> bool, fn(&mut Value));

fn any(_: &Request) -> bool {
    true
}

fn changesets(request: &Request) -> bool {
    request.path.contains("/changesets/")
}

fn refreshed(request: &Request) -> bool {
    request.path.contains("/auth/token/refresh")
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
        *token = token.is_string().into();
    }
}

fn as_rights(body: &mut Value) {
    let Some(rights) = body.get_mut("resource_permissions").and_then(Value::as_array_mut) else { return };
    let is_module =
        |right: &Value| right["resource"] == "modules" || right["resource"] == "unreleasedvariants";
    rights.retain(|right| right["permission"] == "read" || is_module(right));
    rights.sort_by_key(ToString::to_string);
    body["groups"] = Value::Null;
    body["permissions"] = Value::Null;
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
    let mut tokens = Tokens::default();
    let mut differences = Vec::new();
    for (place, Exchange { request, response }) in scenario.exchanges.iter().enumerate() {
        let answer = ask(&pdc, &tokens.ours(request)).await;
        let expected = tokens.expected(request, response, &answer);
        let what = format!("{} {place}: {} {}", scenario.scenario, request.method, request.path);
        let found = compare(request, expected, answer);
        differences.extend(found.into_iter().map(|text| format!("{what}: {text}")));
    }
    differences
}

/// The tokens that this server made up, by those that the recorded one did.
#[derive(Default)]
struct Tokens(BTreeMap<String, String>);

impl Tokens {
    /// Returns a request with the tokens of this server.
    fn ours(&self, request: &Request) -> Request {
        let mut request = request.clone();
        for header in request.headers.values_mut() {
            for (theirs, ours) in &self.0 {
                *header = header.replace(theirs, ours);
            }
        }
        request
    }

    /// Returns what was recorded with the tokens of this server, and learns what it has made up now.
    fn expected(&mut self, request: &Request, recorded: &Response, answer: &Response) -> Response {
        let mut expected = recorded.clone();
        let token = |response: &Response| response.body.get("token")?.as_str().map(str::to_owned);
        let Some(theirs) = token(recorded) else { return expected };
        if let Some(ours) = token(answer).filter(|_| refreshed(request)) {
            self.0.insert(theirs.clone(), ours);
        }
        expected.body["token"] = self.0.get(&theirs).unwrap_or(&theirs).as_str().into();
        expected
    }
}

fn compare(request: &Request, mut expected: Response, mut answer: Response) -> Vec<String> {
    let mut differences = Vec::new();
    let mut note = |what: &str, recorded: String, answer: String| {
        if recorded != answer {
            differences.push(format!("{what}\n  recorded {recorded}\n  answered {answer}"));
        }
    };
    let line = |response: &Response| format!("{} {}", response.status, response.reason);
    note("status", line(&expected), line(&answer));
    let recorded = std::mem::take(&mut expected.headers).into_iter();
    let recorded: BTreeMap<String, String> =
        recorded.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    for name in HEADERS {
        note(name, format!("{:?}", recorded.get(name)), format!("{:?}", answer.headers.get(name)));
    }
    let mut what = "body".to_owned();
    for (name, why, _, make) in LOOSENESS.iter().filter(|(_, _, is, _)| is(request)) {
        let before = (expected.body.clone(), answer.body.clone());
        make(&mut expected.body);
        make(&mut answer.body);
        if before != (expected.body.clone(), answer.body.clone()) {
            what.push_str(&format!(", but for {name} ({why})"));
        }
    }
    note(&what, expected.body.to_string(), answer.body.to_string());
    differences
}
