//! How a world is made: from a scenario, and from parts that may be replaced.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;

use super::{Due, World, version_of};
use crate::engine::{Engine, Publisher};
use crate::memory::{ManualClock, MemoryBuildSystem, MemoryStore};
use crate::plan::{Planner, Standard};
use crate::policy::Policy;
use crate::sim::backend::Backend;
use crate::sim::cast;
use crate::sim::chance::Chance;
use crate::sim::fault::FaultKind;
use crate::sim::grounds::Grounds;
use crate::sim::inspector::{Inspection, Inspector};
use crate::sim::mortal::{Flag, Process};
use crate::sim::people::People;
use crate::sim::planner::WatchedPlanner;
use crate::sim::scenario::Scenario;
use crate::sim::story::Story;
use crate::sim::wires::{BusWire, HubWire, Network, StoreWire};
use crate::store::{Settings, Sink, Store, WorkerId};

/// What a world is made of beside its scenario: replace a part to see how another implementation fares.
#[derive(Debug)]
pub struct Parts {
    /// Keeps the records; its time must be that of the world's clock.
    pub store: Arc<dyn Store>,
    /// Builds packages.
    pub grounds: Arc<dyn Grounds>,
    /// Decides.
    pub planner: Arc<dyn Planner>,
    /// The rules.
    pub policy: Policy,
    /// How closely it is watched.
    pub inspection: Inspection,
}

impl Parts {
    /// Makes the usual parts: store and build system in memory, the planner of this crate, the policy of worlds.
    pub fn in_memory(clock: &Arc<ManualClock>) -> Self {
        Self::under(clock, cast::policy())
    }

    /// Makes the usual parts under another policy than that of worlds, which [`Parts::in_memory`] has.
    pub fn under(clock: &Arc<ManualClock>, policy: Policy) -> Self {
        let grounds = MemoryBuildSystem::new();
        grounds.permit_twins();
        grounds.add_tag(&cast::base_tag(), &["x86_64".parse().expect("it is an architecture")]);
        Self {
            store: Arc::new(MemoryStore::new(clock.clone(), cast::start(), &policy)),
            grounds: Arc::new(grounds),
            planner: Arc::new(Standard),
            policy,
            inspection: Inspection::Steps,
        }
    }
}

/// Whether a world keeps its story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// It does, which costs time.
    Told,
    /// It does not.
    Untold,
}

impl World {
    /// Makes the world of a scenario on the memory implementations.
    pub fn new(scenario: Scenario, telling: Telling) -> Self {
        Self::with(scenario, telling, Parts::in_memory)
    }

    /// Makes the world of a scenario on other parts, which are made for its clock.
    pub fn with(
        scenario: Scenario,
        telling: Telling,
        parts: impl FnOnce(&Arc<ManualClock>) -> Parts,
    ) -> Self {
        let clock = Arc::new(ManualClock::new());
        let Parts { store, grounds, planner, policy, inspection } = parts(&clock);
        let chance = Chance::of(scenario.seed);
        let story = Arc::new(match telling {
            Telling::Told => Story::told(clock.clone()),
            Telling::Untold => Story::untold(clock.clone()),
        });
        let settings = Settings { limit: scenario.limit, ..Settings::default() };
        let inspector = Arc::new(Inspector::new(
            inspection,
            grounds.clone(),
            policy.clone(),
            settings.clone(),
            story.clone(),
        ));
        let network = Arc::new(Network::new(clock.clone(), chance, scenario.timing));
        let poisoned = scenario.modules.iter().enumerate().filter(|(_, module)| module.poisoned);
        let poisoned = poisoned.map(|(place, _)| version_of(place)).collect();
        let planner = Arc::new(WatchedPlanner::new(planner, inspector.clone(), poisoned));
        let (resolver, sources) = (Arc::new(cast::resolver()), Arc::new(cast::source_control(&scenario)));
        let wire = StoreWire { network: network.clone(), store: store.clone(), inspector: inspector.clone() };
        let engine = Engine {
            store: Arc::new(wire.clone()),
            build_system: Arc::new(HubWire {
                network: network.clone(),
                system: grounds.clone(),
                inspector: inspector.clone(),
            }),
            resolver: resolver.clone(),
            source_control: sources.clone(),
            clock: clock.clone(),
            planner: planner.clone(),
            policy: Arc::new(policy),
            worker: WorkerId(String::new()),
            looks_at_once: 1,
        };
        let backend = |(place, script)| Backend::new(place, script, engine.clone(), clock.clone());
        let backends = scenario.backends.iter().copied().enumerate().map(backend).collect();
        let bus = Arc::new(BusWire { network: network.clone(), inspector: inspector.clone() });
        let publisher = Publisher {
            store: Arc::new(wire.clone()),
            bus,
            clock: clock.clone(),
            policy: engine.policy.clone(),
            sink: Sink("bus".into()),
            worker: WorkerId("publisher".into()),
        };
        let people = People { store: wire, network: network.clone() };
        let mut world = Self {
            clock,
            chance,
            network,
            inspector,
            story,
            grounds,
            store,
            resolver,
            sources,
            planner,
            people,
            backends,
            publisher,
            publishing: Process::default(),
            publish_bell: Arc::default(),
            rung: 0,
            driven: FuturesUnordered::new(),
            driven_flag: Flag::raised(),
            agenda: BTreeMap::new(),
            numbered: 0,
            tasks: BTreeMap::new(),
            failures: Vec::new(),
            last_message: 0,
            is_calm: false,
            moments: 0,
            scenario,
        };
        world.begin(settings);
        world
    }

    fn begin(&mut self, settings: Settings) {
        let store = self.store.clone();
        self.network.send(async move {
            store.change_settings(settings, "oscar").await.expect("nothing is wrong yet");
        });
        cast::weights(&self.scenario).for_each(|(package, weight)| self.grounds.set_weight(&package, weight));
        for place in 0..self.scenario.modules.len() {
            self.plan(self.scenario.modules[place].submitted_at, Due::Submits(place));
        }
        for place in 0..self.scenario.happenings.len() {
            self.plan(self.scenario.happenings[place].0, Due::Happens(place));
        }
        // What is armed by then and met nothing yet never will.
        self.plan(self.scenario.calm_from() + Duration::from_secs(60), Due::Calms);
        for place in 0..self.backends.len() {
            self.backends[place].start();
            if self.backends[place].is_off() {
                self.network.count(FaultKind::ClockOff);
            }
        }
        self.start_publisher();
    }
}
