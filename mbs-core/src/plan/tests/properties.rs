//! Random histories: whatever is lost, cancelled, removed or down, the plan keeps its promises and comes to an end.

use proptest::prelude::*;

use super::samples::{document, rpm, submitted};
use super::tale::{SubmitFault, Tale};
use super::*;
use crate::modulemd::RpmComponent;
use crate::submission::{cancel, resume};

/// What may happen between two looks.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// The nth live task ends well.
    Closes(usize),
    /// It fails, by the packager's fault or not.
    Fails(usize, bool),
    /// Somebody cancels it.
    IsCancelled(usize),
    /// What was asked to be tagged is.
    Tagging,
    /// Somebody takes the nth build out of a tag.
    Untagging(usize),
    /// The hub goes down, or comes back.
    Outage(bool),
    /// The next submission gets no answer.
    NoAnswer(bool),
    /// The process dies before its nth submission.
    Death(usize),
    /// Other builds take or free slots.
    Others(u32),
    /// Time passes, in seconds.
    Waiting(i64),
    /// The owner cancels, or resumes.
    Owner(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (0..4_usize).prop_map(Happening::Closes),
        1 => (0..4_usize, any::<bool>()).prop_map(|(task, fault)| Happening::Fails(task, fault)),
        1 => (0..4_usize).prop_map(Happening::IsCancelled),
        5 => Just(Happening::Tagging),
        1 => (0..4_usize).prop_map(Happening::Untagging),
        1 => any::<bool>().prop_map(Happening::Outage),
        1 => any::<bool>().prop_map(Happening::NoAnswer),
        1 => (0..2_usize).prop_map(Happening::Death),
        1 => (0..3_u32).prop_map(Happening::Others),
        4 => (0..90_i64).prop_map(Happening::Waiting),
        1 => any::<bool>().prop_map(Happening::Owner),
    ]
}

/// A module of four components, as batches or as a graph.
fn module_of(is_graph: bool) -> ModuleBuild {
    let after = |before: &str| RpmComponent { buildafter: [before.to_owned()].into(), ..rpm(0) };
    let buildonly = RpmComponent { buildonly: true, ..rpm(0) };
    let (prog, tool) = if is_graph { (after("liba"), after("prog")) } else { (rpm(1), rpm(2)) };
    submitted(document(&[("liba", rpm(0)), ("libb", buildonly), ("prog", prog), ("tool", tool)]))
}

fn nth_live(tale: &Tale, n: usize) -> Option<i64> {
    let live: Vec<i64> = tale.hub.live().map(|(task, _)| task.0).collect();
    (!live.is_empty()).then(|| live[n % live.len()])
}

fn happens(tale: &mut Tale, now: &mut i64, happening: Happening) {
    match happening {
        Happening::Closes(n) => nth_live(tale, n).into_iter().for_each(|task| {
            tale.hub.event += 1;
            tale.hub.close(task);
        }),
        Happening::Fails(n, fault) => {
            nth_live(tale, n).into_iter().for_each(|task| tale.hub.end(task, TaskState::Failed, fault));
        }
        Happening::IsCancelled(n) => {
            nth_live(tale, n).into_iter().for_each(|task| tale.hub.end(task, TaskState::Canceled, false));
        }
        Happening::Tagging => tale.hub.tag_now(),
        Happening::Untagging(n) => {
            let builds = tale.hub.tags.values_mut().nth(n % 2).filter(|builds| !builds.is_empty());
            builds.into_iter().for_each(|builds| drop(builds.remove(n % builds.len())));
        }
        Happening::Outage(is_down) => tale.hub.is_down = is_down,
        Happening::NoAnswer(taken) => {
            tale.hub.submit_fault = Some(if taken { SubmitFault::Taken } else { SubmitFault::NotTaken });
        }
        Happening::Death(after) => tale.submissions_before_death = Some(after),
        Happening::Others(others) => tale.others = others,
        Happening::Waiting(seconds) => *now += seconds,
        Happening::Owner(cancels) => amend(tale, at(0, *now), cancels),
    }
}

fn amend(tale: &mut Tale, now: Timestamp, cancels: bool) {
    let amended =
        if cancels { cancel(&tale.build, "mary", now) } else { resume(&tale.build, "mary", None, now) };
    if let Ok(mut build) = amended {
        tale.states.extend(build.life.take_unsaved().iter().map(|change| change.to));
        tale.build = build;
    }
}

/// Looks, and checks what must hold after every look.
fn look_and_check(tale: &mut Tale, now: Timestamp) {
    let held = tale.build.slots_held();
    let told = tale.look(now);
    let limit = tale.limit.unwrap();
    let (before, after) = (held, tale.build.slots_held());
    assert!(
        after <= before || tale.others + after <= limit,
        "{after} slots beside {}: {told:?}",
        tale.others
    );
    check_arrows(tale);
    check_tags(tale);
    if tale.build.state() == State::Failed && tale.build.life.is_settled() {
        assert_eq!(tale.hub.live().filter(|(_, package)| package.is_some()).count(), 0, "{told:?}");
    }
    comes_to_rest(tale, now);
}

/// Looks without anything happening between do nothing new, but for what the first could not see of its own doing.
fn comes_to_rest(tale: &mut Tale, now: Timestamp) {
    let looks: Vec<_> = (0..3).map(|_| tale.look(now)).collect();
    assert!(looks.iter().any(|told| told.rows.is_empty()), "it does not come to rest: {looks:?}");
}

fn check_arrows(tale: &Tale) {
    let mut states = vec![State::Init];
    states.extend(&tale.states);
    for pair in states.windows(2) {
        assert!(pair[0].may_become(pair[1]), "{} cannot become {}", pair[0], pair[1]);
    }
}

/// The macros are never in the final tag, and no package is twice in a tag.
fn check_tags(tale: &Tale) {
    for (tag, builds) in &tale.hub.tags {
        let is_final = !tag.as_str().ends_with("-build");
        assert!(!is_final || builds.iter().all(|build| build.package.as_str() != "module-build-macros"));
    }
    let live: Vec<_> = tale.hub.live().filter_map(|(_, package)| package).collect();
    let distinct: std::collections::BTreeSet<_> = live.iter().collect();
    assert_eq!(live.len(), distinct.len(), "two live tasks of one component");
}

/// Lets everything go well until the build rests, within so many looks.
fn finish(tale: &mut Tale, mut now: i64) {
    (tale.hub.is_down, tale.hub.submit_fault) = (false, None);
    (tale.others, tale.submissions_before_death) = (0, None);
    for _ in 0..120 {
        let is_over = match tale.build.state() {
            State::Init | State::Wait | State::Build => false,
            State::Failed => tale.build.life.is_settled(),
            State::Done | State::Ready | State::Garbage => true,
        };
        if is_over {
            return;
        }
        now += 60;
        look_and_check(tale, at(0, now));
        tale.hub.tag_now();
        while let Some(task) = nth_live(tale, 0) {
            tale.hub.event += 1;
            tale.hub.close(task);
        }
    }
    panic!("it does not end: {}", tale.look(at(0, now)).why);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_plan_keeps_its_promises_and_ends(
        is_graph in any::<bool>(),
        happenings in proptest::collection::vec(happening(), 0..60),
    ) {
        let mut tale = Tale::new(module_of(is_graph), Some(3));
        let mut now = 0;
        for happening in happenings {
            happens(&mut tale, &mut now, happening);
            look_and_check(&mut tale, at(0, now));
        }
        finish(&mut tale, now);
    }
}
