//! The commands that talk to a service: what they ask, print and end with.

mod again;
mod change;
mod list;
mod login;
mod look;
mod plan;
mod sources;
mod tell;
mod watch;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use mbs_client::fake_server::{Answer, FakeServer, Heard};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::{Ended, mbs_build};

/// The path of the first version of the interface.
const API: &str = "/module-build-service/1/";

/// A service that answers as it is told, and the home of somebody who talks to it.
struct Service {
    server: FakeServer,
    home: TempDir,
    runtime: Runtime,
}

impl Service {
    fn new(answer: impl Fn(&Heard) -> Answer + Send + Sync + 'static) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(FakeServer::start(answer)).unwrap();
        Self { server, home: tempfile::tempdir().unwrap(), runtime }
    }

    /// A service that has these at the paths behind its version, whatever the query.
    fn with(answers: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        let answers: Vec<(String, Answer)> =
            answers.into_iter().map(|(path, answer)| (format!("{API}{path}"), answer)).collect();
        Self::new(move |heard| {
            let found = answers.iter().find(|(path, _)| heard.path() == path);
            found.map_or_else(not_found, |(_, answer)| answer.clone())
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mbs_build(self.home.path(), &[&["-s", self.server.url()], arguments].concat());
        command.env("HOME", self.home.path()).env_remove("MBS_SERVER").env_remove("MBS_TOKEN_FILE");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Returns what was asked, behind the version's path.
    fn asked(&self) -> Vec<String> {
        self.server.lines().iter().map(|line| line.replace(API, "")).collect()
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.home.path().join(inside)
    }

    /// Writes a file that its owner alone may read, and run.
    fn write(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn not_found() -> Answer {
    Answer::refusal(404, "Not Found", "No such module found.")
}

/// A build as a service shows it, with changes.
fn build(id: i64, changes: Value) -> Value {
    let mut build = json!({
        "id": id, "name": "desktop", "stream": "f26", "version": "20170601141014", "context": "c0ffee42",
        "state": 2, "state_name": "build", "owner": "anna", "time_submitted": "2017-06-01T17:18:11Z",
        "tasks": {}, "koji_tag": null, "state_reason": null,
    });
    let Value::Object(changes) = changes else { panic!("changes are members") };
    build.as_object_mut().unwrap().extend(changes);
    build
}

/// Components that are in these states, null for none, with tasks from 101 on.
fn components(states: &[Value]) -> Value {
    let tasks = states.iter().enumerate().map(|(at, state)| {
        let task = if state.is_null() { json!(null) } else { json!(101 + at) };
        (format!("p{at}"), json!({"state": state, "nvr": null, "state_reason": null, "task_id": task}))
    });
    json!({"rpms": tasks.collect::<serde_json::Map<String, Value>>()})
}

fn page(items: &[Value], page: u64, pages: u64) -> Answer {
    let next = (page < pages).then_some("http://elsewhere.invalid/");
    Answer::json(
        200,
        &json!({"items": items, "meta": {"page": page, "pages": pages, "per_page": 10, "total": 0, "next": next}}),
    )
}
