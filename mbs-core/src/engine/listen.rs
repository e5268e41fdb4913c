//! From hints to wakes: what a message bus says makes builds due, and nothing else.
//!
//! The listener drops what is none of ours, gathers the rest for a moment and writes it to the store as one wake. It never
//! trusts a hint, never looks at a build, and loses nothing but time if it is not there.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{Stream, StreamExt, unfold};

use super::{SHORTEST_PAUSE, until};
use crate::bus::{BusError, Hint, MessageBus};
use crate::clock::Clock;
use crate::policy::Policy;
use crate::store::Work;

/// Most hints in one wake. More come only in a flood, from a mass rebuild or a forger; then asking for all that is under
/// way is cheaper than naming so many, and nobody can fill the memory.
const MOST_HINTS: usize = 1_000;

/// Passes the hints of a message bus to the store. Cheap to clone; one per process and bus.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Gives the hints.
    pub bus: Arc<dyn MessageBus>,
    /// Makes builds due.
    pub store: Arc<dyn Work>,
    /// Tells how time passes.
    pub clock: Arc<dyn Clock>,
    /// The rules.
    pub policy: Arc<Policy>,
}

impl Listener {
    /// Listens until the bus is closed for good or `stop` says so, and then writes what was gathered. Dropped instead, it
    /// loses that, which costs time only.
    ///
    /// `woke` is called after a wake that named a build, so that the engine of this process claims without waiting: it
    /// should make the future ready that [`Engine::run`](super::Engine::run) got as `woken`. What the bus does not tell
    /// while it is out of reach is made up for by one [`Hint::Everything`] when it is back. Hints that the store does not
    /// take are kept and written with the next ones.
    pub async fn run(&self, woke: impl Fn(), stop: impl Future<Output = ()>) {
        let mut heard = pin!(self.hear());
        let mut stop = pin!(stop);
        let mut batch = Batch::default();
        let mut pause = self.policy.gather_hints;
        loop {
            let is_over = {
                let gathering = pin!(self.gather(&mut heard, &mut batch, pause));
                match select(stop.as_mut(), gathering).await {
                    Either::Left(_) => true,
                    Either::Right((gathered, _)) => gathered == Gathered::All,
                }
            };
            let named = self.write(&mut batch).await;
            if named > 0 {
                woke();
            }
            if is_over {
                return;
            }
            pause = match batch.is_empty() {
                true => self.policy.gather_hints,
                // The store is out of reach. It may be back soon.
                false => self.policy.backoff_first.max(SHORTEST_PAUSE),
            };
        }
    }

    /// Waits for hints if there are none yet, and takes what comes within a pause.
    async fn gather(
        &self,
        heard: &mut (impl Stream<Item = Vec<Hint>> + Unpin),
        batch: &mut Batch,
        pause: Duration,
    ) -> Gathered {
        if batch.is_empty() {
            match heard.next().await {
                Some(hints) => batch.take(hints, &self.policy),
                None => return Gathered::All,
            }
        }
        let deadline = self.clock.reading() + pause;
        // The reading is asked, too, for a bus that always has more never lets the timer speak.
        while self.clock.reading() < deadline {
            match until(&*self.clock, deadline, heard.next()).await {
                Some(Some(hints)) => batch.take(hints, &self.policy),
                Some(None) => return Gathered::All,
                None => break,
            }
        }
        Gathered::Some
    }

    /// Writes a batch as one wake and returns how many builds were named; what the store could not take stays in it.
    async fn write(&self, batch: &mut Batch) -> usize {
        if batch.is_empty() {
            return 0;
        }
        let hints: Vec<Hint> = batch.hints.iter().cloned().collect();
        let woken = self.store.wake(&hints).await;
        let may_succeed_later = woken.as_ref().is_err_and(|error| error.is_transient());
        if !may_succeed_later {
            batch.hints.clear();
        }
        woken.unwrap_or_else(|error| {
            tracing::warn!(hints = hints.len(), %error, "hints could not be written");
            0
        })
    }

    /// Returns what the bus says, over all its outages. A question to the bus is never given up: an answer that is under
    /// way already would be lost.
    fn hear(&self) -> impl Stream<Item = Vec<Hint>> {
        let line = Line { asked: self.bus.hints(), tries: 0, is_lost: false };
        unfold(line, |line| self.hear_next(line))
    }

    async fn hear_next<'l>(&'l self, mut line: Line<'l>) -> Option<(Vec<Hint>, Line<'l>)> {
        loop {
            match self.answer(&mut line).await {
                // Nobody says that the bus is back while it has no news; a call that does not fail for so long must do.
                None => {
                    line.is_lost = false;
                    return Some((vec![Hint::Everything], line));
                }
                Some(Ok(hints)) if hints.is_empty() => return None,
                Some(Ok(mut hints)) => {
                    hints.extend(line.is_lost.then_some(Hint::Everything));
                    line = Line { asked: self.bus.hints(), tries: 0, is_lost: false };
                    return Some((hints, line));
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "no hints come until the message bus is back");
                    let pause = self.policy.pause_after(line.tries).max(SHORTEST_PAUSE);
                    self.clock.sleep_until(self.clock.reading() + pause).await;
                    line =
                        Line { asked: self.bus.hints(), tries: line.tries.saturating_add(1), is_lost: true };
                }
            }
        }
    }

    /// Waits for the answer of the bus; `None`: after an outage it keeps us waiting, so it listens.
    async fn answer(&self, line: &mut Line<'_>) -> Option<Result<Vec<Hint>, BusError>> {
        if !line.is_lost {
            return Some((&mut line.asked).await);
        }
        let deadline = self.clock.reading() + self.policy.backoff_first;
        until(&*self.clock, deadline, &mut line.asked).await
    }
}

/// The connection to the bus, as far as we know.
struct Line<'l> {
    asked: BoxFuture<'l, Result<Vec<Hint>, BusError>>,
    /// How often the bus was out of reach since it last had news.
    tries: u32,
    /// Whether it was out of reach and may have lost hints nobody made up for.
    is_lost: bool,
}

/// Whether there will be more hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gathered {
    Some,
    All,
}

/// Hints to be written, each once.
#[derive(Debug, Default)]
struct Batch {
    hints: BTreeSet<Hint>,
}

impl Batch {
    /// Takes those that may be about our builds; too many become [`Hint::Everything`].
    fn take(&mut self, hints: Vec<Hint>, policy: &Policy) {
        for hint in hints {
            let is_foreign = matches!(&hint, Hint::Tag(tag) if !policy.is_module_tag(tag));
            if !is_foreign {
                self.hints.insert(hint);
            }
            if self.hints.len() > MOST_HINTS {
                self.hints = [Hint::Everything].into();
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.hints.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use async_trait::async_trait;
    use jiff::Timestamp;

    use super::*;
    use crate::engine::testing::{pass, poll};
    use crate::ident::{BuildId, TaskId};
    use crate::memory::{ManualClock, MemoryBus};
    use crate::plan::Why;
    use crate::store::{Claim, Lease, Signal, StateChange, StoreError, WorkerId};

    const ONLY_WAKES: &str = "a listener only wakes";

    /// A store that notes what is written to it, and takes every hint for that of one build, or is out of reach.
    #[derive(Debug, Default)]
    struct Notes {
        wakes: Mutex<Vec<Vec<Hint>>>,
        refused: Mutex<Option<StoreError>>,
        refusals: AtomicUsize,
    }

    impl Notes {
        fn wakes(&self) -> Vec<Vec<Hint>> {
            std::mem::take(&mut self.wakes.lock().unwrap())
        }

        fn refuse(&self, error: impl Into<Option<StoreError>>) {
            *self.refused.lock().unwrap() = error.into();
        }
    }

    #[async_trait]
    impl Work for Notes {
        async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError> {
            if let Some(error) = self.refused.lock().unwrap().clone() {
                self.refusals.fetch_add(1, Ordering::Relaxed);
                return Err(error);
            }
            self.wakes.lock().unwrap().push(hints.to_vec());
            Ok(hints.iter().filter(|hint| **hint != UNKNOWN).count())
        }

        async fn claim(&self, _: &WorkerId, _: usize) -> Result<Vec<Claim>, StoreError> {
            unreachable!("{ONLY_WAKES}")
        }
        async fn renew(&self, _: &Lease) -> Result<(), StoreError> {
            unreachable!("{ONLY_WAKES}")
        }
        async fn release(
            &self,
            _: &Lease,
            _: Option<Timestamp>,
            _: Why,
            _: Signal,
        ) -> Result<(), StoreError> {
            unreachable!("{ONLY_WAKES}")
        }
        async fn void_leases(&self, _: &WorkerId) -> Result<usize, StoreError> {
            unreachable!("{ONLY_WAKES}")
        }
        async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
            unreachable!("{ONLY_WAKES}")
        }
        async fn explain(&self, _: BuildId) -> Result<Option<Why>, StoreError> {
            unreachable!("{ONLY_WAKES}")
        }
        async fn now(&self) -> Result<Timestamp, StoreError> {
            unreachable!("{ONLY_WAKES}")
        }
    }

    /// A hint that names no build of the store.
    const UNKNOWN: Hint = Hint::Task(TaskId(404));

    /// A bus that takes a while to answer, and meanwhile forgets what it has taken from the wire if it is not heard out.
    #[derive(Debug, Default)]
    struct Forgetful {
        wire: MemoryBus,
        clock: Arc<ManualClock>,
        asked: AtomicUsize,
    }

    const A_WHILE: Duration = Duration::from_millis(10);

    #[async_trait]
    impl MessageBus for Forgetful {
        async fn publish(&self, _: &[StateChange]) -> Result<(), BusError> {
            unreachable!("a listener publishes nothing")
        }

        async fn hints(&self) -> Result<Vec<Hint>, BusError> {
            assert!(self.asked.fetch_add(1, Ordering::Relaxed) < 1_000, "it spins");
            let hints = self.wire.hints().await;
            self.clock.sleep_until(self.clock.reading() + A_WHILE).await;
            hints
        }
    }

    struct World {
        clock: Arc<ManualClock>,
        store: Arc<Notes>,
        bus: Arc<Forgetful>,
        woke: AtomicUsize,
    }

    impl World {
        fn new() -> Self {
            let clock = Arc::new(ManualClock::new());
            let bus = Arc::new(Forgetful { clock: clock.clone(), ..Forgetful::default() });
            Self { clock, store: Arc::default(), bus, woke: AtomicUsize::new(0) }
        }

        fn listener(&self) -> Listener {
            let (bus, store, clock) = (self.bus.clone(), self.store.clone(), self.clock.clone());
            Listener { bus, store, clock, policy: Arc::default() }
        }

        fn woke(&self) -> usize {
            self.woke.swap(0, Ordering::Relaxed)
        }
    }

    fn tag(name: &str) -> Hint {
        Hint::Tag(name.parse().unwrap())
    }

    fn builds(ids: impl IntoIterator<Item = i64>) -> Vec<Hint> {
        ids.into_iter().map(|id| Hint::Build(BuildId(id))).collect()
    }

    fn outage() -> StoreError {
        StoreError::Unavailable { reason: "it restarts".into() }
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Declares a world and a listener that runs in it.
    macro_rules! listening {
        ($world:ident, $running:ident) => {
            let $world = World::new();
            let listener = $world.listener();
            let count = || {
                $world.woke.fetch_add(1, Ordering::Relaxed);
            };
            let mut $running = pin!(listener.run(count, std::future::pending()));
        };
    }

    #[test]
    fn a_thousand_hints_become_one_wake_and_one_call() {
        listening!(world, running);
        let mut left = builds(1..=1_000);
        while !left.is_empty() {
            world.bus.wire.push(left.drain(..10));
            assert!(pass(&world.clock, running.as_mut(), Duration::from_millis(1)).is_pending());
            assert_eq!(world.store.wakes(), Vec::<Vec<Hint>>::new());
        }
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!((world.store.wakes(), world.woke()), (vec![builds(1..=1_000)], 1));
    }

    #[test]
    fn more_hints_than_that_become_a_hint_at_everything() {
        listening!(world, running);
        world.bus.wire.push(builds(1..=1_001));
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!(world.store.wakes(), [[Hint::Everything]]);
    }

    #[test]
    fn a_doubled_hint_is_written_once() {
        listening!(world, running);
        world.bus.wire.push([builds([7, 7]), builds([8, 7])].concat());
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!(world.store.wakes(), [builds([7, 8])]);
    }

    #[test]
    fn tags_without_our_prefix_are_dropped_unseen() {
        listening!(world, running);
        world.bus.wire.push([tag("f40-build"), tag("modules-f40"), tag("module")]);
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!((world.store.wakes(), world.woke()), (vec![], 0));
        let ours = [tag("module-app-1-1-a-build"), tag("scrmod-app-1-1-a+7"), Hint::Task(TaskId(5))];
        world.bus.wire.push([&ours[..], &[tag("f40-build")]].concat());
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!(world.store.wakes(), [ours]);
    }

    #[test]
    fn a_hint_that_is_on_its_way_when_others_are_written_is_not_lost() {
        listening!(world, running);
        world.bus.wire.push(builds([1]));
        assert!(pass(&world.clock, running.as_mut(), A_WHILE).is_pending());
        let gathered = world.clock.next_deadline().unwrap();
        world.clock.advance_to(gathered - A_WHILE / 2);
        world.bus.wire.push(builds([2]));
        assert!(poll(running.as_mut()).is_pending());
        world.clock.advance_to(gathered);
        assert!(poll(running.as_mut()).is_pending());
        assert_eq!(world.store.wakes(), [builds([1])]);
        assert!(pass(&world.clock, running.as_mut(), secs(1)).is_pending());
        assert_eq!(world.store.wakes(), [builds([2])]);
    }

    #[test]
    fn an_engine_is_not_roused_for_hints_that_name_no_build() {
        listening!(world, running);
        world.bus.wire.push([UNKNOWN]);
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!((world.store.wakes(), world.woke()), (vec![vec![UNKNOWN]], 0));
    }

    #[test]
    fn a_bus_that_comes_back_silently_is_made_up_for_once() {
        listening!(world, running);
        world.bus.wire.break_down("no route");
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!(world.store.wakes(), Vec::<Vec<Hint>>::new());
        world.bus.wire.repair();
        assert!(pass(&world.clock, running.as_mut(), secs(3_600)).is_pending());
        assert_eq!((world.store.wakes(), world.woke()), (vec![vec![Hint::Everything]], 1));
        world.bus.wire.push(builds([7]));
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!(world.store.wakes(), [builds([7])]);
    }

    #[test]
    fn a_bus_that_comes_back_with_news_is_made_up_for_with_them() {
        listening!(world, running);
        world.bus.wire.break_down("no route");
        assert!(pass(&world.clock, running.as_mut(), secs(2)).is_pending());
        world.bus.wire.repair();
        world.bus.wire.push(builds([7]));
        assert!(pass(&world.clock, running.as_mut(), secs(3_600)).is_pending());
        assert_eq!(world.store.wakes(), [[&builds([7])[..], &[Hint::Everything]].concat()]);
    }

    #[test]
    fn hints_gathered_before_the_bus_broke_down_do_not_wait_for_its_return() {
        listening!(world, running);
        world.bus.wire.push(builds([7]));
        assert!(pass(&world.clock, running.as_mut(), Duration::from_millis(100)).is_pending());
        world.bus.wire.break_down("no route");
        assert!(pass(&world.clock, running.as_mut(), secs(1)).is_pending());
        assert_eq!(world.store.wakes(), [builds([7])]);
    }

    #[test]
    fn a_dead_bus_is_asked_ever_more_rarely() {
        listening!(world, running);
        world.bus.wire.break_down("no route");
        assert!(pass(&world.clock, running.as_mut(), secs(3_600)).is_pending());
        let asked = world.bus.asked.swap(0, Ordering::Relaxed);
        assert!((8..=16).contains(&asked), "{asked} times in the first hour");
        assert!(pass(&world.clock, running.as_mut(), secs(24 * 3_600)).is_pending());
        let asked = world.bus.asked.load(Ordering::Relaxed);
        assert!((140..=146).contains(&asked), "{asked} times in a day");
    }

    #[test]
    fn hints_wait_for_a_store_that_is_out_of_reach_and_go_with_the_next() {
        listening!(world, running);
        world.store.refuse(outage());
        world.bus.wire.push(builds([1]));
        assert!(pass(&world.clock, running.as_mut(), secs(61)).is_pending());
        let asked = world.store.refusals.load(Ordering::Relaxed);
        assert!((5..=20).contains(&asked), "it was asked {asked} times in a minute");
        world.store.refuse(None);
        world.bus.wire.push(builds([2]));
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!((world.store.wakes(), world.woke()), (vec![builds([1, 2])], 1));
    }

    #[test]
    fn hints_that_the_store_will_never_take_do_not_hold_up_the_next() {
        listening!(world, running);
        world.store.refuse(StoreError::Rejected { reason: "no such task".into() });
        world.bus.wire.push(builds([1]));
        assert!(pass(&world.clock, running.as_mut(), secs(1)).is_pending());
        world.store.refuse(None);
        world.bus.wire.push(builds([2]));
        assert!(pass(&world.clock, running.as_mut(), secs(60)).is_pending());
        assert_eq!(world.store.wakes(), [builds([2])]);
    }

    #[test]
    fn a_closed_bus_ends_it_and_what_was_gathered_is_written() {
        listening!(world, running);
        world.bus.wire.push(builds([7]));
        assert!(pass(&world.clock, running.as_mut(), A_WHILE).is_pending());
        world.bus.wire.close();
        assert!(pass(&world.clock, running.as_mut(), A_WHILE).is_ready());
        assert_eq!((world.store.wakes(), world.woke()), (vec![builds([7])], 1));
    }

    #[test]
    fn a_listener_that_is_told_to_stop_writes_what_was_gathered() {
        let world = World::new();
        let listener = world.listener();
        let end = secs(9);
        let mut running = pin!(listener.run(|| (), world.clock.sleep_until(end)));
        assert!(pass(&world.clock, running.as_mut(), end - 2 * A_WHILE).is_pending());
        world.bus.wire.push(builds([7]));
        assert_eq!(pass(&world.clock, running.as_mut(), 2 * A_WHILE), Poll::Ready(()));
        assert_eq!(world.store.wakes(), [builds([7])]);
    }

    #[test]
    fn a_runtime_may_move_a_listener_between_threads() {
        fn is_send(_: &impl Send) {}
        let listener = World::new().listener();
        is_send(&listener.run(|| (), std::future::ready(())));
    }
}
