//! Worlds that turn.

use super::*;

mod every_await_point;
mod sabotage;

fn run(seed: u64, size: Size) -> Outcome {
    World::new(strategies::scenario_of(seed, size), Telling::Untold).run()
}

#[test]
fn calm_worlds_end_well() {
    let size = Size { faults: Faults::None, ..Size::MIXED };
    for seed in 0..50 {
        let outcome = run(seed, size);
        if let Some(violation) = outcome.violation {
            let scenario = strategies::scenario_of(seed, size);
            let outcome = World::new(scenario.clone(), Telling::Told).run();
            for line in outcome.story.iter().take(200) {
                println!("{line}");
            }
            panic!("seed {seed}: {violation}\n{scenario:#?}");
        }
    }
}
