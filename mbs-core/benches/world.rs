//! How many planning steps a second a whole simulated world makes: engine, memory store, memory build system, clock and
//! network on one core. The aim is 20,000 and more.
//!
//! 40 modules of 10 components in three batches, on two backends, with 60 slots: once nothing goes wrong, once everything
//! does. A world that is inspected plans everything twice and checks every promise at every moment.
//!
//! What counts is the time that the thread had a core (`/proc/self/schedstat`), so that other work on the machine hardly
//! matters.

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use mbs_core::memory::ManualClock;
use mbs_core::sim::{
    BackendScript, ComponentScript, Faults, Inspection, ModuleScript, Order, Outcome, Parts, Scenario, Size,
    Telling, World, strategies,
};

const MODULES: u64 = 40;
const SEED: u64 = 7;

/// Returns the happenings of a heavy world around modules that are always the same.
fn scenario(faults: Faults) -> Scenario {
    let module = |number| ModuleScript {
        submitted_at: Duration::from_secs(30 * number),
        ..ModuleScript::of((0..10).map(|c| ComponentScript::in_group(c / 4)).collect(), Order::Batches)
    };
    let calm = Scenario {
        backends: vec![BackendScript::default(); 2],
        ..Scenario::calm(SEED, (0..MODULES).map(module).collect(), Some(60))
    };
    let drawn = strategies::scenario_of(SEED, Size { modules: Some(6), backends: Some(2), faults });
    Scenario { happenings: drawn.happenings, messages: drawn.messages, ..calm }
}

fn turn(scenario: Scenario, inspection: Inspection) -> Outcome {
    let parts = |clock: &Arc<ManualClock>| Parts { inspection, ..Parts::in_memory(clock) };
    World::with(scenario, Telling::Untold, parts).run()
}

/// Returns how long the main thread had a core so far.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads what the system counts; the core reads no files"
)]
fn time_on_core() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("Linux keeps this file");
    let nanos = text.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("it begins with nanoseconds"))
}

fn worlds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a world of 40 modules of 10 components");
    group.sample_size(10);
    for (faults, name) in [(Faults::None, "calm"), (Faults::Heavy, "with heavy faults")] {
        for (inspection, how) in [(Inspection::Ends, ""), (Inspection::Steps, ", inspected")] {
            let scenario = scenario(faults);
            let outcome = turn(scenario.clone(), inspection);
            assert_eq!(outcome.violation, None);
            group.throughput(Throughput::Elements(outcome.steps));
            group.bench_function(format!("{name}{how}"), |bencher| {
                bencher.iter_custom(|times| {
                    let began = time_on_core();
                    (0..times).for_each(|_| drop(turn(scenario.clone(), inspection)));
                    time_on_core() - began
                });
            });
        }
    }
}

criterion_group!(benches, worlds);
criterion_main!(benches);
