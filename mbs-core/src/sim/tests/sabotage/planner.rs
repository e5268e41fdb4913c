//! Planners that are wrong on purpose.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::ModuleBuild;
use crate::plan::{Impossible, Observation, ObservationQuery, Plan, Planner, Standard};
use crate::policy::Policy;

/// What a planner is given.
pub(super) struct Given<'g> {
    pub(super) build: &'g ModuleBuild,
    pub(super) seen: &'g Observation,
    pub(super) policy: &'g Policy,
    pub(super) now: Timestamp,
}

impl Given<'_> {
    /// Plans as the rules have it.
    pub(super) fn plan(&self) -> Result<Plan, Impossible> {
        Standard.plan(self.build, self.seen, self.policy, self.now)
    }

    /// Plans as the rules have it, after something else was seen.
    pub(super) fn plan_seeing(&self, bend: impl FnOnce(&mut Observation)) -> Result<Plan, Impossible> {
        let mut seen = self.seen.clone();
        bend(&mut seen);
        Standard.plan(self.build, &seen, self.policy, self.now)
    }
}

/// A planner that asks what the rules ask, and plans otherwise.
struct Bent<F>(F);

impl<F> fmt::Debug for Bent<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bent")
    }
}

impl<F> Planner for Bent<F>
where
    F: Fn(Given<'_>) -> Result<Plan, Impossible> + Send + Sync + 'static,
{
    fn missing(&self, build: &ModuleBuild, seen: &Observation, policy: &Policy) -> ObservationQuery {
        Standard.missing(build, seen, policy)
    }

    fn plan(
        &self,
        build: &ModuleBuild,
        seen: &Observation,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Plan, Impossible> {
        self.0(Given { build, seen, policy, now })
    }
}

/// Makes a planner that plans so.
pub(super) fn planning(
    plan: impl Fn(Given<'_>) -> Result<Plan, Impossible> + Send + Sync + 'static,
) -> Arc<dyn Planner> {
    Arc::new(Bent(plan))
}

/// Makes a planner that changes what the rules plan.
pub(super) fn changing(change: impl Fn(&ModuleBuild, &mut Plan) + Send + Sync + 'static) -> Arc<dyn Planner> {
    planning(move |given| {
        let mut plan = given.plan()?;
        change(given.build, &mut plan);
        Ok(plan)
    })
}

/// Makes a planner that sees something else than there is.
pub(super) fn seeing(bend: impl Fn(&mut Observation) + Send + Sync + 'static) -> Arc<dyn Planner> {
    planning(move |given| given.plan_seeing(&bend))
}
