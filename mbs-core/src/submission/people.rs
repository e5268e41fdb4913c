//! What people may do to a build: go on with a failed one, cancel a running one. Source: behaviour, sections 3 and 9.

use jiff::Timestamp;

use super::Refused;
use crate::ident::Batch;
use crate::model::{BuildState, ComponentBuild, Failure, ModuleBuild, RebuildStrategy, State};

/// Returns the record of a failed build that is submitted again: back to `init` if it failed there, else to `wait` before
/// the first batch. Components that are not complete are unstarted again.
///
/// Document, commits, verdicts and tags of the first try stay, and so do all attempts: one that still lives keeps its slot,
/// and no new one begins before it is seen ended. What was ensured is forgotten, so that it is ensured anew.
/// `strategy` is the one that was asked for; `None` if none was.
///
/// # Errors
/// `StrategyChanged`: another strategy was asked for. `NotResumable`: it is not failed, or it is a scratch build.
pub fn resume(
    build: &ModuleBuild,
    user: &str,
    strategy: Option<RebuildStrategy>,
    now: Timestamp,
) -> Result<ModuleBuild, Refused> {
    if build.new.scratch {
        return Err(not_resumable(build, "a scratch build".into()));
    }
    if build.state() != State::Failed {
        return Err(not_resumable(build, format!("in the state {}", build.state())));
    }
    if strategy.is_some_and(|wanted| wanted != build.new.strategy) {
        return Err(Refused::StrategyChanged);
    }
    let mut resumed = build.clone();
    let to = if build.life.failed_in() == Some(State::Init) { State::Init } else { State::Wait };
    let reason = format!("Resubmitted by {user}");
    resumed.enter(to, Some(reason), now).map_err(|illegal| not_resumable(build, illegal.from.to_string()))?;
    for component in &mut resumed.components {
        restart(component);
    }
    resumed.batch = Batch(0);
    resumed.buildroot = None;
    (resumed.repo, resumed.repo_before) = (None, None);
    resumed.trouble = None;
    (resumed.line, resumed.kept_turn) = (None, None);
    resumed.is_target_removed = false;
    Ok(resumed)
}

fn not_resumable(build: &ModuleBuild, what: String) -> Refused {
    Refused::NotResumable { nsvc: Box::new(build.nsvc().clone()), what }
}

fn restart(component: &mut ComponentBuild) {
    if matches!(component.state, None | Some(BuildState::Complete)) {
        return;
    }
    component.state = None;
    component.reason = None;
    component.task = None;
    component.nvr = None;
    component.tagged = false;
    component.tagged_in_final = false;
    component.tag_asked_at = None;
    component.retry_at = None;
}

/// Returns the record of a build that its owner, or an administrator, cancels: failed, and unsettled until the build system
/// shows no live task of it. Components are left alone; the next look sees to them.
///
/// # Errors
/// `NotCancellable`: it is not in `init`, `wait` or `build`.
pub fn cancel(build: &ModuleBuild, user: &str, now: Timestamp) -> Result<ModuleBuild, Refused> {
    if !build.state().can_be_cancelled() {
        return Err(Refused::NotCancellable);
    }
    let mut cancelled = build.clone();
    let reason = format!("Canceled by {user}.");
    cancelled.life.fail(reason, Failure::Unspec, now).map_err(|_| Refused::NotCancellable)?;
    (cancelled.line, cancelled.kept_turn) = (None, None);
    cancelled.trouble = None;
    Ok(cancelled)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, build};
    use super::*;
    use crate::ident::{Package, TaskId};
    use crate::model::{Attempt, ComponentSource, Line, OverWhen, RepoWait, Trouble, Verdict, WhyRebuild};

    const NSVC: &str = "app:1:7:c0ffee00";

    fn component(package: &str, state: Option<BuildState>) -> ComponentBuild {
        ComponentBuild {
            state,
            reason: state.map(|_| "some reason".into()),
            nvr: (state == Some(BuildState::Complete)).then(|| "a-1-1".parse().unwrap()),
            task: state.map(|_| TaskId(5)),
            verdict: Some(Verdict::Rebuild(WhyRebuild::NoSource)),
            tagged: state == Some(BuildState::Complete),
            ..ComponentBuild::new(Package::new(package).unwrap(), ComponentSource::Srpm("x".into()), Batch(2))
        }
    }

    fn failed_in_build() -> ModuleBuild {
        let mut build = build(7, NSVC);
        build.enter(State::Wait, None, at(1)).unwrap();
        build.enter(State::Build, None, at(2)).unwrap();
        build.batch = Batch(3);
        build.components = vec![
            component("done", Some(BuildState::Complete)).into(),
            component("broken", Some(BuildState::Failed)).into(),
            component("running", Some(BuildState::Building)).into(),
            component("cancelled", Some(BuildState::Canceled)).into(),
            component("later", None).into(),
        ];
        build.life.fail("broken failed".into(), Failure::User, at(3)).unwrap();
        build
    }

    #[test]
    fn a_resumed_build_waits_again_before_its_first_batch() {
        let resumed = resume(&failed_in_build(), "bert", None, at(9)).unwrap();
        assert_eq!((resumed.state(), resumed.batch), (State::Wait, Batch(0)));
        assert_eq!(resumed.life.reason(), Some("Resubmitted by bert"));
        assert_eq!((resumed.life.completed_at(), resumed.life.changed_at()), (None, at(9)));
        assert_eq!(resumed.new, failed_in_build().new);
    }

    #[test]
    fn a_build_that_failed_in_init_begins_there_again() {
        let mut build = build(7, NSVC);
        build.life.fail("no such ref".into(), Failure::User, at(1)).unwrap();
        assert_eq!(resume(&build, "bert", None, at(2)).unwrap().state(), State::Init);
    }

    #[test]
    fn a_build_that_failed_twice_goes_by_where_it_failed_last() {
        let mut build = build(7, NSVC);
        build.life.fail("no such ref".into(), Failure::User, at(1)).unwrap();
        let mut again = resume(&build, "bert", None, at(2)).unwrap();
        again.enter(State::Wait, None, at(3)).unwrap();
        again.life.fail("no tag".into(), Failure::Infra, at(4)).unwrap();
        assert_eq!(resume(&again, "bert", None, at(5)).unwrap().state(), State::Wait);
    }

    #[test]
    fn complete_components_stay_and_all_others_are_unstarted_without_reason() {
        let before = failed_in_build();
        let resumed = resume(&before, "bert", None, at(9)).unwrap();
        assert_eq!(resumed.components[0], before.components[0]);
        assert_eq!(resumed.components[4], before.components[4]);
        for component in &resumed.components[1..] {
            let seen = (component.state, &component.reason, component.task, &component.nvr);
            assert_eq!(seen, (None, &None, None, &None), "{}", component.package);
        }
    }

    #[test]
    fn a_live_attempt_stays_and_keeps_its_slot() {
        let mut failed = failed_in_build();
        let attempt =
            Attempt { number: 1, intended_at: at(2), not_after: at(3), task: Some(TaskId(5)), end: None };
        failed.components[2].attempts = vec![attempt.clone()];
        let resumed = resume(&failed, "bert", None, at(9)).unwrap();
        assert_eq!(resumed.components[2].attempts, [attempt]);
        assert_eq!(resumed.slots_held(), 1);
    }

    #[test]
    fn what_was_ensured_or_went_wrong_is_forgotten_on_resume() {
        let mut failed = failed_in_build();
        failed.is_target_removed = true;
        failed.repo = Some(RepoWait { asked_at: at(2), task: None, shows: crate::ident::TagEvent(0) });
        failed.trouble = Some(Trouble {
            since: at(2),
            tries: 3,
            next_try: at(99),
            last: "down".into(),
            over_when: OverWhen::Quiet,
        });
        failed.buildroot = Some(crate::model::Buildroot {
            digest: crate::model::Digest("d1".into()),
            event: crate::ident::TagEvent(1),
        });
        let resumed = resume(&failed, "bert", None, at(9)).unwrap();
        assert_eq!(
            (resumed.is_target_removed, resumed.repo, resumed.trouble, resumed.buildroot),
            (false, None, None, None)
        );
    }

    #[test]
    fn another_strategy_is_refused_on_resume_and_the_same_one_is_fine() {
        let with = |strategy| resume(&failed_in_build(), "bert", Some(strategy), at(9));
        assert_eq!(with(RebuildStrategy::All), Err(Refused::StrategyChanged));
        assert!(with(RebuildStrategy::ChangedAndAfter).is_ok());
    }

    #[test]
    fn what_has_not_failed_or_is_scratch_cannot_be_resumed() {
        assert!(matches!(resume(&build(7, NSVC), "bert", None, at(9)), Err(Refused::NotResumable { .. })));
        let mut scratch = failed_in_build();
        scratch.new.scratch = true;
        let text = resume(&scratch, "bert", None, at(9)).unwrap_err().to_string();
        assert_eq!(text, "The module build app:1:7:c0ffee00 cannot be resumed: it is a scratch build");
        let mut retired = failed_in_build();
        retired.enter(State::Garbage, None, at(4)).unwrap();
        assert!(resume(&retired, "bert", None, at(9)).is_err());
    }

    #[test]
    fn a_cancelled_build_has_failed_at_once_and_is_unsettled() {
        let mut running = build(7, NSVC);
        running.enter(State::Wait, None, at(1)).unwrap();
        running.enter(State::Build, None, at(2)).unwrap();
        running.components = vec![component("running", Some(BuildState::Building)).into()];
        running.line = Some(Line { since: at(2), wants: 1 });
        let cancelled = cancel(&running, "anna", at(5)).unwrap();
        assert_eq!((cancelled.state(), cancelled.life.reason()), (State::Failed, Some("Canceled by anna.")));
        assert_eq!((cancelled.life.failure(), cancelled.life.is_settled()), (Some(Failure::Unspec), false));
        assert_eq!((cancelled.life.completed_at(), cancelled.line), (Some(at(5)), None));
        assert_eq!(cancelled.components, running.components);
    }

    #[test]
    fn what_has_ended_cannot_be_cancelled() {
        let failed = failed_in_build();
        assert_eq!(cancel(&failed, "anna", at(5)), Err(Refused::NotCancellable));
        assert!(cancel(&build(7, NSVC), "anna", at(5)).is_ok());
    }
}
