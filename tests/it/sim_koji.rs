//! Simulated worlds on Koji over HTTP: no promise may be broken there either.
//!
//! `SIM_KOJI_CASES` says how many worlds turn (100 if it is not set), `SIM_SEED` the number of the first. Beside the faults of
//! the world the hub has some of its own: connections that break before or after a request took effect, an odd status, outages.

use std::sync::Arc;

use mbs_core::memory::ManualClock;
use mbs_core::sim::{Parts, World};
use mbs_koji::content_generator::GENERATOR;
use mbs_koji::fake_hub::{FakeHub, Rule, Setup, Trouble};
use mbs_tests::world_koji::{WorldKoji, system};
use mbs_tests::worlds;
use tokio::runtime::{Handle, Runtime};

const CASES: u64 = 100;

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

#[test]
fn no_world_on_koji_breaks_a_promise() {
    let runtime = Runtime::new().expect("there are threads");
    let run = |seed, scenario, telling| {
        World::with(scenario, telling, |clock| parts(clock, seed, runtime.handle())).run()
    };
    println!("{}", worlds::turn("Koji", worlds::number("SIM_KOJI_CASES", CASES), run));
}
