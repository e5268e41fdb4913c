//! The planner of a world: the real one, looked at closely.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::inspector::{Inspector, Invariant};
use crate::build_system::BuildAnswers;
use crate::ident::{BuildId, Version};
use crate::model::{ModuleBuild, State};
use crate::plan::{Impossible, Observation, ObservationQuery, Plan, Planner};
use crate::policy::Policy;
use crate::store::Slots;

/// Plans twice and compares, and remembers what a plan at rest was based on (I9); for poisoned builds it finds
/// contradictions.
#[derive(Debug)]
pub(super) struct WatchedPlanner {
    inner: Arc<dyn Planner>,
    inspector: Arc<Inspector>,
    /// Versions of poisoned modules.
    poisoned: Vec<Version>,
    at_rest: Mutex<BTreeMap<BuildId, Rest>>,
    steps: AtomicU64,
}

/// A plan that changed nothing and wanted nothing done.
#[derive(Debug)]
struct Rest {
    build: ModuleBuild,
    answers: BuildAnswers,
    slots: Slots,
    wake_at: Option<Timestamp>,
}

impl WatchedPlanner {
    pub(super) fn new(inner: Arc<dyn Planner>, inspector: Arc<Inspector>, poisoned: Vec<Version>) -> Self {
        Self { inner, inspector, poisoned, at_rest: Mutex::default(), steps: AtomicU64::new(0) }
    }

    /// Returns how many plans were made.
    pub(super) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// I9: the same inputs give the same plan, and a build at rest stays so while nothing changes and no time has come.
    fn check(&self, build: &ModuleBuild, seen: &Observation, now: Timestamp, plan: &Plan) {
        let is_quiet = plan.build == *build && plan.actions.is_empty();
        let mut at_rest = self.at_rest.lock().expect("no check panics");
        if let Some(rest) = at_rest.get(&build.id)
            && !is_quiet
            && rest.build == *build
            && rest.answers == seen.build
            && rest.slots == seen.slots
            && seen.outcomes.is_empty()
            && seen.troubles.is_empty()
            && rest.wake_at.is_none_or(|at| now < at)
        {
            let what = "it was at rest, nothing happened, and a new plan changes it".to_owned();
            self.inspector.report(Invariant::I9, Some(build.id), what);
        }
        if is_quiet && seen.outcomes.is_empty() && seen.troubles.is_empty() {
            let (answers, slots) = (seen.build.clone(), seen.slots.clone());
            at_rest.insert(build.id, Rest { build: build.clone(), answers, slots, wake_at: plan.wake_at });
        } else {
            at_rest.remove(&build.id);
        }
    }
}

impl Planner for WatchedPlanner {
    fn missing(&self, build: &ModuleBuild, seen: &Observation, policy: &Policy) -> ObservationQuery {
        self.inner.missing(build, seen, policy)
    }

    fn plan(
        &self,
        build: &ModuleBuild,
        seen: &Observation,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Plan, Impossible> {
        self.steps.fetch_add(1, Ordering::Relaxed);
        if build.state() == State::Build && self.poisoned.contains(&build.nsvc().version) {
            self.inspector.is_poisoned(build.id);
            return Err(Impossible { what: "the poison works".into() });
        }
        let plan = self.inner.plan(build, seen, policy, now);
        if !self.inspector.checks_steps() {
            return plan;
        }
        if self.inner.plan(build, seen, policy, now) != plan {
            let what = "two plans of the same inputs differ".to_owned();
            self.inspector.report(Invariant::I9, Some(build.id), what);
        }
        if let Ok(plan) = &plan {
            self.check(build, seen, now, plan);
        }
        plan
    }
}
