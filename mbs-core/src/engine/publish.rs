//! From the outbox to the bus: what was committed is published, each build's events in order and at least once.
//!
//! The publisher acknowledges nothing that the bus does not have. It never makes an event, drops one, or judges it. Of several
//! for one sink the one publishes that has its seat.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::{SHORTEST_PAUSE, until};
use crate::bus::{BusError, MessageBus};
use crate::clock::Clock;
use crate::policy::Policy;
use crate::store::{EventNumber, Outbox, Sink, StateChange, StoreError, WorkerId};

/// Most events in one round: enough that the calls hardly count, and few to publish again when the last did not succeed.
const MOST_EVENTS: usize = 100;

/// Publishes the events of a store. Cheap to clone.
///
/// Any number of them may run for one sink: two that published at a time would lose nothing, but might repeat older events of a
/// build after newer ones. So one has the sink's seat, and the others wait until it is given up, or its time is over.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// Keeps the events, and what each sink has.
    pub store: Arc<dyn Outbox>,
    /// Takes the events.
    pub bus: Arc<dyn MessageBus>,
    /// Tells how time passes.
    pub clock: Arc<dyn Clock>,
    /// The rules.
    pub policy: Arc<Policy>,
    /// The name under which the store notes what this bus has.
    pub sink: Sink,
    /// Who takes the seat: unique among processes on one store.
    pub worker: WorkerId,
}

/// How a publisher stands between its turns.
#[derive(Debug, Default)]
struct Standing {
    /// The reading of the clock up to which the seat is ours.
    seated_until: Duration,
    /// How many turns in a row have not succeeded.
    tries: u32,
}

/// Why a round did not succeed. Its events stay in the store; some may have been published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The store does not give the events, or does not note that they are published.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus does not take them.
    #[error(transparent)]
    Bus(#[from] BusError),
}

impl Publisher {
    /// Publishes the next events, of each build the oldest at most, and returns how many the bus has; 0 when nothing is left.
    /// Asks for no seat: whoever calls it is the only one.
    ///
    /// # Errors
    /// Ask again later: the bus has none of them, or none is acknowledged, so that all of them are published again.
    pub async fn round(&self) -> Result<usize, PublishError> {
        self.round_until(self.clock.reading() + self.policy.call_within).await
    }

    async fn round_until(&self, deadline: Duration) -> Result<usize, PublishError> {
        let taken = self.store.take(&self.sink, MOST_EVENTS).await?;
        if taken.is_empty() {
            return Ok(0);
        }
        if self.clock.reading() >= deadline {
            let reason = "the store took so long that another may publish meanwhile".into();
            return Err(BusError::Unavailable { reason }.into());
        }
        let (numbers, events): (Vec<EventNumber>, Vec<StateChange>) =
            taken.into_iter().map(|delivery| (delivery.number, delivery.event)).unzip();
        let published = until(&*self.clock, deadline, self.bus.publish_each(&events)).await;
        let Some(published) = published else {
            let reason = "it did not take the events in time".into();
            return Err(BusError::Unavailable { reason }.into());
        };
        let mut refused = Ok(());
        let mut taken = Vec::new();
        for (number, outcome) in numbers.into_iter().zip(published) {
            match outcome {
                Ok(()) => taken.push(number),
                Err(error) => refused = Err(error),
            }
        }
        if taken.is_empty() {
            refused?;
        } else if let Err(error) = refused {
            tracing::warn!(sink = self.sink.0, %error, "some events wait to be published");
        }
        self.store.ack(&self.sink, &taken).await?;
        Ok(taken.len())
    }

    /// Publishes until `stop` says so, and gives up the seat, or until dropped; what is under way then may be published again.
    ///
    /// Sleeps a moment when nothing is left, or until `woken` says so: it is asked anew before every round and answers when
    /// something was saved; one that never answers costs time only. While store or bus are out of reach the pauses grow, and
    /// nothing shortens them.
    pub async fn run<W, F>(&self, woken: W, stop: impl Future<Output = ()>)
    where
        W: Fn() -> F,
        F: Future<Output = ()>,
    {
        let mut stop = pin!(stop);
        let mut standing = Standing::default();
        loop {
            let turn = pin!(self.turn(woken(), &mut standing));
            if let Either::Left(_) = select(stop.as_mut(), turn).await {
                break;
            }
        }
        let left = self.store.hold_seat(&self.sink, &self.worker, Duration::ZERO).await;
        if let Err(error) = left {
            tracing::warn!(sink = self.sink.0, %error, "others publish once the seat's time is over");
        }
    }

    /// Publishes what is next, and sleeps if that was nothing.
    async fn turn(&self, woken: impl Future<Output = ()>, standing: &mut Standing) {
        match self.seated_round(standing).await {
            Ok(None) => self.sleep(self.policy.claim_floor.max(SHORTEST_PAUSE)).await,
            Ok(Some(0)) => {
                // Whoever wakes it again and again does not make it spin.
                self.sleep(SHORTEST_PAUSE).await;
                select(pin!(self.sleep(self.policy.publish_floor)), pin!(woken)).await;
            }
            Ok(Some(_)) => {}
            Err(error) => {
                tracing::warn!(sink = self.sink.0, %error, "events wait to be published");
                self.sleep(self.policy.pause_after(standing.tries).max(SHORTEST_PAUSE)).await;
                standing.tries = standing.tries.saturating_add(1);
                return;
            }
        }
        standing.tries = 0;
    }

    /// Publishes what is next while the seat is ours, never beyond; `None`: somebody else has it.
    async fn seated_round(&self, standing: &mut Standing) -> Result<Option<usize>, PublishError> {
        let now = self.clock.reading();
        if standing.seated_until < now + self.policy.lease / 2 {
            let is_held = self.store.hold_seat(&self.sink, &self.worker, self.policy.lease).await?;
            if !is_held {
                return Ok(None);
            }
            // Counted from before the call, so never longer than the store does.
            standing.seated_until = now + self.policy.lease;
        }
        let deadline = standing.seated_until.min(self.clock.reading() + self.policy.call_within);
        self.round_until(deadline).await.map(Some)
    }

    async fn sleep(&self, pause: Duration) {
        self.clock.sleep_until(self.clock.reading() + pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use async_trait::async_trait;

    use super::*;
    use crate::bus::Hint;
    use crate::engine::testing::{hesitate, pass, poll, run};
    use crate::engine::tests::new_build;
    use crate::ident::BuildId;
    use crate::memory::{ManualClock, MemoryBus, MemoryStore};
    use crate::model::State;
    use crate::store::{Amend, Builds, Create, Delivery, Work};

    /// How a call goes.
    #[derive(Debug, Clone, Copy, Default)]
    enum Mood {
        #[default]
        Well,
        /// Waits before and after it has its effect.
        Hesitant,
        /// Refuses.
        Down,
        /// Never answers.
        Mute,
        /// Answers after so long.
        Slow(Duration),
    }

    /// A call that is counted and may go badly.
    #[derive(Debug, Default)]
    struct Fickle {
        mood: Mutex<Mood>,
        calls: AtomicUsize,
        /// Tells how time passes to who is slow.
        clock: Mutex<Option<Arc<ManualClock>>>,
    }

    impl Fickle {
        fn is(&self, mood: Mood) {
            *self.mood.lock().unwrap() = mood;
        }

        /// Returns how often it was called since this was last asked.
        fn calls(&self) -> usize {
            self.calls.swap(0, Ordering::Relaxed)
        }

        /// Performs the call; `None` if it is refused.
        async fn perform<T>(&self, call: impl Future<Output = T>) -> Option<T> {
            assert!(self.calls.fetch_add(1, Ordering::Relaxed) < 100_000, "it spins");
            let mood = *self.mood.lock().unwrap();
            match mood {
                Mood::Well => Some(call.await),
                Mood::Hesitant => {
                    hesitate().await;
                    let answer = call.await;
                    hesitate().await;
                    Some(answer)
                }
                Mood::Down => None,
                Mood::Mute => pending().await,
                Mood::Slow(time) => {
                    let clock = self.clock.lock().unwrap().clone().unwrap();
                    clock.sleep_until(clock.reading() + time).await;
                    Some(call.await)
                }
            }
        }
    }

    #[derive(Debug)]
    struct Desk {
        store: MemoryStore,
        take: Fickle,
        ack: Fickle,
    }

    #[async_trait]
    impl Outbox for Desk {
        async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError> {
            self.take.perform(self.store.take(sink, n)).await.unwrap_or_else(|| Err(store_is_down()))
        }

        async fn ack(&self, sink: &Sink, events: &[EventNumber]) -> Result<(), StoreError> {
            self.ack.perform(self.store.ack(sink, events)).await.unwrap_or_else(|| Err(store_is_down()))
        }

        async fn hold_seat(
            &self,
            sink: &Sink,
            worker: &WorkerId,
            how_long: Duration,
        ) -> Result<bool, StoreError> {
            self.store.hold_seat(sink, worker, how_long).await
        }

        async fn published(&self, _: EventNumber, _: usize) -> Result<Vec<Delivery>, StoreError> {
            unreachable!("a publisher has a position of its own")
        }

        async fn last_published(&self) -> Result<EventNumber, StoreError> {
            unreachable!("a publisher has a position of its own")
        }
    }

    #[derive(Debug, Default)]
    struct Wire {
        bus: MemoryBus,
        publish: Fickle,
    }

    #[async_trait]
    impl MessageBus for Wire {
        /// Has published the first event when it refuses.
        async fn publish(&self, events: &[StateChange]) -> Result<(), BusError> {
            match self.publish.perform(self.bus.publish(events)).await {
                Some(published) => published,
                None => self.bus.publish(&events[..1]).await.and(Err(bus_is_down())),
            }
        }

        async fn hints(&self) -> Result<Vec<Hint>, BusError> {
            unreachable!("a publisher does not listen")
        }
    }

    /// A bus that takes no event of one build.
    #[derive(Debug)]
    struct Picky(BuildId);

    #[async_trait]
    impl MessageBus for Picky {
        async fn publish(&self, _: &[StateChange]) -> Result<(), BusError> {
            unreachable!("it says of each event whether it has it")
        }

        async fn publish_each(&self, events: &[StateChange]) -> Vec<Result<(), BusError>> {
            let outcome =
                |event: &StateChange| if event.build == self.0 { Err(bus_is_down()) } else { Ok(()) };
            events.iter().map(outcome).collect()
        }

        async fn hints(&self) -> Result<Vec<Hint>, BusError> {
            unreachable!("a publisher does not listen")
        }
    }

    fn store_is_down() -> StoreError {
        StoreError::Unavailable { reason: "it restarts".into() }
    }

    fn bus_is_down() -> BusError {
        BusError::Unavailable { reason: "no route".into() }
    }

    struct World {
        clock: Arc<ManualClock>,
        desk: Arc<Desk>,
        wire: Arc<Wire>,
        publisher: Publisher,
    }

    impl World {
        fn new() -> Self {
            let clock = Arc::new(ManualClock::new());
            let store = MemoryStore::new(clock.clone(), jiff::Timestamp::UNIX_EPOCH, &Policy::default());
            let desk = Arc::new(Desk { store, take: Fickle::default(), ack: Fickle::default() });
            let wire = Arc::new(Wire::default());
            let publisher = Publisher {
                store: desk.clone(),
                bus: wire.clone(),
                clock: clock.clone(),
                policy: Arc::default(),
                sink: Sink("bus".into()),
                worker: WorkerId("one".into()),
            };
            World { clock, desk, wire, publisher }
        }

        /// Makes a build, which has one event.
        fn create(&self, version: u64) -> BuildId {
            let created = run(&self.clock, self.desk.store.create(Create::from(new_build(version))));
            created.unwrap().builds[0].id
        }

        /// Changes the state of a build, which makes one more event.
        fn enter(&self, id: BuildId, to: State) {
            let loaded = run(&self.clock, self.desk.store.load(id)).unwrap();
            let mut now = loaded.build;
            now.enter(to, None, run(&self.clock, self.desk.store.now()).unwrap()).unwrap();
            let amend = Amend { now, revision: loaded.revision, by: "anna".into(), what: "change".into() };
            run(&self.clock, self.desk.store.amend(amend)).unwrap();
        }

        fn round(&self) -> Result<usize, PublishError> {
            run(&self.clock, self.publisher.round())
        }

        /// Returns the builds and numbers of what was published.
        fn published(&self) -> Vec<(i64, u64)> {
            self.wire.bus.published().iter().map(|event| (event.build.0, event.seq)).collect()
        }
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn each_round_publishes_the_oldest_event_of_each_build_and_none_twice() {
        let world = World::new();
        let first = world.create(1);
        world.enter(first, State::Wait);
        world.create(2);
        let rounds = [world.round(), world.round(), world.round()];
        assert_eq!(rounds, [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(world.published(), [(1, 1), (2, 1), (1, 2)]);
    }

    #[test]
    fn a_round_is_bounded_and_the_next_takes_the_rest() {
        let world = World::new();
        for version in 1..=101 {
            world.create(version);
        }
        assert_eq!([world.round(), world.round(), world.round()], [Ok(100), Ok(1), Ok(0)]);
    }

    #[test]
    fn nothing_is_acknowledged_when_the_bus_takes_a_part_only() {
        let world = World::new();
        for version in 1..=3 {
            world.create(version);
        }
        world.wire.publish.is(Mood::Down);
        assert_eq!(world.round(), Err(PublishError::Bus(bus_is_down())));
        assert_eq!((world.published(), world.desk.ack.calls()), (vec![(1, 1)], 0));
        world.wire.publish.is(Mood::Well);
        assert_eq!([world.round(), world.round()], [Ok(3), Ok(0)]);
        assert_eq!(world.published(), [(1, 1), (1, 1), (2, 1), (3, 1)]);
    }

    #[test]
    fn an_event_that_the_bus_does_not_take_holds_up_those_of_its_own_build_alone() {
        let mut world = World::new();
        let stuck = world.create(1);
        world.enter(stuck, State::Wait);
        let other = world.create(2);
        world.enter(other, State::Wait);
        world.publisher.bus = Arc::new(Picky(stuck));
        assert_eq!([world.round(), world.round()], [Ok(1), Ok(1)]);
        assert_eq!(world.round(), Err(PublishError::Bus(bus_is_down())));
        world.publisher.bus = world.wire.clone();
        assert_eq!([world.round(), world.round(), world.round()], [Ok(1), Ok(1), Ok(0)]);
        assert_eq!(world.published(), [(1, 1), (1, 2)]);
    }

    #[test]
    fn what_could_not_be_acknowledged_is_published_again() {
        let world = World::new();
        world.create(1);
        world.desk.ack.is(Mood::Down);
        assert_eq!(world.round(), Err(PublishError::Store(store_is_down())));
        world.desk.ack.is(Mood::Well);
        assert_eq!([world.round(), world.round()], [Ok(1), Ok(0)]);
        assert_eq!(world.published(), [(1, 1), (1, 1)]);
    }

    #[test]
    fn a_bus_that_does_not_answer_is_asked_again() {
        let world = World::new();
        world.create(1);
        world.wire.publish.is(Mood::Mute);
        assert!(matches!(world.round(), Err(PublishError::Bus(_))));
        assert_eq!(world.clock.reading(), world.publisher.policy.call_within);
        world.wire.publish.is(Mood::Well);
        assert_eq!((world.round(), world.published()), (Ok(1), vec![(1, 1)]));
    }

    #[test]
    fn publishers_that_die_anywhere_deliver_everything_in_order() {
        const CHANGES: [State; 3] = [State::Wait, State::Build, State::Failed];
        for polls in 1..12 {
            let world = World::new();
            for fickle in [&world.desk.take, &world.desk.ack, &world.wire.publish] {
                fickle.is(Mood::Hesitant);
            }
            let ids: Vec<_> = (1..=3).map(|version| world.create(version)).collect();
            let changes = ids.iter().flat_map(|id| CHANGES.map(|to| (*id, to)));
            for (id, to) in changes {
                let mut mortal = pin!(world.publisher.run(pending, pending()));
                assert!((0..polls).all(|_| poll(mortal.as_mut()).is_pending()));
                world.enter(id, to);
            }
            let mut last = pin!(world.publisher.run(pending, pending()));
            for _ in 0..200 {
                assert!(poll(last.as_mut()).is_pending());
                world.clock.advance(secs(1));
            }
            // The bus refuses gaps; that no older event comes after a newer one is seen here.
            let mut published = world.published();
            published.sort_by_key(|(build, _)| *build);
            assert!(published.is_sorted(), "{published:?} after lives of {polls} polls");
            published.dedup();
            let all: Vec<_> = (1..=3).flat_map(|build| (1..=4).map(move |seq| (build, seq))).collect();
            assert_eq!(published, all, "after lives of {polls} polls");
        }
    }

    #[test]
    fn a_dead_bus_or_store_is_asked_ever_more_rarely_and_whoever_saves_does_not_change_that() {
        let world = World::new();
        world.create(1);
        for dead in [&world.wire.publish, &world.desk.take, &world.desk.ack] {
            dead.is(Mood::Down);
            world.desk.take.calls();
            let mut running = pin!(world.publisher.run(|| std::future::ready(()), pending()));
            assert!(pass(&world.clock, running.as_mut(), secs(3_600)).is_pending());
            let calls = world.desk.take.calls();
            assert!((8..=16).contains(&calls), "{calls} times in the first hour");
            dead.is(Mood::Well);
        }
        let mut running = pin!(world.publisher.run(pending, pending()));
        assert!(pass(&world.clock, running.as_mut(), secs(1)).is_pending());
        assert_eq!(world.published().last(), Some(&(1, 1)));
    }

    #[test]
    fn of_two_publishers_one_publishes_and_the_other_when_it_has_left_or_fallen_silent() {
        let world = World::new();
        let other = Publisher { worker: WorkerId("other".into()), ..world.publisher.clone() };
        let id = world.create(1);
        let calls = || world.desk.take.calls();
        let leaves = std::cell::Cell::new(false);
        let told = std::future::poll_fn(|_| if leaves.get() { Poll::Ready(()) } else { Poll::Pending });
        let mut first = Box::pin(world.publisher.run(pending, told));
        let mut second = Box::pin(other.run(pending, pending()));
        assert!(pass(&world.clock, first.as_mut(), secs(1)).is_pending());
        assert_eq!((world.published().len(), calls() > 0), (1, true));
        assert!(pass(&world.clock, second.as_mut(), secs(20)).is_pending());
        assert_eq!(calls(), 0, "somebody else has the seat");
        assert!(pass(&world.clock, first.as_mut(), secs(20)).is_pending());
        leaves.set(true);
        assert!(pass(&world.clock, first.as_mut(), secs(1)).is_ready());
        world.enter(id, State::Wait);
        assert!(pass(&world.clock, second.as_mut(), secs(6)).is_pending());
        assert_eq!(world.published(), [(1, 1), (1, 2)]);
        // The second is not asked any more, as if its process hung.
        world.enter(id, State::Build);
        let mut third = pin!(world.publisher.run(pending, pending()));
        assert!(pass(&world.clock, third.as_mut(), secs(20)).is_pending());
        assert_eq!(world.published().len(), 2);
        assert!(pass(&world.clock, third.as_mut(), secs(60)).is_pending());
        assert_eq!(world.published(), [(1, 1), (1, 2), (1, 3)]);
    }

    #[test]
    fn nothing_is_published_when_the_store_gives_events_after_the_time_of_the_seat() {
        let world = World::new();
        world.create(1);
        world.desk.take.is(Mood::Slow(world.publisher.policy.lease));
        *world.desk.take.clock.lock().unwrap() = Some(world.clock.clone());
        let mut running = pin!(world.publisher.run(pending, pending()));
        assert!(pass(&world.clock, running.as_mut(), world.publisher.policy.lease + secs(1)).is_pending());
        assert_eq!((world.desk.take.calls(), world.wire.publish.calls()), (1, 0));
    }

    #[test]
    fn nothing_is_published_beyond_the_time_of_the_seat() {
        let world = World::new();
        world.create(1);
        world.wire.publish.is(Mood::Mute);
        let mut running = pin!(world.publisher.run(pending, pending()));
        assert!(pass(&world.clock, running.as_mut(), world.publisher.policy.lease - secs(1)).is_pending());
        let called = world.wire.publish.calls();
        assert_eq!(called, 1);
        assert!(pass(&world.clock, running.as_mut(), secs(10)).is_pending());
        assert_eq!(world.wire.publish.calls(), 1, "it was given up and the seat was asked for again");
    }

    #[test]
    fn a_success_ends_the_growth_of_pauses() {
        let world = World::new();
        let id = world.create(1);
        let mut running = pin!(world.publisher.run(pending, pending()));
        world.wire.publish.is(Mood::Down);
        assert!(pass(&world.clock, running.as_mut(), secs(3_600)).is_pending());
        world.wire.publish.is(Mood::Well);
        assert!(pass(&world.clock, running.as_mut(), secs(601)).is_pending());
        world.wire.publish.is(Mood::Down);
        world.enter(id, State::Wait);
        world.wire.publish.calls();
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        let calls = world.wire.publish.calls();
        assert!((3..=5).contains(&calls), "{calls} times in a minute");
    }

    #[test]
    fn an_event_is_published_a_moment_after_a_wake_and_soon_without_one() {
        let world = World::new();
        let is_woken = std::cell::Cell::new(false);
        let woken = || std::future::poll_fn(|_| if is_woken.get() { Poll::Ready(()) } else { Poll::Pending });
        let mut running = pin!(world.publisher.run(woken, pending()));
        assert!(pass(&world.clock, running.as_mut(), SHORTEST_PAUSE * 2).is_pending());
        let id = world.create(1);
        is_woken.set(true);
        assert!(poll(running.as_mut()).is_pending());
        assert_eq!(world.published(), [(1, 1)]);
        is_woken.set(false);
        assert!(pass(&world.clock, running.as_mut(), SHORTEST_PAUSE * 2).is_pending());
        world.enter(id, State::Wait);
        assert!(pass(&world.clock, running.as_mut(), Policy::default().publish_floor).is_pending());
        assert_eq!(world.published(), [(1, 1), (1, 2)]);
    }

    #[test]
    fn who_is_woken_all_the_time_does_not_spin() {
        let world = World::new();
        let mut running = pin!(world.publisher.run(|| std::future::ready(()), pending()));
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        let calls = world.desk.take.calls();
        assert!(calls <= 3_001, "{calls} times in a minute");
    }

    #[test]
    fn a_publisher_that_is_told_to_stop_does_not_wait_for_the_bus() {
        let world = World::new();
        world.create(1);
        world.wire.publish.is(Mood::Mute);
        let mut running = pin!(world.publisher.run(pending, world.clock.sleep_until(secs(1))));
        assert_eq!(pass(&world.clock, running.as_mut(), secs(1)), Poll::Ready(()));
    }

    #[test]
    fn a_runtime_may_move_a_publisher_between_threads() {
        fn is_send(_: &impl Send) {}
        let world = World::new();
        is_send(&world.publisher.run(pending, pending()));
    }
}
