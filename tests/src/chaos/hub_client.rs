//! The hub as a backend sees it: a build system and a message bus, out of reach whenever an answer does not come.

use std::path::PathBuf;

use anyhow::{Result, bail};
use async_trait::async_trait;
use mbs_core::build_system::{
    BuildAnswers, BuildQuestions, BuildSystem, BuildSystemError, BuildrootSpec, ComponentJob, Effect,
    FinishedModule, TagRequest,
};
use mbs_core::bus::{BusError, Hint, MessageBus};
use mbs_core::ident::{TagEvent, TagName, TaskId};
use mbs_core::store::StateChange;

use super::call::{Call, Reply, Unanswered, ask};
use super::ledger::Report;
use super::wire::{Finished, Tagging};

/// Speaks to the hub.
#[derive(Debug)]
pub struct HubClient {
    socket: PathBuf,
}

impl HubClient {
    /// Makes one of a hub that listens on a socket.
    pub fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Returns what the hub has seen so far.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn report(&self) -> Result<Report> {
        match self.ask(&Call::Report).await? {
            Reply::Report(report) => Ok(report),
            other => bail!("the hub does not report but says {other:?}"),
        }
    }

    async fn ask(&self, call: &Call) -> Result<Reply, BuildSystemError> {
        let unavailable = |error: std::io::Error, effect| BuildSystemError::Unavailable {
            reason: format!("the hub gave no answer: {error}"),
            retry_after: None,
            effect,
        };
        match ask(&self.socket, call).await {
            Ok(Reply::Refused(refusal)) => Err(refusal.0),
            Ok(reply) => Ok(reply),
            Err(Unanswered::Unsent(error)) => Err(unavailable(error, Effect::None)),
            Err(Unanswered::Unknown(error)) => Err(unavailable(error, Effect::Unknown)),
        }
    }

    async fn ensure(&self, call: &Call) -> Result<(), BuildSystemError> {
        match self.ask(call).await? {
            Reply::Done => Ok(()),
            other => Err(nonsense(&other)),
        }
    }
}

fn nonsense(reply: &Reply) -> BuildSystemError {
    BuildSystemError::Protocol { what: format!("{reply:?}"), effect: Effect::Unknown }
}

fn taggings(requests: &[TagRequest]) -> Vec<Tagging> {
    requests.iter().cloned().map(Tagging).collect()
}

#[async_trait]
impl BuildSystem for HubClient {
    async fn observe(&self, questions: &BuildQuestions) -> Result<BuildAnswers, BuildSystemError> {
        match self.ask(&Call::Observe(questions.into())).await? {
            Reply::Observed(answers) => Ok((*answers).into()),
            other => Err(nonsense(&other)),
        }
    }

    async fn ensure_buildroot(&self, spec: &BuildrootSpec) -> Result<TagEvent, BuildSystemError> {
        match self.ask(&Call::EnsureBuildroot(spec.clone())).await? {
            Reply::Buildroot(event) => Ok(event),
            other => Err(nonsense(&other)),
        }
    }

    async fn submit(&self, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
        match self.ask(&Call::Submit(job.into())).await? {
            Reply::Submitted(task) => Ok(task),
            other => Err(nonsense(&other)),
        }
    }

    async fn ensure_tagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.ensure(&Call::EnsureTagged(taggings(requests))).await
    }

    async fn ensure_untagged(&self, requests: &[TagRequest]) -> Result<(), BuildSystemError> {
        self.ensure(&Call::EnsureUntagged(taggings(requests))).await
    }

    async fn request_repo(&self, tag: &TagName) -> Result<Option<TaskId>, BuildSystemError> {
        match self.ask(&Call::RequestRepo(tag.clone())).await? {
            Reply::Repo(task) => Ok(task),
            other => Err(nonsense(&other)),
        }
    }

    async fn cancel(&self, tasks: &[TaskId]) -> Result<(), BuildSystemError> {
        self.ensure(&Call::Cancel(tasks.to_vec())).await
    }

    async fn import_module(&self, module: &FinishedModule) -> Result<(), BuildSystemError> {
        self.ensure(&Call::ImportModule(Box::new(Finished(module.clone())))).await
    }

    async fn remove_target(&self, target: &TagName) -> Result<(), BuildSystemError> {
        self.ensure(&Call::RemoveTarget(target.clone())).await
    }
}

#[async_trait]
impl MessageBus for HubClient {
    async fn publish(&self, events: &[StateChange]) -> Result<(), BusError> {
        let published = self.ensure(&Call::Publish(events.to_vec())).await;
        published.map_err(|error| BusError::Unavailable { reason: error.to_string() })
    }

    async fn hints(&self) -> Result<Vec<Hint>, BusError> {
        match self.ask(&Call::Hints).await {
            Ok(Reply::Hints(news)) => Ok(news.into_iter().map(|news| news.0).collect()),
            Ok(other) => Err(BusError::Unavailable { reason: nonsense(&other).to_string() }),
            Err(error) => Err(BusError::Unavailable { reason: error.to_string() }),
        }
    }
}
