//! What goes wrong by itself, and what strangers do.

use super::{Due, World};
use crate::build_system::TaskFailure;
use crate::bus::Hint;
use crate::clock::Clock;
use crate::ident::{BuildId, Nvr, TagName, TaskId};
use crate::model::State;
use crate::resolver::ResolverError;
use crate::sim::cast;
use crate::sim::fault::{Fault, FaultKind, TaskFault};
use crate::sim::mortal::Process;

impl World {
    pub(super) fn goes(&mut self, fault: &Fault) {
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
    pub(super) fn process(&mut self, place: usize) -> &mut Process {
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
