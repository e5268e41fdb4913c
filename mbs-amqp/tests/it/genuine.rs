//! Does the library that Fedora's services read and write messages with read ours, and do we read its?
//!
//! `scripts/fedora-messaging` installs it; without it nothing is checked, unless `MBS_REFERENCE_REQUIRED` is set.

use std::path::{Path, PathBuf};
use std::process::Command;

use mbs_amqp::Settings;
use mbs_core::bus::{Hint, MessageBus as _};
use mbs_core::ident::TaskId;
use serde_json::{Value as Json, json};

use crate::ground::{BROKER, Peer, bus, events, hear, listening_to, unique};

/// Prints the messages of a queue, until it has seen so many.
const READ: &str = r#"
import json, sys
from fedora_messaging import api, exceptions
queue, left = sys.argv[1], int(sys.argv[2])
def read(message):
    global left
    print(json.dumps({
        "class": type(message).__name__, "id": message.id, "topic": message.topic, "severity": message.severity,
        "headers": message._headers, "body": message.body,
    }))
    left -= 1
    if left == 0:
        raise exceptions.HaltConsumer()
options = {"durable": True, "exclusive": False, "auto_delete": False, "arguments": {}}
try:
    api.consume(read, bindings=[], queues={queue: options})
except exceptions.HaltConsumer:
    pass
"#;

/// Publishes a message for each word.
const WRITE: &str = r#"
import sys
from fedora_messaging import api, message
for task in sys.argv[2:]:
    api.publish(message.Message(topic=sys.argv[1], body={"task": int(task)}))
"#;

/// Returns the folder of the library; `None` if it is missing and may be.
fn library() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/fedora-messaging");
    let output = Command::new(script).arg("--installed").output().expect("the script runs");
    if output.status.success() {
        return Some(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert!(std::env::var_os("MBS_REFERENCE_REQUIRED").is_none(), "{why}");
    eprintln!("left out: {why}");
    None
}

/// Runs a program of the library against the broker, and returns what it printed.
async fn run(library: &Path, program: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("config.toml");
    let text = format!("amqp_url = \"{}/%2F\"\npassive_declares = true\n", BROKER.url().reveal());
    std::fs::write(&configuration, text).unwrap();
    let mut command = Command::new(library.join("python"));
    command.arg("-c").arg(program).args(arguments).env("FEDORA_MESSAGING_CONF", configuration);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn fedoras_own_library_reads_what_is_published() {
    let Some(library) = library() else { return };
    let (peer, topic) = (Peer::new().await, unique("org.example.mbs.module.state.change"));
    peer.queue(&topic, &topic).await;
    let all = events(7, 3);
    bus(Settings::new(BROKER.url()), &topic).publish(&all).await.unwrap();

    let printed = run(&library, READ, &[&topic, "3"]).await;
    let messages: Vec<Json> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let bodies: Vec<Json> = all.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    assert_eq!(messages.iter().map(|message| message["body"].clone()).collect::<Vec<_>>(), bodies);
    for message in &messages {
        let told = json!([message["class"], message["topic"], message["severity"]]);
        assert_eq!(told, json!(["Message", topic, 20]));
        assert_eq!(message["headers"]["fedora_messaging_module_app"], true);
        assert_eq!(message["headers"]["fedora_messaging_user_mary"], true);
        assert_eq!(message["id"].as_str().map(str::len), Some(36));
    }
}

#[tokio::test]
async fn what_fedoras_own_library_publishes_is_heard() {
    let Some(library) = library() else { return };
    let (peer, topic) = (Peer::new().await, unique("org.example.buildsys.build.state.change"));
    peer.queue(&topic, &topic).await;
    let bus = bus(listening_to(BROKER.url(), &topic), "unused");
    run(&library, WRITE, &[&topic, "11", "12", "13"]).await;
    let wanted = [11, 12, 13].map(|task| Hint::Task(TaskId(task)));
    assert_eq!(hear(&bus, &wanted, |error| panic!("{error}")).await, wanted);
}
