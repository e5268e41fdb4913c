//! How long tasks take and how they end, and the messages about them.

use std::time::Duration;

use super::{Due, World, place_of};
use crate::build_system::TaskFailure;
use crate::bus::Hint;
use crate::clock::Clock;
use crate::ident::{BuildId, Package, TagName, TaskId};
use crate::sim::cast;
use crate::sim::fault::{FaultKind, RepoFault};
use crate::sim::outcome;
use crate::sim::scenario::Messages;
use crate::sim::wires::Begun;

impl World {
    pub(super) fn take_begun(&mut self) {
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
    pub(super) fn end_task(&mut self, task: TaskId) {
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
        if begun.package.is_none() {
            self.note_next_try(&begun.place);
        }
    }

    /// Notes the task that the build system began by itself after one that made no repository; nobody's call says so.
    fn note_next_try(&self, place: &TagName) {
        let live = self.grounds.live_tasks().into_iter();
        let tries = live.filter(|task| task.package.is_none() && task.place == *place);
        for task in tries.map(|task| task.id).filter(|task| !self.tasks.contains_key(task)) {
            self.network.note_begun(Begun { task, package: None, place: place.clone(), repo_fault: None });
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
    pub(super) fn component_of(&self, build: BuildId, package: &Package) -> Option<(usize, usize)> {
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
    pub(super) fn take_hints(&mut self) {
        for hint in self.grounds.take_hints() {
            self.send_hint(hint);
        }
    }

    pub(super) fn send_hint(&mut self, hint: Hint) {
        self.numbered += 1;
        let (number, now) = (self.numbered, self.clock.reading());
        let rates = if self.is_calm { Messages::default() } else { self.scenario.messages };
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

    pub(super) fn hint_arrives(&mut self, number: u64, hint: &Hint) {
        if number < self.last_message {
            self.network.count(FaultKind::MessageReordered);
        }
        self.last_message = self.last_message.max(number);
        self.backends.iter().for_each(|backend| backend.hear(hint.clone()));
    }
}
