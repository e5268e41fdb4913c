//! How close modules ordered by a graph come to the time that no scheduler can beat, and how far barriers are from it.
//!
//! The bound is the larger of two times:
//! - the critical path: the macros, then the longest chain of components, each as long as its task took in this world, with
//!   the average tagging and the average repository behind the macros and on every edge, and a tagging behind the last;
//! - the work: all tasks of this world, one after the other, divided by the limit.

use std::time::Duration;

use mbs_core::sim::{BuildFigures, Chance, Inspection, ModuleScript, Parts, Scenario, Telling, World};
use mbs_tests::realistic::{Shape, as_graph, measure_all, package, timing, with_barriers};

const SEEDS: std::ops::Range<u64> = 0..100;
const COMPONENTS: usize = 150;

/// A module of the test, and the limit it is built with.
struct Sample {
    seed: u64,
    limit: u32,
    graph: ModuleScript,
}

/// What a sample took, divided by what no scheduler can beat.
struct Measured {
    graph: f64,
    barriers: Option<f64>,
}

fn sample(seed: u64) -> Sample {
    let shape = [Shape::Loose, Shape::Deep, Shape::Shallow][seed as usize % 3];
    let limit = [5, 10, 20, 40][seed as usize / 3 % 4];
    Sample { seed, limit, graph: as_graph(Chance::of(seed), COMPONENTS, shape) }
}

fn build(sample: &Sample, module: ModuleScript) -> BuildFigures {
    let scenario =
        Scenario { timing: timing(), ..Scenario::calm(sample.seed, vec![module], Some(sample.limit)) };
    let unwatched = |clock: &_| Parts { inspection: Inspection::Ends, ..Parts::in_memory(clock) };
    let outcome = World::with(scenario, Telling::Untold, unwatched).run();
    assert_eq!(outcome.violation, None, "seed {}", sample.seed);
    let mut builds = outcome.figures.builds.into_values();
    builds.next().expect("one module was submitted")
}

/// Returns the bound of a module whose tasks took as long as the figures say.
fn bound(sample: &Sample, figures: &BuildFigures) -> Duration {
    let took = |name: &str| {
        let found = figures.tasks.iter().find(|(package, _)| package.as_str() == name);
        *found.unwrap_or_else(|| panic!("{name} was built")).1
    };
    // The world draws up to this time, and what comes in the first quarter of it is tagged at once.
    let tagging = timing().tagging.mul_f64((1.0 - 1.0 / 16.0) / 2.0);
    // It draws between once and three times the shortest.
    let edge = tagging + timing().repo * 2;
    let mut ends: Vec<Duration> = Vec::new();
    for (place, component) in sample.graph.components.iter().enumerate() {
        let begin = component.after.iter().map(|earlier| ends[*earlier] + edge).max();
        let begin = begin.unwrap_or_else(|| took("module-build-macros") + edge);
        ends.push(begin + took(&package(place)));
    }
    let path = ends.into_iter().max().unwrap_or_default() + tagging;
    path.max(figures.work() / sample.limit)
}

/// Measures a module; the same as barrier batches, too, of every fifth one.
fn measure(seed: u64) -> Measured {
    let sample = sample(seed);
    let figures = build(&sample, sample.graph.clone());
    let bound = bound(&sample, &figures).as_secs_f64();
    let ratio = |figures: &BuildFigures| makespan(figures) / bound;
    let barriers = seed.is_multiple_of(5).then(|| build(&sample, with_barriers(&sample.graph)));
    Measured { graph: ratio(&figures), barriers: barriers.as_ref().map(ratio) }
}

fn makespan(figures: &BuildFigures) -> f64 {
    figures.makespan().expect("every module is built").as_secs_f64()
}

/// Returns the median and the worst.
fn summary(ratios: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut ratios: Vec<f64> = ratios.collect();
    ratios.sort_by(f64::total_cmp);
    (ratios[ratios.len() / 2], ratios[ratios.len() - 1])
}

#[test]
fn graphs_of_150_components_take_hardly_longer_than_the_critical_path_or_the_work() {
    let measured = measure_all(SEEDS, measure);
    let (median, worst) = summary(measured.iter().map(|one| one.graph));
    let (of_barriers, worst_of_barriers) = summary(measured.iter().filter_map(|one| one.barriers));
    println!("graphs: median {median:.3}, worst {worst:.3} times the bound");
    println!("the same as barrier batches: median {of_barriers:.3}, worst {worst_of_barriers:.3}");
    assert!(median <= 1.10, "median {median:.3}");
    assert!(worst <= 1.30, "worst {worst:.3}");
}
