//! Does the client send what was recorded where that is ours to send, and does it understand what came?

mod bodies;
#[cfg(feature = "fake-server")]
mod lookups;
mod meaning;
mod play;
mod purpose;
mod walk;

use std::collections::BTreeMap;

use crate::recorded::scenarios;
use play::play;
use purpose::{Foreign, Purpose, purpose};

#[tokio::test]
async fn golden_requests_go_out_as_recorded_and_their_answers_are_understood() {
    let mut played: BTreeMap<&str, usize> = BTreeMap::new();
    let mut left_out: BTreeMap<Foreign, Vec<String>> = BTreeMap::new();
    let (mut differences, mut all) = (Vec::new(), 0);
    for scenario in scenarios() {
        for (place, exchange) in scenario.exchanges.iter().enumerate() {
            let request = &exchange.request;
            let what = format!("{} {place}: {} {}", scenario.scenario, request.method, request.path);
            all += 1;
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
    assert_eq!(by_us + by_nobody, all);
}
