//! The worked example of the design, had the owner cancelled at 2:12.

use super::tale::{SubmitFault, Tale};
use super::worked_example::{begun, looks, until_the_doubt};
use super::*;
use crate::model::BuildState;
use crate::submission::{cancel, resume};

fn cancelled() -> Tale {
    let mut tale = begun();
    until_the_doubt(&mut tale);
    tale.build = cancel(&tale.build, "mary", at(2, 12)).unwrap();
    tale.states.extend(tale.build.life.take_unsaved().iter().map(|change| change.to));
    tale
}

fn settle(tale: &mut Tale) {
    let doubt = format!("it is not known whether libb was submitted; certain after {}", at(3, 10));
    looks(tale, at(2, 12), &[&["cancel 102"]], &doubt, at(3, 10));
    assert_eq!((tale.build.slots_held(), tale.build.life.is_settled()), (2, false));
    let retired = tale.look(at(3, 10));
    assert_eq!(retired.rows, [Vec::<String>::new()]);
    assert_eq!(retired.wake_at, Some(at(2 + 24 * 60, 12)));
    assert_eq!((tale.build.slots_held(), tale.build.life.is_settled()), (0, true));
}

#[test]
fn a_cancelled_build_is_watched_until_nothing_of_it_lives_or_may_appear() {
    let mut tale = cancelled();
    settle(&mut tale);
    assert_eq!(tale.hub.live().count(), 0);
    let unfinished = tale.build.components.iter().filter(|component| !component.is_macros());
    for component in unfinished {
        assert_eq!(component.state, Some(BuildState::Failed), "{}", component.package);
        assert_eq!(component.reason.as_deref(), Some("Canceled by mary."), "{}", component.package);
    }
}

#[test]
fn a_submission_that_was_taken_after_all_is_found_and_cancelled() {
    let mut tale = begun();
    until_the_doubt(&mut tale);
    // The call arrives late, within its margin.
    tale.hub.submit_fault = Some(SubmitFault::Taken);
    let job = plan_of_late_call(&tale);
    assert!(tale.hub.act(&job).is_err());
    tale.build = cancel(&tale.build, "mary", at(2, 12)).unwrap();
    tale.states.extend(tale.build.life.take_unsaved().iter().map(|change| change.to));
    let why = "cancelling; tasks still live: 102, 104";
    looks(&mut tale, at(2, 12), &[&["cancel 102", "cancel 104"]], why, at(2, 42));
    tale.look(at(2, 42));
    assert_eq!((tale.build.life.is_settled(), tale.hub.live().count()), (true, 0));
}

/// Returns the submission of `libb` as it was sent.
fn plan_of_late_call(tale: &Tale) -> Action {
    let mut unsent = tale.build.clone();
    let libb = unsent.components.iter_mut().find(|component| component.package == id("libb")).unwrap();
    libb.attempts.pop();
    libb.state = None;
    unsent.trouble = None;
    let plan = step_at(&unsent, Seen::as_recorded(&unsent), at(2, 10));
    plan.actions.into_iter().find(|action| matches!(action, Action::Submit { .. })).unwrap()
}

#[test]
fn a_resumed_build_goes_on_where_it_was_and_becomes_ready() {
    let mut tale = cancelled();
    settle(&mut tale);
    tale.build = resume(&tale.build, "bert", None, at(10, 0)).unwrap();
    tale.states.extend(tale.build.life.take_unsaved().iter().map(|change| change.to));
    let mut minute = 10;
    while tale.build.state() != State::Ready {
        assert!(minute < 30, "{}", tale.look(at(minute, 0)).why);
        tale.look(at(minute, 0));
        tale.hub.event += 1;
        tale.hub.tag_now();
        let live: Vec<i64> = tale.hub.live().map(|(task, _)| task.0).collect();
        live.into_iter().for_each(|task| tale.hub.close(task));
        minute += 1;
    }
    let macros = tale.build.component("module-build-macros").unwrap();
    assert_eq!(macros.attempts.len(), 1, "what is complete is not built again");
    let states =
        [State::Wait, State::Build, State::Failed, State::Wait, State::Build, State::Done, State::Ready];
    assert_eq!(tale.states, states);
}
