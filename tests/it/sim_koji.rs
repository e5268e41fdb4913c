//! Simulated worlds on Koji over HTTP: no promise may be broken there either.
//!
//! `SIM_KOJI_CASES` says how many worlds turn (100 if it is not set), `SIM_SEED` the number of the first. Beside the faults of
//! the world the hub has some of its own: connections that break before or after a request took effect, an odd status, outages.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use mbs_core::memory::ManualClock;
use mbs_core::sim::strategies::scenario_of;
use mbs_core::sim::{Parts, Size, Telling, World, shortened};
use mbs_koji::content_generator::GENERATOR;
use mbs_koji::fake_hub::{FakeHub, Rule, Setup, Trouble};
use mbs_tests::world_koji::{WorldKoji, system};
use tokio::runtime::{Handle, Runtime};

const CASES: u64 = 100;

fn number(name: &str, usual: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return usual };
    text.parse().unwrap_or_else(|_| panic!("{name} must be a number"))
}

/// The hub's own troubles: each of them to one request in a hundred.
const TROUBLES: [Trouble; 5] = [
    Trouble::ResetBefore,
    Trouble::ResetAfter,
    Trouble::Status(502),
    Trouble::Offline,
    Trouble::ExpiredSession,
];

/// Makes the parts of a world on a hub; odd seeds have one that makes no repositories on demand.
fn parts(clock: &Arc<ManualClock>, seed: u64, runtime: &Handle) -> Parts {
    let parts = Parts::in_memory(clock);
    let version = if seed.is_multiple_of(2) { "1.35.3" } else { "1.34.0" };
    let setup = Setup { version: version.to_owned(), clock: Some(clock.clone()), ..Setup::default() };
    let hub = runtime.block_on(FakeHub::start(setup)).expect("there are ports");
    for tag in parts.grounds.tags() {
        hub.plant_tag(tag.as_str(), &["x86_64"]);
    }
    hub.plant_generator(GENERATOR, &["mbs"]);
    hub.faults().seed(seed);
    for trouble in TROUBLES {
        hub.faults().add(Rule::always(trouble).with_probability(0.01));
    }
    let koji = WorldKoji {
        system: system(&hub, clock.clone()),
        hub,
        runtime: runtime.clone(),
        watch: Box::new(|| ()),
    };
    Parts { grounds: Arc::new(koji), ..parts }
}

fn turn(seed: u64, runtime: &Handle) -> (u64, u64) {
    let scenario = scenario_of(seed, Size::MIXED);
    let world = |scenario, telling| World::with(scenario, telling, |clock| parts(clock, seed, runtime)).run();
    let outcome = world(scenario.clone(), Telling::Untold);
    if let Some(violation) = outcome.violation {
        let told = world(scenario, Telling::Told);
        let story: Vec<String> =
            shortened(&told.story, violation.build, 60).iter().map(ToString::to_string).collect();
        panic!("world {seed} on Koji: {violation:?}\n{}", story.join("\n"));
    }
    (outcome.steps, outcome.moments)
}

#[test]
fn no_world_on_koji_breaks_a_promise() {
    let runtime = Runtime::new().expect("there are threads");
    let (first, cases) = (number("SIM_SEED", 1), number("SIM_KOJI_CASES", CASES));
    let began = Instant::now();
    let next = Mutex::new(first..first + cases);
    let (mut steps, mut moments) = (0, 0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut turned = (0, 0);
                    loop {
                        let seed = next.lock().expect("the other worker takes a number and goes").next();
                        let Some(seed) = seed else { return turned };
                        let (steps, moments) = turn(seed, runtime.handle());
                        turned = (turned.0 + steps, turned.1 + moments);
                    }
                })
            })
            .collect();
        for worker in workers {
            let turned = worker.join().expect("no world breaks a promise");
            (steps, moments) = (steps + turned.0, moments + turned.1);
        }
    });
    println!("{cases} worlds on Koji, {moments} moments, {steps} plans, {} s", began.elapsed().as_secs());
}
