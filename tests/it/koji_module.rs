//! How do modules fare on Koji when answers get lost, and when the hub is away for an hour?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use mbs_core::clock::Clock as _;
use mbs_core::ident::BuildId;
use mbs_core::memory::ManualClock;
use mbs_core::model::State;
use mbs_core::sim::{Chance, Outcome, Parts, Scenario, Telling, Timing, World};
use mbs_koji::content_generator::GENERATOR;
use mbs_koji::fake_hub::{Counters, FakeHub, Rule, Setup, Trouble};
use mbs_koji::xmlrpc::{Call, Struct};
use mbs_tests::realistic::{in_batches, timing};
use mbs_tests::world_koji::{WorldKoji, system};
use tokio::runtime::Runtime;

const COMPONENTS: usize = 100;
const BATCHES: u8 = 5;

/// What the hub was asked in so many seconds of the world's time.
type Load = Arc<Mutex<BTreeMap<u64, u64>>>;

/// A hub in a world.
struct Site {
    runtime: Runtime,
    hub: Mutex<Option<FakeHub>>,
    rules: Vec<Rule>,
}

impl Site {
    fn new(rules: Vec<Rule>) -> Self {
        Self { runtime: Runtime::new().expect("there are threads"), hub: Mutex::default(), rules }
    }

    /// Runs a scenario; `watch` makes what is told of each call, of the hub and the world.
    fn run(
        &self,
        scenario: Scenario,
        watch: impl Fn(&FakeHub, &Arc<ManualClock>, &Parts) -> Box<dyn Fn() + Send + Sync>,
    ) -> Outcome {
        World::with(scenario, Telling::Untold, |clock| {
            let parts = Parts::in_memory(clock);
            let setup = Setup { clock: Some(clock.clone()), ..Setup::default() };
            let hub = self.runtime.block_on(FakeHub::start(setup)).expect("there are ports");
            for tag in parts.grounds.tags() {
                hub.plant_tag(tag.as_str(), &["x86_64"]);
            }
            hub.plant_generator(GENERATOR, &["mbs"]);
            hub.faults().seed(1);
            self.rules.iter().for_each(|rule| hub.faults().add(rule.clone()));
            let watch = watch(&hub, clock, &parts);
            let system = system(&hub, clock.clone());
            *self.hub.lock().expect("nobody panics with a hub") = Some(hub.clone());
            let koji = WorldKoji { system, hub, runtime: self.runtime.handle().clone(), watch };
            Parts { grounds: Arc::new(koji), ..parts }
        })
        .run()
    }

    fn counters(&self) -> Counters {
        let hub = self.hub.lock().expect("nobody panics with a hub");
        hub.as_ref().expect("a world was run").counters()
    }
}

fn one_module() -> Scenario {
    let module = in_batches(Chance::of(7), COMPONENTS, BATCHES, Duration::from_secs(600));
    Scenario {
        timing: Timing {
            build: Duration::from_secs(60),
            longest_build: Duration::from_secs(600),
            ..timing()
        },
        ..Scenario::calm(7, vec![module], None)
    }
}

fn ready(outcome: &Outcome) {
    assert_eq!(outcome.violation, None);
    for record in &outcome.records {
        assert_eq!(record.state(), State::Ready, "{}: {:?}", record.nsvc(), record.life.reason());
    }
}

#[test]
fn nothing_is_built_twice_though_a_tenth_of_the_answers_is_lost() {
    let site = Site::new(vec![Rule::always(Trouble::ResetAfter).with_probability(0.1)]);
    ready(&site.run(one_module(), |_, _, _| Box::new(|| ())));
    let counters = site.counters();
    println!("with a tenth of the answers lost: {} requests; {:?}", counters.requests, counters.methods);
    let hub = site.hub.lock().unwrap();
    let hub = hub.as_ref().unwrap();
    assert!(hub.faults().count() > 0, "no answer was lost");
    let clock = Arc::new(ManualClock::new());
    hub.faults().clear();
    let all = Call::new("listTasks").keyword("opts", Struct::from([("method", "build")]));
    let tasks = site.runtime.block_on(system(hub, clock).hub().read(&all)).expect("the hub answers");
    let tasks = tasks.as_array().expect("it is a list").len();
    assert_eq!(tasks, COMPONENTS + 1, "a component was built twice");
}

const MODULES: u64 = 20;
const DOWN: std::ops::Range<Duration> = Duration::from_secs(1_200)..Duration::from_secs(4_800);

#[test]
fn an_hour_without_a_hub_fails_nothing_shows_why_and_ends_gently() {
    let site = Site::new(Vec::new());
    let modules = (0..MODULES).map(|nth| in_batches(Chance::of(nth), 6, 2, Duration::from_secs(900)));
    let scenario = Scenario { timing: timing(), ..Scenario::calm(11, modules.collect(), Some(20)) };
    let load = Load::default();
    let reasons: Arc<Mutex<BTreeMap<BuildId, String>>> = Arc::default();
    let outcome = site.run(scenario, |hub, clock, parts| {
        let (hub, clock, store) = (hub.clone(), clock.clone(), parts.store.clone());
        let (load, reasons) = (load.clone(), reasons.clone());
        Box::new(move || {
            let now = clock.reading();
            let is_down = DOWN.contains(&now);
            hub.faults().set_down(is_down);
            *load.lock().unwrap().entry(now.as_secs()).or_default() += 1;
            if is_down && now > DOWN.end - Duration::from_secs(1_200) {
                for id in (1..=MODULES).map(|id| BuildId(id.try_into().unwrap())) {
                    if let Some(Ok(Some(why))) = store.explain(id).now_or_never() {
                        reasons.lock().unwrap().insert(id, why.to_string());
                    }
                }
            }
        })
    });
    ready(&outcome);
    let reasons = reasons.lock().unwrap();
    let is_open = |id: &BuildId| outcome.figures.builds[id].ended.is_some_and(|ended| ended > DOWN.start);
    let open: Vec<_> = reasons.iter().filter(|(id, _)| is_open(id)).collect();
    assert!(open.len() > 5, "of {MODULES} builds {} are open when the hub goes", open.len());
    for (id, why) in open {
        assert!(why.contains("cannot be reached"), "build {id}: {why}");
    }
    let load = load.lock().unwrap();
    let busiest = |from: Duration, to: Duration| {
        load.range(from.as_secs()..to.as_secs()).map(|(_, calls)| *calls).max().unwrap_or(0)
    };
    let before = busiest(Duration::ZERO, DOWN.start);
    let during = load.range(DOWN.start.as_secs()..DOWN.end.as_secs()).map(|(_, calls)| calls).sum::<u64>();
    let after = busiest(DOWN.end, DOWN.end + Duration::from_secs(1_200));
    println!(
        "calls in the busiest second before: {before}, after: {after}; in the hour without a hub: {during}"
    );
    assert!(after <= before, "{after} calls in a second, {before} before");
}
