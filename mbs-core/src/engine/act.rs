//! Performs the actions of a plan and notes what became of them.

use futures_util::future::{FutureExt, TryFutureExt, join_all};

use super::look::Look;
use super::{Pace, call, too_late, until};
use crate::build_system::{BuildSystemError, ComponentJob, Effect, FinishedModule};
use crate::model::ModuleBuild;
use crate::plan::{Action, Observation, Outcome};
use crate::store::Signal;

/// Performs actions, all at once, and notes what became of them.
pub(super) async fn perform(
    look: &mut Look<'_>,
    build: &ModuleBuild,
    actions: Vec<Action>,
    seen: &mut Observation,
) {
    let asked = &*look;
    let all = actions.iter().map(|action| async {
        let (outcome, signal) = act(asked, build, action).await;
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

type Acted = (Result<Outcome, BuildSystemError>, Signal);

async fn act(look: &Look<'_>, build: &ModuleBuild, action: &Action) -> Acted {
    let (engine, system) = (look.engine, &look.engine.build_system);
    match action {
        Action::EnsureBuildroot(spec, _) => {
            let ensured = system.ensure_buildroot(spec);
            call(engine, Pace::Slow, ensured.map_ok(Outcome::BuildrootHolds)).await
        }
        Action::RequestRepo(tag) => {
            call(engine, Pace::Quick, system.request_repo(tag).map_ok(Outcome::RepoRequested)).await
        }
        Action::Tag(requests) => {
            call(engine, Pace::Quick, system.ensure_tagged(requests).map_ok(|()| Outcome::Done)).await
        }
        Action::Submit { job, .. } => submit(look, job).await,
        Action::Cancel(tasks) => {
            call(engine, Pace::Quick, system.cancel(tasks).map_ok(|()| Outcome::Done)).await
        }
        Action::Import => import(look, build).await,
        Action::Untag(requests) => {
            call(engine, Pace::Quick, system.ensure_untagged(requests).map_ok(|()| Outcome::Done)).await
        }
        Action::RemoveTarget(target) => {
            call(engine, Pace::Quick, system.remove_target(target).map_ok(|()| Outcome::Done)).await
        }
    }
}

/// Submits a component, but not after its time: later a search would not find what is still on its way.
async fn submit(look: &Look<'_>, job: &ComponentJob) -> Acted {
    let engine = look.engine;
    let left = job.not_after.duration_since(engine.now(&look.claim, look.began));
    let Ok(left) = std::time::Duration::try_from(left) else {
        // It was we who were slow.
        return (Err(too_late(Effect::None)), Signal::Quiet);
    };
    let submitted = until(&*engine.clock, engine.clock.reading() + left, engine.build_system.submit(job));
    let task = submitted.map(|task| task.unwrap_or_else(|| Err(too_late(Effect::Unknown))));
    call(engine, Pace::Quick, task.map_ok(Outcome::Submitted)).await
}

async fn import(look: &Look<'_>, build: &ModuleBuild) -> Acted {
    let engine = look.engine;
    let log = match engine.store.log(build.id).await {
        Ok(log) => log,
        Err(error) => {
            let (reason, effect) = (error.to_string(), Effect::None);
            let unreadable = BuildSystemError::Unavailable { reason, retry_after: None, effect };
            return (Err(unreadable), Signal::Quiet);
        }
    };
    let module = FinishedModule {
        build: Box::new(build.clone()),
        log: log.into_iter().map(|line| format!("{} {}", line.at, line.text)).collect(),
    };
    let imported = engine.build_system.import_module(&module);
    call(engine, Pace::Slow, imported.map_ok(|()| Outcome::Done)).await
}
