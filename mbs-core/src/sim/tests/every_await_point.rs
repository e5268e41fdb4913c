//! A backend, and the publisher, dropped at every await point in turn: the end is always the same, nothing is built twice,
//! and no event is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::ident::{Nvr, Package, TagEvent, TagName};
use crate::memory::samples::now_or_panic;
use crate::memory::{ManualClock, MemoryBuildSystem};
use crate::model::{AttemptEnd, Failure, Lifecycle, ModuleBuild, State};
use crate::sim::{
    ComponentScript, Fault, FaultKind, Happening, ModuleScript, Order, Outcome, Parts, Scenario, Telling,
    Timing, World, cast,
};
use crate::store::Store;

/// What dies: the only backend, or the publisher, which counts as one more.
const BACKEND: usize = 0;
const PUBLISHER: usize = 1;

/// What is left when a world has ended, apart from times, and from the ids and numbers of tasks and attempts.
#[derive(Debug, PartialEq)]
struct Left {
    record: ModuleBuild,
    life: (State, Option<String>, Option<Failure>, bool),
    trace: Vec<State>,
    tags: BTreeMap<TagName, BTreeSet<Nvr>>,
    /// How many tasks built each package.
    tasks: BTreeMap<Package, usize>,
}

#[test]
fn a_backend_may_die_at_every_await_point() {
    dies_everywhere(BACKEND, |outcome| outcome.polls);
}

#[test]
fn the_publisher_may_die_at_every_await_point() {
    dies_everywhere(PUBLISHER, |outcome| outcome.publisher_polls);
}

/// Turns one world for each poll of an undisturbed one, in which the process dies instead of being polled.
fn dies_everywhere(process: usize, polls: impl Fn(&Outcome) -> u64) {
    let (undisturbed, left) = turn(None);
    assert_eq!(left.life.0, State::Ready);
    assert!(left.tasks.values().all(|tasks| *tasks == 1) && left.tasks.len() == 13, "{:?}", left.tasks);
    let polls = u32::try_from(polls(&undisturbed)).unwrap();
    let deaths: usize = std::thread::scope(|scope| {
        let all = [0, 1].map(|first| {
            let left = &left;
            scope
                .spawn(move || (first..polls).step_by(2).filter(|poll| dies_at(process, *poll, left)).count())
        });
        all.into_iter().map(|half| half.join().unwrap()).sum()
    });
    // What is polled before the first moment has passed, when there is no build yet, cannot be reached.
    assert!(deaths + 10 > polls as usize, "it died in {deaths} worlds of {polls}");
}

/// Says whether the process lived long enough to die there.
fn dies_at(process: usize, poll: u32, undisturbed: &Left) -> bool {
    let (outcome, left) = turn(Some(Fault::Killed(process, poll, Duration::from_secs(2))));
    assert_eq!(outcome.violation, None, "process {process} died at poll {poll}");
    assert!(left == *undisturbed, "process {process} died at poll {poll}: {}", differs(&left, undisturbed));
    outcome.coverage.of(FaultKind::BackendKilled) == 1
}

/// Turns the world of a module of 12 components in 3 batches.
fn turn(fault: Option<Fault>) -> (Outcome, Left) {
    let secs = Duration::from_secs;
    let group = |place: u8| ComponentScript::in_group(place / 4);
    let module = ModuleScript::of((0..12).map(group).collect(), Order::Batches);
    let happenings = fault.into_iter().map(|fault| (Duration::ZERO, Happening::Goes(fault)));
    // A world that calms down forgets what is still to go wrong: it must not before the module has ended.
    let last = (secs(36_000), Happening::Goes(Fault::Forged(1)));
    let scenario = Scenario {
        happenings: happenings.chain([last]).collect(),
        timing: Timing { build: secs(20), longest_build: secs(60), repo: secs(10), ..Timing::default() },
        ..Scenario::calm(7, vec![module], Some(5))
    };
    let (grounds, mut store) = (Arc::new(MemoryBuildSystem::new()), None);
    grounds.permit_twins();
    grounds.add_tag(&cast::base_tag(), &["x86_64".parse().unwrap()]);
    let parts = |clock: &Arc<ManualClock>| {
        let parts = Parts { grounds: grounds.clone(), ..Parts::in_memory(clock) };
        store = Some(parts.store.clone());
        parts
    };
    let outcome = World::with(scenario, Telling::Untold, parts).run();
    let left = left(&outcome, &grounds, &*store.unwrap());
    (outcome, left)
}

fn left(outcome: &Outcome, grounds: &MemoryBuildSystem, store: &dyn Store) -> Left {
    let [record] = &outcome.records[..] else { panic!("one build, not {}", outcome.records.len()) };
    let life = &record.life;
    let trace = now_or_panic(store.trace(record.id)).unwrap();
    let nvrs = |tag: &TagName| grounds.builds_in(tag).into_iter().map(|build| build.nvr).collect();
    let mut tasks = BTreeMap::new();
    for package in grounds.tasks().into_iter().filter_map(|task| task.package) {
        *tasks.entry(package).or_default() += 1;
    }
    Left {
        life: (life.state(), life.reason().map(str::to_owned), life.failure(), life.is_settled()),
        trace: trace.into_iter().map(|change| change.to).collect(),
        tags: grounds.tags().into_iter().map(|tag| (tag.clone(), nvrs(&tag))).collect(),
        tasks,
        record: timeless(record.clone()),
    }
}

/// Takes times, and ids and numbers of tasks and attempts, out of a record.
fn timeless(mut record: ModuleBuild) -> ModuleBuild {
    record.submitted_at = cast::start();
    record.life = Lifecycle::begin(cast::start());
    record.repo_task = None;
    record.buildroot.iter_mut().for_each(|buildroot| buildroot.event = TagEvent(0));
    for component in &mut record.components {
        component.task = None;
        // A build that was found says so, and is the same build.
        component.reason = None;
        // Tries that never reached the build system are no difference.
        component.attempts.retain(|attempt| attempt.end != Some(AttemptEnd::Lost));
        for attempt in &mut component.attempts {
            (attempt.number, attempt.task) = (1, None);
            (attempt.intended_at, attempt.not_after) = (cast::start(), cast::start());
        }
    }
    record
}

/// Returns the first line of each that the other does not have.
fn differs(left: &Left, undisturbed: &Left) -> String {
    let [mine, usual] = [left, undisturbed].map(|left| format!("{left:#?}"));
    let first = mine.lines().zip(usual.lines()).find(|(mine, usual)| mine != usual);
    format!("{first:?}")
}
