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
use super::cast;
use super::chance::Chance;
use super::fault::FaultKind;
use super::grounds::Grounds;
use super::inspector::{Inspector, Invariant};
use super::mortal::{Flag, Process};
use super::outcome::{self, Outcome};
use super::people::People;
use super::planner::WatchedPlanner;
use super::scenario::{Happening, Scenario};
use super::story::Story;
use super::wires::{Begun, Driven, Network};
use crate::bus::Hint;
use crate::clock::Clock;
use crate::engine::Publisher;
use crate::ident::{TaskId, Version};
use crate::memory::{ManualClock, MemoryResolver, MemorySourceControl};
use crate::store::Store;

mod deeds;
mod end;
mod harm;
mod making;
mod tasks;

pub use making::{Parts, Telling};

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

/// Returns the version of a module by its place in the scenario.
fn version_of(place: usize) -> Version {
    Version(place as u64 + 1)
}

fn place_of(version: Version, scenario: &Scenario) -> Option<usize> {
    let place = usize::try_from(version.0).ok()?.checked_sub(1)?;
    (place < scenario.modules.len()).then_some(place)
}
