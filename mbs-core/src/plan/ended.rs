//! The states `done`, `ready` and `garbage`: nothing is asked, only timers run.

use super::step::{Step, later};
use super::{Action, ActionKey, Impossible, Why, buildroot};
use crate::model::State;

/// A build that is done becomes ready at once; a scratch build stays.
pub(super) fn plan_done(step: &mut Step<'_>) -> Result<(), Impossible> {
    if !step.build.new.scratch {
        step.build.enter(State::Ready, None, step.now)?;
    }
    plan_ended(step);
    Ok(())
}

/// Removes the target of an ended build when its time has come.
pub(super) fn plan_ended(step: &mut Step<'_>) {
    match step.seen.outcome(&ActionKey::RemoveTarget) {
        Some(Ok(_)) => step.build.is_target_removed = true,
        Some(Err(error)) if !error.is_transient() => {
            step.build.is_target_removed = true;
            step.notes.push(format!("the target stays, since it cannot be removed: {error}").into());
        }
        Some(Err(_)) | None => {}
    }
    step.why = Why::Finished;
    let (Some(completed_at), Some(target)) =
        (step.build.life.completed_at(), buildroot::target_of(&step.build))
    else {
        return;
    };
    if step.build.is_target_removed || !step.policy.is_module_tag(&target) {
        return;
    }
    let at = later(completed_at, step.policy.koji_target_delete_time);
    if step.now < at {
        step.why = Why::Timer { what: format!("the target {target} is removed"), at };
    } else if !step.is_backing_off() {
        step.actions.push(Action::RemoveTarget(target));
    }
}
