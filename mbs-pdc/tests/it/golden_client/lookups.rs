//! What the historical releases found, against what one question finds.

use std::collections::BTreeSet;

use mbs_pdc::api::{Entries, Entry, Face, Filter};
use mbs_pdc::fake_server::{FakePdc, Setup};
use serde_json::Value;

use crate::client::{client, ends, server};
use crate::raw::{ADMIN, ask, request};
use crate::recorded::{Scenario, are_the_usual, scenarios};

/// Version and context of each entry.
type Found = BTreeSet<(String, String)>;

/// How many lookups of the usual recordings are compared at least.
const COMPARED: usize = 14;

#[tokio::test]
async fn golden_lookups_find_what_one_question_finds() {
    let (mut compared, mut others) = (0, Vec::new());
    let scenarios = scenarios();
    for scenario in scenarios.iter().filter(|scenario| !scenario.client_results.is_empty()) {
        let is_read = scenario.exchanges.iter().all(|exchange| exchange.request.method == "GET");
        let pdc = filled(scenario).await;
        for result in &scenario.client_results {
            let what = format!("{} {result}", scenario.scenario);
            let lookup = Lookup::read(&scenario.scenario, result).filter(|_| is_read);
            match lookup {
                Some(lookup) if lookup.compare(&pdc, result, &what).await => compared += 1,
                _ => others.push(what),
            }
        }
    }
    println!("compared {compared}, others {others:#?}");
    assert!(compared >= COMPARED || !are_the_usual(&scenarios), "{compared} compared");
}

/// Starts a server with what a scenario begins with.
async fn filled(scenario: &Scenario) -> FakePdc {
    let pdc = FakePdc::start(Setup::default()).await.unwrap();
    for step in &scenario.setup {
        let path = step.path.trim_start_matches("/rest_api/v1/");
        let answer = ask(&pdc, &request("POST", path, ADMIN, step.body.clone())).await;
        assert_eq!(answer.status, 201, "{}: {answer:?}", scenario.scenario);
    }
    pdc
}

/// What a historical release looked up.
struct Lookup {
    filter: Filter,
    /// It asked for one version, not for the newest.
    is_exact: bool,
    /// It took the last entry in the order of uids for the newest.
    is_by_uid: bool,
}

impl Lookup {
    /// Reads a call that looked an entry up; `None`: it did something else.
    fn read(scenario: &str, result: &Value) -> Option<Self> {
        if result["message"]
            .as_str()
            .is_some_and(|message| !message.starts_with("Failed to find module in PDC"))
        {
            return None;
        }
        let (name, rest) = result["call"].as_str()?.split_once('(')?;
        let (arguments, behind) = rest.split_once(')')?;
        let mut parts: Vec<&str> = match name {
            "get_module" | "get_modules" if matches!(behind.trim(), "" | "whatever its state") => {
                arguments.split(", ").filter(|argument| *argument != "strict").collect()
            }
            // This one always asked for entries that may be required.
            "resolve_requires" if behind.is_empty() && !arguments.contains(',') => {
                let one = arguments.trim_matches(['[', ']', '{', '}']);
                one.split(':').map(str::trim).chain(["active"]).collect()
            }
            _ => return None,
        };
        let active = parts.contains(&"active").then_some(true);
        parts.retain(|part| *part != "active");
        let mut parts = parts.into_iter().map(str::to_owned);
        let (name, stream) = (Some(parts.next()?), Some(parts.next()?));
        let filter = Filter {
            name,
            stream,
            version: parts.next(),
            context: parts.next(),
            active,
            ..Filter::default()
        };
        let is_by_uid = !scenario.starts_with("mbs-early");
        parts.next().is_none().then(|| Self { is_exact: filter.version.is_some(), filter, is_by_uid })
    }

    /// Asks once, and compares what is found; false if the release was misled by the order of uids.
    async fn compare(&self, pdc: &FakePdc, result: &Value, what: &str) -> bool {
        let entries = Entries::new(client(&server(pdc.url(), 10_000)), Face::Variants);
        let found = ends(entries.find(&self.filter)).await.unwrap();
        let number = |entry: &Entry| entry.version.parse::<u64>().ok();
        let newest = found.iter().map(number).max();
        let is_misled = self.is_by_uid && !self.is_exact && found.last().map(number) != newest;
        if is_misled {
            return false;
        }
        let is_wanted = |entry: &&Entry| self.is_exact || Some(number(entry)) == newest;
        let ours = found.iter().filter(is_wanted).map(|entry| (entry.version.clone(), entry.context.clone()));
        let (ours, theirs): (Found, Found) = (ours.collect(), recorded(pdc, &result["returned"]));
        // Most calls ended with one entry of the version, whatever its contexts.
        let is_one = result["returned"].is_string() || result["returned"].is_object();
        match is_one {
            true => assert!(theirs.len() == 1 && theirs.is_subset(&ours), "{what}: {theirs:?} of {ours:?}"),
            false => assert_eq!(theirs, ours, "{what}"),
        }
        true
    }
}

/// Reads what a release found: uids, or what it had made of entries.
fn recorded(pdc: &FakePdc, returned: &Value) -> Found {
    let of_uid = |uid: &Value| {
        let row = pdc.rows().into_iter().find(|row| uid == row.uid.as_str()).unwrap();
        (row.version, row.context)
    };
    let of_made = |made: &Value| {
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        (text("version"), text("context"))
    };
    match returned {
        Value::String(_) => Found::from([of_uid(returned)]),
        Value::Array(uids) => uids.iter().map(of_uid).collect(),
        Value::Object(made) => made.values().map(of_made).collect(),
        _ => Found::new(),
    }
}
