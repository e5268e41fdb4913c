//! Turns a simulated world of a number and tells how it went; status 1 if a promise was broken.
//!
//! ```text
//! cargo run -p mbs-examples --example simulate -- --seed 17 --modules 3 --backends 2 --faults heavy --lines 200
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use mbs_core::sim::{
    FaultKind, Faults, Outcome, Size, Telling, World, explore, shortened, simplest, strategies::scenario_of,
};

/// Turns a simulated world and tells how it went.
#[derive(Debug, Parser)]
struct Arguments {
    /// The world's number; with the same options the same number gives the same history.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many modules are built; left out, chance decides.
    #[arg(long, value_parser = some)]
    modules: Option<usize>,
    /// How many backends there are; left out, chance decides.
    #[arg(long, value_parser = some)]
    backends: Option<usize>,
    /// How much goes wrong.
    #[arg(long, value_enum, default_value_t = FaultLevel::Heavy)]
    faults: FaultLevel,
    /// Turns so many worlds, from this number on, and says what went wrong in all of them.
    #[arg(long, default_value_t = 1)]
    worlds: u64,
    /// Prints at most so many lines of a story.
    #[arg(long, default_value_t = 40)]
    lines: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FaultLevel {
    None,
    Light,
    Heavy,
}

/// In a world without modules nothing happens, and without backends nothing ends.
fn some(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("it must be a whole number, 1 or more")
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let faults = match arguments.faults {
        FaultLevel::None => Faults::None,
        FaultLevel::Light => Faults::Light,
        FaultLevel::Heavy => Faults::Heavy,
    };
    let size = Size { modules: arguments.modules, backends: arguments.backends, faults };
    if arguments.worlds > 1 {
        return many(&arguments, size);
    }
    let outcome = World::new(scenario_of(arguments.seed, size), Telling::Told).run();
    match outcome.violation {
        None => {
            tell(&outcome, arguments.lines);
            ExitCode::SUCCESS
        }
        Some(_) => broken(arguments.seed, size, arguments.lines),
    }
}

fn many(arguments: &Arguments, size: Size) -> ExitCode {
    let explored = explore(arguments.seed..arguments.seed.saturating_add(arguments.worlds), size);
    println!("{} worlds, {} moments, {} plans", explored.worlds, explored.moments, explored.steps);
    for kind in FaultKind::ALL {
        println!("{:>10}  {kind}", explored.coverage.of(kind));
    }
    for (end, count) in &explored.ends {
        println!("{count:>10}  {end}");
    }
    match explored.broken {
        None => ExitCode::SUCCESS,
        Some(seed) => broken(seed, size, arguments.lines),
    }
}

fn tell(outcome: &Outcome, lines: usize) {
    let about = outcome.violation.as_ref().and_then(|violation| violation.build);
    shortened(&outcome.story, about, lines).iter().for_each(|line| println!("{line}"));
    for build in &outcome.records {
        println!("module build {} ({}): {}", build.id, build.nsvc(), build.state());
    }
    summarise(outcome);
}

fn summarise(outcome: &Outcome) {
    let figures = &outcome.figures;
    let utilisation =
        figures.utilisation().map_or("no limit".into(), |part| format!("{:.0} %", 100.0 * part));
    println!(
        "makespan {} s, slots in use {utilisation}, {} hub calls, {} plans",
        figures.makespan().as_secs(),
        outcome.calls,
        outcome.steps
    );
    for (id, build) in &figures.builds {
        let took = build.makespan().map_or("open".into(), |took| format!("{} s", took.as_secs()));
        println!(
            "module build {id}: {took}, of which in line {} s, without a slot for tags and repositories {} s",
            build.in_line.as_secs(),
            build.between.as_secs()
        );
    }
}

/// Looks for the simplest world that breaks the same promise, and tells its story.
fn broken(seed: u64, size: Size, lines: usize) -> ExitCode {
    let Some(found) = simplest(seed, size, 2_000) else { return ExitCode::FAILURE };
    println!("{:#?}", found.scenario);
    tell(&found.outcome, lines);
    if let Some(violation) = &found.outcome.violation {
        println!("\nseed {seed}, made simpler in {} steps: {violation}", found.tried);
    }
    ExitCode::FAILURE
}
