//! Many simulated worlds, two at a time.

use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use mbs_core::sim::strategies::scenario_of;
use mbs_core::sim::{Outcome, Scenario, Size, Telling, shortened};

/// Returns the number that a variable of the environment holds, else the usual one.
///
/// # Panics
/// It holds something else.
pub fn number(name: &str, usual: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return usual };
    text.parse().unwrap_or_else(|_| panic!("{name} must be a number"))
}

/// Turns so many worlds, from the one that `SIM_SEED` numbers on, and says how it went. `run` runs the world of a number.
///
/// # Panics
/// A world breaks a promise; its story is told.
pub fn turn(name: &str, cases: u64, run: impl Fn(u64, Scenario, Telling) -> Outcome + Sync) -> String {
    let began = Instant::now();
    let first = number("SIM_SEED", 1);
    let next = Mutex::new(first..first + cases);
    let work = || {
        let (mut steps, mut moments) = (0, 0);
        loop {
            let seed = next.lock().expect("the other worker takes a number and goes").next();
            let Some(seed) = seed else { return (steps, moments) };
            let outcome = turn_one(name, seed, &run);
            (steps, moments) = (steps + outcome.steps, moments + outcome.moments);
        }
    };
    let (mut steps, mut moments) = (0, 0);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let turned = worker.join().expect("no world breaks a promise");
            (steps, moments) = (steps + turned.0, moments + turned.1);
        }
    });
    format!("{cases} worlds on {name}, {moments} moments, {steps} plans, {} s", began.elapsed().as_secs())
}

fn turn_one(name: &str, seed: u64, run: &impl Fn(u64, Scenario, Telling) -> Outcome) -> Outcome {
    let scenario = scenario_of(seed, Size::MIXED);
    let outcome = run(seed, scenario.clone(), Telling::Untold);
    if let Some(violation) = &outcome.violation {
        let told = run(seed, scenario, Telling::Told);
        let story: Vec<String> =
            shortened(&told.story, violation.build, 60).iter().map(ToString::to_string).collect();
        panic!("world {seed} on {name}: {violation:?}\n{}", story.join("\n"));
    }
    outcome
}
