//! Lists that come in pages though they were asked for at once: all of them, in order, each page once.

use std::collections::BTreeMap;

use mbs_pdc::client::{Method, Request};
use serde_json::Value;

use super::play::answer;
use super::purpose::{ROOT, kept};
use crate::client::{client, ends, server};
use crate::recorded::{Exchange, Response, Scenario, are_the_usual, scenarios};
use crate::server::Server;

/// Path, filters and size of pages.
type Asked = (String, Vec<(String, String)>, String);

/// How many lists of the usual recordings are walked at least.
const WALKED: usize = 43;

#[tokio::test]
async fn golden_pages_are_walked_to_their_end() {
    let mut walks = 0;
    let scenarios = scenarios();
    for scenario in &scenarios {
        for ((path, filters, size), pages) in lists(scenario) {
            let what = format!("{} {path} {filters:?} by {size:?}", scenario.scenario);
            walk(&path, &filters, pages, &what).await;
            println!("{what}");
            walks += 1;
        }
    }
    println!("walked {walks} lists");
    assert!(walks >= WALKED || !are_the_usual(&scenarios), "{walks} lists walked");
}

/// Returns the lists of which all pages were recorded, each with its pages.
fn lists(scenario: &Scenario) -> BTreeMap<Asked, Vec<Response>> {
    let mut lists: BTreeMap<Asked, BTreeMap<u64, Response>> = BTreeMap::new();
    for exchange in &scenario.exchanges {
        if let Some((asked, number)) = page(exchange) {
            lists.entry(asked).or_default().insert(number, exchange.response.clone());
        }
    }
    // What was written between two pages would make them pages of two lists.
    let is_whole = |pages: &BTreeMap<u64, Response>| {
        let of_all = |page: &Response| page.body["count"].as_u64();
        let items = |page: &Response| page.body["results"].as_array().map_or(0, Vec::len) as u64;
        pages.keys().copied().eq(1..=pages.len() as u64)
            && pages.values().all(|page| of_all(page) == Some(pages.values().map(items).sum()))
    };
    let whole = lists.into_iter().filter(|(_, pages)| is_whole(pages));
    whole.map(|(asked, pages)| (asked, pages.into_values().collect())).collect()
}

/// Returns what a page is of, and its number.
fn page(exchange: &Exchange) -> Option<(Asked, u64)> {
    let request = &exchange.request;
    exchange.response.body.get("results")?.as_array()?;
    let (mut number, mut size, mut filters) = (1, String::new(), Vec::new());
    for (key, value) in &request.query {
        match key.as_str() {
            "page" => number = value.parse().ok()?,
            "page_size" => size.clone_from(value),
            _ => filters.push((key.clone(), value.clone())),
        }
    }
    filters.sort();
    let is_plain = request.method == "GET" && exchange.response.status == 200 && request.path.ends_with('/');
    is_plain.then(|| ((request.path.clone(), filters, size), number))
}

/// Walks a list on a server that gives the recorded pages, whatever size it is asked for.
async fn walk(path: &str, filters: &[(String, String)], pages: Vec<Response>, what: &str) {
    let recorded: Vec<Value> =
        pages.iter().flat_map(|page| page.body["results"].as_array().unwrap().clone()).collect();
    let count = pages.len();
    let playing = Server::start(move |heard| {
        let number: usize = heard.parameter("page").map_or(1, |number| number.parse().unwrap());
        answer(&pages[number - 1])
    })
    .await;
    let pdc = client(&server(playing.root.as_str(), 10_000));
    let parts = path.strip_prefix(ROOT).unwrap().trim_end_matches('/').split('/');
    let mut request = Request::new(Method::Get, parts);
    for (key, value) in filters {
        request = request.query(kept(key), value.as_str());
    }
    let walked: Vec<Value> = ends(pdc.list(&request)).await.unwrap();
    assert_eq!(walked, recorded, "{what}");
    let heard = playing.heard();
    assert_eq!(heard.len(), count, "{what}: {heard:?}");
    for heard in heard {
        let mut own = heard.query.clone();
        own.retain(|(key, _)| key != "page" && key != "page_size");
        own.sort();
        assert_eq!(own, filters, "{what}");
    }
}
