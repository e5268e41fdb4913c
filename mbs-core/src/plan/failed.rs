//! The state `failed`: under watch until no task of ours lives, then a timer until it is retired.

use std::collections::BTreeSet;

use super::step::{Step, close_components, later};
use super::{
    Action, ActionKey, Impossible, Observation, ObservationQuery, Why, absorb, building, ended, starting,
};
use crate::build_system::{AskedRepo, TagRequest};
use crate::ident::TaskId;
use crate::model::{ComponentBuild, ModuleBuild, State};
use crate::policy::Policy;

/// Asks for our tasks, and for what exists of components in doubt or lost, until the build is settled.
pub(super) fn missing(build: &ModuleBuild, seen: &Observation, policy: &Policy) -> ObservationQuery {
    let mut query = ObservationQuery::default();
    if build.life.is_settled() {
        return query;
    }
    if seen.build.tasks.is_none() {
        query.build.tasks = building::live_tasks(build).chain(build.repo_tasks()).collect();
        query.build.repo_asked = asked_repo(build);
    }
    query.build.search = starting::search_doubtful(build, seen, policy);
    query.build.failures = building::unexplained(build, seen);
    query
}

/// Returns what to ask for in order to know whose the tasks of repositories are.
fn asked_repo(build: &ModuleBuild) -> Option<AskedRepo> {
    let with_tasks = build.repo.iter().chain(&build.repo_before).filter(|wait| wait.task.is_some());
    Some(AskedRepo { shows: with_tasks.map(|wait| wait.shows).min()?, tag: build.build_tag()? })
}

/// Cancels what lives, settles the build, and retires it when its time has come.
pub(super) fn plan(step: &mut Step<'_>) -> Result<(), Impossible> {
    absorb::tasks(step);
    absorb::search(step);
    close_components(&mut step.build);
    step.build.line = None;
    if step.build.life.is_settled() {
        return retire(step);
    }
    if cancel(step) {
        return Ok(());
    }
    (step.build.repo, step.build.repo_before) = (None, None);
    step.build.life.settle();
    retire(step)
}

/// Cancels live tasks; says whether any is left, or may still appear.
fn cancel(step: &mut Step<'_>) -> bool {
    let repos = step.build.repo_tasks().filter(|task| is_live(step, *task) && !step.is_tended(*task));
    let strays = starting::strays(step);
    let tasks: BTreeSet<TaskId> = building::live_tasks(&step.build).chain(repos).chain(strays).collect();
    let tasks: Vec<TaskId> = tasks.into_iter().collect();
    let was_cancelled = step.seen.outcome(&ActionKey::Cancel).is_some_and(Result::is_ok);
    if !tasks.is_empty() && !was_cancelled && !step.is_backing_off() {
        step.actions.push(Action::Cancel(tasks.clone()));
    }
    if let Some(doubtful) = step.build.components.iter().find(|component| component.is_in_doubt()) {
        let not_after = doubtful.live_attempt().map_or(step.now, |attempt| attempt.not_after);
        let until = later(not_after, step.policy.margin);
        step.why = Why::InDoubt { component: doubtful.package.clone(), until };
        return true;
    }
    step.why = Why::Cancelling { tasks: tasks.clone() };
    !tasks.is_empty()
}

/// A repository task counts as live unless it was seen ended.
fn is_live(step: &Step<'_>, task: TaskId) -> bool {
    match step.seen.build.tasks.as_ref().and_then(|tasks| tasks.get(&task)) {
        Some(seen) => seen.as_ref().is_some_and(|seen| seen.state.is_live()),
        None => true,
    }
}

/// Takes what was built out of the tags and retires the build, long after its failure.
fn retire(step: &mut Step<'_>) -> Result<(), Impossible> {
    let at = later(step.build.life.changed_at(), step.policy.cleanup_failed_builds_time);
    if step.now < at {
        ended::plan_ended(step);
        if matches!(step.why, Why::Finished) {
            step.why = Why::Timer { what: "the failed build is retired".into(), at };
        }
        return Ok(());
    }
    let requests = untag_requests(&step.build);
    let is_over = match step.seen.outcome(&ActionKey::Untag) {
        Some(Err(error)) if !error.is_transient() => {
            let text = format!("what was built stays tagged, since it cannot be untagged: {error}");
            step.notes.push(text.into());
            true
        }
        outcome => requests.is_empty() || outcome.is_some_and(Result::is_ok),
    };
    if is_over {
        let days = step.policy.cleanup_failed_builds_time.as_secs() / 86_400;
        let reason = format!("The module was garbage collected since it has failed over {days} days ago");
        step.build.enter(State::Garbage, Some(reason), step.now)?;
        ended::plan_ended(step);
    } else if !step.is_backing_off() {
        step.actions.push(Action::Untag(requests));
    }
    Ok(())
}

fn untag_requests(build: &ModuleBuild) -> Vec<TagRequest> {
    let (Some(tag), Some(build_tag)) = (&build.koji_tag, build.build_tag()) else { return Vec::new() };
    let of = |component: &ComponentBuild| {
        let nvr = component.nvr.clone()?;
        let request = |tag| TagRequest { tag, package: component.package.clone(), nvr: nvr.clone() };
        Some([request(build_tag.clone()), request(tag.clone())])
    };
    build.components.iter().filter_map(|component| of(component)).flatten().collect()
}
