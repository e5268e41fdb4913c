//! When a world has ended, and what is said of it then.

use std::time::Duration;

use super::{Due, World, place_of};
use crate::clock::Clock;
use crate::model::State;
use crate::sim::audit;
use crate::sim::inspector::{Invariant, Watched};
use crate::sim::outcome::Outcome;
use crate::sim::scenario::{Happening, Until};

impl World {
    /// Returns when everything must have ended: all the work one after the other, and the longest pauses after the last fault.
    pub(super) fn deadline(&self) -> Duration {
        let components: usize = self.scenario.modules.iter().map(|module| module.components.len() + 1).sum();
        let slowest = self.scenario.timing.longest_build + self.scenario.timing.repo * 8;
        let work = slowest * u32::try_from(components).unwrap_or(u32::MAX);
        let swept_up = match self.scenario.until {
            Until::Ended => Duration::ZERO,
            Until::SweptUp => Duration::from_secs(86_400),
        };
        self.scenario.calm_from() + work * 3 + Duration::from_secs(12 * 3_600) + swept_up
    }

    /// Says whether everything that was to be built has ended, and nobody will do anything any more.
    pub(super) fn has_ended(&self) -> bool {
        let is_deed = |due: &Due| match due {
            Due::Submits(_) | Due::Unpauses | Due::Undrains => true,
            Due::Happens(place) => matches!(self.scenario.happenings[*place].1, Happening::Does(_)),
            Due::TaskEnds(_)
            | Due::HintArrives(..)
            | Due::BackendStarts(_)
            | Due::BackendThaws(_)
            | Due::ResolverIsBack
            | Due::SourcesAreBack
            | Due::Calms => false,
        };
        let is_over = self.inspector.with_builds(|builds| {
            builds.len() >= self.scenario.modules.len()
                && builds.values().all(|watched| self.is_over(watched))
        });
        is_over && self.driven.is_empty() && !self.agenda.values().any(is_deed)
    }

    fn is_over(&self, watched: &Watched) -> bool {
        watched.is_published() && self.is_at_rest(watched)
    }

    /// Says whether nothing more becomes of a build by itself.
    fn is_at_rest(&self, watched: &Watched) -> bool {
        let build = &watched.record;
        let is_swept_up = self.scenario.until == Until::Ended || build.is_target_removed;
        match build.state() {
            State::Ready => is_swept_up,
            State::Garbage => true,
            State::Done => build.new.scratch && is_swept_up,
            State::Failed => build.life.is_settled() && self.scenario.until == Until::Ended,
            State::Build => place_of(build.nsvc().version, &self.scenario)
                .is_some_and(|place| self.scenario.modules[place].poisoned),
            State::Init | State::Wait => false,
        }
    }

    /// Says which builds have not ended in time (I10), never settled (I6) or whose end nobody was told of (I15).
    pub(super) fn report_unfinished(&self) {
        let unfinished = self.inspector.with_builds(|builds| {
            let open = builds.values().find(|watched| !self.is_over(watched))?;
            let (record, published) = (&open.record, open.published);
            let state = record.state();
            Some(match state {
                _ if self.is_at_rest(open) => {
                    (Invariant::I15, record.id, format!("nothing was published after event {published}"))
                }
                State::Failed if !record.life.is_settled() => {
                    (Invariant::I6, record.id, "it never settles".to_owned())
                }
                _ => {
                    let trouble = &record.trouble;
                    let what =
                        format!("it is still in {state} long after the last fault; trouble: {trouble:?}");
                    (Invariant::I10, record.id, what)
                }
            })
        });
        match unfinished {
            Some((invariant, id, what)) => self.inspector.report(invariant, Some(id), what),
            None => self.inspector.report(Invariant::I10, None, "a submission was never taken".to_owned()),
        }
    }

    pub(super) fn audit(&mut self) {
        let (store, grounds) = (self.store.clone(), self.grounds.clone());
        self.network.send(audit::audit(store, grounds, self.inspector.clone()));
        self.settle();
    }

    pub(super) fn outcome(self) -> Outcome {
        let records = self
            .inspector
            .with_builds(|builds| builds.values().map(|watched| watched.record.clone()).collect());
        Outcome {
            violation: self.inspector.violation(),
            records,
            story: self.story.lines_told(),
            coverage: self.network.coverage(),
            figures: self.inspector.figures(),
            took: self.clock.reading(),
            moments: self.moments,
            steps: self.planner.steps(),
            calls: self.network.calls(),
            polls: self.backends.iter().map(|backend| backend.process.polls()).sum(),
            publisher_polls: self.publishing.polls(),
        }
    }
}
