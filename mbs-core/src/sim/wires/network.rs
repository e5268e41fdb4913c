//! The way between backends and the build system: how long it is, what goes wrong on it, and what is under way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::slot::Slot;
use crate::build_system::{BuildSystemError, Effect};
use crate::clock::Clock;
use crate::ident::{Package, TagName, TaskId};
use crate::memory::{Call, ManualClock};
use crate::sim::chance::Chance;
use crate::sim::fault::{CallFault, Coverage, FaultKind, RepoFault, StoreFault};
use crate::sim::scenario::Timing;

/// A future that the world drives.
pub(in crate::sim) type Driven = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task that the build system took, whose end is not decided yet.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Begun {
    pub(in crate::sim) task: TaskId,
    /// `None`: it makes a repository.
    pub(in crate::sim) package: Option<Package>,
    /// The target, or the tag of the repository.
    pub(in crate::sim) place: TagName,
    pub(in crate::sim) repo_fault: Option<RepoFault>,
}

/// The network. One for a world.
pub(in crate::sim) struct Network {
    pub(in crate::sim) clock: Arc<ManualClock>,
    pub(in crate::sim) chance: Chance,
    pub(in crate::sim) timing: Timing,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: u64,
    armed: Vec<(Option<Call>, CallFault)>,
    armed_repos: Vec<RepoFault>,
    armed_store: Vec<StoreFault>,
    outage_until: Duration,
    bus_down_until: Duration,
    sent: Vec<Driven>,
    begun: Vec<Begun>,
    coverage: Coverage,
    /// Whether a fault met something since this was last asked.
    has_harmed: bool,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("calls", &self.state().calls).finish_non_exhaustive()
    }
}

/// What a call meets on its way.
pub(super) struct Way {
    there: Duration,
    back: Duration,
    fault: Option<CallFault>,
}

impl Network {
    pub(in crate::sim) fn new(clock: Arc<ManualClock>, chance: Chance, timing: Timing) -> Self {
        Self { clock, chance, timing, state: Mutex::default() }
    }

    /// Lets the next call, or the next of a kind, go wrong.
    pub(in crate::sim) fn arm(&self, call: Option<Call>, fault: CallFault) {
        self.state().armed.push((call, fault));
    }

    /// Lets the next repository go wrong.
    pub(in crate::sim) fn arm_repo(&self, fault: RepoFault) {
        self.state().armed_repos.push(fault);
    }

    /// Lets the next call of the store go wrong.
    pub(in crate::sim) fn arm_store(&self, fault: StoreFault) {
        self.state().armed_store.push(fault);
    }

    /// Takes the build system off the network until a reading of the clock.
    pub(in crate::sim) fn cut_until(&self, until: Duration) {
        let mut state = self.state();
        state.outage_until = state.outage_until.max(until);
    }

    /// Forgets all that was still to go wrong.
    pub(in crate::sim) fn calm_down(&self) {
        let mut state = self.state();
        state.armed.clear();
        state.armed_repos.clear();
        state.armed_store.clear();
        state.outage_until = Duration::ZERO;
        state.bus_down_until = Duration::ZERO;
    }

    pub(super) fn bus_down_until(&self) -> Duration {
        self.state().bus_down_until
    }

    pub(super) fn set_bus_down_until(&self, until: Duration) {
        self.state().bus_down_until = until;
    }

    /// Counts a fault that happened.
    pub(in crate::sim) fn count(&self, kind: FaultKind) {
        let mut state = self.state();
        state.coverage.count(kind);
        state.has_harmed = true;
    }

    /// Says whether a fault happened since this was last asked.
    pub(in crate::sim) fn take_harm(&self) -> bool {
        std::mem::take(&mut self.state().has_harmed)
    }

    pub(in crate::sim) fn coverage(&self) -> Coverage {
        self.state().coverage.clone()
    }

    /// Returns how many calls were made.
    pub(in crate::sim) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Takes the calls that were sent and are not driven yet.
    pub(in crate::sim) fn take_sent(&self) -> Vec<Driven> {
        std::mem::take(&mut self.state().sent)
    }

    /// Takes the tasks that were begun since this was last asked.
    pub(in crate::sim) fn take_begun(&self) -> Vec<Begun> {
        std::mem::take(&mut self.state().begun)
    }

    /// Lets the world drive a future.
    pub(in crate::sim) fn send(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.state().sent.push(Box::pin(future));
    }

    pub(in crate::sim) fn note_begun(&self, begun: Begun) {
        self.state().begun.push(begun);
    }

    pub(super) fn next_repo_fault(&self) -> Option<RepoFault> {
        let mut state = self.state();
        (!state.armed_repos.is_empty()).then(|| state.armed_repos.remove(0))
    }

    pub(super) fn next_store_fault(&self) -> Option<StoreFault> {
        let mut state = self.state();
        (!state.armed_store.is_empty()).then(|| state.armed_store.remove(0))
    }

    /// Draws the way of a call, and what goes wrong on it.
    pub(super) fn way(&self, call: Call) -> Way {
        let now = self.clock.reading();
        let mut state = self.state();
        state.calls += 1;
        let number = state.calls;
        let leg = |leg: &str| self.chance.between(Duration::ZERO, self.timing.call, (leg, number));
        let mut way = Way { there: leg("there"), back: leg("back"), fault: None };
        if now < state.outage_until {
            state.coverage.count(FaultKind::Outage);
            state.has_harmed = true;
            let known = self.chance.percent(50, ("outage", number));
            way.fault = Some(if known { CallFault::Refused } else { CallFault::Lost });
            return way;
        }
        let fits = |(wanted, fault): &(Option<Call>, CallFault)| {
            wanted.is_none_or(|wanted| wanted == call) && (call != Call::Observe || fault.may_hit_questions())
        };
        if let Some(place) = state.armed.iter().position(fits) {
            let fault = state.armed.remove(place).1;
            state.coverage.count(fault.kind());
            state.has_harmed = true;
            way.fault = Some(fault);
        }
        way
    }

    /// Carries a call to the build system and its answer back. The call lives on when the caller does not wait.
    pub(super) async fn carry<T: Send + 'static>(
        self: &Arc<Self>,
        way: Way,
        effect: impl Future<Output = Result<T, BuildSystemError>> + Send + 'static,
    ) -> Result<T, BuildSystemError> {
        let slot = Slot::new();
        let (network, answer) = (Arc::clone(self), slot.clone());
        self.send(async move { network.carried(way, effect, &answer).await });
        slot.take().await
    }

    async fn carried<T>(
        &self,
        way: Way,
        effect: impl Future<Output = Result<T, BuildSystemError>>,
        answer: &Slot<Result<T, BuildSystemError>>,
    ) {
        self.sleep(way.there).await;
        match way.fault {
            None => {
                let result = effect.await;
                self.sleep(way.back).await;
                answer.put(result);
            }
            Some(CallFault::Refused) => {
                answer.put(Err(unavailable("connection refused", None, Effect::None)));
            }
            Some(CallFault::Overloaded) => {
                let pause = Some(Duration::from_secs(40));
                answer.put(Err(unavailable("503 overloaded", pause, Effect::None)));
            }
            Some(CallFault::Lost) => {
                answer.put(Err(unavailable("connection reset", None, Effect::Unknown)));
            }
            Some(CallFault::AnswerLost) => {
                drop(effect.await);
                answer.put(Err(unavailable("time-out", None, Effect::Unknown)));
            }
            Some(CallFault::NoAnswer) => drop(effect.await),
            Some(CallFault::Late) => {
                self.sleep(Duration::from_secs(5)).await;
                answer.put(Err(unavailable("time-out", None, Effect::Unknown)));
                self.sleep(Duration::from_secs(20)).await;
                drop(effect.await);
            }
            Some(CallFault::BeyondMargin) => {
                self.sleep(Duration::from_secs(150)).await;
                drop(effect.await);
            }
            Some(CallFault::Slow) => {
                self.sleep(Duration::from_secs(12)).await;
                let result = effect.await;
                self.sleep(Duration::from_secs(13)).await;
                answer.put(result);
            }
            Some(CallFault::Nonsense) => {
                drop(effect.await);
                let what = "<html>".to_owned();
                answer.put(Err(BuildSystemError::Protocol { what, effect: Effect::Unknown }));
            }
        }
    }

    pub(super) async fn sleep(&self, time: Duration) {
        self.clock.sleep_until(self.clock.reading() + time).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the network")
    }
}

impl CallFault {
    /// Says whether it makes sense for a call that only asks.
    fn may_hit_questions(self) -> bool {
        !matches!(self, CallFault::Late | CallFault::BeyondMargin | CallFault::AnswerLost)
    }
}

fn unavailable(reason: &str, retry_after: Option<Duration>, effect: Effect) -> BuildSystemError {
    BuildSystemError::Unavailable { reason: reason.to_owned(), retry_after, effect }
}
