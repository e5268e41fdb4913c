//! Performs the actions of a plan and notes what became of them.

use futures_util::future::{BoxFuture, FutureExt, TryFutureExt, join_all};

use super::look::Look;
use super::{Pace, call, too_late, until};
use crate::build_system::{BuildSystemError, ComponentJob, Effect, FinishedModule};
use crate::model::ModuleBuild;
use crate::plan::{Action, ActionKey, Observation, Outcome};
use crate::store::Signal;

/// Performs actions, all at once, and notes what became of them. What is to be built is told together.
pub(super) async fn perform(
    look: &mut Look<'_>,
    build: &ModuleBuild,
    actions: Vec<Action>,
    seen: &mut Observation,
) {
    let asked = &*look;
    let mut jobs = Vec::new();
    let mut all: Vec<BoxFuture<'_, Vec<(ActionKey, Acted)>>> = Vec::new();
    let mut first_job = None;
    for action in &actions {
        if let Action::Submit { job, .. } = action {
            first_job.get_or_insert(all.len());
            jobs.push((action.key(), ComponentJob::clone(job)));
        } else {
            all.push(async move { vec![(action.key(), act(asked, build, action).await)] }.boxed());
        }
    }
    if let Some(place) = first_job {
        all.insert(place, submit(asked, jobs).boxed());
    }
    let noted = join_all(all).await;
    for (key, (outcome, signal)) in noted.into_iter().flatten() {
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
        Action::Submit { .. } => unreachable!("what is to be built is told together"),
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

/// Submits components, but none after its time: later a search would not find what is still on its way.
async fn submit(look: &Look<'_>, jobs: Vec<(ActionKey, ComponentJob)>) -> Vec<(ActionKey, Acted)> {
    let (engine, now) = (look.engine, look.engine.now(&look.claim, look.began));
    let is_in_time = |(_, job): &(ActionKey, ComponentJob)| now <= job.not_after;
    let (sent, late): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_in_time);
    // It was we who were slow.
    let mut acted: Vec<_> =
        late.into_iter().map(|(key, _)| (key, (Err(too_late(Effect::None)), Signal::Quiet))).collect();
    let (keys, jobs): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
    let Some(first_end) = jobs.iter().map(|job| job.not_after).min() else { return acted };
    let left = std::time::Duration::try_from(first_end.duration_since(now)).unwrap_or_default();
    let submitted =
        until(&*engine.clock, engine.clock.reading() + left, engine.build_system.submit_all(&jobs));
    let (answers, signal) = call(engine, Pace::Quick, submitted.map(Ok)).await;
    let answers = answers.ok().flatten().unwrap_or_default();
    let mut answers = answers.into_iter();
    acted.extend(keys.into_iter().map(|key| {
        let answer = answers.next().unwrap_or_else(|| Err(too_late(Effect::Unknown)));
        let is_out_of_reach = matches!(answer, Err(BuildSystemError::Unavailable { .. }));
        let signal = if is_out_of_reach { Signal::Strained } else { signal };
        (key, (answer.map(Outcome::Submitted), signal))
    }));
    acted
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
