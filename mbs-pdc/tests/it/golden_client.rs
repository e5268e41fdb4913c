//! Does the client send what was recorded where that is ours to send, and does it understand what came?

mod bodies;
#[cfg(feature = "fake-server")]
mod lookups;
mod meaning;
mod play;
mod purpose;
mod walk;

use std::collections::BTreeMap;

use crate::recorded::{Posted, Request, are_the_usual, scenarios};
use play::play;
use purpose::{Foreign, Purpose, purpose};

/// How much of the usual recordings is played at least, by who of ours sends it. With fewer the rule takes ours for others'.
const PLAYED: [(&str, usize); 10] = [
    ("Change::request_of_many", 4),
    ("Entries::change", 13),
    ("Entries::create", 12),
    ("Entries::entry", 12),
    ("Entries::find", 15),
    ("Entries::newest", 3),
    ("Filter::request", 49),
    ("Pdc::token", 1),
    ("a plain request", 37),
    ("branches", 5),
];
/// How many entries of the usual setups are described at least.
const DESCRIBED: usize = 89;

#[tokio::test]
async fn golden_requests_go_out_as_recorded_and_their_answers_are_understood() {
    let mut played: BTreeMap<&str, usize> = BTreeMap::new();
    let mut left_out: BTreeMap<Foreign, Vec<String>> = BTreeMap::new();
    let mut differences = Vec::new();
    let scenarios = scenarios();
    for scenario in &scenarios {
        for (place, exchange) in scenario.exchanges.iter().enumerate() {
            let request = &exchange.request;
            let what = format!("{} {place}: {} {}", scenario.scenario, request.method, request.path);
            match purpose(request) {
                Purpose::Foreign(why) => left_out.entry(why).or_default().push(what),
                purpose => {
                    let found = play(&purpose, exchange).await;
                    differences.extend(
                        found.into_iter().map(|text| format!("{what} by {}: {text}", purpose.name())),
                    );
                    *played.entry(purpose.name()).or_default() += 1;
                }
            }
        }
    }
    let (by_us, by_nobody): (usize, usize) = (played.values().sum(), left_out.values().map(Vec::len).sum());
    println!("played {by_us} {played:#?}, left out {by_nobody} {left_out:#?}");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(by_us > 0 || scenarios.is_empty(), "nothing was played");
    for (name, least) in PLAYED.into_iter().filter(|_| are_the_usual(&scenarios)) {
        let played = played.get(name).copied().unwrap_or_default();
        assert!(played >= least, "{name}: {played} played, {least} or more are there");
    }
}

#[test]
fn golden_entries_of_the_setups_are_described_as_they_were() {
    let (mut ours, mut others) = (0, Vec::new());
    let scenarios = scenarios();
    let is_usual = are_the_usual(&scenarios);
    for scenario in scenarios {
        println!("{}: {} results of a client", scenario.scenario, scenario.client_results.len());
        for Posted { path, body } in scenario.setup {
            let headers = BTreeMap::from([("Content-Type".to_owned(), "application/json".to_owned())]);
            let method = "POST".to_owned();
            let recorded = Request { method, path, query: Vec::new(), headers, body };
            match purpose(&recorded) {
                Purpose::Create(face, entry) => {
                    let request = entry.request(face);
                    assert_eq!(request.body, Some(recorded.body), "{}", scenario.scenario);
                    assert_eq!(format!("/rest_api/v1/{}", request.shown_path()), recorded.path);
                    ours += 1;
                }
                other => others.push(format!("{}: {} by {}", scenario.scenario, recorded.path, other.name())),
            }
        }
    }
    println!("described {ours}, others {others:#?}");
    assert!(ours >= DESCRIBED || !is_usual, "{ours} described");
}
