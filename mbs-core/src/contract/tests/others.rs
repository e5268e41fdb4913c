//! The other implementations in memory, and one defect of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{broken_by, keeps_all};
use crate::bus::{BusError, Hint, MessageBus};
use crate::clock::Clock;
use crate::contract::samples::at;
use crate::contract::{
    ClockGround, MessageBusGround, ModuleResolverGround, SourceControlGround, Unable, clock, message_bus,
    module_resolver, source_control,
};
use crate::ident::{CommitId, Name, NameStream, Nsvc, Stream, TagName};
use crate::memory::{EndOfLife, ManualClock, MemoryBus, MemoryResolver, MemorySourceControl};
use crate::resolver::{Against, Chain, KnownModule, ModuleResolver, ResolverError, Retired};
use crate::source_control::{Fetched, Place, RefQuestion, SourceControl, SourceError};
use crate::store::StateChange;

/// Whether an implementation is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Sound,
    Faulty,
}

/// Wakes sleepers at once if it is faulty.
#[derive(Debug)]
struct Watch(ManualClock, Is);

#[async_trait]
impl Clock for Watch {
    fn reading(&self) -> Duration {
        self.0.reading()
    }

    async fn sleep_until(&self, deadline: Duration) {
        if self.1 == Is::Sound || deadline > self.reading() + Duration::from_millis(900) {
            self.0.sleep_until(deadline).await;
        }
    }
}

#[async_trait]
impl ClockGround for Watch {
    fn clock(&self) -> &dyn Clock {
        self
    }

    async fn pass(&self, time: Duration) {
        self.0.advance(time);
    }
}

#[test]
fn the_clock_that_is_moved_by_hand_keeps_its_contract() {
    keeps_all(clock(async || Watch(ManualClock::new(), Is::Sound)));
}

#[test]
fn a_clock_that_wakes_early_is_named() {
    let broken = broken_by(clock(async || Watch(ManualClock::new(), Is::Faulty)));
    let wanted =
        ["a_sleep_ends_when_its_deadline_is_reached_and_not_before", "sleeps_do_not_disturb_each_other"];
    assert_eq!(broken, wanted);
}

/// Publishes the other way round if it is faulty.
#[derive(Debug)]
struct Wire(MemoryBus, Is);

#[async_trait]
impl MessageBus for Wire {
    async fn publish(&self, events: &[StateChange]) -> Result<(), BusError> {
        let mut events = events.to_vec();
        if self.1 == Is::Faulty {
            events.sort_by_key(|event| event.build);
        }
        self.0.publish(&events).await
    }

    async fn hints(&self) -> Result<Vec<Hint>, BusError> {
        self.0.hints().await
    }
}

#[async_trait]
impl MessageBusGround for Wire {
    fn bus(&self) -> &dyn MessageBus {
        self
    }

    async fn published(&self) -> Vec<StateChange> {
        self.0.published()
    }

    async fn push(&self, hints: Vec<Hint>) {
        self.0.push(hints);
    }

    async fn close(&self) -> Result<(), Unable> {
        self.0.close();
        Ok(())
    }

    async fn break_down(&self) -> Result<(), Unable> {
        self.0.break_down("no route");
        Ok(())
    }

    async fn repair(&self) -> Result<(), Unable> {
        self.0.repair();
        Ok(())
    }
}

#[test]
fn the_bus_in_memory_keeps_its_contract() {
    keeps_all(message_bus(async || Wire(MemoryBus::new(), Is::Sound)));
}

#[test]
fn a_bus_that_reorders_events_is_named() {
    let broken = broken_by(message_bus(async || Wire(MemoryBus::new(), Is::Faulty)));
    assert_eq!(broken, ["events_are_published_in_order"]);
}

/// Forgets to ask whether a commit is on the branch if it is faulty.
#[derive(Debug)]
struct Sources(MemorySourceControl, Is);

const REPOSITORY: &str = "memory:app";

#[async_trait]
impl SourceControl for Sources {
    async fn documents(&self, places: &[Place]) -> Result<Vec<Result<Fetched, SourceError>>, SourceError> {
        let mut places = places.to_vec();
        if self.1 == Is::Faulty {
            places.iter_mut().for_each(|place| place.branch = None);
        }
        self.0.documents(&places).await
    }

    async fn resolve_refs(
        &self,
        questions: &BTreeSet<RefQuestion>,
    ) -> Result<BTreeMap<RefQuestion, Result<CommitId, SourceError>>, SourceError> {
        self.0.resolve_refs(questions).await
    }

    async fn default_streams(
        &self,
        repository: &str,
        branch: &str,
    ) -> Result<Option<BTreeMap<Name, Stream>>, SourceError> {
        self.0.default_streams(repository, branch).await
    }
}

#[async_trait]
impl SourceControlGround for Sources {
    fn source_control(&self) -> &dyn SourceControl {
        self
    }

    fn repository(&self) -> String {
        REPOSITORY.into()
    }

    fn missing_repository(&self) -> String {
        "memory:nothing".into()
    }

    async fn commit(&self, branch: &str, files: &[(&str, &str)]) -> (CommitId, Timestamp) {
        (self.0.commit(REPOSITORY, branch, at(7), files), at(7))
    }

    async fn branch(&self, from: &str, new: &str) {
        self.0.branch(REPOSITORY, from, new).unwrap();
    }

    async fn tag(&self, tag: &str, commit: &CommitId) {
        self.0.tag(REPOSITORY, tag, commit).unwrap();
    }

    async fn set_default_streams(&self, branch: &str, streams: &BTreeMap<Name, Stream>) {
        self.0.set_default_streams(REPOSITORY, branch, streams.clone()).unwrap();
    }
}

#[test]
fn the_source_control_in_memory_keeps_its_contract() {
    keeps_all(source_control(async || Sources(MemorySourceControl::new(), Is::Sound)));
}

#[test]
fn a_source_control_that_does_not_look_at_branches_is_named() {
    let broken = broken_by(source_control(async || Sources(MemorySourceControl::new(), Is::Faulty)));
    assert_eq!(broken, ["a_commit_that_is_not_on_the_branch_is_refused"]);
}

/// Does not ask what a build was built against if it is faulty.
#[derive(Debug)]
struct Modules(MemoryResolver, Is);

#[async_trait]
impl ModuleResolver for Modules {
    async fn latest(
        &self,
        modules: &[NameStream],
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let against = if self.1 == Is::Sound { against } else { &Against::Anything };
        self.0.latest(modules, against).await
    }

    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        self.0.streams(names).await
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        self.0.builds(nsvcs).await
    }

    async fn compatible_bases(
        &self,
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        self.0.compatible_bases(bases, retired).await
    }

    async fn providers(
        &self,
        virtual_streams: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        self.0.providers(virtual_streams).await
    }

    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        self.0.in_tag(tag).await
    }

    async fn is_end_of_life(&self, module: &NameStream) -> Result<bool, ResolverError> {
        self.0.is_end_of_life(module).await
    }
}

#[async_trait]
impl ModuleResolverGround for Modules {
    fn resolver(&self) -> &dyn ModuleResolver {
        self
    }

    async fn add(&self, module: KnownModule) {
        self.0.add(module).unwrap();
    }

    async fn retire(&self, nsvc: &Nsvc) {
        self.0.retire(nsvc).unwrap();
    }

    async fn tag(&self, tag: &TagName, nsvc: &Nsvc) -> Result<(), Unable> {
        self.0.tag(tag, nsvc).unwrap();
        Ok(())
    }

    async fn end_life(&self, module: &NameStream) -> Result<(), Unable> {
        self.0.set_end_of_life(module.clone(), EndOfLife::Past);
        Ok(())
    }
}

#[test]
fn the_resolver_in_memory_keeps_its_contract() {
    keeps_all(module_resolver(async || Modules(MemoryResolver::default(), Is::Sound)));
}

#[test]
fn a_resolver_that_ignores_the_base_is_named() {
    let broken = broken_by(module_resolver(async || Modules(MemoryResolver::default(), Is::Faulty)));
    assert_eq!(
        broken,
        [
            "with_bases_only_what_was_built_against_exactly_these_builds_counts",
            "of_a_list_of_bases_the_first_with_builds_counts"
        ]
    );
}

/// A chain of two, whose name:streams take turns: the first is in the first source, the second in the second, and so on.
struct Spread {
    sources: [Arc<MemoryResolver>; 2],
    chain: Chain,
    known: Mutex<Vec<NameStream>>,
}

impl Spread {
    fn new() -> Self {
        let sources = [Arc::new(MemoryResolver::default()), Arc::new(MemoryResolver::default())];
        let named = |(name, source): (&str, &Arc<MemoryResolver>)| {
            (name.to_owned(), Arc::clone(source) as Arc<dyn ModuleResolver>)
        };
        let chain = Chain::new(["store", "pdc"].into_iter().zip(&sources).map(named).collect());
        Self { sources, chain, known: Mutex::default() }
    }

    fn source_of(&self, module: &NameStream) -> &MemoryResolver {
        let mut known = self.known.lock().unwrap();
        let place = known.iter().position(|other| other == module).unwrap_or_else(|| {
            known.push(module.clone());
            known.len() - 1
        });
        &self.sources[place % 2]
    }
}

#[async_trait]
impl ModuleResolverGround for Spread {
    fn resolver(&self) -> &dyn ModuleResolver {
        &self.chain
    }

    async fn add(&self, module: KnownModule) {
        self.source_of(&module.nsvc.name_stream()).add(module).unwrap();
    }

    async fn retire(&self, nsvc: &Nsvc) {
        self.source_of(&nsvc.name_stream()).retire(nsvc).unwrap();
    }

    async fn tag(&self, tag: &TagName, nsvc: &Nsvc) -> Result<(), Unable> {
        self.source_of(&nsvc.name_stream()).tag(tag, nsvc).unwrap();
        Ok(())
    }

    async fn end_life(&self, module: &NameStream) -> Result<(), Unable> {
        self.source_of(module).set_end_of_life(module.clone(), EndOfLife::Past);
        Ok(())
    }
}

#[test]
fn a_chain_of_resolvers_keeps_their_contract() {
    keeps_all(module_resolver(async || Spread::new()));
}
