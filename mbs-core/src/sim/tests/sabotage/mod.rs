//! Each invariant, broken on purpose: its check sees it, and sees nothing in the same world unbroken.

mod grounds;
mod planner;
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use planner::{changing, planning, seeing};

use crate::build_system::TaskFailure;
use crate::ident::TaskId;
use crate::memory::{Call, ManualClock};
use crate::model::{AttemptEnd, Failure, ModuleBuild, State};
use crate::plan::{Action, Plan, Planner};
use crate::policy::Policy;
use crate::sim::{
    BackendScript, CallFault, ComponentScript, Deed, Fault, Happening, Invariant, ModuleScript, Order, Parts,
    Scenario, TaskFault, Telling, Timing, World,
};

/// Turns a world as it is, in which nothing may be broken, and once more on other parts, which must break this promise first,
/// in these words.
fn breaks(
    promise: Invariant,
    words: &str,
    scenario: &Scenario,
    bend: impl FnOnce(&Arc<ManualClock>, &mut Parts),
) {
    let honest = World::new(scenario.clone(), Telling::Untold).run();
    assert_eq!(honest.violation, None, "nothing was broken yet");
    let bent = |clock: &Arc<ManualClock>| {
        let mut parts = Parts::in_memory(clock);
        bend(clock, &mut parts);
        parts
    };
    let outcome = World::with(scenario.clone(), Telling::Untold, bent).run();
    let violation = outcome.violation.expect("something was broken");
    assert_eq!(violation.invariant, promise, "{violation}");
    assert!(violation.what.contains(words), "{violation}");
}

fn planner(promise: Invariant, words: &str, scenario: &Scenario, planner: Arc<dyn Planner>) {
    breaks(promise, words, scenario, |_, parts| parts.planner = planner);
}

fn store(promise: Invariant, words: &str, scenario: &Scenario, defect: store::Defect) {
    breaks(promise, words, scenario, |clock, parts| parts.store = store::with(clock, defect));
}

fn grounds(promise: Invariant, words: &str, scenario: &Scenario, defect: grounds::Defect) {
    breaks(promise, words, scenario, |_, parts| parts.grounds = grounds::with(defect));
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Two batches: one component, then two.
fn module() -> ModuleScript {
    ModuleScript::of([0, 1, 1].map(ComponentScript::in_group).to_vec(), Order::Batches)
}

fn scratch() -> ModuleScript {
    ModuleScript { scratch: true, ..module() }
}

/// A module whose first component has this peculiarity.
fn peculiar(first: ComponentScript) -> ModuleScript {
    let mut module = module();
    module.components[0] = first;
    module
}

/// A world of one module.
fn one(module: ModuleScript) -> Scenario {
    Scenario::calm(1, vec![module], None)
}

/// A world of one module in which things happen.
fn with(module: ModuleScript, happenings: impl IntoIterator<Item = (Duration, Happening)>) -> Scenario {
    Scenario { happenings: happenings.into_iter().collect(), ..one(module) }
}

fn goes(at: u64, fault: Fault) -> (Duration, Happening) {
    (secs(at), Happening::Goes(fault))
}

fn does(at: u64, deed: Deed) -> (Duration, Happening) {
    (secs(at), Happening::Does(deed))
}

/// A world of two modules that want the one slot there is, for a long time.
fn crowded() -> Scenario {
    let timing = Timing { build: secs(200), longest_build: secs(400), ..Timing::default() };
    let wide = || ModuleScript::of([0, 0, 0, 0].map(ComponentScript::in_group).to_vec(), Order::Batches);
    Scenario { timing, ..Scenario::calm(1, vec![wide(), wide()], Some(1)) }
}

/// A planner that does something to a build that fails.
fn failing(change: impl Fn(&ModuleBuild, &mut Plan) + Send + Sync + 'static) -> Arc<dyn Planner> {
    changing(move |build, plan| {
        if build.state() == State::Build && plan.build.state() == State::Failed {
            change(build, plan);
        }
    })
}

/// A planner that takes each failed task for one of this kind.
fn blaming(is_package_fault: bool) -> Arc<dyn Planner> {
    seeing(move |seen| {
        let failures = seen.build.failures.iter_mut().flat_map(|failures| failures.values_mut());
        failures.for_each(|failure: &mut TaskFailure| failure.is_package_fault = is_package_fault);
    })
}

#[test]
fn i1_a_slot_above_the_limit_is_seen() {
    let scenario = Scenario::calm(1, vec![module()], Some(1));
    breaks(Invariant::I1, "2 are in use, and the limit is 1", &scenario, |clock, parts| {
        parts.planner = seeing(|seen| seen.slots.limit = None);
        parts.store = store::with(clock, store::Defect::LiftsTheLimit);
    });
}

#[test]
fn i2_a_component_that_is_submitted_while_its_task_lives_is_seen() {
    let unheard = goes(0, Fault::Call(Some(Call::Submit), CallFault::NoAnswer));
    let died = goes(10, Fault::Killed(0, 0, secs(2)));
    let timing = Timing { build: secs(400), ..Timing::default() };
    let scenario = Scenario { timing, ..with(module(), [unheard, died]) };
    grounds(Invariant::I2, "is submitted though task", &scenario, grounds::Defect::FindsNothing);
}

#[test]
fn i2_a_component_that_is_built_again_is_seen() {
    let forgetful = changing(|_, plan| {
        let built = plan.build.components.iter_mut().filter(|component| component.is_complete());
        built.filter(|component| !component.is_macros()).for_each(|component| {
            (component.state, component.nvr, component.tagged) = (None, None, false);
        });
    });
    breaks(Invariant::I2, "is submitted though ant-a-1", &one(module()), |_, parts| {
        parts.planner = forgetful;
        parts.grounds = grounds::with(grounds::Defect::FindsNothing);
    });
}

#[test]
fn i2_two_live_tasks_of_one_submission_are_seen() {
    grounds(Invariant::I2, "is built by tasks", &one(module()), grounds::Defect::BeginsTwice);
}

#[test]
fn i2_a_task_that_nobody_counts_is_seen() {
    let negligent = changing(|build, plan| {
        for component in &mut plan.build.components {
            let had_task =
                |c: &crate::model::ComponentBuild| c.live_attempt().is_some_and(|a| a.task.is_some());
            let is_known = build.component(component.package.as_str()).is_some_and(had_task);
            if is_known && let Some(attempt) = component.live_attempt_mut() {
                attempt.end = Some(AttemptEnd::Lost);
            }
        }
    });
    planner(Invariant::I2, "no slot is held for it", &one(module()), negligent);
}

#[test]
fn i3_a_batch_that_begins_before_the_one_before_is_in_the_repository_is_seen() {
    grounds(
        Invariant::I3,
        "is not in the repository",
        &one(module()),
        grounds::Defect::ShowsEverythingFrom(1),
    );
}

#[test]
fn i3_on_graphs_that_is_seen_of_every_edge() {
    let chain = [vec![], vec![0]].map(ComponentScript::after).to_vec();
    let scenario = one(ModuleScript::of(chain, Order::Graph));
    let late = grounds::Defect::ShowsEverythingFrom(2);
    grounds(Invariant::I3, "ant-b is submitted while ant-a is not in the repository", &scenario, late);
}

#[test]
fn i4_macros_that_are_to_go_into_the_destination_are_seen() {
    let careless = changing(|_, plan| {
        plan.build.components.iter_mut().for_each(|component| component.build_time_only = false);
    });
    planner(Invariant::I4, "is to be tagged into the destination", &one(module()), careless);
}

#[test]
fn i4_macros_in_the_destination_are_seen() {
    let everywhere = grounds::Defect::TagsMacrosEverywhere;
    grounds(Invariant::I4, "is in the destination tag", &one(module()), everywhere);
}

#[test]
fn i4_a_build_only_component_that_is_tagged_unfiltered_is_seen() {
    let hasty = planning(|given| {
        let mut build = given.build.clone();
        build.components.iter_mut().for_each(|component| component.buildonly = false);
        let mut plan = planner::Given { build: &build, ..given }.plan()?;
        for component in &mut plan.build.components {
            let known = given.build.component(component.package.as_str());
            component.buildonly = known.map_or(component.buildonly, |known| known.buildonly);
        }
        Ok(plan)
    });
    let buildonly = ComponentScript { buildonly: true, ..ComponentScript::in_group(0) };
    planner(Invariant::I4, "tagged before its RPMs are filtered", &one(peculiar(buildonly)), hasty);
}

#[test]
fn i4_a_filter_without_what_is_build_only_is_seen() {
    let forgetful = changing(|_, plan| Arc::make_mut(&mut plan.build.new.document).filter.clear());
    let buildonly = ComponentScript { buildonly: true, ..ComponentScript::in_group(0) };
    planner(
        Invariant::I4,
        "ant-a is build-only, and not in the filter",
        &one(peculiar(buildonly)),
        forgetful,
    );
}

#[test]
fn i5_a_module_that_is_done_and_not_in_its_tag_is_seen() {
    grounds(Invariant::I5, "it is done, and ant-a is not in", &one(scratch()), grounds::Defect::TagsHalf);
}

#[test]
fn i5_a_scratch_build_that_becomes_ready_is_seen() {
    let generous = changing(|_, plan| {
        if plan.build.state() == State::Done {
            let now = plan.build.life.changed_at();
            plan.build.enter(State::Ready, None, now).unwrap();
        }
    });
    planner(Invariant::I5, "a scratch build became ready", &one(scratch()), generous);
}

#[test]
fn i6_a_settled_build_with_a_live_task_is_seen() {
    let hasty = changing(|_, plan| {
        if plan.build.state() == State::Failed {
            plan.build.life.settle();
            plan.actions.clear();
        }
    });
    planner(Invariant::I6, "it is settled, and task", &with(module(), [does(10, Deed::Cancel(0))]), hasty);
}

#[test]
fn i6_a_build_that_never_settles_is_seen() {
    let reluctant = changing(|build, plan| {
        if !build.life.is_settled() && plan.build.life.is_settled() {
            plan.build.clone_from(build);
            plan.wake_at = plan.wake_at.and_then(|at| at.checked_add(secs(600)).ok());
        }
    });
    planner(Invariant::I6, "it never settles", &with(module(), [does(10, Deed::Cancel(0))]), reluctant);
}

#[test]
fn i7_a_trace_without_a_row_is_seen() {
    store(Invariant::I7, "its trace is", &one(module()), store::Defect::LacksARow);
}

#[test]
fn i7_a_change_of_state_along_no_arrow_is_seen() {
    let skipping = changing(|build, plan| {
        if build.state() == State::Wait && plan.build.state() == State::Build {
            let now = plan.build.life.changed_at();
            plan.build.life.take_unsaved();
            plan.build.enter(State::Done, None, now).unwrap();
        }
    });
    breaks(Invariant::I7, "it went from wait to done", &one(module()), |clock, parts| {
        parts.planner = skipping;
        parts.store = store::with(clock, store::Defect::ChecksNothing);
    });
}

#[test]
fn i7_a_change_of_state_without_a_trace_is_seen() {
    let silent = changing(|_, plan| drop(plan.build.life.take_unsaved()));
    breaks(Invariant::I7, "it is wait and its trace ends in init", &one(module()), |clock, parts| {
        parts.planner = silent;
        parts.store = store::with(clock, store::Defect::ChecksNothing);
    });
}

#[test]
fn i8_a_claim_while_a_lease_lives_is_seen() {
    let backends = vec![BackendScript::default(); 2];
    let scenario = Scenario { backends, ..one(module()) };
    store(Invariant::I8, "while somebody's lease lived", &scenario, store::Defect::VoidsLeases);
}

#[test]
fn i8_a_save_without_a_lease_is_seen() {
    // Its clock is so slow that it believes its lease to live long after it ended.
    let slow = BackendScript { drift_ppm: -900_000, ..BackendScript::default() };
    let slow_calls = (0..30).map(|_| goes(0, Fault::Call(None, CallFault::Slow)));
    let slow_calls = slow_calls.chain([goes(1_000, Fault::Forged(1))]);
    let scenario = Scenario { backends: vec![slow], ..with(module(), slow_calls) };
    store(Invariant::I8, "saved it without its lease", &scenario, store::Defect::SavesWithoutLease);
}

#[test]
fn i8_a_save_over_what_a_person_did_is_seen() {
    let cancelled = with(module(), [(Duration::from_millis(100), Happening::Does(Deed::Cancel(0)))]);
    store(Invariant::I8, "was overwritten", &cancelled, store::Defect::SavesOverOthers);
}

#[test]
fn i8_a_deed_that_nobody_can_look_up_is_seen() {
    let cancelled = with(module(), [does(10, Deed::Cancel(0))]);
    store(Invariant::I8, r#"they did ["cancel"]"#, &cancelled, store::Defect::KeepsNoAudit);
}

#[test]
fn i9_a_planner_that_counts_is_seen() {
    let counted = AtomicU64::new(0);
    let counting = changing(move |_, plan| {
        plan.notes.push(format!("plan {}", counted.fetch_add(1, Ordering::Relaxed)).into());
    });
    planner(Invariant::I9, "two plans of the same inputs differ", &one(module()), counting);
}

#[test]
fn i9_a_change_of_a_build_at_rest_is_seen() {
    let restless = planning(|given| {
        let mut plan = given.plan()?;
        plan.build.repo_task = Some(TaskId(given.now.as_second() / 5));
        Ok(plan)
    });
    // Messages about nothing cause looks before it is time.
    let scenario = with(module(), (1..60).map(|time| goes(time * 2, Fault::Forged(0))));
    planner(Invariant::I9, "it was at rest", &scenario, restless);
}

#[test]
fn i10_a_module_that_never_ends_is_seen() {
    let silent = changing(|_, plan| {
        plan.actions.retain(|action| !matches!(action, Action::RequestRepo(_)));
    });
    planner(Invariant::I10, "it is still in build long after the last fault", &one(module()), silent);
}

#[test]
fn i10_an_end_that_the_reference_model_does_not_expect_is_seen() {
    let broken = peculiar(ComponentScript { fails: 1, ..ComponentScript::in_group(0) });
    planner(Invariant::I10, "it ended in ready, and the model expects", &one(broken), blaming(false));
}

#[test]
fn i11_a_transient_fault_that_ends_a_build_is_seen() {
    let impatient = planning(|given| {
        let policy = Policy { patience: Duration::ZERO, ..given.policy.clone() };
        planner::Given { policy: &policy, ..given }.plan()
    });
    let refused = with(module(), [goes(0, Fault::Call(Some(Call::Submit), CallFault::Refused))]);
    planner(Invariant::I11, "every fault was within its budget", &refused, impatient);
}

#[test]
fn i11_a_broken_builder_that_is_called_the_packages_fault_is_seen() {
    let died = with(module(), [goes(10, Fault::Task(0, TaskFault::Broken))]);
    planner(Invariant::I11, "did not fail by its fault", &died, blaming(true));
}

#[test]
fn i11_a_broken_package_that_is_called_nobodys_fault_is_seen() {
    let excusing = failing(|build, plan| {
        let (reason, now) = (plan.build.life.reason().unwrap().to_owned(), plan.build.life.changed_at());
        plan.build.life = build.life.clone();
        plan.build.life.fail(reason, Failure::Infra, now).unwrap();
    });
    let broken = peculiar(ComponentScript { fails: 1, ..ComponentScript::in_group(0) });
    planner(Invariant::I11, "that is not called the packager's fault", &one(broken), excusing);
}

#[test]
fn i11_a_failure_of_a_package_that_did_not_fail_is_seen() {
    let slandering = failing(|build, plan| {
        let now = plan.build.life.changed_at();
        plan.build.life = build.life.clone();
        plan.build.life.fail("it looks bad".into(), Failure::User, now).unwrap();
    });
    let broken = (1..20).map(|time| goes(time * 5, Fault::Task(0, TaskFault::Broken)));
    planner(Invariant::I11, "no package failed", &with(module(), broken), slandering);
}

#[test]
fn i12_a_slot_that_stays_free_is_seen() {
    let believing = seeing(|seen| seen.slots.is_paused = true);
    planner(Invariant::I12, "a slot is free for", &Scenario::calm(1, vec![module()], Some(1)), believing);
}

#[test]
fn i12_a_build_that_is_served_out_of_turn_is_seen() {
    let pushing = seeing(|seen| seen.slots.head.clear());
    planner(Invariant::I12, "was served before it, out of turn", &crowded(), pushing);
}

#[test]
fn i13_a_poisoned_build_that_is_looked_at_all_the_time_is_seen() {
    let poisoned = ModuleScript { poisoned: true, ..module() };
    let scenario = Scenario::calm(1, vec![module(), poisoned], None);
    store(Invariant::I13, "it was looked at", &scenario, store::Defect::WakesThePoisoned);
}

#[test]
fn i14_a_submission_that_is_refused_the_second_time_is_seen() {
    let again = with(module(), [does(10, Deed::SubmitAgain(0))]);
    store(Invariant::I14, "was refused", &again, store::Defect::ForgetsKeys);
}

#[test]
fn i14_other_builds_for_the_same_submission_are_seen() {
    let again = with(module(), [does(10, Deed::SubmitAgain(0))]);
    store(Invariant::I14, "gave [BuildId(2)] after [BuildId(1)]", &again, store::Defect::SubmitsAnew);
}

#[test]
fn i14_a_key_that_is_taken_for_another_submission_is_seen() {
    let other = with(module(), [does(10, Deed::ReuseKey(0))]);
    store(Invariant::I14, "was taken for another submission", &other, store::Defect::TrustsKeys);
}

#[test]
fn i15_an_event_of_no_change_is_seen() {
    store(Invariant::I15, "no such change was committed", &one(module()), store::Defect::Foretells);
}

#[test]
fn i15_an_event_that_comes_before_an_earlier_one_is_seen() {
    let left_out = store::Defect::LeavesOut(State::Wait);
    store(Invariant::I15, "event 3 is published after event 1", &one(module()), left_out);
}

#[test]
fn i15_a_change_that_nobody_is_told_of_is_seen() {
    let quiet = store::Defect::KeepsQuietAbout(State::Ready);
    store(Invariant::I15, "nothing was published after event 4", &one(module()), quiet);
}
