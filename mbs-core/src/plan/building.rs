//! The state `build`: batch after batch, until everything is built and tagged.
//!
//! It decides what is asked, when a batch ends, and when the module is done. Which components start is decided in `starting`,
//! what is tagged and when a repository is needed in `tagging`.

use std::collections::BTreeSet;

use super::order::Gate;
use super::step::{Step, later};
use super::{
    Action, ActionKey, Impossible, Observation, ObservationQuery, UnderWay, Why, absorb, buildonly,
    buildroot, repository, starting, tagging, wait,
};
use crate::build_system::{AskedRepo, TaskState};
use crate::ident::{Batch, TagEvent, TaskId};
use crate::model::{BuildState, ComponentBuild, Failure, ModuleBuild, Ordering, State, Verdict};
use crate::policy::Policy;
use crate::shared::Shared;

/// Asks, in one round, for our tasks, both tags, the newest repository, and what exists of components in doubt or next;
/// in a second one only why tasks failed and which RPMs `buildonly` builds have.
pub(super) fn missing(build: &ModuleBuild, seen: &Observation, policy: &Policy) -> ObservationQuery {
    let mut query = ObservationQuery::default();
    let (Some(tag), Some(build_tag)) = (build.koji_tag.clone(), build.build_tag()) else { return query };
    let asked = &mut query.build;
    if seen.build.tags.is_none() {
        // Tasks that this look begins later are not asked about: their outcome said enough.
        asked.tasks = live_tasks(build).chain(build.repo_tasks()).collect();
        asked.tags = BTreeSet::from([tag, build_tag.clone()]);
    }
    if seen.build.repo.is_none() {
        asked.repo_asked =
            build.repo.as_ref().map(|wait| AskedRepo { tag: build_tag.clone(), shows: wait.shows });
        asked.repo_of = Some(build_tag);
    }
    asked.search = starting::search(build, seen, policy);
    asked.failures = unexplained(build, seen);
    asked.rpms_of_builds = buildonly::unfiltered(build, seen);
    asked.rpms_of_builds.extend(wait::reused_unknown(build, seen));
    query
}

/// Returns the tasks of live attempts.
pub(super) fn live_tasks(build: &ModuleBuild) -> impl Iterator<Item = TaskId> + '_ {
    build.components.iter().filter_map(|component| component.live_attempt()?.task)
}

/// Returns the tasks that were seen failed and whose reason was not asked for yet.
pub(super) fn unexplained(build: &ModuleBuild, seen: &Observation) -> BTreeSet<TaskId> {
    let Some(tasks) = &seen.build.tasks else { return BTreeSet::new() };
    let has_failed =
        |task: &TaskId| matches!(tasks.get(task), Some(Some(seen)) if seen.state == TaskState::Failed);
    let all = live_tasks(build).chain(build.repo_tasks());
    all.filter(|task| has_failed(task) && !seen.failures_asked.contains(task)).collect()
}

/// Plans the next step of a build under way.
pub(super) fn plan(step: &mut Step<'_>) -> Result<(), Impossible> {
    absorb::tasks(step);
    absorb::search(step);
    absorb::tags(step);
    repository::absorb(step)?;
    buildonly::filter(step);
    starting::give_up_aborted(step);
    if let Some(doubled) = absorb::doubled(step) {
        step.fail(doubled, Failure::Infra)?;
    }
    step.give_up_if_stuck()?;
    if step.has_left(State::Build) {
        return Ok(());
    }
    if step.is_backing_off() {
        // In line are only builds that could submit now; nobody waits behind one that could not. Its turn is kept.
        step.build.leave_line();
    } else {
        go_on(step)?;
    }
    if !step.has_left(State::Build) {
        step.why = why(step);
    }
    Ok(())
}

fn go_on(step: &mut Step<'_>) -> Result<(), Impossible> {
    if let Some((reason, failure)) = failed_components(step) {
        return step.fail(reason, failure);
    }
    cancel_strays(step);
    if !ensure_buildroot(step) {
        return Ok(());
    }
    tagging::discard(step);
    // What this plan changes from here on is in no repository yet.
    let gate = Gate::of(&step.build, |component| is_in_repo(step, component));
    begin_batches(step, &gate);
    tagging::tag(step);
    tagging::request_repo(step);
    starting::start(step, &gate)?;
    finish(step)
}

/// Begins every batch whose predecessors are in the repository; what is reused of it is complete at once.
fn begin_batches(step: &mut Step<'_>, gate: &Gate) {
    while let Some(next) = next_batch(&step.build).filter(|_| gate.is_past(step.build.batch)) {
        step.build.batch = next;
        complete_reused(step, gate);
    }
    complete_reused(step, gate);
}

/// Returns the batch after the present one; `None` if it is the last. A graph has one long batch after the macros.
fn next_batch(build: &ModuleBuild) -> Option<Batch> {
    let later = build.components.iter().map(|component| component.batch).filter(|batch| *batch > build.batch);
    match build.ordering {
        Ordering::Graph if build.batch.0 >= 1 => later.max(),
        Ordering::Graph | Ordering::Batches => later.min(),
    }
}

/// Says whether a component is complete, tagged everywhere, and in the newest repository, which shows the buildroot as it is.
fn is_in_repo(step: &Step<'_>, component: &ComponentBuild) -> bool {
    let newest = step.seen.build.repo.flatten();
    newest.is_some_and(|newest| is_shown(step, component, newest.event))
}

/// Says whether a component is complete, tagged everywhere, and in a repository that shows the build tag as of an event.
pub(super) fn is_shown(step: &Step<'_>, component: &ComponentBuild, as_of: TagEvent) -> bool {
    let is_early = |event: Option<TagEvent>| event.is_some_and(|event| event <= as_of);
    component.is_complete()
        && component.is_tagged_everywhere()
        && is_early(step.build.buildroot.as_ref().map(|buildroot| buildroot.event))
        && is_early(tag_event(step, component))
}

pub(super) fn tag_event(step: &Step<'_>, component: &ComponentBuild) -> Option<TagEvent> {
    step.in_build_tag.since(component.nvr.as_ref()?)
}

/// Says whether a component's batch has begun and all that it comes after is in the repository.
pub(super) fn may_begin(build: &ModuleBuild, gate: &Gate, component: &ComponentBuild) -> bool {
    component.batch <= build.batch && gate.lets_begin(component)
}

fn complete_reused(step: &mut Step<'_>, gate: &Gate) {
    // Where nothing is built, nothing has to wait for a repository.
    let is_whole = step.build.components.iter().all(|c| matches!(c.verdict, Some(Verdict::Reuse { .. })));
    let may_complete =
        |c: &Shared<ComponentBuild>| c.state.is_none() && (is_whole || may_begin(&step.build, gate, c));
    let begun: Vec<bool> = step.build.components.iter().map(may_complete).collect();
    for (component, _) in step.build.components.iter_mut().zip(begun).filter(|(_, begun)| *begun) {
        if let Some(Verdict::Reuse { nvr, task, .. }) = component.verdict.clone() {
            component.state = Some(BuildState::Complete);
            component.reason = Some("Reused component from previous module build".into());
            component.task = task;
            component.nvr = Some(nvr);
        }
    }
}

/// Says why the module fails: a component did, and nothing of what may still run is left.
fn failed_components(step: &Step<'_>) -> Option<(String, Failure)> {
    let failed: Vec<_> = step.build.components.iter().filter(|c| c.is_unsuccessful()).collect();
    if failed.is_empty() {
        return None;
    }
    let gate = Gate::of(&step.build, ComponentBuild::is_complete);
    let is_left = |c: &Shared<ComponentBuild>| c.holds_slot() || c.state.is_none() && gate.lets_begin(c);
    if step.build.components.iter().any(is_left) {
        return None;
    }
    let names: Vec<&str> = failed.iter().map(|component| component.package.as_str()).collect();
    let is_users = failed.iter().any(|component| starting::is_package_fault(component));
    let failure = if is_users { Failure::User } else { Failure::Infra };
    Some((format!("Component(s) {} failed to build.", names.join(", ")), failure))
}

/// Cancels what a submission left beside the task that counts.
fn cancel_strays(step: &mut Step<'_>) {
    let strays = starting::strays(step);
    if !strays.is_empty() && step.seen.outcome(&ActionKey::Cancel).is_none() {
        step.actions.push(Action::Cancel(strays));
    }
}

/// Asks for the buildroot unless it holds; says whether it does.
fn ensure_buildroot(step: &mut Step<'_>) -> bool {
    let Some(spec) = buildroot::buildroot_spec(&step.build) else { return false };
    let digest = buildroot::digest(&spec);
    let holds = step.build.buildroot.as_ref().is_some_and(|buildroot| buildroot.digest == digest);
    if !holds {
        step.actions.push(Action::EnsureBuildroot(Box::new(spec), digest));
    }
    holds
}

/// Ends the build once everything is complete and tagged: import, then `done`, then `ready`.
fn finish(step: &mut Step<'_>) -> Result<(), Impossible> {
    let is_over = |c: &Shared<ComponentBuild>| {
        c.is_complete() && c.is_tagged_everywhere() && buildonly::is_filtered(c) && !c.holds_slot()
    };
    if !step.build.components.iter().all(is_over) {
        return Ok(());
    }
    step.build.life.complete(step.now);
    let wants_import = step.policy.koji_enable_content_generator && !step.build.new.scratch;
    if wants_import && !step.build.is_imported {
        step.actions.push(Action::Import);
        return Ok(());
    }
    step.build.line = None;
    (step.build.repo, step.build.repo_before) = (None, None);
    step.build.enter(State::Done, None, step.now)?;
    super::ended::plan_done(step)
}

/// Says why the build is not further.
fn why(step: &Step<'_>) -> Why {
    let build = &step.build;
    let left: Vec<UnderWay> =
        build.components.iter().filter(|c| c.holds_slot()).map(|c| under_way(c)).collect();
    if left.iter().any(|under_way| under_way.task.is_some()) {
        let of = build
            .components
            .iter()
            .filter(|c| c.batch == build.batch || build.ordering == Ordering::Graph)
            .count();
        return Why::Building { batch: build.batch, of: u32::try_from(of).unwrap_or(u32::MAX), left };
    }
    if let Some(doubtful) = build.components.iter().find(|component| component.is_in_doubt()) {
        let not_after = doubtful.live_attempt().map_or(step.now, |attempt| attempt.not_after);
        return Why::InDoubt {
            component: doubtful.package.clone(),
            until: later(not_after, step.policy.margin),
        };
    }
    if build.line.is_some() {
        return starting::why_waiting(step);
    }
    let untagged: Vec<_> = build.components.iter().filter(|c| c.tag_asked_at.is_some()).collect();
    if let Some(since) = untagged.iter().filter_map(|component| component.tag_asked_at).min() {
        return Why::WaitingForTags { packages: untagged.iter().map(|c| c.package.clone()).collect(), since };
    }
    match &build.repo {
        Some(repo) => Why::WaitingForRepo { task: repo.task, since: repo.asked_at },
        None => next_try(step),
    }
}

/// Nothing is under way: a component that the build system gave up is tried again after a pause.
fn next_try(step: &Step<'_>) -> Why {
    let waiting = step.build.components.iter().filter(|c| c.state.is_none());
    let next = waiting.filter_map(|c| Some((c.retry_at?, &c.package))).min();
    let (at, what) = match next {
        Some((at, package)) => (at, format!("{package} is tried again")),
        None => (later(step.now, step.policy.poll_floor), "nothing is under way".to_owned()),
    };
    Why::Timer { what, at }
}

fn under_way(component: &ComponentBuild) -> UnderWay {
    let attempt = component.live_attempt();
    UnderWay {
        package: component.package.clone(),
        task: attempt.and_then(|attempt| attempt.task),
        since: attempt.map(|attempt| attempt.intended_at),
    }
}
