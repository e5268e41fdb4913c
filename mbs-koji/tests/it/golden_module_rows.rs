//! Are the module builds in a recorded tag read as what they are?

use std::collections::BTreeMap;

use mbs_koji::resolver::{TaggedModule, choose};
use mbs_koji::xmlrpc::Value;
use serde_json::Value as Json;

use crate::recorded::{Recording, text, traffic, value};

/// Returns rows of all answers to `listTagged` for modules.
fn rows(recording: &Recording) -> Vec<&Json> {
    let asked = recording.entries.iter().filter(|exchange| {
        let is_for_modules =
            |params: &Vec<Json>| params.iter().any(|param| text(param, "type") == Some("module"));
        text(exchange, "method") == Some("listTagged")
            && exchange["params"].as_array().is_some_and(is_for_modules)
    });
    asked.flat_map(|exchange| exchange["result"].as_array().into_iter().flatten()).collect()
}

/// Returns all builds of modules that a recording shows, be it deep inside a multicall, by number.
fn builds(json: &Json, found: &mut BTreeMap<i64, Json>) {
    if json.pointer("/extra/typeinfo/module").is_some()
        && let Some(number) = json["build_id"].as_i64()
    {
        found.insert(number, json.clone());
    }
    match json {
        Json::Array(values) => values.iter().for_each(|value| builds(value, found)),
        Json::Object(members) => members.values().for_each(|value| builds(value, found)),
        _ => {}
    }
}

#[test]
fn golden_rows_of_modules_are_read_as_what_they_are() {
    for recording in traffic() {
        let mut found = BTreeMap::new();
        for exchange in &recording.entries {
            builds(&exchange["result"], &mut found);
        }
        for row in rows(&recording) {
            let place = format!("{} {}", recording.name, row["nvr"]);
            let Some(build) = row["build_id"].as_i64().and_then(|number| found.get(&number)) else {
                continue;
            };
            let read = TaggedModule::read(&value(row), &value(build));
            let read = read.unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(Some(&*read.nsvc.nvr().to_string()), text(row, "nvr"), "{place}");
            assert_eq!(Some(read.tag.as_str()), text(row, "tag_name"), "{place}");
            let stream = build.pointer("/extra/typeinfo/module/stream").and_then(Json::as_str);
            assert_eq!(Some(read.nsvc.stream.as_str()), stream, "{place}");
            assert_eq!(choose([&read], std::slice::from_ref(&read.tag)), Ok(vec![&read]), "{place}");
        }
    }
}

#[test]
fn golden_builds_that_are_no_modules_are_refused() {
    for recording in traffic() {
        let answers =
            recording.entries.iter().filter(|exchange| text(exchange, "method") == Some("listTagged"));
        for row in answers.flat_map(|exchange| exchange["result"].as_array().into_iter().flatten()) {
            let refused = TaggedModule::read(&value(row), &Value::Nil);
            assert!(refused.is_err(), "{} {}", recording.name, row["nvr"]);
        }
    }
}
