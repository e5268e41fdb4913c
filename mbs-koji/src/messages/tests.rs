use mbs_core::ident::{TagName, TaskId};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn messages() -> Messages {
    Messages::new(["org.fedoraproject.prod", "koji"])
}

fn heard(message: &Json) -> Heard {
    messages().hear(message.to_string().as_bytes())
}

/// A Fedora event in the form where topic and body stand side by side.
fn fedora(event: &str, body: &Json) -> Heard {
    heard(&json!({"topic": format!("org.fedoraproject.prod.buildsys.{event}"), "body": body}))
}

fn amqp(event: &str, properties: &Json, body: &Json) -> Heard {
    heard(&json!({"address": format!("topic://koji.{event}"), "properties": properties, "body": body}))
}

fn task(number: i64) -> Heard {
    Heard::Hint(Hint::Task(TaskId(number)))
}

fn tag(name: &str) -> Heard {
    Heard::Hint(Hint::Tag(TagName::new(name).unwrap()))
}

#[test]
fn fedora_events_say_where_to_look() {
    assert_eq!(fedora("build.state.change", &json!({"task_id": 7, "attribute": "state", "new": 1})), task(7));
    assert_eq!(fedora("tag", &json!({"tag": "module-a", "instance": "primary"})), tag("module-a"));
    assert_eq!(fedora("untag", &json!({"tag": "module-a"})), tag("module-a"));
    assert_eq!(fedora("repo.done", &json!({"tag": "module-a-build", "repo_id": 3})), tag("module-a-build"));
    assert_eq!(fedora("task.state.change", &json!({"id": 9, "new": "CLOSED"})), task(9));
}

#[test]
fn a_message_is_understood_in_each_form_it_comes_in() {
    let topic = "org.fedoraproject.prod.buildsys.tag";
    let body = json!({"tag": "f40"});
    let fedmsg = json!({"topic": topic, "msg_id": "2024-1", "msg": body, "i": 1});
    assert_eq!(heard(&json!({"body": fedmsg})), tag("f40"));
    assert_eq!(heard(&json!({"topic": topic, "body": fedmsg})), tag("f40"));
    assert_eq!(heard(&fedmsg), tag("f40"));
    assert_eq!(messages().hear_topic(topic, body.to_string().as_bytes()), tag("f40"));
    let properties = json!({"type": "Tag", "tag": "f40"});
    assert_eq!(messages().hear_address("koji.build.tag", &properties, b"{}"), tag("f40"));
}

#[test]
fn events_of_the_amqp_plugin_say_where_to_look() {
    let build = json!({"type": "BuildStateChange", "attribute": "state", "new": "COMPLETE"});
    assert_eq!(amqp("build.complete", &build, &json!({"info": {"task_id": 7}})), task(7));
    assert_eq!(amqp("build.untag", &json!({"type": "Untag", "tag": "f40"}), &json!({})), tag("f40"));
    assert_eq!(amqp("repo.done", &json!({"type": "RepoDone", "tag": "f40"}), &json!({})), tag("f40"));
    assert_eq!(amqp("task.closed", &json!({"type": "TaskStateChange", "id": 5}), &json!({})), task(5));
    let import = amqp("build.complete", &build, &json!({"info": {"task_id": null}}));
    assert_eq!(import, Heard::Ignored(Ignored::NoTask));
}

#[test]
fn what_does_not_concern_us_is_ignored_for_a_reason() {
    use Ignored::{Foreign, NoNews, NoTask, OtherInstance, Unknown};
    let cases = [
        (fedora("tag", &json!({"tag": "f40", "instance": "s390"})), OtherInstance),
        (fedora("build.state.change", &json!({"task_id": null})), NoTask),
        (fedora("build.state.change", &json!({})), NoTask),
        (fedora("build.state.change", &json!({"task_id": 1, "attribute": "volume_id"})), NoNews),
        (fedora("repo.init", &json!({"tag": "f40"})), NoNews),
        (fedora("tea.ready", &json!({"tag": "f40"})), Unknown),
        (amqp("tea.ready", &json!({}), &json!({})), Unknown),
        (amqp("build", &json!({}), &json!({})), Unknown),
        (amqp("package.add", &json!({}), &json!({})), NoNews),
        (heard(&json!({"topic": "org.fedoraproject.prod.git.receive", "body": {}})), Foreign),
        (heard(&json!({"topic": "org.fedoraproject.stg.buildsys.tag", "body": {"tag": "f40"}})), Foreign),
        (
            heard(&json!({"topic": "org.fedoraproject.production.buildsys.tag", "body": {"tag": "f40"}})),
            Foreign,
        ),
        (heard(&json!({"address": "topic://other.build.tag"})), Foreign),
    ];
    for (heard, reason) in cases {
        assert_eq!(heard, Heard::Ignored(reason));
    }
}

#[test]
fn what_is_malformed_gives_no_hint() {
    let cases = [
        heard(&json!([])),
        heard(&json!({})),
        heard(&json!({"topic": 1, "body": {}})),
        heard(&json!({"address": 1, "body": {}})),
        fedora("tag", &Json::Null),
        fedora("tag", &json!({})),
        fedora("tag", &json!({"tag": 5})),
        fedora("tag", &json!({"tag": "../f40"})),
        fedora("tag", &json!({"tag": "f40", "instance": 1})),
        fedora("build.state.change", &json!({"task_id": "7"})),
        fedora("build.state.change", &json!({"task_id": 7.0})),
        fedora("build.state.change", &json!({"task_id": -7})),
        fedora("build.state.change", &json!({"task_id": 7, "attribute": 1})),
        fedora("task.state.change", &json!({"id": null})),
        amqp("build.complete", &json!({"type": "BuildStateChange"}), &json!({})),
        amqp("build.tag", &json!({"type": "Untag", "tag": "f40"}), &json!({})),
        amqp("build.tag", &Json::Null, &json!({})),
        messages().hear(b"{"),
        messages().hear(b"\xff"),
        messages().hear("[".repeat(100_000).as_bytes()),
    ];
    for (at, heard) in cases.iter().enumerate() {
        assert!(matches!(heard, Heard::Malformed(_)), "{at}: {heard:?}");
    }
}

#[test]
fn a_message_beyond_the_bound_is_not_read() {
    let message = r#"{"topic": "org.fedoraproject.prod.buildsys.tag", "body": {"tag": "f40"}}"#;
    let padded = |size: usize| format!("{message}{}", " ".repeat(size - message.len()));
    assert_eq!(messages().hear(padded(LARGEST).as_bytes()), tag("f40"));
    assert_eq!(messages().hear(padded(LARGEST + 1).as_bytes()), Heard::Malformed("it is too large"));
}

#[test]
fn each_message_is_counted_once() {
    let mut tally = Tally::default();
    for heard in [
        task(1),
        Heard::Ignored(Ignored::Unknown),
        Heard::Ignored(Ignored::NoNews),
        Heard::Ignored(Ignored::Foreign),
        Heard::Malformed("it is no JSON"),
    ] {
        tally.count(&heard);
    }
    assert_eq!(tally, Tally { hints: 1, ignored: 2, unknown: 1, malformed: 1 });
    assert_eq!(tally.total(), 5);
}

/// Any JSON, with the words of Koji among its texts so that it gets past the first checks.
fn any_json() -> impl Strategy<Value = Json> {
    let words = [
        "topic",
        "address",
        "properties",
        "body",
        "msg",
        "instance",
        "primary",
        "tag",
        "id",
        "task_id",
        "info",
        "type",
        "Tag",
        "attribute",
        "state",
        "org.fedoraproject.prod.buildsys.tag",
        "topic://koji.build.tag",
        "org.fedoraproject.prod.buildsys.build.state.change",
        "topic://koji.task.open",
        "TaskStateChange",
    ];
    let word = proptest::sample::select(words.to_vec()).prop_map(str::to_owned);
    let text = prop_oneof![word.clone(), ".{0,10}"];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        text.clone().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::hash_map(prop_oneof![word.clone(), ".{0,4}"], inner, 0..8)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// Says whether a hint names something that the message holds.
fn is_in(hint: &Hint, message: &Json) -> bool {
    match message {
        Json::Array(values) => values.iter().any(|value| is_in(hint, value)),
        Json::Object(members) => members.values().any(|value| is_in(hint, value)),
        Json::String(text) => matches!(hint, Hint::Tag(tag) if tag.as_str() == text),
        Json::Number(number) => matches!(hint, Hint::Task(task) if Some(task.0) == number.as_i64()),
        Json::Null | Json::Bool(_) => false,
    }
}

proptest! {
    #[test]
    fn no_json_gives_a_hint_about_what_it_does_not_hold(message in any_json()) {
        if let Heard::Hint(hint) = messages().hear_json(&message) {
            prop_assert!(is_in(&hint, &message), "{hint:?}");
        }
    }

    #[test]
    fn an_event_with_any_body_gives_no_hint_about_what_it_does_not_hold(
        event in prop_oneof!["build.state.change", "tag", "repo.done", "task.state.change"],
        body in any_json(),
    ) {
        let heard = fedora(&event, &body);
        if let Heard::Hint(hint) = heard {
            prop_assert!(is_in(&hint, &body), "{hint:?}");
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = messages().hear(&bytes);
    }
}
