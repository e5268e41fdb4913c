//! What a component is built from, and what is asked for.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use jiff::Timestamp;
use mbs_core::build_system::{BuildSystemError, ComponentJob, Effect};
use mbs_core::ident::BuildId;
use mbs_core::model::{ComponentSource, MACROS_PACKAGE};

use super::refusal;
use crate::api::task::BuildRequest;
use crate::hub::Hub;
use crate::source_rpm;

/// Returns the source as Koji takes it: an address with a commit, or the path of an upload. That of the macros is made and
/// uploaded first.
pub(super) async fn source(hub: &Hub, job: &ComponentJob) -> Result<String, BuildSystemError> {
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
pub(super) fn request(job: &ComponentJob, source: String, priority: i64) -> BuildRequest {
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
pub(super) fn in_doubt(error: BuildSystemError) -> BuildSystemError {
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
