//! Which components start: adoption before submission, heaviest first, never above the limit, never twice.

use jiff::Timestamp;

use super::building::may_begin;
use super::order::Gate;
use super::step::{Step, later};
use super::{Action, Impossible, Observation, Why, absorb, buildroot, wait};
use crate::batch;
use crate::build_system::{ComponentJob, Search};
use crate::ident::{Package, TagName, TaskId, Weight};
use crate::model::{
    Attempt, AttemptEnd, BuildState, ComponentBuild, Failure, Line, ModuleBuild, Ordering, Verdict,
};
use crate::policy::Policy;
use crate::share;
use crate::shared::Shared;
use crate::store::Slots;

/// Returns what to search for: components in doubt, those that could be submitted next, and running ones of which a lost
/// attempt may have made a second task after all.
pub(super) fn search(build: &ModuleBuild, seen: &Observation, policy: &Policy) -> Option<Search> {
    let doubtful = |component: &&Shared<ComponentBuild>| {
        component.is_in_doubt() || component.holds_slot() && has_lost(component)
    };
    let wanted = build.components.iter().filter(doubtful).chain(next_to_submit(build, seen, policy));
    search_for(build, seen, policy, wanted)
}

/// Returns what may be submitted in this look: of a batch as many components as there may be slots for, if all that run end
/// now, and those that have a pause of their own and do not count. On graphs all, since nobody knows yet which of them the
/// repository lets begin.
fn next_to_submit<'b>(
    build: &'b ModuleBuild,
    seen: &Observation,
    policy: &Policy,
) -> impl Iterator<Item = &'b Shared<ComponentBuild>> + use<'b> {
    // In the repository or not: that may be so in this look.
    let gate = Gate::of(build, ComponentBuild::is_complete);
    let may = |place: &usize| {
        let component = &build.components[*place];
        is_unstarted(component) && gate.lets_begin(component)
    };
    let pauses = |place: &usize| build.components[*place].retry_at.is_some();
    let (pausing, mut next): (Vec<usize>, Vec<usize>) =
        (0..build.components.len()).filter(may).partition(pauses);
    let wants = u32::try_from(pausing.len() + next.len()).unwrap_or(u32::MAX);
    let since = build.turn().unwrap_or(build.submitted_at);
    let mine = share::place_in_line(build, Line { since, wants }, policy.tau);
    let ending = if seen.slots.is_paused { 0 } else { build.slots_held() };
    let most = share::grant(&seen.slots, &mine).saturating_add(ending) as usize;
    if next.len() > most && build.ordering == Ordering::Batches {
        heaviest_first(build, &mut next);
        next.truncate(most);
    }
    pausing.into_iter().chain(next).map(|place| &build.components[place])
}

/// Puts places of components in the order in which they are submitted: by cost, then as written.
fn heaviest_first(build: &ModuleBuild, places: &mut [usize]) {
    let cost = costs(build);
    places.sort_by(|a, b| cost[*b].total_cmp(cost[*a]).then(a.cmp(b)));
}

/// Returns what to search for when a build failed: components in doubt, and those of which an attempt was lost.
pub(super) fn search_doubtful(build: &ModuleBuild, seen: &Observation, policy: &Policy) -> Option<Search> {
    let is_wanted = |component: &&Shared<ComponentBuild>| component.is_in_doubt() || has_lost(component);
    search_for(build, seen, policy, build.components.iter().filter(is_wanted))
}

fn has_lost(component: &ComponentBuild) -> bool {
    component.attempts.iter().any(|attempt| attempt.end == Some(AttemptEnd::Lost))
}

/// Returns the live tasks found for components that have, or need, no more: those of no attempt that is recorded.
pub(super) fn strays(step: &Step<'_>) -> Vec<TaskId> {
    let is_stray = |(package, task): &&(Package, TaskId)| {
        let component = step.build.component(package.as_str());
        component.is_some_and(|component| {
            let is_recorded = component.attempts.iter().any(|attempt| attempt.task == Some(*task));
            !is_recorded && !is_unstarted(component) && !component.is_in_doubt()
        })
    };
    let found = step.seen.build.search.iter().flat_map(|found| &found.live);
    found.filter(is_stray).map(|(_, task)| *task).collect()
}

fn search_for<'b>(
    build: &ModuleBuild,
    seen: &Observation,
    policy: &Policy,
    wanted: impl Iterator<Item = &'b Shared<ComponentBuild>>,
) -> Option<Search> {
    let wanted: Vec<_> = wanted.filter(|c| !seen.searched.contains_key(&c.package)).collect();
    if wanted.is_empty() {
        return None;
    }
    let (build_tag, final_tag) = (build.build_tag()?, build.koji_tag.clone()?);
    let own_target = buildroot::target_of(build)?;
    let tags =
        if wanted.iter().all(|c| c.is_macros()) { vec![build_tag] } else { vec![build_tag, final_tag] };
    let target_of = |c: &ComponentBuild| macros_target(c, policy).unwrap_or_else(|| own_target.clone());
    let packages = wanted.into_iter().map(|c| (c.package.clone(), target_of(c))).collect();
    Some(Search { tags, packages, module_target: own_target, dist_suffix: wait::dist(build, policy) })
}

/// Says whether a component has never been submitted, or may be again.
fn is_unstarted(component: &ComponentBuild) -> bool {
    component.state.is_none()
        && !component.holds_slot()
        && component.discarded.is_none()
        && !matches!(component.verdict, Some(Verdict::Reuse { .. }))
}

/// Ends components whose builds the build system gave up or forgot too often.
pub(super) fn give_up_aborted(step: &mut Step<'_>) {
    let begun = step.build.life.changed_at();
    for component in step.build.components.iter_mut().filter(|component| is_unstarted(component)) {
        let last = component.attempts.last().and_then(|attempt| attempt.end.clone());
        let gave_up = |end: &AttemptEnd| matches!(end, AttemptEnd::Aborted(_));
        let forgot = |end: &AttemptEnd| *end == AttemptEnd::Vanished;
        let (aborted, vanished) =
            (component.tries_since(begun, gave_up), component.tries_since(begun, forgot));
        let reason = match last {
            Some(AttemptEnd::Aborted(how)) if aborted > step.policy.retries_aborted => {
                format!("The build system gave up {aborted} times; the last time: {how}")
            }
            Some(AttemptEnd::Vanished) if vanished > step.policy.retries_vanished => {
                format!("The build system lost its task {vanished} times")
            }
            _ => continue,
        };
        component.state = Some(BuildState::Failed);
        component.reason = Some(reason);
    }
}

/// Says whether a failed component failed by its package's fault, not the build system's.
pub(super) fn is_package_fault(component: &ComponentBuild) -> bool {
    match component.attempts.last().and_then(|attempt| attempt.end.as_ref()) {
        Some(AttemptEnd::Failed { failure, .. }) => *failure == Failure::User,
        Some(AttemptEnd::Aborted(_) | AttemptEnd::Vanished | AttemptEnd::Lost | AttemptEnd::Complete(_))
        | None => false,
    }
}

/// Starts what may begin: builds and tasks that exist are adopted, the rest is submitted as far as there are slots.
pub(super) fn start(step: &mut Step<'_>, gate: &Gate) -> Result<(), Impossible> {
    adopt_builds(step, gate);
    let mut next: Vec<usize> = (0..step.build.components.len())
        .filter(|&place| {
            let component = &step.build.components[place];
            is_unstarted(component)
                && component.retry_at.is_none_or(|at| at <= step.now)
                && may_begin(&step.build, gate, component)
        })
        .collect();
    heaviest_first(&step.build, &mut next);
    let wants = u32::try_from(next.len()).unwrap_or(u32::MAX);
    let since = step.build.turn().unwrap_or(step.now);
    let wish = Line { since, wants };
    let mine = share::place_in_line(&step.build, wish, step.policy.tau);
    // Attempts that this very plan ends leave their slots: what comes next need not wait for what this plan asks for.
    let given_up = step.held.saturating_sub(step.build.slots_held());
    let slots = Slots { in_use: step.seen.slots.in_use.saturating_sub(given_up), ..step.seen.slots.clone() };
    let is_searched = |place: &usize| step.seen.searched.contains_key(&step.build.components[*place].package);
    next.retain(is_searched);
    next.truncate(share::grant(&slots, &mine) as usize);
    let left = wants.saturating_sub(u32::try_from(next.len()).unwrap_or(u32::MAX));
    // A grant ends the turn: whoever waits by now comes first.
    let since = if next.is_empty() { since } else { step.now };
    step.build.line = (left > 0).then_some(Line { since, wants: left });
    step.build.kept_turn = None;
    for place in next {
        begin(step, place)?;
    }
    Ok(())
}

/// Returns per component what decides who starts first: its weight; on graphs that of the longest path it begins.
fn costs(build: &ModuleBuild) -> Vec<Weight> {
    match build.ordering {
        Ordering::Batches => build.components.iter().map(|component| component.weight).collect(),
        Ordering::Graph => {
            let paths = batch::remaining_path(&build.components);
            build.components.iter().map(|c| paths.get(&c.package).copied().unwrap_or(c.weight)).collect()
        }
    }
}

fn adopt_builds(step: &mut Step<'_>, gate: &Gate) {
    let Some(found) = &step.seen.build.search else { return };
    let build_tag = step.build_tag.clone();
    let may: Vec<bool> =
        step.build.components.iter().map(|c| is_unstarted(c) && may_begin(&step.build, gate, c)).collect();
    for (component, _) in step.build.components.iter_mut().zip(may).filter(|(_, may)| *may) {
        if let Some(build) = absorb::one_build(&found.builds, component, build_tag.as_ref()) {
            absorb::adopt_build(component, build);
        }
    }
}

/// Begins an attempt: a live task left by an earlier one is adopted, else a submission is meant and recorded.
fn begin(step: &mut Step<'_>, place: usize) -> Result<(), Impossible> {
    let package = step.build.components[place].package.clone();
    let left_over = live_task(step, &package);
    let not_after = later(step.now, step.policy.submit_within);
    let component = &mut step.build.components[place];
    let number = component.attempts.last().map_or(1, |attempt| attempt.number + 1);
    component.attempts.push(Attempt { number, intended_at: step.now, not_after, task: left_over, end: None });
    component.state = Some(BuildState::Building);
    component.reason = None;
    component.retry_at = None;
    component.task = left_over;
    if left_over.is_none() {
        let job = Box::new(job(step, place, not_after)?);
        step.actions.push(Action::Submit { job, attempt: number });
    }
    Ok(())
}

/// Returns the oldest live task of the search that builds a package.
fn live_task(step: &Step<'_>, package: &Package) -> Option<TaskId> {
    let live = &step.seen.build.search.as_ref()?.live;
    live.iter().find(|(of, _)| of == package).map(|(_, task)| *task)
}

/// Returns the target of its own that the macros are built in, where one is configured.
fn macros_target(component: &ComponentBuild, policy: &Policy) -> Option<TagName> {
    policy.koji_build_macros_target.clone().filter(|_| component.is_macros())
}

fn job(step: &Step<'_>, place: usize, not_after: Timestamp) -> Result<ComponentJob, Impossible> {
    let build = &step.build;
    let component = &build.components[place];
    let unnamed =
        || Impossible { what: format!("module build {} is in build but its tags are not named", build.id) };
    let module_target: TagName = buildroot::target_of(build).ok_or_else(unnamed)?;
    let macros_target = macros_target(component, step.policy);
    let macros = component.is_macros().then(|| wait::macros_package(build, step.seen, step.policy, step.now));
    Ok(ComponentJob {
        build: build.id,
        package: component.package.clone(),
        source: component.source.clone(),
        build_tag: if macros_target.is_some() { None } else { build.build_tag() },
        target: macros_target.unwrap_or_else(|| module_target.clone()),
        module_target,
        dist: wait::dist(build, step.policy),
        macros,
        arch_override: if step.policy.allow_arch_override { component.arches.clone() } else { Vec::new() },
        not_after,
    })
}

/// Says why components wait though they could be built.
pub(super) fn why_waiting(step: &Step<'_>) -> Why {
    let slots = &step.seen.slots;
    if slots.is_paused {
        return Why::Paused;
    }
    let mine = step.build.line.map(|line| share::place_in_line(&step.build, line, step.policy.tau));
    let ahead =
        slots.head.iter().filter(|place| mine.is_some_and(|mine| **place < mine)).map(|place| place.build);
    Why::WaitingForSlot {
        in_use: slots.in_use,
        limit: slots.limit.unwrap_or(u32::MAX),
        ahead: ahead.collect(),
    }
}
