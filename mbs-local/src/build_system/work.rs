//! One component's task, from its submission to its result.
//!
//! Fetches the source, makes the buildroot, builds, and notes how it ended, always after the last process is gone. Decides whose
//! fault a failure was.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mbs_core::build_system::{BuildSystemError, ComponentJob};
use mbs_core::bus::Hint;
use mbs_core::ident::{Package, TagName, TaskId};
use mbs_core::model::ComponentSource;
use mbs_core::source_control::SourceError;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::record::{RpmRecord, TaskEnd, TaskRecord};
use super::shared::{Means, Shared};
use crate::error::{AtPath as _, LocalError};
use crate::files::{remove_directory, sync_directory, unless_full};
use crate::headers::RpmHeader;
use crate::mock_build::MockJob;
use crate::rpmbuild::{self, Outcome, Place};
use crate::srpm::Source;
use crate::supervise::wait_until_over;

/// Writes a task and starts it; it runs on although nobody waits for it.
pub(super) fn submit(shared: &Arc<Shared>, job: &ComponentJob) -> Result<TaskId, BuildSystemError> {
    let record = TaskRecord {
        package: job.package.clone(),
        target: job.target.clone(),
        build_tag: build_tag(job)?.clone(),
    };
    if job.source == ComponentSource::Macros && job.macros.is_none() {
        return Err(BuildSystemError::Rejected {
            reason: "the macros package comes without its text".into(),
        });
    }
    let (id, told) = shared.ledger().begin(record)?;
    tokio::spawn(run(Arc::clone(shared), id, job.clone(), told));
    Ok(id)
}

/// Returns the tag a component is built from; targets that are shared between modules do not exist here.
fn build_tag(job: &ComponentJob) -> Result<&TagName, BuildSystemError> {
    let no_tag = || BuildSystemError::Rejected {
        reason: format!("the target {} has no tag of the module", job.target),
    };
    job.build_tag.as_ref().ok_or_else(no_tag)
}

/// Stops the tasks that run and waits until they have ended.
pub(super) async fn cancel(shared: &Shared, tasks: &[TaskId]) {
    let running: Vec<_> = {
        let ledger = shared.ledger();
        let asked = tasks.iter().filter_map(|id| ledger.tasks.get(id));
        asked.filter(|task| task.end.is_none()).map(|task| Arc::clone(&task.stop)).collect()
    };
    for stop in &running {
        let _it_may_have_ended = stop.send(true);
    }
    for stop in &running {
        stop.closed().await;
    }
}

async fn run(shared: Arc<Shared>, id: TaskId, job: ComponentJob, mut told: watch::Receiver<bool>) {
    let directory = shared.ledger().task_directory(id);
    let package = job.package.clone();
    let mut working = JoinSet::new();
    // On a task of its own, so that even one that panics is noted as ended.
    working.spawn(work(Arc::clone(&shared), id, job, directory.clone()));
    let end = tokio::select! {
        biased;
        _ = told.wait_for(|stop| *stop) => TaskEnd::Canceled,
        ended = working.join_next() => ended.and_then(Result::ok).unwrap_or_else(stopped),
    };
    working.shutdown().await;
    if let Err(error) = wait_until_over(&directory.join("lock")).await {
        tracing::error!(task.id = id.0, %error, "it is not known whether a build still runs");
    }
    for name in ["build", "source"] {
        rpmbuild::remove_home(&directory.join(name));
    }
    tracing::info!(task.id = id.0, component.name = %package, end = ?state(&end), "task {id} of {package} ended");
    shared.ledger().end(id, end);
    drop(told);
    shared.tell(Hint::Task(id));
}

fn state(end: &TaskEnd) -> &'static str {
    match end {
        TaskEnd::Closed { .. } => "closed",
        TaskEnd::Failed { .. } => "failed",
        TaskEnd::Canceled => "canceled",
        TaskEnd::Lost => "lost",
    }
}

/// What a task that panicked came to.
fn stopped() -> TaskEnd {
    let reason = "the build stopped by an error of this program; its messages say more".into();
    TaskEnd::Failed { reason, is_package_fault: false }
}

async fn work(shared: Arc<Shared>, id: TaskId, job: ComponentJob, directory: PathBuf) -> TaskEnd {
    let directory = &*directory;
    match build(&shared, id, &job, directory).await {
        Ok(Outcome::Built(rpms)) => {
            closed(&job.package, rpms).unwrap_or_else(|error| trouble(error, directory))
        }
        Ok(Outcome::Failed(reason)) => {
            TaskEnd::Failed { reason: with_log(reason, directory), is_package_fault: true }
        }
        Err(failed) => failed,
    }
}

/// Adds the log to read: of the build itself, or of what came before it if that is as far as it got.
fn with_log(reason: String, directory: &Path) -> String {
    let logs = ["build.log", "root.log", "mock.log"].map(|name| directory.join(name));
    match logs.iter().find(|log| std::fs::metadata(log).is_ok_and(|file| file.len() > 0)) {
        Some(log) => format!("{reason} (see {})", log.display()),
        None => reason,
    }
}

async fn build(
    shared: &Shared,
    id: TaskId,
    job: &ComponentJob,
    directory: &Path,
) -> Result<Outcome, TaskEnd> {
    let source = fetch(shared, job, directory).await?;
    let build_tag = build_tag(job).map_err(|error| no_buildroot(&error))?;
    shared.refresh_inherited(build_tag).await.map_err(|error| no_buildroot(&error))?;
    let package = job.package.as_str();
    match &shared.means {
        Means::Rpmbuild { sandbox, buildroots } => {
            let rpms = shared.rpms_of_buildroot(build_tag).map_err(|error| no_layer(error, directory))?;
            let layer = buildroots.layer(&rpms).await.map_err(|error| no_layer(error, directory))?;
            let place = Place { directory, layer: &layer, limit: shared.settings.limit };
            rpmbuild::build(sandbox, &place, package, &source)
                .await
                .map_err(|error| trouble(error, directory))
        }
        Means::Mock(mock) => {
            let places = shared.places_of_buildroot(build_tag).map_err(|error| no_layer(error, directory))?;
            let repositories = places.iter().map(|place| place.path().to_path_buf()).collect();
            let tag = shared.ledger().tags.get(build_tag).cloned().unwrap_or_default();
            let config =
                mock.config(build_tag.as_str(), shared.arch.as_str(), &tag.build_group, repositories);
            let limit = shared.settings.limit;
            let job = MockJob { task: id.0, directory, limit, package, source: &source };
            mock.build(&job, &config).await.map_err(|error| trouble(error, directory))
        }
    }
}

async fn fetch(shared: &Shared, job: &ComponentJob, directory: &Path) -> Result<Source, TaskEnd> {
    match &job.source {
        ComponentSource::Git { url, commit } => {
            let place = directory.join("source");
            remove_directory(&place).map_err(|error| trouble(error, directory))?;
            let fetched = shared.checkout.checkout(url, commit, &place).await;
            fetched.map(|()| Source::Directory(place)).map_err(|error| no_source(&error))
        }
        ComponentSource::Srpm(path) => Ok(Source::SourceRpm(PathBuf::from(path))),
        ComponentSource::Macros => {
            let macros = job.macros.clone();
            macros
                .map(Source::Macros)
                .ok_or_else(|| no_source(&SourceError::NotFound { what: "the macros".into() }))
        }
    }
}

/// The commit was there when it was resolved: a source that is unusable is the packager's, one that is out of reach is not.
fn no_source(error: &SourceError) -> TaskEnd {
    TaskEnd::Failed { reason: error.to_string(), is_package_fault: !error.is_transient() }
}

fn no_buildroot(error: &BuildSystemError) -> TaskEnd {
    TaskEnd::Failed { reason: error.to_string(), is_package_fault: false }
}

/// Whatever is wrong with the packages it is built with, this one is not at fault.
fn no_layer(error: LocalError, directory: &Path) -> TaskEnd {
    TaskEnd::Failed { reason: unless_full(error, directory).to_string(), is_package_fault: false }
}

fn trouble(error: LocalError, directory: &Path) -> TaskEnd {
    let error = unless_full(error, directory);
    let is_package_fault = matches!(error, LocalError::Unusable(_) | LocalError::TimedOut { .. });
    TaskEnd::Failed { reason: error.to_string(), is_package_fault }
}

/// Makes the RPMs durable; the record of the result follows them.
fn closed(package: &Package, rpms: Vec<(PathBuf, RpmHeader)>) -> Result<TaskEnd, LocalError> {
    let nvr = rpms.first().and_then(|(_, source)| source.build_nvr());
    let nvr = nvr.ok_or_else(|| LocalError::Unusable("the build gave no source RPM".into()))?;
    if nvr.name() != package.as_str() {
        let reason = format!("the spec file of {package} builds {nvr}; its Name must be {package}");
        return Err(LocalError::Unusable(reason));
    }
    let mut records = Vec::new();
    for (path, header) in rpms {
        std::fs::File::open(&path).and_then(|file| file.sync_all()).at(&path)?;
        sync_directory(path.parent().unwrap_or(Path::new("/")))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        records.push(RpmRecord { file, nevra: header.nevra });
    }
    Ok(TaskEnd::Closed { nvr, rpms: records })
}
