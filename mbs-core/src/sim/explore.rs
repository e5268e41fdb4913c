//! Turns many worlds, and makes the history of a broken promise as simple as it gets.

use std::collections::BTreeMap;
use std::ops::Range;

use proptest::strategy::ValueTree;

use super::fault::Coverage;
use super::inspector::Invariant;
use super::outcome::Outcome;
use super::scenario::Scenario;
use super::strategies::{Size, scenario_of, tree_of};
use super::world::{Telling, World};
use crate::model::{Attempt, AttemptEnd, ComponentBuild, Failure, ModuleBuild, State, Verdict};

/// What came of many worlds.
#[derive(Debug, Clone, Default)]
pub struct Explored {
    /// How many worlds turned.
    pub worlds: u64,
    /// How many plans were made.
    pub steps: u64,
    /// How many moments passed.
    pub moments: u64,
    /// What went wrong, how often.
    pub coverage: Coverage,
    /// How builds and attempts ended, how often.
    pub ends: BTreeMap<&'static str, u64>,
    /// The number of the first world in which a promise was broken.
    pub broken: Option<u64>,
}

impl Explored {
    /// Adds what came of other worlds.
    pub fn add(&mut self, other: &Explored) {
        self.worlds += other.worlds;
        self.steps += other.steps;
        self.moments += other.moments;
        self.coverage.add(&other.coverage);
        other.ends.iter().for_each(|(end, count)| *self.ends.entry(end).or_default() += count);
        self.broken = self.broken.into_iter().chain(other.broken).min();
    }
}

/// Turns the worlds of many numbers, until a promise is broken.
pub fn explore(seeds: Range<u64>, size: Size) -> Explored {
    let mut explored = Explored::default();
    for seed in seeds {
        let outcome = World::new(scenario_of(seed, size), Telling::Untold).run();
        explored.worlds += 1;
        explored.steps += outcome.steps;
        explored.moments += outcome.moments;
        explored.coverage.add(&outcome.coverage);
        outcome.records.iter().flat_map(ends_of).for_each(|end| *explored.ends.entry(end).or_default() += 1);
        if outcome.violation.is_some() {
            explored.broken = Some(seed);
            break;
        }
    }
    explored
}

/// Names how a build ended, and each attempt of it.
fn ends_of(build: &ModuleBuild) -> impl Iterator<Item = &'static str> {
    let state = match build.state() {
        State::Failed if build.life.failure() == Some(Failure::User) => {
            "build failed by its packager's fault"
        }
        State::Failed if build.life.failure() == Some(Failure::Infra) => "build failed by infrastructure",
        State::Failed => "build cancelled",
        State::Done | State::Ready => "build finished",
        State::Init | State::Wait | State::Build => "build under way",
        State::Garbage => "build retired",
    };
    let attempt = |attempt: &Attempt| match &attempt.end {
        None => "attempt lives",
        Some(AttemptEnd::Complete(_)) => "attempt complete",
        Some(AttemptEnd::Failed { .. }) => "attempt failed",
        Some(AttemptEnd::Aborted(_)) => "attempt aborted",
        Some(AttemptEnd::Vanished) => "attempt vanished",
        Some(AttemptEnd::Lost) => "attempt lost",
    };
    let component = move |component: &ComponentBuild| match component.verdict {
        Some(Verdict::Reuse { .. }) => "component reused",
        Some(Verdict::Rebuild(_)) => "component built",
        None => "component undecided",
    };
    let components = build.components.iter().map(|c| component(c));
    let attempts = build.components.iter().flat_map(|c| &c.attempts).map(attempt);
    std::iter::once(state).chain(components).chain(attempts).collect::<Vec<_>>().into_iter()
}

/// A broken promise, in the simplest world that was found to break it.
#[derive(Debug, Clone)]
pub struct Simplest {
    /// The world.
    pub scenario: Scenario,
    /// How it ended, with its story.
    pub outcome: Outcome,
    /// How many worlds were tried on the way.
    pub tried: usize,
}

/// Makes the world of a number simpler as long as the same promise is broken, trying at most so many worlds; `None` if no
/// promise is broken.
pub fn simplest(seed: u64, size: Size, most: usize) -> Option<Simplest> {
    simplest_with(seed, size, most, &|scenario, telling| World::new(scenario, telling).run())
}

/// As [`simplest`], with worlds made otherwise.
pub fn simplest_with(
    seed: u64,
    size: Size,
    most: usize,
    run: &dyn Fn(Scenario, Telling) -> Outcome,
) -> Option<Simplest> {
    let mut tree = tree_of(seed, size);
    let mut scenario = tree.current();
    let wanted = run(scenario.clone(), Telling::Untold).violation?.invariant;
    let breaks = |scenario: &Scenario| breaks(scenario, wanted, run);
    let mut tried = 0;
    let mut may_go_on = tree.simplify();
    while may_go_on && tried < most {
        tried += 1;
        let simpler = tree.current();
        if breaks(&simpler) {
            scenario = simpler;
            may_go_on = tree.simplify();
        } else {
            may_go_on = tree.complicate();
        }
    }
    let outcome = run(scenario.clone(), Telling::Told);
    Some(Simplest { scenario, outcome, tried })
}

fn breaks(scenario: &Scenario, wanted: Invariant, run: &dyn Fn(Scenario, Telling) -> Outcome) -> bool {
    let violation = run(scenario.clone(), Telling::Untold).violation;
    violation.is_some_and(|violation| violation.invariant == wanted)
}
