//! What is said between a backend and the hub: one connection a call, a line of JSON each way. No answer: nobody knows.

use std::io;
use std::path::Path;

use mbs_core::build_system::BuildrootSpec;
use mbs_core::ident::{TagEvent, TagName, TaskId};
use mbs_core::store::StateChange;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::ledger::Report;
use super::wire::{Answers, Finished, Job, News, Questions, Refusal, Tagging};

/// What the hub is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Call {
    Observe(Questions),
    EnsureBuildroot(BuildrootSpec),
    Submit(Job),
    EnsureTagged(Vec<Tagging>),
    EnsureUntagged(Vec<Tagging>),
    RequestRepo(TagName),
    Cancel(Vec<TaskId>),
    ImportModule(Box<Finished>),
    RemoveTarget(TagName),
    Publish(Vec<StateChange>),
    Hints,
    Report,
}

/// What the hub says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Observed(Box<Answers>),
    Buildroot(TagEvent),
    Submitted(TaskId),
    Repo(Option<TaskId>),
    Done,
    Hints(Vec<News>),
    Report(Report),
    Refused(Refusal),
}

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// It was not sent.
    Unsent(io::Error),
    /// It may have been heard.
    Unknown(io::Error),
}

/// Calls the hub.
pub(super) async fn ask(socket: &Path, call: &Call) -> Result<Reply, Unanswered> {
    let stream = UnixStream::connect(socket).await.map_err(Unanswered::Unsent)?;
    let mut stream = BufReader::new(stream);
    let asked = async {
        send(&mut stream, call).await?;
        receive(&mut stream).await?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    };
    asked.await.map_err(Unanswered::Unknown)
}

/// Writes a line.
pub(super) async fn send(stream: &mut BufReader<UnixStream>, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

/// Reads a line; `None` if it never came to its end.
pub(super) async fn receive<T: DeserializeOwned>(
    stream: &mut BufReader<UnixStream>,
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await?;
    Ok(if line.ends_with(b"\n") { Some(serde_json::from_slice(&line)?) } else { None })
}
