//! The engine: one loop per build that asks, plans, saves and acts. It only calls the traits; it decides when to await,
//! never what a build should do.
//!
//! ```text
//! claim -> load -> { missing -> ask } -> plan -> save -> act -> plan with the outcomes -> … -> release
//! ```
//!
//! The engine is plain futures: whoever embeds it spawns [`Engine::run`] on a runtime of their choice, once per process.
//! Any number of processes may run on one store.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;

use crate::build_system::{BuildSystem, BuildSystemError, Effect};
use crate::bus::Hint;
use crate::clock::Clock;
use crate::ident::BuildId;
use crate::plan::Planner;
use crate::policy::Policy;
use crate::resolver::ModuleResolver;
use crate::share::microseconds;
use crate::source_control::SourceControl;
use crate::store::{Claim, Signal, Store, StoreError, WorkerId};

mod act;
mod ask;
mod expand;
mod listen;
mod look;
mod publish;
mod submit;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use expand::{ExpandError, answer, expand};
pub use listen::Listener;
pub use publish::{PublishError, Publisher};
pub use submit::{Desk, SubmitError, Submitted};

use look::Look;

/// Everything a look needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Keeps the records.
    pub store: Arc<dyn Store>,
    /// Builds packages.
    pub build_system: Arc<dyn BuildSystem>,
    /// Knows modules.
    pub resolver: Arc<dyn ModuleResolver>,
    /// Reads sources.
    pub source_control: Arc<dyn SourceControl>,
    /// Tells how time passes.
    pub clock: Arc<dyn Clock>,
    /// Decides: [`Standard`](crate::plan::Standard), or something around it.
    pub planner: Arc<dyn Planner>,
    /// The rules.
    pub policy: Arc<Policy>,
    /// Who claims: unique among processes on one store.
    pub worker: WorkerId,
    /// Most looks under way at once.
    pub looks_at_once: usize,
}

/// Looks under way.
type Looks<L> = FuturesUnordered<L>;

/// What one round of the engine did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// How many builds were looked at.
    pub looks: usize,
}

/// The shortest pause, so that a build that is due and cannot be claimed does not make the engine spin.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

impl Engine {
    /// Looks at every build that is due, each once, and returns how many there were, when all looks have ended.
    ///
    /// # Errors
    /// The store cannot be asked for due builds. Errors of single builds are kept with the build, not returned.
    pub async fn round(&self) -> Result<Round, StoreError> {
        let began = self.clock.reading();
        let claims = self.store.claim(&self.worker, self.looks_at_once).await?;
        let looks = claims.len();
        let mut under_way: Looks<_> =
            claims.into_iter().map(|claim| Look::new(self, claim, began).run()).collect();
        while under_way.next().await.is_some() {}
        Ok(Round { looks })
    }

    /// Works until `stop` says so, and then lets the looks under way end: their builds are given back. Dropped instead, it
    /// leaves leases that have to expire.
    ///
    /// Looks at what is due, as many builds at once as configured; one whose look takes long holds up no other. Sleeps until
    /// the next is due, or until `woken` says so: it is asked anew before every claim and answers when somebody called
    /// [`Engine::wake`] or a hint arrived; one that never answers costs time only.
    pub async fn run<W, F>(&self, woken: W, stop: impl Future<Output = ()>)
    where
        W: Fn() -> F,
        F: Future<Output = ()>,
    {
        let mut looks: Looks<_> = FuturesUnordered::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let next = woken();
            let began = self.clock.reading();
            let free = self.looks_at_once.saturating_sub(looks.len());
            // A claim is never dropped half-way: its leases would be nobody's until they expire.
            let claims = meanwhile(&mut looks, self.claim(free)).await;
            let is_idle = claims.is_empty();
            looks.extend(claims.into_iter().map(|claim| Look::new(self, claim, began).run()));
            let rest = async {
                match (free, is_idle) {
                    (0, _) => drop(looks.next().await),
                    (_, true) => self.pause(next, &mut looks).await,
                    (_, false) => {}
                }
            };
            // Whether to stop is asked first, so that a backend with much to do stops, too.
            if let Either::Left(_) = select(stop.as_mut(), std::pin::pin!(rest)).await {
                break;
            }
        }
        while looks.next().await.is_some() {}
    }

    /// Claims up to `free` builds; none if the store cannot be asked.
    async fn claim(&self, free: usize) -> Vec<Claim> {
        if free == 0 {
            return Vec::new();
        }
        self.store.claim(&self.worker, free).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "due builds cannot be claimed");
            Vec::new()
        })
    }

    /// Sleeps until the next build is due, but not longer than a while, or until woken, or until a look has ended.
    async fn pause<L: Future<Output = ()>>(&self, woken: impl Future<Output = ()>, looks: &mut Looks<L>) {
        let shortest = self.clock.reading() + SHORTEST_PAUSE;
        meanwhile(looks, self.clock.sleep_until(shortest)).await;
        let until_due = async {
            match join(self.store.next_due(), self.store.now()).await {
                (Ok(Some(due)), Ok(now)) => due.duration_since(now).try_into().unwrap_or(Duration::ZERO),
                (Ok(None), _) | (_, Err(_)) | (Err(_), _) => self.policy.claim_floor,
            }
        };
        let deadline = shortest + meanwhile(looks, until_due).await.min(self.policy.claim_floor);
        let ended = async {
            match looks.is_empty() {
                true => std::future::pending().await,
                false => looks.next().await,
            }
        };
        let (timer, woken) = (self.clock.sleep_until(deadline), std::pin::pin!(woken));
        select(select(std::pin::pin!(timer), woken), std::pin::pin!(ended)).await;
    }

    /// Makes a build due at once.
    ///
    /// # Errors
    /// The store is not available.
    pub async fn wake(&self, build: BuildId) -> Result<(), StoreError> {
        self.store.wake(&[Hint::Build(build)]).await.map(drop)
    }

    /// Returns the store's time as of a claim, moved on by what has passed since on the monotonic clock; in whole microseconds,
    /// so that every store keeps what is made of it exactly.
    fn now(&self, claim: &Claim, began: Duration) -> Timestamp {
        let passed = self.clock.reading().saturating_sub(began);
        microseconds(claim.store_now.checked_add(passed).unwrap_or(claim.store_now))
    }
}

/// Waits for a future while looks go on.
async fn meanwhile<T, L: Future<Output = ()>>(looks: &mut Looks<L>, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        if looks.is_empty() {
            return future.await;
        }
        match select(future.as_mut(), looks.next()).await {
            Either::Left((value, _)) => return value,
            Either::Right(_) => {}
        }
    }
}

/// Waits for a future, but not beyond a reading of the clock; `None` if that came first.
async fn until<T>(clock: &dyn Clock, deadline: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(std::pin::pin!(future), std::pin::pin!(clock.sleep_until(deadline))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

/// What is to be expected of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// An answer soon; one that takes long shows strain.
    Quick,
    /// It takes as long as it takes: many steps, or an upload.
    Slow,
}

/// Calls the build system and says whether the call strained it: the answer took long, says that it is not available, or did
/// not come in time, and then the call may have had its effect.
async fn call<T>(
    engine: &Engine,
    pace: Pace,
    call: impl Future<Output = Result<T, BuildSystemError>>,
) -> (Result<T, BuildSystemError>, Signal) {
    let began = engine.clock.reading();
    let answer = until(&*engine.clock, began + engine.policy.call_within, call).await;
    let answer = answer.unwrap_or_else(|| Err(too_late(Effect::Unknown)));
    let took = engine.clock.reading().saturating_sub(began);
    let was_slow = pace == Pace::Quick && took > engine.policy.slow_after;
    let is_out_of_reach = matches!(answer, Err(BuildSystemError::Unavailable { .. }));
    (answer, if was_slow || is_out_of_reach { Signal::Strained } else { Signal::Quiet })
}

fn too_late(effect: Effect) -> BuildSystemError {
    BuildSystemError::Unavailable {
        reason: "a call was not answered in time".into(),
        retry_after: None,
        effect,
    }
}
