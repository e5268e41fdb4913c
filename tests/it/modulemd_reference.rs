//! Does the service take and write module documents as libmodulemd does?

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use mbs_core::modulemd::{Limits, Read, read_documents};
use mbs_tests::needed::left_out;

use crate::mutation::Mutations;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/modulemd");
const CONTENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/modulemd_content.py");

/// What libmodulemd says to a text.
#[derive(Debug, PartialEq)]
struct Verdict {
    /// `None`: the library crashed.
    accepts: Option<bool>,
    content: String,
    misread: Vec<String>,
}

/// Whose writing is shown to the reference.
enum Writing {
    Theirs,
    Ours,
}

/// Finds a Python that has libmodulemd.
fn python() -> Option<&'static str> {
    let has_library = |python: &&str| {
        let probe =
            "import gi, yaml; gi.require_version('Modulemd', '2.0'); from gi.repository import Modulemd";
        let done = Command::new(python).args(["-c", probe]).stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(has_library)
        .or_else(|| left_out("libmodulemd for Python cannot be imported"))
}

fn ask(python: &str, texts: &[String], writing: &Writing) -> Result<Vec<Verdict>> {
    let mut command = Command::new(python);
    command.arg(CONTENT).stdin(Stdio::piped()).stdout(Stdio::piped());
    if let Writing::Ours = writing {
        command.arg("--ours");
    }
    let mut child = command.spawn()?;
    child.stdin.take().context("no standard input")?.write_all(&serde_json::to_vec(texts)?)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the reference ended with {}", output.status);
    let answers: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout)?;
    ensure!(answers.len() == texts.len(), "{} answers to {} texts", answers.len(), texts.len());
    answers.iter().map(verdict).collect()
}

fn verdict(answer: &serde_json::Value) -> Result<Verdict> {
    let misread = answer["plain"].as_array().context("no list")?;
    Ok(Verdict {
        accepts: answer["accepts"].as_bool(),
        content: answer["content"].as_str().context("no content")?.to_owned(),
        misread: misread.iter().map(ToString::to_string).collect(),
    })
}

/// Returns the documents of the reference folder, sorted by path.
fn documents() -> Option<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    if let Err(error) = gather(Path::new(SHARED), &mut files) {
        return left_out(&format!("the reference folder: {error}"));
    }
    files.sort();
    Some(files)
}

fn gather(folder: &Path, into: &mut Vec<(PathBuf, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path)?;
            into.push((path, text));
        }
    }
    Ok(())
}

fn read(text: &str) -> Read {
    read_documents(text, None, &Limits::default())
}

fn written(read: &Read) -> String {
    read.documents.iter().map(|one| one.document.to_yaml()).collect()
}

/// Says what the validator must say: it takes no packager's forms, and refuses unknown keys.
fn is_fine_for_the_validator(text: &str, read: &Read) -> bool {
    read.is_fine()
        && !text.lines().any(|line| line.starts_with("document: modulemd-packager"))
        && !read.problems.iter().any(|problem| problem.message.starts_with("unknown key"))
}

#[test]
fn the_validator_takes_the_same_documents() {
    let Some(documents) = documents() else { return };
    assert!(documents.len() > 30);
    for (path, text) in documents {
        let done = Command::new("modulemd-validator").arg("--quiet").arg(&path).output();
        let status = match done {
            Ok(output) => output.status,
            Err(error) => return left_out(&format!("modulemd-validator: {error}")).unwrap_or_default(),
        };
        assert_eq!(is_fine_for_the_validator(&text, &read(&text)), status.success(), "{}", path.display());
    }
}

#[test]
fn what_is_written_reads_back_to_the_same_content() -> Result<()> {
    let (Some(documents), Some(python)) = (documents(), python()) else { return Ok(()) };
    let texts: Vec<String> = documents.iter().map(|(_, text)| text.clone()).collect();
    let reads: Vec<Read> = texts.iter().map(|text| read(text)).collect();
    let ours: Vec<String> = reads.iter().map(written).collect();
    let before = ask(python, &texts, &Writing::Theirs)?;
    let after = ask(python, &ours, &Writing::Ours)?;
    for (((path, _), read), (before, after)) in documents.iter().zip(&reads).zip(before.iter().zip(&after)) {
        let path = path.display();
        assert_eq!(Some(read.is_fine()), before.accepts, "{path}: {:?}", read.problems);
        if read.is_fine() {
            assert_eq!(after.content, before.content, "{path}");
            assert_eq!(after.misread, Vec::<String>::new(), "{path}");
        }
    }
    Ok(())
}

/// Names, streams and contexts that other readers take for numbers, booleans, dates or nothing.
const LOOKALIKES: [&str; 24] = [
    "1.10",
    "010",
    "0x1F",
    "0o7",
    "0b1",
    "1e3",
    "7e96446",
    "1_000",
    "1:30",
    "190:20:30",
    "on",
    "No",
    "y",
    "null",
    "~",
    "true",
    ".inf",
    ".NaN",
    "2026-01-01",
    "=",
    "<<",
    "-",
    "1.",
    "+1",
];

#[test]
fn names_that_look_like_something_else_survive_every_reader() -> Result<()> {
    let Some(python) = python() else { return Ok(()) };
    let texts: Vec<String> = LOOKALIKES
        .iter()
        .map(|name| {
            format!(
                "document: modulemd\nversion: 2\ndata:\n  name: '{name}'\n  stream: '{name}'\n  context: '{name}'\n  \
                 arch: '{name}'\n  summary: '{name}'\n  description: '{name}'\n  license: {{module: ['{name}']}}\n  \
                 xmd: {{mbs: {{'{name}': ['{name}']}}}}\n  dependencies:\n  - requires: {{'{name}': ['{name}']}}\n  \
                 profiles: {{'{name}': {{rpms: ['{name}']}}}}\n  components:\n    rpms: {{'{name}': {{rationale: \
                 '{name}', ref: '{name}', arches: ['{name}']}}}}\n"
            )
        })
        .collect();
    let ours: Vec<String> = texts.iter().map(|text| written(&read(text))).collect();
    let before = ask(python, &texts, &Writing::Theirs)?;
    let after = ask(python, &ours, &Writing::Ours)?;
    for ((name, before), after) in LOOKALIKES.iter().zip(before).zip(after) {
        assert_eq!(before.accepts, Some(true), "{name}");
        assert_eq!(after, before, "{name}");
    }
    Ok(())
}

#[test]
fn a_thousand_spoilt_documents_are_judged_as_the_reference_judges_them() -> Result<()> {
    let (Some(documents), Some(python)) = (documents(), python()) else { return Ok(()) };
    let sources: Vec<String> = documents
        .into_iter()
        .map(|(_, text)| text)
        .filter(|text| text.len() < 30_000 && read(text).documents.len() <= 1)
        .collect();
    let mut mutations = Mutations::new(sources, 20);
    let texts: Vec<String> = (0..1_000).map(|_| mutations.next_text()).collect();
    let verdicts = ask(python, &texts, &Writing::Theirs)?;
    let mut kinds = BTreeSet::new();
    for (text, verdict) in texts.iter().zip(verdicts) {
        let read = read(text);
        if differs_on_purpose(&read) {
            continue;
        }
        // Where the library crashes, the text is refused.
        let accepts = verdict.accepts.unwrap_or(false);
        assert_eq!(read.is_fine(), accepts, "{:?}\n{text}", read.problems);
        kinds.insert(accepts);
    }
    assert_eq!(kinds.len(), 2, "both kinds of documents must be among them");
    Ok(())
}

/// Aliases are refused wherever they stand; libmodulemd passes over some. Several documents need no names here.
fn differs_on_purpose(read: &Read) -> bool {
    read.documents.len() > 1 || read.problems.iter().any(|problem| problem.message.starts_with("aliases"))
}
