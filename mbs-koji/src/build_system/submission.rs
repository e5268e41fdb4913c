//! What components are built from, and what is asked for. All that goes out together is one request.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use jiff::Timestamp;
use mbs_core::build_system::{BuildSystem as _, BuildSystemError, ComponentJob, Effect};
use mbs_core::ident::{BuildId, TaskId};
use mbs_core::model::{ComponentSource, MACROS_PACKAGE};

use super::calls::{Answers, Calls, Ticket};
use super::{KojiBuildSystem, refusal};
use crate::api::tag;
use crate::api::task::{self, BuildRequest};
use crate::hub::Hub;
use crate::source_rpm;

/// A job on its way: where the answers to it are.
struct Sent {
    place: usize,
    target: Ticket,
    build: Ticket,
}

impl KojiBuildSystem {
    /// Starts builds. Those whose source cannot be had are not asked for; the others go out together.
    pub(super) async fn build(&self, jobs: &[ComponentJob]) -> Vec<Result<TaskId, BuildSystemError>> {
        let mut calls = Calls::default();
        let (mut answers, mut sent) = (Vec::with_capacity(jobs.len()), Vec::new());
        for (place, job) in jobs.iter().enumerate() {
            match source(&self.hub, job).await {
                Ok(source) => {
                    let target = calls.add(tag::target(&job.target));
                    let request = request(job, source, self.settings.build_priority);
                    sent.push(Sent { place, target, build: calls.add(task::build(&request)) });
                    answers.push(Err(unanswered()));
                }
                Err(error) => answers.push(Err(error)),
            }
        }
        if calls.is_empty() {
            return answers;
        }
        match self.write(&calls, "to build components").await {
            Ok(said) => {
                for sent in &sent {
                    answers[sent.place] = self.begun(&jobs[sent.place], sent, &said).await;
                }
            }
            Err(error) => sent.iter().for_each(|sent| answers[sent.place] = Err(error.clone())),
        }
        answers
    }

    /// Says what became of a job. Koji takes a build for a target that does not exist, and lets its task fail later: such a task
    /// is cancelled at once.
    async fn begun(
        &self,
        job: &ComponentJob,
        sent: &Sent,
        said: &Answers,
    ) -> Result<TaskId, BuildSystemError> {
        let doing = format!("to build {} in the target {}", job.package, job.target);
        let task = said.of(sent.build).as_ref().map_err(|fault| refusal::of_fault(fault, &doing))?;
        // From here on a task was begun, whatever else is odd.
        let task = task::read_id("build", task).map_err(|odd| in_doubt(&refusal::of_odd(&odd)))?;
        let target = said.read(sent.target, &doing, tag::read_target).map_err(|error| in_doubt(&error))?;
        if target.is_some() {
            return Ok(task);
        }
        self.cancel(&[task]).await.map_err(|error| in_doubt(&error))?;
        Err(BuildSystemError::NotFound { what: format!("the target {}", job.target) })
    }
}

fn unanswered() -> BuildSystemError {
    let what = "the hub answered fewer calls than it was asked".to_owned();
    BuildSystemError::Protocol { what, effect: Effect::Unknown }
}

/// Returns the source as Koji takes it: an address with a commit, or the path of an upload. That of the macros is made and
/// uploaded first.
async fn source(hub: &Hub, job: &ComponentJob) -> Result<String, BuildSystemError> {
    match (&job.source, &job.macros) {
        (ComponentSource::Git { url, commit }, _) => Ok(format!("{url}?#{commit}")),
        (ComponentSource::Srpm(path), _) => Ok(path.clone()),
        (ComponentSource::Macros, Some(macros)) => {
            let made = source_rpm::source_rpm(macros, &job.dist);
            let made = made.map_err(|error| rejected(format!("{MACROS_PACKAGE} cannot be made: {error}")))?;
            let directory = new_folder("cli-build", job.not_after, job.build);
            // Nothing is built yet, whatever became of the upload.
            let uploaded = hub.upload(&directory, &made.file_name, &made.bytes).await;
            uploaded.map_err(|error| {
                without_effect(refusal::of_request(error, format_args!("to take {}", made.file_name)))
            })?;
            Ok(format!("{directory}/{}", made.file_name))
        }
        (ComponentSource::Macros, None) => Err(rejected(format!("{MACROS_PACKAGE} has no content"))),
    }
}

/// Returns what is asked for.
fn request(job: &ComponentJob, source: String, priority: i64) -> BuildRequest {
    BuildRequest {
        source,
        target: job.target.clone(),
        package: job.package.as_str().to_owned(),
        module_target: job.module_target.clone(),
        arches: job.arch_override.clone(),
        priority,
    }
}

/// Says of an error that what came before it may have left something.
fn in_doubt(error: &BuildSystemError) -> BuildSystemError {
    let (reason, retry_after) = (error.to_string(), error.retry_after());
    BuildSystemError::Unavailable { reason, retry_after, effect: Effect::Unknown }
}

fn without_effect(error: BuildSystemError) -> BuildSystemError {
    match error {
        BuildSystemError::Unavailable { reason, retry_after, .. } => {
            BuildSystemError::Unavailable { reason, retry_after, effect: Effect::None }
        }
        BuildSystemError::Protocol { what, .. } => BuildSystemError::Protocol { what, effect: Effect::None },
        error => error,
    }
}

fn rejected(reason: String) -> BuildSystemError {
    BuildSystemError::Rejected { reason }
}

/// Names a new folder for uploads each time: the hub takes no second file of a name where it has moved one away.
pub(super) fn new_folder(under: &str, at: Timestamp, build: BuildId) -> String {
    let mut random = RandomState::new().hash_one(build.0);
    let letters: String = std::iter::repeat_with(|| {
        let letter = b'a' + u8::try_from(random % 26).expect("it is below 26");
        random /= 26;
        char::from(letter)
    })
    .take(8)
    .collect();
    format!("{under}/{}.{build}.{letters}", at.as_second())
}
