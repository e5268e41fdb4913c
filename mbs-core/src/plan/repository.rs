//! What has become of the repository that was asked for: it came, its task failed, or a task of it is known at last.
//!
//! Whether one is asked for is decided in `tagging`.

use super::Impossible;
use super::step::Step;
use crate::build_system::{TaskSeen, TaskState};
use crate::ident::TaskId;
use crate::model::OverWhen;

/// Forgets a repository request that is over: its task ended, or, where no task is known, a repository that shows enough came.
///
/// A task that ended without a repository is a trouble: the next one is asked for after a pause, unless the build system keeps
/// the request and tries again by itself. Of two requests the younger counts, which shows more; the older is remembered while
/// it lives.
pub(super) fn absorb(step: &mut Step<'_>) -> Result<(), Impossible> {
    let seen_of = |task: Option<TaskId>| step.seen.build.tasks.as_ref()?.get(&task?);
    let is_over = |seen: Option<&Option<TaskSeen>>| {
        seen.is_some_and(|s| !s.as_ref().is_some_and(|s| s.state.is_live()))
    };
    step.build.repo_before.take_if(|before| is_over(seen_of(before.task)));
    let Some(wait) = &step.build.repo else { return Ok(()) };
    let is_there = step.seen.build.repo.flatten().is_some_and(|newest| newest.event >= wait.shows);
    let task = seen_of(wait.task);
    let has_ended = is_over(task);
    let has_closed = task.and_then(Option::as_ref).is_some_and(|seen| seen.state == TaskState::Closed);
    let is_over = if wait.task.is_some() { has_ended } else { is_there };
    let failed = wait.task.filter(|_| has_ended && !has_closed && !is_there);
    let is_kept = step.seen.build.repo_tries.is_some();
    if failed.is_some() && is_kept {
        step.build.repo.iter_mut().for_each(|wait| wait.task = None);
    } else if is_over {
        step.build.repo = step.build.repo_before.take();
    }
    note_try(step);
    let Some(task) = failed else {
        if let Some(trouble) = step.build.trouble.as_mut().filter(|_| is_over) {
            // What the build system did meanwhile needs no pause of ours.
            if is_kept && is_there && trouble.over_when == OverWhen::Repository {
                trouble.next_try = trouble.next_try.min(step.now);
            }
            trouble.over_when = trouble.over_when.min(OverWhen::Submitted);
        }
        return Ok(());
    };
    let explained = step.seen.build.failures.as_ref().and_then(|failures| failures.get(&task));
    let reason = explained.map_or("it was cancelled or lost", |failure| failure.reason.as_str());
    let what = format!("the repository task {task} made no repository: {reason}");
    step.trouble(what, OverWhen::Repository)
}

/// Notes the newest task that the build system began by itself for what was asked for, so that people see it and it is watched.
/// One that is no newer than the last that was noted has been seen ended.
fn note_try(step: &mut Step<'_>) {
    let newest = step.seen.build.repo_tries.as_ref().and_then(|tries| tries.last().copied());
    let build = &mut step.build;
    let Some(wait) = build.repo.as_mut().filter(|wait| wait.task.is_none()) else { return };
    if newest > build.repo_task {
        (wait.task, build.repo_task) = (newest, newest);
    }
}
