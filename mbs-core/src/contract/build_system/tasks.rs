//! Tasks from their begin to their end.

use super::bench::{Bench, Built};
use crate::build_system::{BuildQuestions, BuildSystemError, ComponentJob, Effect, TaskState};
use crate::contract::promise::{Verdict, equal, holds, refused, there};
use crate::contract::samples::id;
use crate::ident::TaskId;

async fn state(bench: &Bench<'_>, task: TaskId) -> Verdict<TaskState> {
    Ok(there("task of that id", bench.task(task).await?)?.state)
}

/// `submit` returns the task. [`TaskSeen::builds`](crate::build_system::TaskSeen): exactly one for a build that went well.
pub(super) async fn a_task_is_seen_until_it_ends_with_its_build(bench: &Bench<'_>) -> Verdict {
    bench.ensure().await?;
    let task = bench.submit("libc").await?;
    let seen = there("task right after it was submitted", bench.task(task).await?)?;
    holds(!matches!(seen.state, TaskState::Failed | TaskState::Canceled), "a new task has not ended badly")?;
    bench.ground.end(task).await;
    let seen = there("task that ended", bench.task(task).await?)?;
    equal("the state of a task that ended well", seen.state, TaskState::Closed)?;
    let job = bench.ground.job(&id("libc"));
    equal("the number of its builds", seen.builds.len(), 1)?;
    equal("the name of its build", seen.builds[0].name(), "libc")?;
    holds(seen.builds[0].release().ends_with(&job.dist), "the release of a build ends in the dist tag")
}

/// `submit`, errors: `NotFound` is for the target and its tags; nothing was started.
pub(super) async fn a_submission_into_an_unknown_target_does_nothing(bench: &Bench<'_>) -> Verdict {
    bench.ensure().await?;
    let job = bench.ground.job(&id("liba"));
    let unknown = ComponentJob { target: bench.unknown(), module_target: bench.unknown(), ..job };
    let outcome = bench.system.submit(&unknown).await;
    refused("an unknown target", outcome, |error| {
        matches!(error, BuildSystemError::NotFound { .. }) && error.effect() == Effect::None
    })?;
    equal("live tasks", bench.search_in("liba", &unknown.target).await?.live, [])
}

/// [`TaskFailure`](crate::build_system::TaskFailure): one or two sentences, and whose fault it is.
pub(super) async fn a_failed_task_says_why(bench: &Bench<'_>) -> Verdict {
    let Built { task: well, .. } = bench.built("liba").await?;
    let task = bench.ground.fail(&id("libc")).await?;
    let seen = there("failed task", bench.task(task).await?)?;
    equal("the state and the builds", (seen.state, seen.builds), (TaskState::Failed, Vec::new()))?;
    let questions = BuildQuestions { failures: [task, well].into(), ..Default::default() };
    let failures = bench.observe(questions).await?.failures.unwrap_or_default();
    equal("the tasks that failed", failures.keys().copied().collect::<Vec<_>>(), [task])?;
    holds(!failures[&task].reason.trim().is_empty(), "a failure has a reason")?;
    holds(failures[&task].is_package_fault, "the package is at fault")
}

/// `cancel`: those that ended are left alone.
pub(super) async fn cancelling_ends_live_tasks_and_leaves_ended_ones_alone(bench: &Bench<'_>) -> Verdict {
    let Built { task: ended, .. } = bench.built("liba").await?;
    let live = bench.submit("libc").await?;
    for _ in 0..2 {
        bench.system.cancel(&[live, ended]).await?;
        holds(!state(bench, live).await?.is_live(), "a cancelled task does not live")?;
        equal("the task that had ended", state(bench, ended).await?, TaskState::Closed)?;
    }
    Ok(bench.system.cancel(&[]).await?)
}

/// [`TaskState::Canceled`]: not failed, for that would be the package's fault. I11.
pub(super) async fn a_task_that_a_stranger_cancelled_is_seen_so(bench: &Bench<'_>) -> Verdict {
    bench.ensure().await?;
    let task = bench.submit("liba").await?;
    bench.ground.cancel_by_stranger(task).await?;
    equal("the state", state(bench, task).await?, TaskState::Canceled)?;
    equal("live tasks", bench.search("liba").await?.live, [])
}

/// [`BuildAnswers::tasks`](crate::build_system::BuildAnswers): `None` for a task that is not known any more.
pub(super) async fn a_forgotten_task_is_unknown(bench: &Bench<'_>) -> Verdict {
    let Built { task, nvr } = bench.built("liba").await?;
    bench.ground.forget(task).await?;
    equal("the task", bench.task(task).await?, None)?;
    bench.tag(&bench.spec.tag, &nvr).await?;
    equal("its build, tagged", bench.nvrs_in(&bench.spec.tag).await?, [nvr])
}
