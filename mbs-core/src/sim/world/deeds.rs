//! What people do: those who submit, cancel and resume, and those who operate.

use super::{Due, World, version_of};
use crate::clock::Clock;
use crate::ident::{BuildId, Version};
use crate::sim::cast;
use crate::sim::fault::FaultKind;
use crate::sim::scenario::Deed;
use crate::store::{IdempotencyKey, Settings};

impl World {
    pub(super) fn submit(&mut self, place: usize) {
        let new = cast::new_build(&self.scenario, place);
        let key = key_of(place, "the document");
        let people = self.people.clone();
        self.network.send(people.submit(new, key));
    }

    pub(super) fn does(&mut self, deed: &Deed) {
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

    pub(super) fn operate(&self, change: impl Fn(&mut Settings) + Send + Sync + 'static) {
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

fn key_of(place: usize, content: &str) -> IdempotencyKey {
    IdempotencyKey { key: format!("submission {}", place + 1), content: content.to_owned() }
}
