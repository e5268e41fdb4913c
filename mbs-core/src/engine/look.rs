//! One look at one build.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, info, warn};

use super::{Engine, act, ask, until};
use crate::ident::{BuildId, Revision};
use crate::model::ModuleBuild;
use crate::plan::{self, Observation, Plan, Why};
use crate::store::{Claim, Loaded, Save, Saved, Signal, StoreError};

/// Rounds of questions before one plan; more would be a defect of `missing`.
const MOST_ROUNDS: usize = 16;

/// Plans in a look that save nothing but act, besides those that save.
const MOST_PLANS: usize = 64;

/// The work on one claimed build.
pub(super) struct Look<'e> {
    pub(super) engine: &'e Engine,
    pub(super) claim: Claim,
    pub(super) began: Duration,
    /// The reading when the claim was answered.
    claimed: Duration,
    pub(super) signal: Signal,
}

/// How a look ended: when to come again, and why.
struct End {
    wake_at: Option<Timestamp>,
    why: Why,
}

/// Why a look was broken off.
enum Broken {
    /// The build is somebody else's now; whatever was under way is dropped.
    LeaseLost,
    /// The store does not answer.
    Store(StoreError),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost(_) => Broken::LeaseLost,
            error => Broken::Store(error),
        }
    }
}

impl<'e> Look<'e> {
    pub(super) fn new(engine: &'e Engine, claim: Claim, began: Duration) -> Self {
        Self { engine, claim, began, claimed: engine.clock.reading(), signal: Signal::Quiet }
    }

    /// Looks, renews the lease meanwhile, and gives the build back.
    pub(super) async fn run(mut self) {
        let engine = self.engine;
        let lease = self.claim.lease.clone();
        let renewing = renew(engine, &lease, self.began);
        let ended = {
            let working = std::pin::pin!(self.work());
            match futures_util::future::select(working, std::pin::pin!(renewing)).await {
                futures_util::future::Either::Left((ended, _)) => ended,
                futures_util::future::Either::Right(_) => Err(Broken::LeaseLost),
            }
        };
        let now = engine.now(&self.claim, self.began);
        let end = match ended {
            Ok(end) => end,
            Err(Broken::LeaseLost) => {
                info!(module.id = lease.build.0, "the lease was lost; the look is dropped");
                return;
            }
            Err(Broken::Store(error)) => {
                warn!(module.id = lease.build.0, %error, "the look was broken off");
                // What is refused is a defect and will be refused again; what is out of reach may be back soon.
                let pause =
                    if error.is_transient() { engine.policy.backoff_first } else { engine.policy.idle_floor };
                End { wake_at: now.checked_add(pause).ok(), why: Why::BrokenOff { what: error.to_string() } }
            }
        };
        if let Err(error) = engine.store.release(&lease, end.wake_at, end.why, self.signal).await {
            warn!(module.id = lease.build.0, %error, "the build could not be given back; its lease will expire");
        }
    }

    /// Returns a moment by the store's clock that is certainly not later than the present one.
    pub(super) fn now_at_least(&self) -> Timestamp {
        self.engine.now(&self.claim, self.claimed)
    }

    fn now(&self) -> Timestamp {
        self.engine.now(&self.claim, self.began)
    }

    async fn work(&mut self) -> Result<End, Broken> {
        let loaded = self.engine.store.load(self.claim.lease.build).await?;
        let mut state = Working::of(loaded);
        let mut saves = 0;
        for _ in 0..MOST_PLANS {
            // What was just done is taken in before others have their turn.
            if saves >= self.engine.policy.steps_per_look && state.seen.outcomes.is_empty() {
                return Ok(End { wake_at: Some(self.now()), why: Why::GoingOn });
            }
            self.ask_what_is_missing(&state.build, &mut state.seen).await;
            let planned =
                self.engine.planner.plan(&state.build, &state.seen, &self.engine.policy, self.now());
            let plan = match planned {
                Ok(plan) => plan,
                Err(impossible) => return Ok(self.shelve(&impossible, state).await),
            };
            debug!(module.id = state.build.id.0, why = %plan.why, actions = plan.actions.len(), "planned");
            let is_changed = plan.build != *state.build;
            if !is_changed && plan.actions.is_empty() {
                let wake_at = plan.wake_at.map(|at| spread(at, self.now(), (state.build.id, state.revision)));
                return Ok(End { wake_at, why: plan.why });
            }
            if is_changed {
                saves += 1;
                if !self.save(&plan, &mut state).await? {
                    continue;
                }
            }
            // The plan has taken them in: an outcome counts once.
            state.seen.outcomes.clear();
            act::perform(self, &state.build, plan.actions, &mut state.seen).await;
        }
        warn!(module.id = state.build.id.0, "plans do not come to rest; the look is broken off");
        let what = "its plans do not come to rest".to_owned();
        Ok(End {
            wake_at: self.now().checked_add(self.engine.policy.idle_floor).ok(),
            why: Why::BrokenOff { what },
        })
    }

    async fn ask_what_is_missing(&mut self, build: &ModuleBuild, seen: &mut Observation) {
        for _ in 0..MOST_ROUNDS {
            let query = self.engine.planner.missing(build, seen, &self.engine.policy);
            if query.is_empty() {
                return;
            }
            ask::ask(self, query, seen).await;
        }
        warn!(module.id = build.id.0, "questions do not end; planning with what is known");
    }

    /// Saves what a plan changed. `false`: somebody or something was faster; plan again with what is so now.
    async fn save(&mut self, plan: &Plan, state: &mut Working) -> Result<bool, Broken> {
        let engine = self.engine;
        let save = Save {
            was: Arc::clone(&state.build),
            now: plan.build.clone(),
            revision: state.revision,
            lease: self.claim.lease.clone(),
            notes: plan.notes.clone(),
            signal: self.signal,
        };
        match engine.store.save(save).await {
            Ok(saved) => {
                log_changes(&plan.build);
                // Told once: strain that every save of the look repeated would count again when the interval is over.
                self.signal = Signal::Quiet;
                state.take(saved);
                Ok(true)
            }
            Err(StoreError::NoSlot { .. }) => {
                let loaded = engine.store.load(state.build.id).await?;
                state.seen.slots = loaded.slots;
                Ok(false)
            }
            Err(StoreError::Stale(_)) => {
                let outcomes = std::mem::take(&mut state.seen.outcomes);
                *state = Working::of(engine.store.load(state.build.id).await?);
                // What this look did is so, whatever somebody else made of the build meanwhile.
                state.seen.outcomes = outcomes;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a build aside whose record and observation contradict each other.
    async fn shelve(&mut self, impossible: &plan::Impossible, mut state: Working) -> End {
        warn!(module.id = state.build.id.0, %impossible, "record and observation contradict each other");
        let why = Why::Contradiction { what: impossible.to_string() };
        let build = plan::shelved(&state.build, impossible, &self.engine.policy, self.now());
        let wake_at = build.trouble.as_ref().map(|trouble| trouble.next_try);
        if build != *state.build {
            let plan = Plan { build, actions: Vec::new(), wake_at, why: why.clone(), notes: Vec::new() };
            if self.save(&plan, &mut state).await.is_err() {
                warn!(module.id = state.build.id.0, "that it is put aside could not be recorded");
            }
        }
        End { wake_at, why }
    }
}

/// The build in hand, and what is known.
struct Working {
    build: Arc<ModuleBuild>,
    revision: Revision,
    seen: Observation,
}

impl Working {
    fn of(loaded: Loaded) -> Self {
        let seen = Observation { slots: loaded.slots, ..Observation::default() };
        Self { build: Arc::new(loaded.build), revision: loaded.revision, seen }
    }

    fn take(&mut self, saved: Saved) {
        self.build = Arc::new(saved.build);
        self.revision = saved.revision;
        self.seen.slots = saved.slots;
    }
}

/// Moves a next look back by up to an eighth of the pause, by a hash of build and revision: after an outage not everybody
/// comes at once.
fn spread(wake_at: Timestamp, now: Timestamp, (build, revision): (BuildId, Revision)) -> Timestamp {
    let pause = wake_at.duration_since(now).as_millis().clamp(0, i128::from(u32::MAX));
    let most = u64::try_from(pause / 8).unwrap_or(0) + 1;
    // Multiplying by an odd constant with well-mixed bits spreads neighbouring ids over the whole range.
    let mixed = (build.0.unsigned_abs() ^ revision.0.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let offset = Duration::from_millis((mixed >> 32) % most);
    wake_at.checked_add(offset).unwrap_or(wake_at)
}

fn log_changes(build: &ModuleBuild) {
    for change in build.life.unsaved() {
        info!(
            module.id = build.id.0,
            module.nsvc = %build.nsvc(),
            reason = change.reason.as_deref().unwrap_or_default(),
            "module build {} ({}) is {}",
            build.id,
            build.nsvc(),
            change.to
        );
    }
}

/// Renews a lease every third of its length; returns when it is lost, or would have expired since the begin of the last
/// renewal that was answered.
async fn renew(engine: &Engine, lease: &crate::store::Lease, mut held_since: Duration) {
    let pause = engine.policy.lease / 3;
    loop {
        let expires = held_since + engine.policy.lease;
        engine.clock.sleep_until((engine.clock.reading() + pause).min(expires)).await;
        let began = engine.clock.reading();
        if began >= expires {
            return;
        }
        match until(&*engine.clock, (began + pause).min(expires), engine.store.renew(lease)).await {
            Some(Err(StoreError::LeaseLost(_))) => return,
            Some(Ok(())) => held_since = began,
            Some(Err(error)) => warn!(module.id = lease.build.0, %error, "the lease could not be renewed"),
            None => warn!(module.id = lease.build.0, "renewing the lease took too long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn builds_that_pause_together_come_back_spread_over_an_eighth_of_the_pause() {
        let now = Timestamp::from_second(1_000).unwrap();
        let wake_at = Timestamp::from_second(1_080).unwrap();
        let looks: BTreeSet<Timestamp> =
            (1..=100).map(|id| spread(wake_at, now, (BuildId(id), Revision(3)))).collect();
        assert!(looks.len() > 90, "{} different moments", looks.len());
        assert!(looks.iter().all(|at| (0..=10_000).contains(&at.duration_since(wake_at).as_millis())));
    }

    #[test]
    fn a_moment_that_has_passed_is_not_moved() {
        let now = Timestamp::from_second(1_000).unwrap();
        assert_eq!(spread(now, now, (BuildId(7), Revision(1))), now);
    }
}
