//! Thousands of simulated worlds in which everything goes wrong that can: no promise may be broken.
//!
//! `SIM_CASES` says how many worlds turn (2,000 if it is not set), `SIM_SEED` the number of the first. A broken promise is
//! told as the story of the simplest world that breaks it.

use std::env;
use std::thread;
use std::time::Instant;

use mbs_core::sim::{Explored, FaultKind, Size, explore, shortened, simplest};

const CASES: u64 = 2_000;
const FIRST: u64 = 1;

/// So many lines of a story are told.
const LINES: usize = 40;

/// So many worlds are tried to make one simpler.
const TRIES: usize = 3_000;

/// In so many worlds, each kind of fault happens once at least.
const WORLDS_PER_FAULT: u64 = 200;

fn number(name: &str, usual: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name} must be a number")),
        Err(_) => usual,
    }
}

/// Turns worlds on all cores.
fn explore_all(first: u64, cases: u64) -> Explored {
    let workers = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let share = cases.div_ceil(workers);
    let ranges = (0..workers).map(|worker| {
        let begin = first + (worker * share).min(cases);
        begin..first + ((worker + 1) * share).min(cases)
    });
    let mut all = Explored::default();
    thread::scope(|scope| {
        let running: Vec<_> = ranges.map(|range| scope.spawn(move || explore(range, Size::MIXED))).collect();
        for worker in running {
            all.add(&worker.join().expect("a worker says what it found"));
        }
    });
    all
}

#[test]
fn no_world_breaks_a_promise_and_every_fault_has_its_day() {
    let (first, cases) = (number("SIM_SEED", FIRST), number("SIM_CASES", CASES));
    let began = Instant::now();
    let explored = explore_all(first, cases);
    println!(
        "{} worlds from number {first}, {} moments, {} plans, {} s",
        explored.worlds,
        explored.moments,
        explored.steps,
        began.elapsed().as_secs()
    );
    for kind in FaultKind::ALL {
        println!("{:>9} times  {kind}", explored.coverage.of(kind));
    }
    for (end, count) in &explored.ends {
        println!("{count:>9} times  {end}");
    }
    if let Some(seed) = explored.broken {
        tell(seed);
    }
    let rare = explored.coverage.rarer_than((cases / WORLDS_PER_FAULT).max(1));
    assert!(rare.is_empty(), "these faults happened too rarely to prove anything: {rare:?}");
}

/// Tells the story of a broken promise, and fails.
fn tell(seed: u64) {
    let Some(found) = simplest(seed, Size::MIXED, TRIES) else {
        panic!("world {seed} broke a promise, and does not when it is looked at again");
    };
    let violation = found.outcome.violation.expect("the simplest world breaks it, too");
    let story = shortened(&found.outcome.story, violation.build, LINES);
    let lines: Vec<String> = story.iter().map(ToString::to_string).collect();
    panic!(
        "{:#?}\n{}\nworld {seed}, made simpler in {} steps: {violation}",
        found.scenario,
        lines.join("\n"),
        found.tried
    );
}
