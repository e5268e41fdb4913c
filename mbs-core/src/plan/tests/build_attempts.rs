//! The state `build`: attempts, their ends, what is adopted instead of submitted.

use super::samples::{ComponentWords, MACROS_NVR, building, component, just_in_build, macros};
use super::*;
use crate::ident::{Batch, Weight};
use crate::model::{AttemptEnd, BuildState, ComponentBuild, Failure};
use crate::plan::Why;
use crate::store::Slots;

/// Plans for a build of one component in batch 2, with another component behind it.
fn with(liba: ComponentBuild, observe: impl Fn(Seen) -> Seen) -> Plan {
    let build = building(vec![liba, component("prog", 3)]);
    step(&build, observe(Seen::as_recorded(&build)))
}

fn last_end(plan: &Plan, package: &str) -> AttemptEnd {
    component_after(plan, package).attempts.last().unwrap().end.clone().unwrap()
}

#[test]
fn an_attempt_is_recorded_before_it_is_sent() {
    let plan = with(component("liba", 2), |seen| seen);
    let liba = component_after(&plan, "liba");
    assert_eq!((liba.state, liba.is_in_doubt()), (Some(BuildState::Building), true));
    let attempt = liba.live_attempt().unwrap();
    assert_eq!((attempt.number, attempt.intended_at, attempt.not_after), (1, at(9, 0), at(9, 30)));
    assert_eq!((acts(&plan), plan.why), (vec!["submit liba 1".to_owned()], Why::GoingOn));
}

#[test]
fn nothing_is_submitted_before_it_was_searched_for() {
    let build = building(vec![component("liba", 2)]);
    let mut seen = Seen::as_recorded(&build);
    seen.0.searched.clear();
    let plan = step(&build, seen);
    assert_eq!((acts(&plan), plan.build.slots_held()), (Vec::<String>::new(), 0));
}

fn searched_for(build: &ModuleBuild, in_use: u32, limit: u32) -> Vec<String> {
    let seen = Seen::nothing().slots(in_use, limit).0;
    let search = missing(build, &seen, &Policy::default()).build.search;
    search.iter().flat_map(|search| search.packages.keys()).map(ToString::to_string).collect()
}

#[test]
fn of_a_batch_no_more_is_searched_for_than_may_be_submitted_in_the_look() {
    let heavy = |name, weight: f64| ComponentBuild { weight: Weight::new(weight), ..component(name, 2) };
    let idle = building(vec![heavy("liba", 1.0), heavy("libb", 3.0), heavy("libc", 2.0)]);
    assert_eq!(searched_for(&idle, 8, 10), ["libb", "libc"]);
    assert_eq!(searched_for(&idle, 10, 10), Vec::<String>::new());
    let busy = building(vec![component("prog", 2).running(5), heavy("liba", 1.0), heavy("libb", 3.0)]);
    assert_eq!(searched_for(&busy, 10, 10), ["libb"], "its own task may end in this look");
    let mut pausing = heavy("liba", 9.0);
    pausing.retry_at = Some(at(10, 0));
    let mixed = building(vec![component("prog", 2).running(5), heavy("libb", 2.0), pausing]);
    assert_eq!(searched_for(&mixed, 10, 10), ["liba", "libb"], "whose own pause may last takes no place");
}

#[test]
fn a_search_asks_for_our_target_and_dist_tag_in_both_tags() {
    let build = building(vec![component("liba", 2), component("prog", 3)]);
    let search = missing(&build, &Observation::default(), &Policy::default()).build.search.unwrap();
    assert_eq!(search.tags, [id(BUILD_TAG), id(TAG)]);
    assert_eq!((search.packages, search.dist_suffix.as_str()), ([(id("liba"), id(TAG))].into(), DIST));
}

#[test]
fn one_round_asks_for_tasks_tags_repository_and_search() {
    let build = building(vec![component("liba", 2).running(100), component("libb", 2)]);
    let asked = missing(&build, &Observation::default(), &Policy::default()).build;
    assert_eq!((asked.tasks, asked.repo_of), ([TaskId(100)].into(), Some(id(BUILD_TAG))));
    assert_eq!((asked.tags, asked.search.is_some()), ([id(BUILD_TAG), id(TAG)].into(), true));
}

#[test]
fn what_an_action_of_this_look_brought_is_not_asked_for_again() {
    let mut build = building(vec![component("liba", 2).in_doubt()]);
    let submitted =
        (ActionKey::Submit { package: id("liba"), attempt: 1 }, Ok(Outcome::Submitted(TaskId(5))));
    let mut seen = Seen::as_recorded(&build).outcome(submitted.0, submitted.1);
    seen.0.build.tasks = None;
    build = step(&build, Seen(seen.0.clone())).build;
    assert_eq!(build.component("liba").unwrap().task, Some(TaskId(5)));
    assert!(missing(&build, &seen.0, &Policy::default()).is_empty());
}

#[test]
fn a_task_that_ended_well_completes_its_component() {
    let plan = with(component("liba", 2).running(100), |seen| seen.task(100).closed("liba-1-1"));
    let liba = component_after(&plan, "liba");
    assert_eq!((liba.state, liba.nvr.clone()), (Some(BuildState::Complete), Some(id("liba-1-1"))));
    assert_eq!((liba.reason.as_deref(), liba.holds_slot()), (None, false));
}

#[test]
fn a_running_batch_names_its_tasks_and_is_looked_at_by_the_poll_floor() {
    let plan = with(component("liba", 2).running(100), |seen| seen);
    let since = at(8, 0);
    let why = format!("waiting for 1 of 1 builds of batch 2: liba (task 100, since {since})");
    assert_eq!((plan.why.to_string(), plan.wake_at), (why, Some(at(9, 30))));
}

#[test]
fn the_rest_of_a_batch_is_built_though_one_failed_and_nothing_of_it_is_tagged() {
    let build = building(vec![
        component("liba", 2).running(100),
        component("libb", 2).running(101),
        component("libc", 2),
        component("prog", 3),
    ]);
    let failed = step(&build, Seen::as_recorded(&build).task(100).failed("no compiler"));
    assert_eq!((acts(&failed), failed.build.state()), (vec!["submit libc 1".to_owned()], State::Build));
    let waits = step(&failed.build, Seen::as_recorded(&failed.build).task(101).closed("libb-1-1"));
    assert_eq!((acts(&waits), waits.build.state()), (vec![], State::Build));
}

#[test]
fn a_module_fails_by_its_packager_when_the_rest_of_the_batch_has_ended() {
    let build = building(vec![
        component("liba", 2).failed("no compiler"),
        component("libb", 2).running(101),
        component("libc", 2).running(102),
        component("prog", 3),
    ]);
    let seen = Seen::as_recorded(&build).task(101).closed("libb-1-1").task(102).failed("no header");
    let plan = step(&build, seen);
    assert_fails(&plan, "Component(s) liba, libc failed to build.", Failure::User);
    assert_eq!(component_after(&plan, "libc").reason.as_deref(), Some("no header"));
    assert_eq!(component_after(&plan, "libb").tag_asked_at, None);
}

#[test]
fn macros_that_do_not_build_fail_the_module() {
    let build = just_in_build(vec![macros().running(5), component("liba", 2)], Batch(1));
    let plan = step(&build, Seen::as_recorded(&build).task(5).failed("no rpmbuild"));
    assert_fails(&plan, "Component(s) module-build-macros failed to build.", Failure::User);
}

#[test]
fn why_a_task_failed_is_asked_for_before_it_counts_as_failed() {
    let build = building(vec![component("liba", 2).running(100)]);
    let seen = Seen::as_recorded(&build).task(100).is(TaskState::Failed, &[]);
    let asked = missing(&build, &seen.0, &Policy::default()).build.failures;
    assert_eq!(asked, [TaskId(100)].into());
    assert_quiet(&step(&build, seen), &build);
}

#[test]
fn an_aborted_task_is_tried_again() {
    let aborted = with(component("liba", 2).running(100), |seen| seen.task(100).cancelled());
    assert_eq!(last_end(&aborted, "liba"), AttemptEnd::Aborted("task 100 was cancelled".into()));
    assert_eq!(component_after(&aborted, "liba").state, None);
    let again = step(&aborted.build, Seen::as_recorded(&aborted.build));
    assert_eq!(acts(&again), ["submit liba 2"]);
    assert_eq!(component_after(&again, "liba").attempts.len(), 2);
}

#[test]
fn every_way_in_which_the_build_system_gives_up_is_an_abort() {
    let liba = || component("liba", 2).running(100);
    let end = |observe: fn(Seen) -> Seen| last_end(&with(liba(), observe), "liba");
    let aborted = |how: &str| AttemptEnd::Aborted(how.into());
    assert_eq!(end(|seen| seen.task(100).gone()), AttemptEnd::Vanished);
    assert_eq!(end(|seen| seen.task(100).aborted("the builder died")), aborted("the builder died"));
    let two = |seen: Seen| seen.task(100).is(TaskState::Closed, &["liba-1-1", "libx-1-1"]);
    assert_eq!(end(two), aborted("task 100 ended with 2 builds instead of one"));
    let none = |seen: Seen| seen.task(100).is(TaskState::Closed, &[]);
    assert_eq!(end(none), aborted("task 100 ended with 0 builds instead of one"));
}

#[test]
fn a_component_that_is_aborted_too_often_fails_the_module_by_the_infrastructure() {
    let aborted = || AttemptEnd::Aborted("the builder died".into());
    let liba = component("liba", 2).tried(aborted()).tried(aborted()).running(100);
    let plan = with(liba, |seen| seen.task(100).cancelled());
    assert_fails(&plan, "Component(s) liba failed to build.", Failure::Infra);
    let reason = "The build system gave up 3 times; the last time: task 100 was cancelled";
    assert_eq!(component_after(&plan, "liba").reason.as_deref(), Some(reason));
}

#[test]
fn a_component_whose_task_vanished_is_tried_again_at_once_and_within_a_budget_of_its_own() {
    let gone = |liba| with(liba, |seen| seen.task(100).gone());
    let once = gone(component("liba", 2).tried(AttemptEnd::Aborted("the builder died".into())).running(100));
    assert_eq!(component_after(&once, "liba").retry_at, None);
    let vanished = || AttemptEnd::Vanished;
    let often = gone(component("liba", 2).tried(vanished()).tried(vanished()).running(100));
    assert_fails(&often, "Component(s) liba failed to build.", Failure::Infra);
    assert_eq!(
        component_after(&often, "liba").reason.as_deref(),
        Some("The build system lost its task 3 times")
    );
}

#[test]
fn what_just_broke_is_tried_again_after_a_pause_that_doubles() {
    let broke = |liba| with(liba, |seen| seen.task(100).aborted("the builder died"));
    let first = broke(component("liba", 2).running(100));
    assert_eq!((acts(&first), component_after(&first, "liba").retry_at), (vec![], Some(at(9, 5))));
    let waits = step(&first.build, Seen::as_recorded(&first.build));
    assert_quiet(&waits, &first.build);
    assert_eq!(waits.wake_at, Some(at(9, 5)));
    assert!(waits.why.to_string().ends_with("liba is tried again"), "{}", waits.why);
    let again = step_at(&first.build, Seen::as_recorded(&first.build), at(9, 5));
    assert_eq!(
        (acts(&again), component_after(&again, "liba").retry_at),
        (vec!["submit liba 2".to_owned()], None)
    );
    let died = AttemptEnd::Aborted("the builder died".into());
    let second = broke(component("liba", 2).tried(died).running(100));
    assert_eq!(component_after(&second, "liba").retry_at, Some(at(9, 10)));
}

#[test]
fn the_last_retry_is_still_made() {
    let liba = component("liba", 2).tried(AttemptEnd::Aborted("the builder died".into())).running(100);
    let aborted = with(liba, |seen| seen.task(100).cancelled());
    let again = step(&aborted.build, Seen::as_recorded(&aborted.build));
    assert_eq!(acts(&again), ["submit liba 3"]);
}

#[test]
fn a_module_is_failed_by_its_packager_if_any_component_is_at_fault() {
    let aborted = || AttemptEnd::Aborted("the builder died".into());
    let libb = component("libb", 2).tried(aborted()).tried(aborted()).tried(aborted());
    let build = building(vec![component("liba", 2).failed("no compiler"), libb]);
    let plan = step(&build, Seen::as_recorded(&build));
    assert_fails(&plan, "Component(s) liba, libb failed to build.", Failure::User);
}

#[test]
fn attempts_that_never_arrived_do_not_count_against_the_retries() {
    let lost = || AttemptEnd::Lost;
    let liba = component("liba", 2).tried(lost()).tried(lost()).tried(lost()).tried(lost());
    assert_eq!(acts(&with(liba, |seen| seen)), ["submit liba 5"]);
}

#[test]
fn attempts_before_a_resume_do_not_count_against_the_retries() {
    let mut liba = component("liba", 2);
    for _ in 0..3 {
        liba = liba.tried(AttemptEnd::Aborted("the builder died".into()));
        liba.attempts.iter_mut().for_each(|attempt| attempt.intended_at = at(-5, 0));
    }
    assert_eq!(acts(&with(liba, |seen| seen)), ["submit liba 4"]);
}

#[test]
fn an_attempt_in_doubt_is_not_given_up_before_the_margin_has_passed() {
    let build = building(vec![component("liba", 2).in_doubt()]);
    let seen = || Seen::as_recorded(&build);
    let early = step_at(&build, seen(), at(8, 59));
    assert_quiet(&early, &build);
    assert_eq!(early.why, Why::InDoubt { component: id("liba"), until: at(9, 0) });
    assert_eq!(early.wake_at, Some(at(9, 0)));
    let lost = step_at(&build, seen(), at(9, 0));
    assert_eq!(component_after(&lost, "liba").attempts[0].end, Some(AttemptEnd::Lost));
}

#[test]
fn a_doubt_is_looked_at_when_it_ends_though_others_are_built_meanwhile() {
    let build = building(vec![component("liba", 2).in_doubt(), component("libb", 2).running(5)]);
    let plan = step_at(&build, Seen::as_recorded(&build), at(8, 40));
    assert!(matches!(plan.why, Why::Building { .. }), "{}", plan.why);
    assert_eq!(plan.wake_at, Some(at(9, 0)));
}

#[test]
fn a_search_that_began_before_a_doubt_ended_is_made_again_at_once() {
    let build = building(vec![component("liba", 2).in_doubt(), component("libb", 2).running(5)]);
    let mut seen = Seen::as_recorded(&build);
    seen.0.searched.insert(id("liba"), at(8, 59));
    let plan = step_at(&build, seen, at(9, 1));
    assert!(matches!(plan.why, Why::Building { .. }), "{}", plan.why);
    assert_eq!(plan.wake_at, Some(at(9, 1)));
}

#[test]
fn a_pause_that_is_over_makes_nobody_look_all_the_time_while_it_waits_for_a_slot() {
    let mut liba = component("liba", 2).tried(AttemptEnd::Aborted("the builder died".into()));
    liba.retry_at = Some(at(8, 50));
    let mut build = building(vec![liba]);
    let seen = |build: &ModuleBuild| {
        let mut seen = Seen::as_recorded(build);
        seen.0.slots = Slots { limit: Some(1), in_use: 1, ..Slots::default() };
        seen
    };
    build = step_at(&build, seen(&build), at(9, 0)).build;
    let plan = step_at(&build, seen(&build), at(9, 1));
    assert!(matches!(plan.why, Why::WaitingForSlot { .. }), "{}", plan.why);
    assert!(plan.wake_at > Some(at(9, 2)), "{:?}", plan.wake_at);
}

#[test]
fn a_build_system_that_knows_that_no_call_is_under_way_ends_the_doubt_at_once() {
    let build = building(vec![component("liba", 2).in_doubt()]);
    let mut seen = Seen::as_recorded(&build);
    seen.0.build.search.as_mut().unwrap().is_final = true;
    let plan = step_at(&build, seen, at(8, 1));
    assert_eq!(component_after(&plan, "liba").attempts[0].end, Some(AttemptEnd::Lost));
}

#[test]
fn an_attempt_in_doubt_adopts_the_live_task_it_left() {
    let plan = with(component("liba", 2).in_doubt(), |seen| seen.found_live("liba", 102));
    let liba = component_after(&plan, "liba");
    assert_eq!((liba.task, liba.live_attempt().unwrap().task), (Some(TaskId(102)), Some(TaskId(102))));
    assert_eq!(acts(&plan), Vec::<String>::new());
}

#[test]
fn of_two_live_tasks_the_older_is_kept_and_the_other_cancelled() {
    let two = |seen: Seen| seen.found_live("liba", 102).found_live("liba", 105);
    let plan = with(component("liba", 2).in_doubt(), two);
    assert_eq!(component_after(&plan, "liba").task, Some(TaskId(102)));
    assert_eq!(acts(&plan), ["cancel 105"]);
}

#[test]
fn a_task_that_a_lost_attempt_made_after_all_is_found_and_cancelled() {
    let liba = component("liba", 2).tried(AttemptEnd::Lost).running(104);
    let build = building(vec![liba]);
    let search = missing(&build, &Observation::default(), &Policy::default()).build.search.unwrap();
    assert_eq!(search.packages, [(id("liba"), id(TAG))].into());
    let seen = || Seen::as_recorded(&build).found_live("liba", 104).found_live("liba", 105);
    let plan = step(&build, seen());
    assert_eq!((acts(&plan), plan.build.clone()), (vec!["cancel 105".to_owned()], build.clone()));
    let done = step(&build, seen().outcome(ActionKey::Cancel, Ok(Outcome::Done)));
    assert_quiet(&done, &build);
}

#[test]
fn an_attempt_in_doubt_adopts_the_build_it_left() {
    let plan = with(component("liba", 2).in_doubt(), |seen| seen.found_built("liba-1-1", None));
    let liba = component_after(&plan, "liba");
    assert_eq!(
        (liba.state, liba.reason.as_deref()),
        (Some(BuildState::Complete), Some("Found existing build"))
    );
    assert_eq!(
        (liba.task, last_end(&plan, "liba")),
        (Some(TaskId(77)), AttemptEnd::Complete(id("liba-1-1")))
    );
}

#[test]
fn an_existing_build_is_adopted_before_anything_is_submitted() {
    let adopted = |tag| {
        let plan = with(component("liba", 2), |seen| seen.found_built("liba-1-1", tag));
        let liba = component_after(&plan, "liba");
        assert_eq!((liba.nvr.clone(), liba.task), (Some(id("liba-1-1")), Some(TaskId(77))));
        assert_eq!((liba.reason.as_deref(), liba.attempts.len()), (Some("Found existing build"), 0));
        acts(&plan)
    };
    for tag in [Some(BUILD_TAG), Some(TAG), None] {
        assert_eq!(adopted(tag), Vec::<String>::new(), "{tag:?}");
    }
}

#[test]
fn an_adopted_build_is_tagged_where_it_is_missing() {
    let observe =
        |seen: Seen| seen.found_built("liba-1-1", Some(BUILD_TAG)).tagged(BUILD_TAG, "liba-1-1", 55);
    let adopted = with(component("liba", 2), observe);
    let plan = step(&adopted.build, observe(Seen::as_recorded(&adopted.build)));
    assert_eq!(acts(&plan), ["liba-1-1 into final tag"]);
}

#[test]
fn existing_macros_are_adopted_tagged_and_join_the_groups() {
    let build = just_in_build(vec![macros(), component("liba", 2)], Batch(1));
    let adopted = step(&build, Seen::as_recorded(&build).found_built(MACROS_NVR, None));
    assert!(adopted.build.components[0].is_complete() && adopted.build.slots_held() == 0);
    let plan = step(&adopted.build, Seen::as_recorded(&adopted.build));
    assert_eq!(acts(&plan), [format!("{MACROS_NVR} into build tag")]);
    let plan = step(&plan.build, Seen::as_recorded(&plan.build).tagged(BUILD_TAG, MACROS_NVR, 51));
    assert_eq!(acts(&plan), ["buildroot"]);
}

#[test]
fn the_build_tag_counts_before_the_final_tag_and_that_before_untagged_builds() {
    let chosen = |order: [(&str, Option<&str>); 2]| {
        let plan = with(component("liba", 2), |seen| {
            order.iter().fold(seen, |seen, (nvr, tag)| seen.found_built(nvr, *tag))
        });
        component_after(&plan, "liba").nvr.as_ref().unwrap().to_string()
    };
    let (in_build, in_final, loose) =
        (("liba-1-1", Some(BUILD_TAG)), ("liba-2-1", Some(TAG)), ("liba-3-1", None));
    assert_eq!(chosen([in_build, in_final]), "liba-1-1");
    assert_eq!(chosen([in_final, in_build]), "liba-1-1");
    assert_eq!(chosen([loose, in_final]), "liba-2-1");
    assert_eq!(chosen([loose, in_build]), "liba-1-1");
}

#[test]
fn two_builds_of_a_package_in_one_tag_fail_the_build() {
    let build = building(vec![component("liba", 2)]);
    let two = |tag| Seen::as_recorded(&build).found_built("liba-1-1", tag).found_built("liba-2-1", tag);
    let what = format!("The tag {BUILD_TAG} holds two builds of liba: liba-1-1 and liba-2-1.");
    assert_fails(&step(&build, two(Some(BUILD_TAG))), &what, Failure::Infra);
    let loose = step(&build, two(None));
    assert_eq!(component_after(&loose, "liba").nvr, Some(id("liba-1-1")));
}

#[test]
fn what_fails_of_an_earlier_submission_does_not_fail_the_new_one() {
    let mut liba = component("liba", 2).running(100);
    liba.state = None;
    let plan = with(liba, |seen| seen.task(100).failed("no compiler"));
    let liba = component_after(&plan, "liba");
    assert_eq!((plan.build.state(), liba.state, plan.build.slots_held()), (State::Build, None, 0));
    assert!(matches!(liba.attempts[0].end, Some(AttemptEnd::Failed { .. })), "{:?}", liba.attempts);
}

#[test]
fn a_live_task_left_over_is_adopted_instead_of_submitting() {
    let plan = with(component("liba", 2), |seen| seen.found_live("liba", 102));
    let liba = component_after(&plan, "liba");
    assert_eq!((liba.task, liba.is_in_doubt(), plan.build.slots_held()), (Some(TaskId(102)), false, 1));
    assert_eq!(acts(&plan), Vec::<String>::new());
}

#[test]
fn a_component_that_still_has_a_live_attempt_gets_no_new_one_after_a_resume() {
    let mut liba = component("liba", 2).running(100);
    liba.state = None;
    let build = building(vec![liba, component("prog", 3)]);
    assert_quiet(&step(&build, Seen::as_recorded(&build)), &build);
    let ended = step(&build, Seen::as_recorded(&build).task(100).cancelled());
    assert_eq!(acts(&ended), Vec::<String>::new());
    let again = step(&ended.build, Seen::as_recorded(&ended.build));
    assert_eq!(acts(&again), ["submit liba 2"]);
    let finished = step(&build, Seen::as_recorded(&build).task(100).closed("liba-1-1"));
    assert!(component_after(&finished, "liba").is_complete());
}

#[test]
fn a_doubt_is_ended_by_when_it_was_searched_for_not_by_when_the_answer_came() {
    let build = building(vec![component("liba", 2).in_doubt()]);
    let searched = |moment: Timestamp| {
        let mut seen = Seen::as_recorded(&build);
        seen.0.searched.insert(id("liba"), moment);
        step_at(&build, seen, at(50, 0))
    };
    assert!(component_after(&searched(at(8, 59)), "liba").is_in_doubt());
    assert_eq!(component_after(&searched(at(9, 0)), "liba").attempts[0].end, Some(AttemptEnd::Lost));
}

#[test]
fn a_target_that_is_gone_is_made_again_and_the_submission_repeated() {
    let gone = BuildSystemError::NotFound { what: "the target module-app".into() };
    let plan = refused(&gone);
    assert_eq!((last_end(&plan, "liba"), plan.build.buildroot.clone()), (AttemptEnd::Lost, None));
    assert_eq!(plan.build.trouble.as_ref().map(|trouble| trouble.tries), Some(1));
}

#[test]
fn a_failure_that_nobody_explains_is_an_abort() {
    let build = building(vec![component("liba", 2).running(100)]);
    let mut seen = Seen::as_recorded(&build).task(100).is(TaskState::Failed, &[]);
    seen.0.failures_asked.insert(TaskId(100));
    assert_eq!(missing(&build, &seen.0, &Policy::default()).build.failures.len(), 0);
    let what = "task 100 failed, and nobody says why";
    assert_eq!(
        component_after(&step(&build, seen), "liba").attempts[0].end,
        Some(AttemptEnd::Aborted(what.into()))
    );
}

/// What becomes of a submission that ends in an error.
fn refused(error: &BuildSystemError) -> Plan {
    let key = ActionKey::Submit { package: id("liba"), attempt: 1 };
    with(component("liba", 2).in_doubt(), |seen| seen.outcome(key.clone(), Err(error.clone())))
}

#[test]
fn a_submission_that_is_refused_for_good_fails_its_component_without_a_pause() {
    let plan = refused(&BuildSystemError::Rejected { reason: "no such repository".into() });
    assert_fails(&plan, "Component(s) liba failed to build.", Failure::Infra);
    assert_eq!(component_after(&plan, "liba").reason.as_deref(), Some("no such repository"));
    assert_eq!(plan.build.trouble, None);
}

#[test]
fn a_submission_without_effect_is_lost_at_once_and_one_with_unknown_effect_in_doubt() {
    let lost = refused(&unavailable(Effect::None));
    assert_eq!(last_end(&lost, "liba"), AttemptEnd::Lost);
    let doubtful = refused(&unavailable(Effect::Unknown));
    assert!(component_after(&doubtful, "liba").is_in_doubt());
}

#[test]
fn a_reply_to_an_older_attempt_changes_nothing() {
    let liba = component("liba", 2).tried(AttemptEnd::Lost).running(100);
    let build = building(vec![liba]);
    let key = ActionKey::Submit { package: id("liba"), attempt: 1 };
    let seen = Seen::as_recorded(&build).outcome(key, Ok(Outcome::Submitted(TaskId(99))));
    assert_quiet(&step(&build, seen), &build);
}
