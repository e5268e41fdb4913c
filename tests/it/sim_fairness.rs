//! What a big module costs small ones that come later, and what they cost it, against first come, first served.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mbs_core::model::ModuleBuild;
use mbs_core::plan::{Impossible, Observation, ObservationQuery, Plan, Planner, Standard};
use mbs_core::policy::Policy;
use mbs_core::sim::{BuildFigures, Chance, Figures, ModuleScript, Parts, Scenario, Telling, World};
use mbs_tests::realistic::{LONGEST, in_batches, measure_all, timing};

const LIMIT: u32 = 5;
const BIG: usize = 134;
const SMALL: u64 = 20;
const SEEDS: std::ops::Range<u64> = 0..6;

/// No build of a small module is expected to take longer: it would end late however soon it began.
const LONGEST_SMALL: Duration = Duration::from_secs(900);

/// First come, first served: who was submitted first is given whatever is free, however much it holds.
#[derive(Debug)]
struct FirstCome;

impl Planner for FirstCome {
    fn missing(&self, build: &ModuleBuild, seen: &Observation, policy: &Policy) -> ObservationQuery {
        Standard.missing(build, seen, policy)
    }

    fn plan(
        &self,
        build: &ModuleBuild,
        seen: &Observation,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Plan, Impossible> {
        let mut plan = Standard.plan(build, seen, policy, now)?;
        if let Some(line) = &mut plan.build.line {
            line.since = build.submitted_at;
        }
        Ok(plan)
    }
}

/// One big module, and small ones that come a minute apart once it is under way.
fn scenario(seed: u64) -> Scenario {
    let big = in_batches(Chance::of(seed), BIG, 6, LONGEST);
    let small = (0..SMALL).map(|nth| ModuleScript {
        submitted_at: Duration::from_secs(600 + 60 * nth),
        ..in_batches(Chance::of(1_000 * (seed + 1) + nth), 2, 2, LONGEST_SMALL)
    });
    let modules = std::iter::once(big).chain(small).collect();
    Scenario { timing: timing(), ..Scenario::calm(seed, modules, Some(LIMIT)) }
}

fn run(world: World) -> Figures {
    let outcome = world.run();
    assert_eq!(outcome.violation, None);
    outcome.figures
}

fn fairly(seed: u64) -> Figures {
    run(World::new(scenario(seed), Telling::Untold))
}

fn first_come(seed: u64) -> Figures {
    run(World::with(scenario(seed), Telling::Untold, |clock| {
        let policy = Policy { tau: Duration::ZERO, ..Parts::in_memory(clock).policy };
        Parts { planner: Arc::new(FirstCome), ..Parts::under(clock, policy) }
    }))
}

/// What a world came to, fair or not.
struct Course {
    big: Duration,
    half_of_big: Duration,
    last_small: Duration,
    small_times: Vec<Duration>,
    small_work: Duration,
    utilisation: f64,
}

impl Course {
    fn of(figures: &Figures) -> Self {
        let (first, big) = figures.builds.first_key_value().expect("the big module came first");
        let small = || figures.builds.iter().filter(|(id, _)| *id != first).map(|(_, small)| small);
        let mut small_times: Vec<Duration> = small().map(makespan).collect();
        small_times.sort();
        Self {
            big: makespan(big),
            half_of_big: big.half_built.expect("the big module was built"),
            last_small: small().filter_map(|build| build.ended).max().expect("small ones were built"),
            small_times,
            small_work: small().map(BuildFigures::work).sum(),
            utilisation: figures.utilisation().expect("there is a limit"),
        }
    }
}

fn makespan(build: &BuildFigures) -> Duration {
    build.makespan().expect("every module is built")
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = |time: Duration| time.as_secs_f64() / 60.0;
        let small: Vec<f64> = self.small_times.iter().copied().map(minutes).collect();
        write!(
            f,
            "small {:.0} min (longest {:.0}), the last ends at {:.0}; big {:.0} min, half built at {:.0}; slots {:.0} %",
            small[small.len() / 2],
            small[small.len() - 1],
            minutes(self.last_small),
            minutes(self.big),
            minutes(self.half_of_big),
            100.0 * self.utilisation
        )
    }
}

#[test]
fn small_modules_do_not_wait_for_a_big_one_which_pays_no_more_than_their_work() {
    let courses = measure_all(SEEDS, |seed| (Course::of(&fairly(seed)), Course::of(&first_come(seed))));
    for (seed, (fair, first_come)) in SEEDS.zip(&courses) {
        let allowed = (first_come.big + fair.small_work / LIMIT).mul_f64(1.05);
        println!("{seed}: fair:       {fair}\n{seed}: first come: {first_come}");
        println!(
            "{seed}: big grows by {:.1} %, allowed {:.1} %",
            growth(fair.big, first_come),
            growth(allowed, first_come)
        );
        assert!(fair.last_small < fair.half_of_big, "{seed}: a small module waited for the big one");
        assert!(fair.big <= allowed, "{seed}: the big module took too long");
    }
    let waited = courses.iter().filter(|(_, first_come)| first_come.last_small > first_come.half_of_big);
    assert!(waited.count() > 0, "first come, first served would do as well");
}

fn growth(big: Duration, first_come: &Course) -> f64 {
    100.0 * (big.as_secs_f64() / first_come.big.as_secs_f64() - 1.0)
}
