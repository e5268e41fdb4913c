//! How long it takes to read a large answer, and how much memory that needs. Prints; asserts nothing.
//!
//! The answer is one of `listTagged`, of about 10 MB. Memory is what a process has at its
//! peak beyond what it had before, the text of the answer included.

#![expect(clippy::print_stdout, reason = "a measurement shows its figures")]
#![expect(clippy::cast_precision_loss, reason = "figures are shown with one decimal")]

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mbs_koji::xmlrpc::{Struct, Value, decode_response, encode_response};

/// Rows of 24 members make about 2 kB of XML each.
const ROWS: i64 = 4_920;
const ROUNDS: usize = 21;

/// Names the file of an answer to the process that measures memory.
const ANSWER: &str = "MBS_BENCH_ANSWER";

fn row(number: i64) -> Struct {
    let release = format!("{number}.module+f40+{number}+c0ffee42");
    let name = format!("package-{number}");
    let time = "2026-11-22 13:52:15.421142+00:00";
    Struct::from([
        ("build_id", Value::from(number)),
        ("completion_time", time.into()),
        ("create_event", (number + 100).into()),
        ("creation_event_id", (number + 90).into()),
        ("creation_time", time.into()),
        ("draft", false.into()),
        ("epoch", Value::Nil),
        ("id", number.into()),
        ("name", (&name).into()),
        ("nvr", format!("{name}-1.0-{release}").into()),
        ("owner_id", 2.into()),
        ("owner_name", "mbs".into()),
        ("package_id", number.into()),
        ("package_name", (&name).into()),
        ("promoter_id", Value::Nil),
        ("promotion_time", Value::Nil),
        ("release", release.into()),
        ("start_time", time.into()),
        ("state", 1.into()),
        ("tag_id", 9.into()),
        ("tag_name", "module-testmodule-master-20240102030405-c0ffee42".into()),
        ("task_id", (number * 3).into()),
        ("version", "1.0".into()),
        ("volume_name", "DEFAULT".into()),
    ])
}

fn main() {
    if let Some(answer) = std::env::var_os(ANSWER) {
        return memory(answer.as_ref());
    }
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("answer.xml");
    let answer: Value = (0..ROWS).map(row).collect();
    std::fs::write(&path, encode_response(Ok(&answer))).expect("there is room for an answer");
    time(&path);
    // A fresh process has no memory that was used before.
    let itself = std::env::current_exe().expect("a program knows itself");
    let status = Command::new(itself).env(ANSWER, &path).status().expect("it can be run again");
    assert!(status.success(), "the process that measures memory ended with {status}");
}

fn time(path: &Path) {
    let xml = std::fs::read(path).expect("it was written");
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            black_box(decode_response(black_box(&xml)).expect("it is XML-RPC").expect("it is no fault"));
            began.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "reading an answer of {:.1} MB: median {:.1} ms, slowest {:.1} ms of {ROUNDS}",
        xml.len() as f64 / 1e6,
        times[ROUNDS / 2].as_secs_f64() * 1e3,
        times[ROUNDS - 1].as_secs_f64() * 1e3
    );
}

fn memory(path: &Path) {
    let before = status_bytes("VmRSS:");
    let xml = std::fs::read(path).expect("it was written");
    let value = decode_response(black_box(&xml)).expect("it is XML-RPC").expect("it is no fault");
    black_box(&value);
    let more = status_bytes("VmHWM:") - before;
    println!(
        "memory at its peak: {:.1} MB more than before, {:.1} times the answer, which is in it",
        more / 1e6,
        more / xml.len() as f64
    );
}

/// Returns what the system says of this process.
fn status_bytes(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this system tells of processes");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("it tells of memory");
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().expect("it is a number");
    kilobytes * 1024.0
}
