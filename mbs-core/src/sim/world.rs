//! A world: backends, a build system, people and a network on one clock that jumps from one moment to the next.
//!
//! At each moment everybody goes on until all wait; then the inspector looks at how things stand, and time jumps to the next
//! deadline. Nothing runs beside it, so that one scenario always gives one history.

use std::collections::BTreeMap;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::backend::{Backend, Bell};
use super::chance::Chance;
use super::fault::{Fault, FaultKind, RepoFault, TaskFault};
use super::grounds::Grounds;
use super::inspector::{Inspector, Invariant, Watched};
use super::mortal::{Flag, Process};
use super::outcome::{self, Outcome};
use super::people::People;
use super::planner::WatchedPlanner;
use super::scenario::{Deed, Happening, Scenario, Until};
use super::story::Story;
use super::wires::{Begun, BusWire, Driven, HubWire, Network, StoreWire};
use super::{audit, cast};
use crate::build_system::TaskFailure;
use crate::bus::Hint;
use crate::clock::Clock;
use crate::engine::{Engine, Publisher};
use crate::ident::{BuildId, Nvr, Package, TagName, TaskId, Version};
use crate::memory::{ManualClock, MemoryBuildSystem, MemoryResolver, MemorySourceControl, MemoryStore};
use crate::model::State;
use crate::plan::{Planner, Standard};
use crate::policy::Policy;
use crate::resolver::ResolverError;
use crate::store::{IdempotencyKey, Settings, Sink, Store, WorkerId};

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

/// A world that has begun.
pub struct World {
    scenario: Scenario,
    clock: Arc<ManualClock>,
    chance: Chance,
    network: Arc<Network>,
    inspector: Arc<Inspector>,
    story: Arc<Story>,
    grounds: Arc<dyn Grounds>,
    store: Arc<dyn Store>,
    resolver: Arc<MemoryResolver>,
    sources: Arc<MemorySourceControl>,
    planner: Arc<WatchedPlanner>,
    people: People,
    backends: Vec<Backend>,
    publisher: Publisher,
    publishing: Process,
    publish_bell: Arc<Bell>,
    /// How many commits were rung for.
    rung: u64,
    /// Calls and people under way.
    driven: FuturesUnordered<Driven>,
    driven_flag: Arc<Flag>,
    agenda: BTreeMap<(Duration, u64), Due>,
    numbered: u64,
    tasks: BTreeMap<TaskId, Begun>,
    /// Builds of a package that failed by its own fault: which, of which build, begun when, ended when.
    failures: Vec<outcome::PackageFailure>,
    last_message: u64,
    is_calm: bool,
    moments: u64,
}

/// What is due at a moment.
#[derive(Debug, Clone)]
enum Due {
    Submits(usize),
    Happens(usize),
    TaskEnds(TaskId),
    HintArrives(u64, Hint),
    BackendStarts(usize),
    BackendThaws(usize),
    Unpauses,
    Undrains,
    ResolverIsBack,
    SourcesAreBack,
    Calms,
}

/// A world that has not ended after so many moments never will, or wastes them.
const MOST_MOMENTS: u64 = 100_000;

/// So many rounds at one moment mean that somebody spins.
const MOST_ROUNDS: usize = 20_000;

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("at", &self.clock.reading()).finish_non_exhaustive()
    }
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
        let Parts { store, grounds, planner, policy } = parts(&clock);
        let chance = Chance::of(scenario.seed);
        let story = Arc::new(match telling {
            Telling::Told => Story::told(clock.clone()),
            Telling::Untold => Story::untold(clock.clone()),
        });
        let settings = Settings { limit: scenario.limit, ..Settings::default() };
        let inspector =
            Arc::new(Inspector::new(grounds.clone(), policy.clone(), settings.clone(), story.clone()));
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

    fn start_publisher(&mut self) {
        if !self.publishing.is_running() {
            let (publisher, bell) = (self.publisher.clone(), self.publish_bell.clone());
            self.publishing.start(async move {
                publisher.run(|| bell.clone().rung(), pending()).await;
            });
        }
    }

    /// Lets the world turn until every build has ended, a promise is broken, or it takes too long; says how it went.
    pub fn run(mut self) -> Outcome {
        let deadline = self.deadline();
        while self.turn() {
            if self.inspector.violation().is_some() || self.has_ended() {
                break;
            }
            if self.clock.reading() > deadline {
                self.report_unfinished();
                break;
            }
            if self.moments > MOST_MOMENTS {
                let what = format!("{MOST_MOMENTS} moments passed, and it has not ended");
                self.inspector.report(Invariant::I10, None, what);
            }
        }
        if self.inspector.violation().is_none() {
            outcome::check(&self.scenario, &self.inspector, &*self.grounds, &self.failures);
            self.audit();
        }
        self.outcome()
    }

    /// Lets one moment pass. `false`: nothing will ever happen again.
    fn turn(&mut self) -> bool {
        self.moments += 1;
        self.inspector.turn(self.clock.reading());
        self.settle();
        if self.network.take_harm() {
            self.inspector.harm();
        }
        self.inspector.check_grounds();
        if self.backends.iter().any(|backend| backend.process.is_up()) {
            self.inspector.check_idle_slots();
        } else {
            self.inspector.nobody_works();
        }
        let next_due = self.agenda.keys().next().map(|(at, _)| *at);
        let Some(next) = next_due.into_iter().chain(self.clock.next_deadline()).min() else { return false };
        self.clock.advance_to(next);
        self.inspector.turn(next);
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= next) {
            let due = entry.remove();
            self.comes(due);
        }
        true
    }

    /// Lets everybody go on until all wait.
    fn settle(&mut self) {
        for round in 0..MOST_ROUNDS {
            let mut has_moved = self.drive();
            has_moved |= self.drive_backends(round);
            self.take_begun();
            self.take_hints();
            self.ring();
            if !has_moved || self.inspector.violation().is_some() {
                return;
            }
        }
        self.inspector.report(Invariant::I10, None, "the world spins without time passing".into());
    }

    /// Notifies who listens to the store; like every message, that may be lost.
    fn ring(&mut self) {
        let commits = self.inspector.commits();
        let is_news = commits != std::mem::replace(&mut self.rung, commits);
        if is_news && (self.is_calm || !self.chance.percent(20, ("notify", commits))) {
            self.backends.iter().for_each(|backend| backend.bell.ring());
            self.publish_bell.ring();
        }
    }

    /// Drives calls and people.
    fn drive(&mut self) -> bool {
        let sent = self.network.take_sent();
        let mut has_moved = !sent.is_empty();
        self.driven.extend(sent);
        has_moved |= self.driven_flag.lower();
        let waker = Waker::from(Arc::clone(&self.driven_flag));
        let mut context = Context::from_waker(&waker);
        while has_moved && let Poll::Ready(Some(())) = self.driven.poll_next_unpin(&mut context) {}
        has_moved
    }

    /// Drives the backends, each once, another one first each time.
    fn drive_backends(&mut self, round: usize) -> bool {
        let (count, moments) = (self.backends.len(), self.moments);
        let first = self.chance.below(count as u64, ("first", moments, round)) as usize;
        let mut has_moved = false;
        for place in (0..count).map(|place| (first + place) % count) {
            if !self.backends[place].process.is_ready() {
                continue;
            }
            has_moved = true;
            if let Some(down) = self.backends[place].process.go_on() {
                self.story.tell(None, &self.backends[place].name(), || "dies".into());
                self.died(place, down);
            }
        }
        if self.publishing.is_ready() {
            has_moved = true;
            if let Some(down) = self.publishing.go_on() {
                self.story.tell(None, "publisher", || "dies".into());
                self.died(count, down);
            }
        }
        has_moved
    }

    fn died(&mut self, place: usize, down: Duration) {
        self.network.count(FaultKind::BackendKilled);
        self.inspector.harm();
        self.plan(self.clock.reading() + down, Due::BackendStarts(place));
    }

    fn plan(&mut self, at: Duration, due: Due) {
        self.numbered += 1;
        self.agenda.insert((at, self.numbered), due);
    }

    fn comes(&mut self, due: Due) {
        match due {
            Due::Submits(place) => self.submit(place),
            Due::Happens(place) => {
                let (_, happening) = self.scenario.happenings[place].clone();
                match happening {
                    Happening::Goes(fault) => self.goes(&fault),
                    Happening::Does(deed) => self.does(&deed),
                }
            }
            Due::TaskEnds(task) => self.end_task(task),
            Due::HintArrives(number, hint) => self.hint_arrives(number, &hint),
            Due::BackendStarts(place) => match self.backends.get_mut(place) {
                Some(backend) => {
                    backend.start();
                    self.story.tell(None, &backend.name(), || "starts".into());
                }
                None => self.start_publisher(),
            },
            Due::BackendThaws(place) => self.process(place).thaw(),
            Due::Unpauses => self.operate(|settings| settings.paused = false),
            Due::Undrains => self.operate(|settings| settings.draining = false),
            Due::ResolverIsBack => self.resolver.set_outage(None),
            Due::SourcesAreBack => self.reconnect_sources(),
            Due::Calms => self.calm_down(),
        }
    }

    fn reconnect_sources(&self) {
        for repository in cast::repositories(&self.scenario) {
            self.sources.reconnect(&repository).expect("the cast made it");
        }
    }

    fn calm_down(&mut self) {
        self.is_calm = true;
        self.network.calm_down();
        self.resolver.set_outage(None);
        self.reconnect_sources();
        self.inspector.harm();
        for backend in &mut self.backends {
            backend.process.spare();
            backend.start();
        }
        self.publishing.spare();
        self.start_publisher();
        self.story.tell(None, "world", || "nothing goes wrong any more".into());
    }
}

/// Tasks, and the messages about them.
impl World {
    fn take_begun(&mut self) {
        for begun in self.network.take_begun() {
            let (task, now) = (begun.task, self.clock.reading());
            let mut takes = match &begun.package {
                Some(package) => self.build_time(&begun.place, package, task),
                None => {
                    let shortest = self.scenario.timing.repo;
                    self.chance.between(shortest, shortest * 3, ("repo", task.0))
                }
            };
            match begun.repo_fault {
                Some(RepoFault::Hangs(time)) => takes = time,
                Some(RepoFault::Fails | RepoFault::Never) | None => {}
            }
            self.plan(now + takes, Due::TaskEnds(task));
            self.tasks.insert(task, begun);
        }
    }

    /// Decides how long a build takes: what is expected is met within a third, the same each time.
    fn build_time(&self, place: &TagName, package: &Package, task: TaskId) -> Duration {
        let timing = &self.scenario.timing;
        let owner = self.inspector.owner_of(place);
        let expected = owner
            .and_then(|owner| self.component_of(owner, package))
            .and_then(|(module, component)| self.scenario.modules[module].components[component].expected);
        let takes = match expected {
            _ if package.as_str() == crate::model::MACROS_PACKAGE => timing.build / 2,
            Some(expected) => {
                self.chance.between(expected * 2 / 3, expected * 4 / 3, ("around", package.as_str()))
            }
            None => self.chance.heavy_tailed(
                timing.build,
                timing.longest_build,
                ("build", package.as_str(), task.0),
            ),
        };
        if let Some(owner) = owner {
            self.inspector.task(owner, package, takes);
        }
        takes
    }

    /// Ends a task as its component's script and its faults have it.
    fn end_task(&mut self, task: TaskId) {
        let Some(begun) = self.tasks.remove(&task) else { return };
        let owner = self.inspector.owner_of(&begun.place);
        let infra = |reason: &str| TaskFailure { reason: reason.to_owned(), is_package_fault: false };
        let (ended, how) = match (&begun.package, begun.repo_fault) {
            (None, Some(RepoFault::Fails)) => {
                self.network.count(FaultKind::RepoFails);
                self.inspector.harm();
                (self.grounds.fail(task, infra("createrepo failed")), "fails")
            }
            (None, Some(RepoFault::Hangs(_))) => {
                self.network.count(FaultKind::RepoHangs);
                self.inspector.harm();
                self.grounds.cancel_by_stranger(task);
                (Ok(()), "hung and is cancelled")
            }
            (Some(package), _) if self.fails(owner, package) => {
                self.note_failure(owner, package, task);
                let failure = TaskFailure { reason: "%build failed".into(), is_package_fault: true };
                (self.grounds.fail(task, failure), "fails: %build failed")
            }
            (_, _) => (self.grounds.finish(task), "is closed"),
        };
        self.story.tell(owner, "hub", || {
            let what = begun.package.as_ref().map_or("the repository".to_owned(), ToString::to_string);
            format!("task {task} ({what}) {how}")
        });
        if let Err(error) = ended {
            self.story.tell(owner, "hub", || format!("task {task} fails: {error}"));
            // It lives and cannot end well, or it ended already, by other hands.
            drop(self.grounds.fail(task, infra(&error.to_string())));
        }
    }

    /// Says whether the next build of a component fails by its own fault.
    fn fails(&self, owner: Option<BuildId>, package: &Package) -> bool {
        let Some((place, component)) = owner.and_then(|id| self.component_of(id, package)) else {
            return false;
        };
        let so_far = self.failures.iter().filter(|f| Some(f.build) == owner && f.package == *package).count();
        usize::from(self.scenario.modules[place].components[component].fails) > so_far
    }

    fn note_failure(&mut self, owner: Option<BuildId>, package: &Package, task: TaskId) {
        let Some(build) = owner else { return };
        self.inspector.package_fails(task);
        self.failures.push(outcome::PackageFailure { build, package: package.clone(), task });
    }

    /// Returns the places of module and component that a build and package have in the scenario.
    fn component_of(&self, build: BuildId, package: &Package) -> Option<(usize, usize)> {
        let version = self.inspector.with_builds(|builds| Some(builds.get(&build)?.record.nsvc().version))?;
        let place = place_of(version, &self.scenario)?;
        let first = cast::first_of(&self.scenario, place);
        let components = 0..self.scenario.modules[place].components.len();
        components
            .into_iter()
            .find(|c| cast::package(first, *c) == *package)
            .map(|component| (place, component))
    }

    /// Sends what a bus would say on its way.
    fn take_hints(&mut self) {
        for hint in self.grounds.take_hints() {
            self.send_hint(hint);
        }
    }

    fn send_hint(&mut self, hint: Hint) {
        self.numbered += 1;
        let (number, now) = (self.numbered, self.clock.reading());
        let rates = if self.is_calm { super::scenario::Messages::default() } else { self.scenario.messages };
        if self.network.is_bus_down() || self.chance.percent(rates.lost, ("lost", number)) {
            self.network.count(FaultKind::MessageLost);
            return;
        }
        let mut takes =
            self.chance.between(Duration::from_millis(50), Duration::from_millis(900), ("message", number));
        if self.chance.percent(rates.late, ("late", number)) {
            self.network.count(FaultKind::MessageLate);
            takes += self.chance.between(Duration::ZERO, Duration::from_secs(120), ("lateness", number));
        }
        if self.chance.percent(rates.doubled, ("doubled", number)) {
            self.network.count(FaultKind::MessageDoubled);
            self.plan(now + takes * 2, Due::HintArrives(number, hint.clone()));
        }
        self.plan(now + takes, Due::HintArrives(number, hint));
    }

    fn hint_arrives(&mut self, number: u64, hint: &Hint) {
        if number < self.last_message {
            self.network.count(FaultKind::MessageReordered);
        }
        self.last_message = self.last_message.max(number);
        self.backends.iter().for_each(|backend| backend.hear(hint.clone()));
    }
}

/// What people do.
impl World {
    fn submit(&mut self, place: usize) {
        let new = cast::new_build(&self.scenario, place);
        let key = key_of(place, "the document");
        let people = self.people.clone();
        self.network.send(people.submit(new, key));
    }

    fn does(&mut self, deed: &Deed) {
        self.inspector.harm();
        match deed {
            Deed::SubmitAgain(place) => {
                if self.build_of(*place).is_some() {
                    self.network.count(FaultKind::PersonSubmitsTwice);
                    self.submit(*place);
                }
            }
            Deed::ReuseKey(place) => {
                if self.build_of(*place).is_some() {
                    let mut new = cast::new_build(&self.scenario, *place);
                    new.nsvc.version = Version(1_000_000 + *place as u64);
                    let people = self.people.clone();
                    self.network.send(people.submit(new, key_of(*place, "another document")));
                }
            }
            Deed::Cancel(place) => {
                if let Some(id) = self.build_of(*place) {
                    self.network.count(FaultKind::PersonCancels);
                    self.story.tell(Some(id), "mary", || format!("cancels module build {id}"));
                    self.network.send(self.people.clone().cancel(id));
                }
            }
            Deed::Resume(place) => {
                if let Some(id) = self.build_of(*place) {
                    self.network.count(FaultKind::PersonResumes);
                    self.story.tell(Some(id), "mary", || format!("submits module build {id} again"));
                    self.network.send(self.people.clone().resume(id));
                }
            }
            Deed::Limit(limit) => {
                self.network.count(FaultKind::OperatorLimits);
                self.story.tell(None, "oscar", || format!("sets the limit to {limit:?}"));
                let limit = *limit;
                self.operate(move |settings| settings.limit = limit);
            }
            Deed::Pause(time) => {
                self.network.count(FaultKind::OperatorPauses);
                self.story.tell(None, "oscar", || format!("pauses for {} s", time.as_secs()));
                self.operate(|settings| settings.paused = true);
                self.plan(self.clock.reading() + *time, Due::Unpauses);
            }
            Deed::Drain(time) => {
                self.network.count(FaultKind::OperatorDrains);
                self.story.tell(None, "oscar", || format!("lets it run dry for {} s", time.as_secs()));
                self.operate(|settings| settings.draining = true);
                self.plan(self.clock.reading() + *time, Due::Undrains);
            }
        }
    }

    fn operate(&self, change: impl Fn(&mut Settings) + Send + Sync + 'static) {
        self.inspector.harm();
        self.network.send(self.people.clone().operate(change));
    }

    fn build_of(&self, place: usize) -> Option<BuildId> {
        let version = version_of(place);
        self.inspector.with_builds(|builds| {
            let mut ids = builds.iter().filter(|(_, watched)| watched.record.nsvc().version == version);
            ids.next().map(|(id, _)| *id)
        })
    }
}

/// What goes wrong.
impl World {
    fn goes(&mut self, fault: &Fault) {
        self.inspector.harm();
        let now = self.clock.reading();
        self.story.tell(None, "fate", || format!("{fault:?}"));
        match *fault {
            Fault::Call(call, how) => self.network.arm(call, how),
            Fault::Repo(how) => self.network.arm_repo(how),
            Fault::Store(how) => self.network.arm_store(how),
            Fault::Outage(time) => self.network.cut_until(now + time),
            Fault::BusDown(time) => {
                self.network.count(FaultKind::BusDown);
                self.network.take_bus_down(time);
            }
            Fault::ResolverDown(time) => {
                self.network.count(FaultKind::ResolverDown);
                let reason = "no route to host".to_owned();
                self.resolver.set_outage(Some(ResolverError::Unavailable { reason }));
                self.plan(now + time, Due::ResolverIsBack);
            }
            Fault::SourcesDown(time) => {
                self.network.count(FaultKind::SourcesDown);
                for repository in cast::repositories(&self.scenario) {
                    self.sources.cut_off(&repository, "no route to host").expect("the cast made it");
                }
                self.plan(now + time, Due::SourcesAreBack);
            }
            Fault::Task(nth, how) => self.harm_task(nth, how),
            Fault::TagRemoved(nth) => self.remove_tag(nth),
            Fault::Untagged(nth) => self.untag(nth),
            Fault::BuildDeleted(nth) => self.delete_build(nth),
            Fault::Forged(draw) => self.forge(draw),
            Fault::Killed(nth, polls, down) => {
                // The publisher is one of them.
                let place = nth % (self.backends.len() + 1);
                self.process(place).doom(u64::from(polls), down);
            }
            Fault::Frozen(nth, time) => {
                let place = nth % (self.backends.len() + 1);
                self.network.count(FaultKind::BackendFrozen);
                self.process(place).freeze();
                self.plan(now + time, Due::BackendThaws(place));
            }
        }
    }

    /// Returns a backend's process, or the publisher's.
    fn process(&mut self, place: usize) -> &mut Process {
        match self.backends.get_mut(place) {
            Some(backend) => &mut backend.process,
            None => &mut self.publishing,
        }
    }

    fn harm_task(&mut self, nth: usize, how: TaskFault) {
        let live = self.grounds.live_tasks();
        let builds: Vec<TaskId> =
            live.into_iter().filter(|task| task.package.is_some()).map(|task| task.id).collect();
        if builds.is_empty() {
            return;
        }
        let task = builds[nth % builds.len()];
        match how {
            TaskFault::Broken => {
                self.network.count(FaultKind::TaskBroken);
                let failure = TaskFailure { reason: "the builder died".into(), is_package_fault: false };
                drop(self.grounds.fail(task, failure));
            }
            TaskFault::Cancelled => {
                self.network.count(FaultKind::TaskCancelled);
                self.grounds.cancel_by_stranger(task);
            }
            TaskFault::Forgotten => {
                self.network.count(FaultKind::TaskForgotten);
                self.grounds.forget_task(task);
            }
        }
        self.tasks.remove(&task);
    }

    fn our_tags(&self) -> Vec<TagName> {
        let tags = self.grounds.tags().into_iter();
        tags.filter(|tag| tag.as_str().starts_with("module-") || tag.as_str().starts_with("scrmod-"))
            .collect()
    }

    fn remove_tag(&mut self, nth: usize) {
        let ours = self.our_tags();
        if ours.is_empty() {
            return;
        }
        let tag = &ours[nth % ours.len()];
        self.network.count(FaultKind::TagRemoved);
        self.story.tell(None, "admin", || format!("removes the tag {tag}"));
        self.inspector.meddled(tag);
        self.grounds.remove_tag(tag);
    }

    fn untag(&mut self, nth: usize) {
        let mut tagged: Vec<(TagName, Nvr)> = Vec::new();
        for tag in self.our_tags() {
            tagged.extend(self.grounds.builds_in(&tag).into_iter().map(|build| (tag.clone(), build.nvr)));
        }
        if tagged.is_empty() {
            return;
        }
        let (tag, nvr) = &tagged[nth % tagged.len()];
        self.network.count(FaultKind::Untagged);
        self.story.tell(None, "stranger", || format!("takes {nvr} out of {tag}"));
        self.inspector.meddled(tag);
        self.grounds.take_out(tag, nvr);
    }

    fn delete_build(&mut self, nth: usize) {
        let of_finished: Vec<Nvr> = self.inspector.with_builds(|builds| {
            let finished = builds.values().filter(|watched| watched.record.state() == State::Ready);
            finished.flat_map(|watched| &watched.record.components).filter_map(|c| c.nvr.clone()).collect()
        });
        if of_finished.is_empty() {
            return;
        }
        let nvr = &of_finished[nth % of_finished.len()];
        self.network.count(FaultKind::BuildDeleted);
        self.story.tell(None, "stranger", || format!("deletes the build {nvr}"));
        for tag in self.our_tags() {
            if self.grounds.builds_in(&tag).iter().any(|build| build.nvr == *nvr) {
                self.inspector.meddled(&tag);
            }
        }
        self.grounds.delete_build(nvr);
    }

    /// Makes up a message.
    fn forge(&mut self, draw: u64) {
        self.network.count(FaultKind::MessageForged);
        let hint = match draw % 4 {
            0 => Hint::Everything,
            1 => Hint::Build(BuildId(i64::try_from(draw % 7).unwrap_or(0))),
            2 => Hint::Task(TaskId(i64::try_from(draw % 40).unwrap_or(0))),
            _ => Hint::Tag(cast::base_tag()),
        };
        self.send_hint(hint);
    }
}

/// The end.
impl World {
    /// Returns when everything must have ended: all the work one after the other, and the longest pauses after the last fault.
    fn deadline(&self) -> Duration {
        let components: usize = self.scenario.modules.iter().map(|module| module.components.len() + 1).sum();
        let slowest = self.scenario.timing.longest_build + self.scenario.timing.repo * 8;
        let work = slowest * u32::try_from(components).unwrap_or(u32::MAX);
        let swept_up = match self.scenario.until {
            Until::Ended => Duration::ZERO,
            Until::SweptUp => Duration::from_secs(86_400),
        };
        self.scenario.calm_from() + work * 3 + Duration::from_secs(12 * 3_600) + swept_up
    }

    /// Says whether everything that was to be built has ended, and nobody will do anything any more.
    fn has_ended(&self) -> bool {
        let is_deed = |due: &Due| match due {
            Due::Submits(_) | Due::Unpauses | Due::Undrains => true,
            Due::Happens(place) => matches!(self.scenario.happenings[*place].1, Happening::Does(_)),
            Due::TaskEnds(_)
            | Due::HintArrives(..)
            | Due::BackendStarts(_)
            | Due::BackendThaws(_)
            | Due::ResolverIsBack
            | Due::SourcesAreBack
            | Due::Calms => false,
        };
        let is_over = self.inspector.with_builds(|builds| {
            builds.len() >= self.scenario.modules.len()
                && builds.values().all(|watched| self.is_over(watched))
        });
        is_over && self.driven.is_empty() && !self.agenda.values().any(is_deed)
    }

    fn is_over(&self, watched: &Watched) -> bool {
        watched.is_published() && self.is_at_rest(watched)
    }

    /// Says whether nothing more becomes of a build by itself.
    fn is_at_rest(&self, watched: &Watched) -> bool {
        let build = &watched.record;
        let is_swept_up = self.scenario.until == Until::Ended || build.is_target_removed;
        match build.state() {
            State::Ready => is_swept_up,
            State::Garbage => true,
            State::Done => build.new.scratch && is_swept_up,
            State::Failed => build.life.is_settled() && self.scenario.until == Until::Ended,
            State::Build => place_of(build.nsvc().version, &self.scenario)
                .is_some_and(|place| self.scenario.modules[place].poisoned),
            State::Init | State::Wait => false,
        }
    }

    /// Says which builds have not ended in time (I10), never settled (I6) or whose end nobody was told of (I15).
    fn report_unfinished(&self) {
        let unfinished = self.inspector.with_builds(|builds| {
            let open = builds.values().find(|watched| !self.is_over(watched))?;
            let (record, published) = (&open.record, open.published);
            let state = record.state();
            Some(match state {
                _ if self.is_at_rest(open) => {
                    (Invariant::I15, record.id, format!("nothing was published after event {published}"))
                }
                State::Failed if !record.life.is_settled() => {
                    (Invariant::I6, record.id, "it never settles".to_owned())
                }
                _ => {
                    let trouble = &record.trouble;
                    let what =
                        format!("it is still in {state} long after the last fault; trouble: {trouble:?}");
                    (Invariant::I10, record.id, what)
                }
            })
        });
        match unfinished {
            Some((invariant, id, what)) => self.inspector.report(invariant, Some(id), what),
            None => self.inspector.report(Invariant::I10, None, "a submission was never taken".to_owned()),
        }
    }

    fn audit(&mut self) {
        let (store, grounds) = (self.store.clone(), self.grounds.clone());
        self.network.send(audit::audit(store, grounds, self.inspector.clone()));
        self.settle();
    }

    fn outcome(self) -> Outcome {
        let records = self
            .inspector
            .with_builds(|builds| builds.values().map(|watched| watched.record.clone()).collect());
        Outcome {
            violation: self.inspector.violation(),
            records,
            story: self.story.lines_told(),
            coverage: self.network.coverage(),
            figures: self.inspector.figures(),
            took: self.clock.reading(),
            moments: self.moments,
            steps: self.planner.steps(),
            calls: self.network.calls(),
            polls: self.backends.iter().map(|backend| backend.process.polls()).sum(),
            publisher_polls: self.publishing.polls(),
        }
    }
}

fn version_of(place: usize) -> Version {
    Version(place as u64 + 1)
}

fn place_of(version: Version, scenario: &Scenario) -> Option<usize> {
    let place = usize::try_from(version.0).ok()?.checked_sub(1)?;
    (place < scenario.modules.len()).then_some(place)
}

fn key_of(place: usize, content: &str) -> IdempotencyKey {
    IdempotencyKey { key: format!("submission {}", place + 1), content: content.to_owned() }
}
