//! Performs the actions of a plan and notes what became of them.

use futures_util::future::join_all;

use super::look::Look;
use super::{call, too_late, until};
use crate::build_system::{BuildSystemError, ComponentJob, Effect, FinishedModule};
use crate::model::ModuleBuild;
use crate::plan::{Action, Observation, Outcome};

/// Performs actions, all at once, and notes what became of them.
pub(super) async fn perform(
    look: &mut Look<'_>,
    build: &ModuleBuild,
    actions: Vec<Action>,
    seen: &mut Observation,
) {
    let asked = &*look;
    let all = actions.iter().map(|action| async {
        let (outcome, signal) = call(asked.engine, act(asked, build, action)).await;
        (action.key(), outcome, signal)
    });
    let noted = join_all(all).await;
    for (key, outcome, signal) in noted {
        look.signal = look.signal.max(signal);
        if let Err(error) = &outcome {
            tracing::warn!(module.id = build.id.0, action = ?key, %error, "an action did not succeed");
        }
        seen.note_outcome(key, outcome);
    }
}

async fn act(look: &Look<'_>, build: &ModuleBuild, action: &Action) -> Result<Outcome, BuildSystemError> {
    let build_system = &look.engine.build_system;
    match action {
        Action::EnsureBuildroot(spec, _) => {
            build_system.ensure_buildroot(spec).await.map(Outcome::BuildrootHolds)
        }
        Action::RequestRepo(tag) => build_system.request_repo(tag).await.map(Outcome::RepoRequested),
        Action::Tag(requests) => build_system.ensure_tagged(requests).await.map(|()| Outcome::Done),
        Action::Submit { job, .. } => submit(look, job).await,
        Action::Cancel(tasks) => build_system.cancel(tasks).await.map(|()| Outcome::Done),
        Action::Import => import(look, build).await,
        Action::Untag(requests) => build_system.ensure_untagged(requests).await.map(|()| Outcome::Done),
        Action::RemoveTarget(target) => build_system.remove_target(target).await.map(|()| Outcome::Done),
    }
}

/// Submits a component, but not after its time: later a search would not find what is still on its way.
async fn submit(look: &Look<'_>, job: &ComponentJob) -> Result<Outcome, BuildSystemError> {
    let engine = look.engine;
    let left = job.not_after.duration_since(engine.now(&look.claim, look.began));
    let Ok(left) = std::time::Duration::try_from(left) else {
        return Err(too_late(Effect::None));
    };
    let call = engine.build_system.submit(job);
    match until(&*engine.clock, engine.clock.reading() + left, call).await {
        Some(task) => task.map(Outcome::Submitted),
        None => Err(too_late(Effect::Unknown)),
    }
}

async fn import(look: &Look<'_>, build: &ModuleBuild) -> Result<Outcome, BuildSystemError> {
    let unreadable = |error: crate::store::StoreError| BuildSystemError::Unavailable {
        reason: error.to_string(),
        retry_after: None,
        effect: Effect::None,
    };
    let log = look.engine.store.log(build.id).await.map_err(unreadable)?;
    let module = FinishedModule {
        build: Box::new(build.clone()),
        log: log.into_iter().map(|line| format!("{} {}", line.at, line.text)).collect(),
    };
    look.engine.build_system.import_module(&module).await.map(|()| Outcome::Done)
}
