//! Is each recorded message of a hub understood, and does it say where to look as the rules have it?

use mbs_core::bus::Hint;
use mbs_core::ident::{TagName, TaskId};
use mbs_koji::messages::{Heard, Ignored, Messages, Tally};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};

use crate::recorded::{recordings, text};

/// All recorded messages, with the file and the place they stand in.
fn events() -> Vec<(String, Json)> {
    let files = recordings().into_iter().filter(|recording| recording.name.starts_with("events"));
    let named = files.flat_map(|file| {
        let name = file.name;
        file.entries.into_iter().enumerate().map(move |(at, entry)| (format!("{name} {at}"), entry))
    });
    named.collect()
}

/// Splits a topic or address into the prefix that its hub was told and the event.
fn split(message: &Json) -> (&str, &str) {
    if let Some(topic) = text(message, "topic") {
        let at = topic.find(".buildsys.").expect("a topic is the build system's");
        return (&topic[..at], &topic[at + ".buildsys.".len()..]);
    }
    let address = text(message, "address").expect("a message has a topic or an address");
    let name = address.strip_prefix("topic://").unwrap_or(address);
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    let at = dots.nth(1).expect("an address ends in two words");
    (&name[..at], &name[at + 1..])
}

fn listening_to(message: &Json) -> Messages {
    Messages::new([split(message).0])
}

fn tag(value: &Json) -> Heard {
    let name = value.as_str().expect("a tag has a name");
    Heard::Hint(Hint::Tag(TagName::new(name).expect("a tag's name is one")))
}

fn task(value: &Json) -> Heard {
    match value.as_i64() {
        Some(number) => Heard::Hint(Hint::Task(TaskId(number))),
        None => Heard::Ignored(Ignored::NoTask),
    }
}

/// Returns what the rules make of a message, from what its whole records say rather than what is read.
fn expected(message: &Json) -> Heard {
    let body = &message["body"];
    if body["instance"].as_str().is_some_and(|instance| instance != "primary") {
        return Heard::Ignored(Ignored::OtherInstance);
    }
    if body["attribute"].as_str().is_some_and(|attribute| attribute != "state") {
        return Heard::Ignored(Ignored::NoNews);
    }
    let (_, event) = split(message);
    if message.get("topic").is_some() {
        return match event {
            "build.state.change" => task(&body["task_id"]),
            "tag" | "untag" | "repo.done" => tag(&body["tag"]),
            "task.state.change" => task(&body["info"]["id"]),
            _ => Heard::Ignored(Ignored::NoNews),
        };
    }
    match event.split_once('.').expect("an event has two words") {
        ("build", "tag" | "untag") => tag(&body["tag"]["name"]),
        ("build", "promote") => Heard::Ignored(Ignored::NoNews),
        ("build", _) => task(&body["info"]["task_id"]),
        ("task", _) => task(&body["info"]["id"]),
        ("repo", "done") => tag(&body["repo"]["tag_name"]),
        _ => Heard::Ignored(Ignored::NoNews),
    }
}

#[test]
fn golden_events_say_where_to_look_as_the_rules_have_it() {
    let mut tally = Tally::default();
    let events = events();
    for (place, message) in &events {
        let heard = listening_to(message).hear(message.to_string().as_bytes());
        assert_eq!(heard, expected(message), "{place}");
        tally.count(&heard);
    }
    assert_eq!((tally.malformed, tally.unknown), (0, 0));
    assert_eq!(usize::try_from(tally.total()), Ok(events.len()));
}

#[test]
fn golden_events_are_understood_in_the_older_form_too() {
    for (place, message) in events().iter().filter(|(_, message)| message.get("topic").is_some()) {
        let wrapped = json!({"topic": message["topic"], "msg_id": "1", "msg": message["body"], "i": 1});
        let messages = listening_to(message);
        assert_eq!(messages.hear_json(&wrapped), expected(message), "{place}");
        assert_eq!(messages.hear_json(&json!({"body": wrapped})), expected(message), "{place}");
    }
}

#[test]
fn golden_events_of_another_instance_or_prefix_are_ignored() {
    for (place, message) in &events() {
        let foreign = Messages::new(["org.example"]).hear_json(message);
        assert_eq!(foreign, Heard::Ignored(Ignored::Foreign), "{place}");
        let mut secondary = message.clone();
        if message.get("topic").is_some() && message["body"].is_object() {
            secondary["body"]["instance"] = "s390".into();
            let heard = listening_to(message).hear_json(&secondary);
            assert_eq!(heard, Heard::Ignored(Ignored::OtherInstance), "{place}");
        }
    }
}

/// One way a message gets damaged under way.
#[derive(Debug, Clone)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    Replace(usize, Json),
    Remove(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let values = [Json::Null, json!(-1), json!(true), json!("x"), json!([]), json!({}), json!(1e300)];
    prop_oneof![
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), 1u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (any::<usize>(), proptest::sample::select(values.to_vec()))
            .prop_map(|(at, by)| Damage::Replace(at, by)),
        any::<usize>().prop_map(Damage::Remove),
    ]
}

/// Returns all values that stand below one.
fn below<'j>(json: &'j Json, path: &str, found: &mut Vec<(String, &'j Json)>) {
    let members: Vec<(String, &Json)> = match json {
        Json::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Json::Array(values) => values.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in members {
        let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.push((path.clone(), value));
        below(value, &path, found);
    }
}

fn damaged(message: &Json, damage: &Damage) -> Vec<u8> {
    let mut places = Vec::new();
    below(message, "", &mut places);
    let mut bytes = message.to_string().into_bytes();
    match damage {
        Damage::Cut(at) => bytes.truncate(at % bytes.len()),
        Damage::Flip(at, bits) => {
            let at = at % bytes.len();
            bytes[at] ^= bits;
        }
        Damage::Replace(at, by) => {
            let mut other = message.clone();
            *other.pointer_mut(&places[at % places.len()].0).expect("it was found there") = by.clone();
            bytes = other.to_string().into_bytes();
        }
        Damage::Remove(at) => {
            let path = &places[at % places.len()].0;
            let (above, name) = path.rsplit_once('/').expect("a path has a slash");
            let mut other = message.clone();
            match other.pointer_mut(above).expect("it was found there") {
                Json::Object(members) => drop(members.remove(name)),
                Json::Array(values) => drop(values.remove(name.parse().expect("it is an index"))),
                _ => unreachable!("nothing stands below a leaf"),
            }
            bytes = other.to_string().into_bytes();
        }
    }
    bytes
}

/// Says whether a hint names something that a message holds.
fn is_in(hint: &Hint, message: &[u8]) -> bool {
    let message: Json = serde_json::from_slice(message).expect("only JSON gives hints");
    let mut places = Vec::new();
    below(&message, "", &mut places);
    places.iter().any(|(_, value)| match hint {
        Hint::Tag(tag) => value.as_str() == Some(tag.as_str()),
        Hint::Task(task) => value.as_i64() == Some(task.0),
        Hint::Build(_) | Hint::Everything => false,
    })
}

#[test]
fn golden_events_that_are_damaged_never_say_what_they_do_not_hold() {
    let events = events();
    if events.is_empty() {
        return;
    }
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(1_000) });
    let cases = (proptest::sample::select(events), damage());
    let checked = runner.run(&cases, |((place, message), damage)| {
        let bytes = damaged(&message, &damage);
        if let Heard::Hint(hint) = listening_to(&message).hear(&bytes) {
            prop_assert!(is_in(&hint, &bytes), "{place}: {hint:?}");
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}
