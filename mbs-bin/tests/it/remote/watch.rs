//! `mbs-build watch`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use mbs_client::fake_server::Answer;
use serde_json::json;

use super::{Service, build, components};

#[test]
fn a_build_that_has_ended_is_shown_once() {
    let states = [json!(3), json!(1), json!(1), json!(null), json!(4)];
    let ended = json!({"state": 4, "state_name": "failed", "state_reason": "p0 failed", "koji_tag": "module-desktop",
        "tasks": components(&states)});
    let service = Service::with([("module-builds/1204", Answer::json(200, &build(1204, ended)))]);
    let ended = service.run(&["watch", "1204"]);
    let expected = "\u{1b}[2J
Failed:
   p0 https://koji.fedoraproject.org/koji/taskinfo?taskID=101

Summary:
   2 components in the COMPLETE state
   1 components in the FAILED state
   1 components in the CANCELED state
   1 components in the undefined state
anna's build #1204 of desktop-f26 is in the \"failed\" state (reason: p0 failed) (koji tag: \"module-desktop\")
";
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, expected, ""));
    assert_eq!(service.asked(), ["GET module-builds/1204?verbose=true"]);
}

#[test]
fn a_build_is_shown_until_it_has_ended() {
    for state in [(3, "done"), (5, "ready"), (4, "failed")] {
        let looks = AtomicUsize::new(0);
        let service = Service::new(move |_| match looks.fetch_add(1, Ordering::Relaxed) {
            0 => Answer::json(200, &build(7, json!({"tasks": components(&[json!(0), json!(0)])}))),
            1 => Answer::nothing(),
            _ => Answer::json(200, &build(7, json!({"state": state.0, "state_name": state.1}))),
        });
        let ended = service.run(&["watch", "7", "--every", "0"]);
        let expected = format!(
            "\u{1b}[2J
Still building:
   p0 https://koji.fedoraproject.org/koji/taskinfo?taskID=101
   p1 https://koji.fedoraproject.org/koji/taskinfo?taskID=102

Summary:
   2 components in the BUILDING state
anna's build #7 of desktop-f26 is in the \"build\" state
\u{1b}[2J

Summary:
anna's build #7 of desktop-f26 is in the \"{}\" state
",
            state.1
        );
        assert_eq!((ended.status, ended.out), (0, expected));
    }
}

#[test]
fn with_json_each_look_is_a_line() {
    let service = Service::with([(
        "module-builds/7",
        Answer::json(200, &build(7, json!({"state": 5, "state_name": "ready"}))),
    )]);
    let ended = service.run(&["watch", "7", "--json"]);
    let printed: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&printed["state_name"], ended.status), (&json!("ready"), 0));
}

#[test]
fn who_has_seen_enough_ends_it_well() {
    let service = Service::with([("module-builds/7", Answer::json(200, &build(7, json!({}))))]);
    let mut command = service.command(&["watch", "7"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let last = lines.find(|line| line.as_ref().unwrap().ends_with("is in the \"build\" state"));
    assert!(last.is_some());
    // What `kill` says is of no interest; whether it was heard is.
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
