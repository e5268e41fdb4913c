//! Trouble: pauses that grow, patience that ends, builds that are stuck.

use super::samples::{ComponentWords, building, component, document, submitted, waiting};
use super::*;
use crate::model::{Failure, OverWhen, RepoWait, Trouble};
use crate::plan::Why;

fn running() -> ModuleBuild {
    building(vec![component("liba", 2).running(100)])
}

fn hub_down(build: &ModuleBuild, now: Timestamp) -> Plan {
    step_at(build, Seen::nothing().trouble("the hub is down"), now)
}

#[test]
fn the_first_trouble_is_noted_with_a_short_pause() {
    let plan = hub_down(&running(), at(9, 0));
    let last = "the hub is down".to_owned();
    let trouble = Trouble { since: at(9, 0), tries: 1, next_try: at(9, 5), last, over_when: OverWhen::Quiet };
    assert_eq!((plan.build.trouble.as_ref(), acts(&plan)), (Some(&trouble), vec![]));
    let waits = hub_down(&plan.build, at(9, 0));
    assert_quiet(&waits, &plan.build);
    assert_eq!((waits.why.clone(), waits.wake_at), (Why::BackingOff { trouble }, Some(at(9, 5))));
    let (next, since) = (at(9, 5), at(9, 0));
    let why = format!("trying again at {next} (1 tries since {since}): the hub is down");
    assert_eq!(waits.why.to_string(), why);
}

#[test]
fn pauses_double_up_to_the_longest_and_are_kept_in_the_record() {
    let mut build = running();
    let mut now = at(9, 0);
    let mut pauses = Vec::new();
    for _ in 0..10 {
        build = hub_down(&build, now).build;
        let next = build.trouble.as_ref().unwrap().next_try;
        pauses.push(next.duration_since(now).as_secs());
        now = next;
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
    let trouble = build.trouble.unwrap();
    assert_eq!((trouble.tries, trouble.since), (10, at(9, 0)));
}

#[test]
fn a_hint_during_the_pause_counts_nothing_and_starts_nothing() {
    let build = building(vec![component("liba", 2)]);
    let paused = hub_down(&build, at(9, 0)).build;
    assert_quiet(&step_at(&paused, Seen::as_recorded(&paused), at(9, 4)), &paused);
    assert_quiet(&hub_down(&paused, at(9, 4)), &paused);
    let over = step_at(&paused, Seen::as_recorded(&paused), at(9, 5));
    assert_eq!(acts(&over), ["submit liba 1"]);
}

#[test]
fn what_is_observed_during_the_pause_is_taken_in() {
    let paused = hub_down(&running(), at(9, 0)).build;
    let seen = Seen::as_recorded(&paused).task(100).closed("liba-1-1");
    let plan = step_at(&paused, seen, at(9, 1));
    assert!(component_after(&plan, "liba").is_complete() && acts(&plan).is_empty());
}

#[test]
fn trouble_is_forgotten_after_a_success() {
    let paused = hub_down(&running(), at(9, 0)).build;
    let plan = step_at(&paused, Seen::as_recorded(&paused), at(9, 5));
    assert_eq!(plan.build.trouble, None);
}

#[test]
fn trouble_is_kept_until_the_action_that_failed_succeeds() {
    let build = building(vec![component("liba", 2).complete("liba-1-1"), component("prog", 3)]);
    let refused = || Seen::as_recorded(&build).outcome(ActionKey::Tag, Err(unavailable(Effect::Unknown)));
    let once = step_at(&build, refused(), at(9, 0)).build;
    let again = step_at(&once, Seen::as_recorded(&once), at(9, 5));
    assert_eq!((acts(&again).len(), again.build.trouble.as_ref().unwrap().tries), (2, 1));
    let twice = step_at(&again.build, refused(), at(9, 5)).build;
    assert_eq!(twice.trouble.as_ref().unwrap().tries, 2);
}

#[test]
fn trouble_is_kept_while_nobody_knows_whether_a_submission_arrived() {
    let build = building(vec![component("liba", 2).in_doubt()]);
    let key = ActionKey::Submit { package: id("liba"), attempt: 1 };
    let seen = Seen::as_recorded(&build).outcome(key, Err(unavailable(Effect::Unknown)));
    let doubtful = step_at(&build, seen, at(8, 30)).build;
    let waits = step_at(&doubtful, Seen::as_recorded(&doubtful), at(8, 40));
    assert_quiet(&waits, &doubtful);
    let again = step_at(&doubtful, Seen::as_recorded(&doubtful), at(9, 0));
    assert_eq!((acts(&again), again.build.trouble.unwrap().tries), (vec!["submit liba 2".to_owned()], 1));
    let adopted = Seen::as_recorded(&doubtful).found_live("liba", 102);
    assert_eq!(step_at(&doubtful, adopted, at(9, 0)).build.trouble, None);
}

#[test]
fn trouble_with_something_else_is_forgotten_while_a_repository_is_made() {
    let mut build = building(vec![component("liba", 2).running(5)]);
    build.repo = Some(RepoWait { asked_at: at(8, 0), task: Some(TaskId(9)), shows: TagEvent(70) });
    let busy = |build: &ModuleBuild| Seen::as_recorded(build).task(9).is(TaskState::Open, &[]);
    let troubled = step_at(&build, busy(&build).trouble("the hub is down"), at(9, 0)).build;
    assert!(troubled.trouble.is_some());
    assert_eq!(step_at(&troubled, busy(&troubled), at(9, 30)).build.trouble, None);
    let failed = step_at(&build, Seen::as_recorded(&build).task(9).aborted("no disk"), at(9, 0)).build;
    let again = step_at(&failed, Seen::as_recorded(&failed).repo_at(0), at(9, 30)).build;
    assert_eq!(failed.trouble.map(|trouble| trouble.over_when), Some(OverWhen::Repository));
    assert!(again.trouble.is_none() || again.repo.is_some(), "{again:?}");
}

#[test]
fn a_stray_task_that_may_not_be_cancelled_harms_nobody() {
    let build = running();
    let plan = step(&build, Seen::as_recorded(&build).outcome(ActionKey::Cancel, Err(denied())));
    assert_eq!((plan.build.state(), plan.build.trouble), (State::Build, None));
}

#[test]
fn what_was_begun_is_taken_in_by_a_build_that_fails_over_something_else() {
    let mut build = running();
    build.repo = Some(RepoWait { asked_at: at(8, 0), task: None, shows: TagEvent(70) });
    let asked = Ok(Outcome::RepoRequested(Some(TaskId(9))));
    let seen = Seen::as_recorded(&build).outcome(ActionKey::Repo, asked);
    let plan = step(&build, seen.outcome(ActionKey::Tag, Err(denied())));
    assert_eq!(plan.build.state(), State::Failed);
    assert_eq!(plan.build.repo_tasks().collect::<Vec<_>>(), [TaskId(9)]);
}

#[test]
fn a_transient_fault_ends_no_build_before_patience_is_used_up() {
    for build in [submitted(document(&[])), waiting(vec![component("liba", 2)]), running()] {
        let first = hub_down(&build, at(9, 0)).build;
        let late = hub_down(&first, at(8 + 24 * 60, 59)).build;
        assert_eq!(late.state(), build.state());
        let patience_ends = at(9 + 24 * 60, 0);
        assert_fails(&hub_down(&first, patience_ends), "the hub is down", Failure::Infra);
    }
}

#[test]
fn a_permanent_error_fails_a_build_at_once_as_infrastructure() {
    for build in [submitted(document(&[])), waiting(vec![]), running()] {
        let plan = step(&build, Seen::nothing().permanent_trouble("the login expired"));
        assert_fails(&plan, "the login expired", Failure::Infra);
    }
    let mut build = building(vec![component("liba", 2)]);
    build.buildroot = None;
    let key = ActionKey::Buildroot(crate::model::Digest("d1".into()));
    let conflict = BuildSystemError::Conflict { what: "the target has other tags".into() };
    let plan = step(&build, Seen::as_recorded(&build).outcome(key, Err(conflict)));
    assert_fails(&plan, "the target has other tags", Failure::Infra);
}

#[test]
fn nothing_more_is_asked_once_asking_failed() {
    let seen = Seen::nothing().trouble("the hub is down");
    for build in [submitted(document(&[])), waiting(vec![component("liba", 2)]), running()] {
        assert!(missing(&build, &seen.0, &Policy::default()).is_empty());
    }
}

#[test]
fn a_build_without_progress_for_a_week_is_given_up_where_that_is_configured() {
    let build = running();
    let seen = || Seen::as_recorded(&build);
    let almost = days(7);
    assert_eq!(step_at(&build, seen(), almost).build.state(), State::Build);
    let plan = step_at(&build, seen(), days(8));
    assert_fails(&plan, "The module build made no progress in build for 7 days.", Failure::Infra);
    let waits = waiting(vec![component("liba", 2)]);
    let draining = Seen::nothing().draining();
    assert_eq!(step_at(&waits, draining, days(8)).build.state(), State::Wait);
}

#[test]
fn what_an_operator_holds_back_is_not_stuck() {
    let init = submitted(document(&[]));
    assert_eq!(step_at(&init, Seen::nothing().draining(), days(8)).build.state(), State::Init);
    let mut in_line = running();
    in_line.line = Some(crate::model::Line { since: at(0, 0), wants: 1 });
    assert_eq!(step_at(&in_line, Seen::as_recorded(&in_line), days(8)).build.state(), State::Build);
}

#[test]
fn asking_in_vain_again_and_again_is_no_progress() {
    let mut build = building(vec![component("liba", 2).complete("liba-1-1"), component("prog", 3)]);
    build.components[1].tag_asked_at = Some(days(7));
    let plan = step_at(&build, Seen::as_recorded(&build), days(8));
    assert_eq!(plan.build.state(), State::Failed);
}

#[test]
fn a_new_attempt_is_progress() {
    let mut build = running();
    build.components[1].attempts[0].intended_at = days(7);
    assert_quiet(&step_at(&build, Seen::as_recorded(&build), days(8)), &build);
}

#[test]
fn a_contradiction_is_looked_at_ever_more_rarely_and_out_of_the_line() {
    let what = super::super::Impossible { what: "both at once".into() };
    let mut build = running();
    build.line = Some(crate::model::Line { since: at(8, 0), wants: 1 });
    let shelve = |build: &ModuleBuild, now| super::super::shelved(build, &what, &Policy::default(), now);
    let first = shelve(&build, at(9, 0));
    let pause = first.trouble.clone().unwrap();
    assert_eq!((first.line, pause.last.as_str()), (None, "both at once"));
    assert_eq!(shelve(&first, at(9, 1)), first);
    let second = shelve(&first, pause.next_try).trouble.unwrap();
    let length = |from: Timestamp, to: Timestamp| to.duration_since(from);
    assert!(length(pause.next_try, second.next_try) > length(at(9, 0), pause.next_try));
}
