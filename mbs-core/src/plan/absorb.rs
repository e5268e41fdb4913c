//! Takes what was observed into the record: tasks that ended, builds that exist, tags. Repositories are in `repository`.
//!
//! Nothing new leaves the record as it is. It decides what an attempt has come to, never what is done next.

use jiff::Timestamp;

use super::step::{Held, Step, later};
use super::{ActionKey, Observation, Outcome};
use crate::build_system::{BuildSystemError, Effect, FoundBuild, TaskFailure, TaskSeen, TaskState};
use crate::ident::{Batch, Nvr, Package, TagName, TaskId};
use crate::model::{
    Attempt, AttemptEnd, BuildState, Buildroot, ComponentBuild, Failure, MACROS_PACKAGE, ModuleBuild, Verdict,
};
use crate::reuse;
use crate::store::Note;

/// Takes in the outcomes of this look's own actions.
pub(super) fn outcomes(step: &mut Step<'_>) {
    buildroot(step);
    for (key, outcome) in &step.seen.outcomes {
        match (key, outcome) {
            (ActionKey::Submit { package, attempt }, outcome) => {
                if let Err(error) = outcome {
                    lose_buildroot(&mut step.build, error);
                }
                let component = step.build.components.iter_mut().find(|c| c.package == *package);
                if let Some(component) = component {
                    submitted(component, *attempt, outcome.as_ref());
                }
            }
            (ActionKey::Repo, Ok(Outcome::RepoRequested(task))) => {
                if let Some(repo) = &mut step.build.repo {
                    repo.task = repo.task.or(*task);
                    step.build.repo_task = repo.task.or(step.build.repo_task);
                }
            }
            (ActionKey::Repo, Err(error)) => {
                step.build.repo = step.build.repo_before.take();
                lose_buildroot(&mut step.build, error);
            }
            (ActionKey::Tag, Err(error)) => tagging_refused(step, error),
            (ActionKey::Import, Ok(_)) => step.build.is_imported = true,
            (ActionKey::RemoveTarget, Ok(_)) => step.build.is_target_removed = true,
            (_, Ok(_) | Err(_)) => {}
        }
    }
}

/// What an action needed of the buildroot is not there: it has to be made again.
fn lose_buildroot(build: &mut ModuleBuild, error: &BuildSystemError) {
    if matches!(error, BuildSystemError::NotFound { .. }) {
        build.buildroot = None;
    }
}

/// Notes the buildroot that was ensured last.
fn buildroot(step: &mut Step<'_>) {
    let ensured = step.seen.outcomes.iter().rev().find_map(|(key, outcome)| match (key, outcome) {
        (ActionKey::Buildroot(digest), Ok(Outcome::BuildrootHolds(event))) => Some((digest, *event)),
        (_, Ok(_) | Err(_)) => None,
    });
    if let Some((digest, event)) = ensured {
        step.build.buildroot = Some(Buildroot { digest: digest.clone(), event });
    }
}

fn submitted(component: &mut ComponentBuild, number: u32, outcome: Result<&Outcome, &BuildSystemError>) {
    let Some(attempt) = component.live_attempt_mut().filter(|a| a.number == number && a.task.is_none())
    else {
        return;
    };
    match outcome {
        Ok(Outcome::Submitted(task)) => {
            attempt.task = Some(*task);
            component.task = Some(*task);
        }
        Err(BuildSystemError::NotFound { .. }) => end_attempt(component, AttemptEnd::Lost),
        // Refused for good: no doubt, no search.
        Err(error) if !error.is_transient() => {
            let end = AttemptEnd::Failed { reason: error.to_string(), failure: Failure::Infra };
            end_attempt(component, end);
        }
        Err(error) if error.effect() == Effect::None => end_attempt(component, AttemptEnd::Lost),
        Ok(_) | Err(_) => {}
    }
}

/// What was to be tagged was not: it is asked for again later, and reused builds that are gone are built instead.
fn tagging_refused(step: &mut Step<'_>, error: &BuildSystemError) {
    lose_buildroot(&mut step.build, error);
    let lost = match error {
        BuildSystemError::BuildsGone { builds } => &builds[..],
        _ => &[],
    };
    let mut gone = Vec::new();
    for component in step.build.components.iter_mut().filter(|component| component.tag_asked_at.is_some()) {
        component.tag_asked_at = None;
        if let Some(nvr) = component.nvr.as_ref().filter(|nvr| lost.contains(nvr)) {
            gone.push((component.package.clone(), nvr.clone()));
        }
    }
    for (package, nvr) in gone {
        let text = format!("{package}: {nvr} is gone from the build system and is built again");
        step.notes.push(Note::of(&package, text));
        rebuild(&mut step.build, &package, &nvr);
    }
}

/// Takes a component back, and what is reused and depends on it by the strategy. What was there has to leave our tags first.
fn rebuild(build: &mut ModuleBuild, package: &Package, gone: &Nvr) {
    let Some(component) = build.components.iter_mut().find(|component| component.package == *package) else {
        return;
    };
    if !matches!(component.verdict, Some(Verdict::Reuse { .. })) {
        return take_back(component);
    }
    let mut verdicts = reuse::verdicts_after_loss(build, package, gone.clone());
    for component in &mut build.components {
        let Some(verdict) = verdicts.remove(&component.package) else { continue };
        component.verdict = Some(verdict);
        take_back(component);
    }
    if build.component(MACROS_PACKAGE).is_none() {
        super::wait::add_macros(build);
        build.batch = Batch(0);
    }
}

/// Makes a component unstarted that was complete.
fn take_back(component: &mut ComponentBuild) {
    component.state = None;
    component.reason = None;
    component.discarded = component.nvr.take();
    component.task = None;
    component.tagged = false;
    component.tagged_in_final = false;
}

/// Takes in what has become of tasks.
pub(super) fn tasks(step: &mut Step<'_>) {
    let Some(tasks) = &step.seen.build.tasks else { return };
    let begun = step.build.life.changed_at();
    for component in &mut step.build.components {
        let Some(task) = component.live_attempt().and_then(|attempt| attempt.task) else { continue };
        let Some(seen) = tasks.get(&task) else { continue };
        let Some(end) = end_of(task, seen.as_ref(), step.seen) else { continue };
        // What just broke may do so again at once; what somebody cancelled need not wait.
        let has_failed = seen.as_ref().is_some_and(|seen| seen.state == TaskState::Failed);
        if has_failed && matches!(end, AttemptEnd::Aborted(_)) {
            let earlier = component.tries_since(begun, |end| matches!(end, AttemptEnd::Aborted(_)));
            let pause = step.policy.pause_after(u32::try_from(earlier).unwrap_or(u32::MAX));
            component.retry_at = Some(later(step.now, pause));
        }
        end_attempt(component, end);
    }
}

/// Says how an attempt ended whose task was seen so; `None` while it lives or its failure is not explained yet.
fn end_of(task: TaskId, seen: Option<&TaskSeen>, observation: &Observation) -> Option<AttemptEnd> {
    let Some(seen) = seen else { return Some(AttemptEnd::Vanished) };
    match seen.state {
        TaskState::Free | TaskState::Open | TaskState::Assigned => None,
        TaskState::Canceled => Some(AttemptEnd::Aborted(format!("task {task} was cancelled"))),
        TaskState::Closed => match &seen.builds[..] {
            [nvr] => Some(AttemptEnd::Complete(nvr.clone())),
            builds => Some(AttemptEnd::Aborted(format!(
                "task {task} ended with {} builds instead of one",
                builds.len()
            ))),
        },
        TaskState::Failed => match observation.build.failures.as_ref().and_then(|known| known.get(&task)) {
            Some(TaskFailure { reason, is_package_fault: true }) => {
                Some(AttemptEnd::Failed { reason: reason.clone(), failure: Failure::User })
            }
            Some(TaskFailure { reason, is_package_fault: false }) => {
                Some(AttemptEnd::Aborted(reason.clone()))
            }
            None => observation
                .failures_asked
                .contains(&task)
                .then(|| AttemptEnd::Aborted(format!("task {task} failed, and nobody says why"))),
        },
    }
}

/// Ends the live attempt of a component and sets its state; what may be tried again goes back to unstarted.
pub(super) fn end_attempt(component: &mut ComponentBuild, end: AttemptEnd) {
    let Some(attempt) = component.live_attempt_mut() else { return };
    attempt.end = Some(end.clone());
    let is_open = matches!(component.state, None | Some(BuildState::Building));
    match end {
        _ if !is_open => {}
        AttemptEnd::Complete(nvr) => {
            component.state = Some(BuildState::Complete);
            component.nvr = Some(nvr);
            component.reason = None;
        }
        // It was begun before the build was submitted again, and whoever did that wants another try.
        AttemptEnd::Failed { .. } if component.state.is_none() => {}
        AttemptEnd::Failed { reason, .. } => {
            component.state = Some(BuildState::Failed);
            component.reason = Some(reason);
        }
        AttemptEnd::Aborted(how) => {
            component.state = None;
            component.reason = Some(how);
        }
        AttemptEnd::Vanished | AttemptEnd::Lost => component.state = None,
    }
}

/// Takes in what a search found for components in doubt; none found when no call can arrive any more: lost.
pub(super) fn search(step: &mut Step<'_>) {
    let Some(found) = &step.seen.build.search else { return };
    let build_tag = step.build_tag.clone();
    for component in step.build.components.iter_mut().filter(|component| component.is_in_doubt()) {
        let Some(asked_at) = searched_since(component, step.seen) else { continue };
        let live = found.live.iter().find(|(package, _)| *package == component.package);
        let built = one_build(&found.builds, component, build_tag.as_ref());
        let not_after = component.live_attempt().map_or(step.now, |attempt| attempt.not_after);
        let is_certain = found.is_final || asked_at >= later(not_after, step.policy.margin);
        match (live, built) {
            (Some((_, task)), _) => adopt_task(component, *task),
            (None, Some(build)) => adopt_build(component, build),
            (None, None) if is_certain => end_attempt(component, AttemptEnd::Lost),
            (None, None) => {}
        }
    }
}

/// Returns when a component was searched for, if after its last attempt: one of this very look came later than the search.
fn searched_since(component: &ComponentBuild, seen: &Observation) -> Option<Timestamp> {
    let key =
        |attempt: &Attempt| ActionKey::Submit { package: component.package.clone(), attempt: attempt.number };
    let is_of_this_look =
        component.live_attempt().is_some_and(|attempt| seen.outcome(&key(attempt)).is_some());
    seen.searched.get(&component.package).copied().filter(|_| !is_of_this_look)
}

/// Returns the build to adopt for a component: the one in the build tag, else in the destination tag, else an untagged one.
pub(super) fn one_build<'f>(
    builds: &'f [FoundBuild],
    component: &ComponentBuild,
    build_tag: Option<&TagName>,
) -> Option<&'f FoundBuild> {
    let place = |found: &&FoundBuild| (found.tag.is_none(), found.tag.as_ref() != build_tag);
    of_component(builds, component).min_by_key(place)
}

fn of_component<'f, 'c>(
    builds: &'f [FoundBuild],
    component: &'c ComponentBuild,
) -> impl Iterator<Item = &'f FoundBuild> + use<'f, 'c> {
    builds.iter().filter(|found| {
        found.package == component.package && Some(&found.nvr) != component.discarded.as_ref()
    })
}

/// Returns what a person has to mend: two builds of a package in one of our tags, of which nobody can say which counts.
pub(super) fn doubled(step: &Step<'_>) -> Option<String> {
    let found = step.seen.build.search.as_ref()?;
    step.build.components.iter().find_map(|component| {
        let mut tagged = of_component(&found.builds, component).filter(|found| found.tag.is_some());
        let first = tagged.next()?;
        let other = tagged.find(|other| other.tag == first.tag && other.nvr != first.nvr)?;
        let tag = first.tag.as_ref()?;
        let (one, other) = (&first.nvr, &other.nvr);
        Some(format!("The tag {tag} holds two builds of {}: {one} and {other}.", component.package))
    })
}

fn adopt_task(component: &mut ComponentBuild, task: TaskId) {
    component.task = Some(task);
    if let Some(attempt) = component.live_attempt_mut() {
        attempt.task = Some(task);
    }
}

/// Takes an existing build for a component.
pub(super) fn adopt_build(component: &mut ComponentBuild, build: &FoundBuild) {
    if let Some(attempt) = component.live_attempt_mut() {
        attempt.task = attempt.task.or(build.task);
        attempt.end = Some(AttemptEnd::Complete(build.nvr.clone()));
    }
    component.state = Some(BuildState::Complete);
    component.nvr = Some(build.nvr.clone());
    component.task = build.task.or(component.task);
    component.reason = Some("Found existing build".into());
}

/// Takes in what is in our two tags. A tag that is gone means that the buildroot has to be made again.
pub(super) fn tags(step: &mut Step<'_>) {
    let (Some(tag), Some(build_tag)) = (step.build.koji_tag.clone(), step.build_tag.clone()) else { return };
    let Some(tags) = &step.seen.build.tags else { return };
    if [&tag, &build_tag].iter().any(|tag| matches!(tags.get(*tag), Some(None))) {
        step.build.buildroot = None;
    }
    let in_build = tags.contains_key(&build_tag).then_some(&step.in_build_tag);
    let in_final = Held::in_tag(&tag, step.seen);
    for component in step.build.components.iter_mut().filter(|component| component.is_complete()) {
        let Some(nvr) = &component.nvr else { continue };
        let is_in = |held: &Held<'_>| held.since(nvr).is_some();
        let tagged = in_build.map_or(component.tagged, is_in);
        let tagged_in_final =
            !component.build_time_only && in_final.as_ref().map_or(component.tagged_in_final, is_in);
        if (tagged, tagged_in_final) != (component.tagged, component.tagged_in_final) {
            (component.tagged, component.tagged_in_final) = (tagged, tagged_in_final);
        }
        if component.is_tagged_everywhere() && component.tag_asked_at.is_some() {
            component.tag_asked_at = None;
        }
    }
}

/// Says whether a request that takes effect later may be made (again).
pub(super) fn may_ask_again(asked_at: Option<Timestamp>, step: &Step<'_>) -> bool {
    asked_at.is_none_or(|at| step.now >= later(at, step.policy.ask_again))
}
