//! Do the fake hub's messages have the members of recorded ones?

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::ident::TaskId;
use mbs_koji::fake_hub::{FakeHub, Setup, TagPlan};
use mbs_koji::xmlrpc::{Call, Struct, Value};
use serde_json::Value as Json;

use crate::recorded::recordings;
use crate::send::ask;

/// Members by the end of the topic.
type Shapes = BTreeMap<String, BTreeSet<Vec<String>>>;

fn add(shapes: &mut Shapes, topic: &str, body: &Json) {
    let end = topic.split("buildsys.").last().unwrap_or(topic).to_owned();
    let names = body.as_object().into_iter().flatten().map(|(name, _)| name.clone());
    shapes.entry(end).or_default().insert(names.collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_messages_have_the_members_that_the_fake_hubs_have() {
    let mut recorded = Shapes::new();
    for entry in recordings().into_iter().flat_map(|recording| recording.entries) {
        if let (Some(topic), Some(body)) = (entry["topic"].as_str(), entry.get("body")) {
            add(&mut recorded, topic, body);
        }
    }
    let mut ours = Shapes::new();
    for message in messages().await {
        add(&mut ours, &message.topic, &message.body);
    }
    assert_eq!(ours.len(), 7, "{ours:?}");
    for (topic, shapes) in ours {
        let Some(known) = recorded.get(&topic) else { continue };
        let unknown: Vec<_> = shapes.difference(known).collect();
        assert!(unknown.is_empty(), "{topic}: {unknown:?} is none of {known:?}");
    }
}

/// Lets a hub do what has messages of every kind.
async fn messages() -> Vec<mbs_koji::fake_hub::Message> {
    let hub = FakeHub::start(Setup::default()).await.expect("a port is free");
    hub.plant_tag_as("m", &TagPlan { arches: vec!["x86_64".into()], ..TagPlan::default() });
    hub.plant_target("m", "m", "m");
    hub.take_messages();
    let login = ask(&hub, &[], &Call::new("login").arg("mbs").arg("mbspw"));
    let text = |name: &str| match login.member(name) {
        Some(Value::Int(id)) => id.to_string(),
        other => other.and_then(Value::as_str).expect("a text").to_owned(),
    };
    let session = [("Koji-Session-Id", text("session-id")), ("Koji-Session-Key", text("session-key"))];
    let call = |call: Call| ask(&hub, &session, &call);
    let task = |value: Value| TaskId(value.as_int().expect("a task"));
    let build = |name: &str| {
        let options = Struct::from([(name, true)]);
        Call::new("build").arg("git+https://src.example/rpms/perl?#a").arg("m").arg(options)
    };
    call(Call::new("packageListAdd").arg("m").arg("perl").arg("mbs"));
    for name in ["skip_tag", "scratch"] {
        hub.finish(task(call(build(name)))).expect("it lives");
    }
    call(Call::new("tagBuild").arg("m").arg("perl-1.0-1"));
    call(Call::new("untagBuild").arg("m").arg("perl-1.0-1"));
    hub.finish(task(call(Call::new("newRepo").arg("m")))).expect("it lives");
    hub.take_messages()
}
