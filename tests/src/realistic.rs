//! Modules as they are in practice, for simulated worlds: builds of heavy-tailed length whose weight is known, repositories
//! of one to three minutes, tagging of some seconds.

use std::ops::Range;
use std::thread;
use std::time::Duration;

use mbs_core::sim::{Chance, ComponentScript, ModuleScript, Order, Timing};

/// The shortest expected build; one in three takes more than twice as long, one in forty more than ten times.
const SHORTEST: Duration = Duration::from_secs(90);

/// The longest expected build.
pub const LONGEST: Duration = Duration::from_secs(3_600);

/// Returns how long things take.
pub fn timing() -> Timing {
    Timing {
        build: SHORTEST,
        longest_build: LONGEST,
        repo: Duration::from_secs(60),
        tagging: Duration::from_secs(10),
        call: Duration::from_millis(400),
    }
}

/// Which earlier components one may come after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All.
    Loose,
    /// The last thirty: long chains.
    Deep,
    /// The first twenty: few layers.
    Shallow,
}

/// Makes a module of components in batches of random sizes, with no build expected to take longer than `longest`.
pub fn in_batches(chance: Chance, components: usize, batches: u8, longest: Duration) -> ModuleScript {
    let of = |place: usize| {
        let group = u8::try_from(chance.below(u64::from(batches), ("group", place))).unwrap_or(0);
        let expected = Some(expected(chance, place).min(longest));
        ComponentScript { expected, ..ComponentScript::in_group(group) }
    };
    ModuleScript::of((0..components).map(of).collect(), Order::Batches)
}

/// Makes a module of components in a graph: each comes after up to three earlier ones.
pub fn as_graph(chance: Chance, components: usize, shape: Shape) -> ModuleScript {
    let of = |place: usize| {
        let after = predecessors(chance, place, shape);
        ComponentScript { expected: Some(expected(chance, place)), ..ComponentScript::after(after) }
    };
    ModuleScript::of((0..components).map(of).collect(), Order::Graph)
}

/// Returns the same module as barrier batches: each component in the first batch that its predecessors allow.
pub fn with_barriers(graph: &ModuleScript) -> ModuleScript {
    let mut groups: Vec<u8> = Vec::new();
    for component in &graph.components {
        let behind = component.after.iter().map(|earlier| groups[*earlier] + 1).max();
        groups.push(behind.unwrap_or(0));
    }
    let of = |(component, group): (&ComponentScript, u8)| ComponentScript { group, ..component.clone() };
    let components = graph.components.iter().zip(groups).map(of).collect();
    ModuleScript { components, order: Order::Batches, ..graph.clone() }
}

fn expected(chance: Chance, place: usize) -> Duration {
    chance.heavy_tailed(SHORTEST, LONGEST, ("expected", place))
}

fn predecessors(chance: Chance, place: usize, shape: Shape) -> Vec<usize> {
    let (from, to) = match shape {
        Shape::Loose => (0, place),
        Shape::Deep => (place.saturating_sub(30), place),
        Shape::Shallow => (0, place.min(20)),
    };
    let count = if to == 0 { 0 } else { chance.below(4, ("predecessors", place)) };
    let draw = |nth| from + chance.below((to - from) as u64, ("predecessor", place, nth)) as usize;
    let mut after: Vec<usize> = (0..count).map(draw).collect();
    after.sort_unstable();
    after.dedup();
    after
}

/// Returns the package of a component of the first module of a world.
pub fn package(place: usize) -> String {
    let mut letters = String::new();
    let mut rest = place;
    loop {
        letters.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
        if rest == 0 {
            return format!("ant-{letters}");
        }
    }
}

/// Measures the worlds of many numbers on all cores, in no particular order of time; the results are in order.
pub fn measure_all<T: Send>(seeds: Range<u64>, measure: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let workers = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let of = |worker| seeds.clone().filter(move |seed| seed % workers == worker);
    let mut measured: Vec<(u64, T)> = thread::scope(|scope| {
        let measure = &measure;
        let start =
            |worker| scope.spawn(move || of(worker).map(|seed| (seed, measure(seed))).collect::<Vec<_>>());
        let running: Vec<_> = (0..workers).map(start).collect();
        running.into_iter().flat_map(|one| one.join().expect("no world breaks a promise")).collect()
    });
    measured.sort_by_key(|(seed, _)| *seed);
    measured.into_iter().map(|(_, result)| result).collect()
}
