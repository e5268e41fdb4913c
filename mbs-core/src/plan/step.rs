//! One plan in the making: the changing record, what was observed, and what is wanted so far.

use std::time::Duration;

use jiff::Timestamp;

use super::{Action, ActionKey, Impossible, Observation, Plan, Why};
use crate::build_system::BuildSystemError;
use crate::ident::{Nvr, TagEvent, TagName, TaskId};
use crate::model::{BuildState, ComponentBuild, Failure, Illegal, ModuleBuild, OverWhen, State, Trouble};
use crate::policy::Policy;
use crate::shared::Shared;
use crate::store::Note;

/// A plan in the making.
pub(super) struct Step<'a> {
    pub(super) build: ModuleBuild,
    /// How many slots the record holds as it was loaded.
    pub(super) held: u32,
    pub(super) seen: &'a Observation,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
    pub(super) actions: Vec<Action>,
    pub(super) why: Why,
    pub(super) notes: Vec<Note>,
    /// The build tag, as it was named when the plan began.
    pub(super) build_tag: Option<TagName>,
    /// What is in the build tag, as observed.
    pub(super) in_build_tag: Held<'a>,
}

impl From<Illegal> for Impossible {
    fn from(illegal: Illegal) -> Self {
        Impossible { what: illegal.to_string() }
    }
}

/// Adds a duration to a moment; at the end of time it stays there.
pub(super) fn later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl<'a> Step<'a> {
    pub(super) fn new(
        build: &ModuleBuild,
        seen: &'a Observation,
        policy: &'a Policy,
        now: Timestamp,
    ) -> Self {
        let build_tag = build.build_tag();
        Self {
            build: build.clone(),
            held: build.slots_held(),
            seen,
            policy,
            now,
            actions: Vec::new(),
            why: Why::Finished,
            notes: Vec::new(),
            in_build_tag: build_tag.as_ref().and_then(|tag| Held::in_tag(tag, seen)).unwrap_or_default(),
            build_tag,
        }
    }

    /// Notes what could not be asked or done, once per back-off; patience that is used up fails a build that has not ended.
    ///
    /// An action that was refused for good fails it at once.
    pub(super) fn note_trouble(&mut self) -> Result<(), Impossible> {
        if let Some(reason) = self.refused_for_good() {
            return self.fail(reason, Failure::Infra);
        }
        match self.trouble_seen() {
            Some((what, over_when)) => self.trouble(what, over_when),
            None => Ok(()),
        }
    }

    /// Backs off, longer each time; patience that is used up fails a build that has not ended.
    pub(super) fn trouble(&mut self, what: String, over_when: OverWhen) -> Result<(), Impossible> {
        if self.is_backing_off() {
            return Ok(());
        }
        let mut trouble = next_trouble(&self.build, what.clone(), self.policy, self.now);
        trouble.over_when = trouble.over_when.max(over_when);
        trouble.next_try = trouble.next_try.max(later(self.now, self.asked_pause()));
        let patience_ends = later(trouble.since, self.policy.patience);
        self.build.trouble = Some(trouble);
        if self.now >= patience_ends && self.may_fail() {
            return self.fail(what, Failure::Infra);
        }
        Ok(())
    }

    /// Returns how long the build system asked to be left alone.
    fn asked_pause(&self) -> Duration {
        let asking = self.seen.troubles.iter().filter_map(|trouble| trouble.retry_after);
        let acting =
            self.seen.outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().err()?.retry_after());
        asking.chain(acting).max().unwrap_or(Duration::ZERO).min(self.policy.backoff_longest)
    }

    /// Says whether trouble may end the build: it has not ended yet.
    fn may_fail(&self) -> bool {
        matches!(self.build.state(), State::Init | State::Wait | State::Build)
    }

    /// Returns what did not succeed of late, and what has to be well before that is forgotten.
    fn trouble_seen(&self) -> Option<(String, OverWhen)> {
        let asking =
            self.seen.troubles.iter().map(|trouble| trouble.what.clone()).chain(self.sources_out_of_reach());
        let asking = asking.map(|what| (what, OverWhen::Quiet));
        // A submission that is refused for good ends its component and leaves nothing to try again.
        let error_of = |(key, outcome): &(ActionKey, Result<_, BuildSystemError>)| {
            let error = outcome.as_ref().err()?;
            let is_missing = matches!(error, BuildSystemError::NotFound { .. });
            let may_pass = match key {
                ActionKey::Submit { .. } => error.is_transient() || is_missing,
                // A task that the build system does not know any more needs no cancelling, and a stray one that we may
                // not cancel harms nobody who goes on.
                ActionKey::Cancel => !is_missing && (error.is_transient() || !self.may_fail()),
                _ => true,
            };
            let over_when = match key {
                ActionKey::Submit { .. } => OverWhen::Submitted,
                ActionKey::Repo => OverWhen::Repository,
                _ => OverWhen::Quiet,
            };
            may_pass.then(|| (error.to_string(), over_when))
        };
        asking.chain(self.seen.outcomes.iter().filter_map(error_of)).next()
    }

    /// Returns what single places of source control said that may be well later.
    fn sources_out_of_reach(&self) -> impl Iterator<Item = String> {
        let refs = self.seen.refs.values().filter_map(|answer| answer.as_ref().err());
        let documents = self.seen.documents.values().filter_map(|answer| answer.as_ref().err());
        refs.chain(documents).filter(|error| error.is_transient()).map(ToString::to_string)
    }

    /// Returns why an action can never work; a submission or a tagging that is refused is judged where it belongs.
    fn refused_for_good(&self) -> Option<String> {
        let is_own_affair = |key: &ActionKey| matches!(key, ActionKey::Submit { .. } | ActionKey::Cancel);
        // What the buildroot lacks is made again, and what is gone is built again.
        let is_mended = |key: &ActionKey, error: &BuildSystemError| match error {
            BuildSystemError::BuildsGone { .. } => true,
            BuildSystemError::NotFound { .. } => !matches!(key, ActionKey::Buildroot(_)),
            _ => false,
        };
        if !self.may_fail() {
            return None;
        }
        let permanent_answer =
            self.seen.troubles.iter().find(|trouble| trouble.is_final).map(|trouble| trouble.what.clone());
        let permanent_outcome = self.seen.outcomes.iter().find_map(|(key, outcome)| match outcome {
            Err(error) if !error.is_transient() && !is_own_affair(key) && !is_mended(key, error) => {
                Some(error.to_string())
            }
            Ok(_) | Err(_) => None,
        });
        permanent_answer.or(permanent_outcome)
    }

    /// Says whether the pause after the last trouble still lasts: nothing is done meanwhile.
    pub(super) fn is_backing_off(&self) -> bool {
        self.build.trouble.as_ref().is_some_and(|trouble| self.now < trouble.next_try)
    }

    /// Enters `failed`. What is not finished is marked by the plan of that state.
    pub(super) fn fail(&mut self, reason: String, failure: Failure) -> Result<(), Impossible> {
        if self.build.state() == State::Failed {
            return Ok(());
        }
        if !self.build.state().may_become(State::Failed) {
            return Ok(());
        }
        self.build.life.fail(reason, failure, self.now)?;
        self.build.line = None;
        self.actions.clear();
        self.why = Why::GoingOn;
        Ok(())
    }

    /// Says whether the build system began a repository's task by itself: it tries again by itself, too, and nobody else may
    /// cancel it.
    pub(super) fn is_tended(&self, task: TaskId) -> bool {
        self.seen.build.repo_tries.as_ref().is_some_and(|tries| tries.contains(&task))
    }

    /// Says whether this plan left the state it began in.
    pub(super) fn has_left(&self, state: State) -> bool {
        self.build.state() != state
    }

    /// Gives up a build that made no progress for too long, and could have: nobody pauses it, and it is not in line.
    pub(super) fn give_up_if_stuck(&mut self) -> Result<(), Impossible> {
        let state = self.build.state();
        let is_held = self.seen.slots.is_paused || self.seen.slots.is_draining || self.build.line.is_some();
        if is_held {
            return Ok(());
        }
        let stuck_at = later(last_progress(&self.build), self.policy.cleanup_stuck_builds_time);
        if !self.policy.cleanup_stuck_builds_states.contains(&state) || self.now < stuck_at {
            return Ok(());
        }
        let days = self.policy.cleanup_stuck_builds_time.as_secs() / 86_400;
        self.fail(format!("The module build made no progress in {state} for {days} days."), Failure::Infra)
    }

    /// Ends the plan: trouble that is over is forgotten, and the next look is set.
    pub(super) fn finish(mut self, before: &ModuleBuild) -> Plan {
        let is_quiet = self.actions.is_empty() && self.trouble_seen().is_none() && self.is_well();
        if is_quiet && !self.is_backing_off() {
            self.build.trouble = None;
        }
        let sooner = self.next_moment();
        let why = match &self.build.trouble {
            Some(trouble) if self.is_backing_off() => Why::BackingOff { trouble: trouble.clone() },
            Some(_) | None => self.why,
        };
        let why = if self.build == *before && self.actions.is_empty() { why } else { Why::GoingOn };
        let floor = if is_under_way(&self.build) { self.policy.poll_floor } else { self.policy.idle_floor };
        let wake_at = wake_at(&why, self.policy, self.now, floor);
        let wake_at = wake_at.map(|at| sooner.map_or(at, |sooner| at.min(sooner)));
        Plan { build: self.build, actions: self.actions, wake_at, why, notes: self.notes }
    }

    /// Says whether what the last trouble was about is well again.
    fn is_well(&self) -> bool {
        match self.build.trouble.as_ref().map_or(OverWhen::Quiet, |trouble| trouble.over_when) {
            OverWhen::Quiet => true,
            OverWhen::Submitted => !self.build.components.iter().any(|component| component.is_in_doubt()),
            OverWhen::Repository => self.build.repo.is_none(),
        }
    }

    /// Returns when time alone changes next what may be done; a moment that has passed waits for something else: a slot, an
    /// answer.
    fn next_moment(&self) -> Option<Timestamp> {
        if self.build.components.iter().any(|component| self.was_searched_too_early(component)) {
            return Some(self.now);
        }
        let taskless = self.build.repo.iter().filter(|repo| repo.task.is_none());
        let repo_again = taskless.map(|repo| later(repo.asked_at, self.policy.ask_again));
        let of_components = self.build.components.iter().flat_map(|component| self.moments_of(component));
        of_components.chain(repo_again).filter(|moment| *moment > self.now).min()
    }

    /// Returns when a component is tried again, when its doubt ends, when its tags may be asked for again.
    fn moments_of(&self, component: &ComponentBuild) -> impl Iterator<Item = Timestamp> + use<> {
        let retried = component.retry_at.filter(|_| component.state.is_none());
        let tagged_again = component.tag_asked_at.map(|at| later(at, self.policy.ask_again));
        [retried, self.end_of_doubt(component), tagged_again].into_iter().flatten()
    }

    /// Says whether a doubt is over, but a search began before that and so proves nothing.
    fn was_searched_too_early(&self, component: &ComponentBuild) -> bool {
        let ends = self.end_of_doubt(component).filter(|ends| *ends <= self.now);
        ends.is_some_and(|ends| self.seen.searched.get(&component.package).is_some_and(|began| *began < ends))
    }

    /// Returns from when on no call of an attempt without a task can arrive any more.
    fn end_of_doubt(&self, component: &ComponentBuild) -> Option<Timestamp> {
        let doubtful = component.live_attempt().filter(|attempt| attempt.task.is_none())?;
        Some(later(doubtful.not_after, self.policy.margin))
    }
}

/// What a tag was seen to hold, and when that was put there; sorted, so that it is found quickly.
#[derive(Clone, Default)]
pub(super) struct Held<'a>(Vec<(&'a Nvr, TagEvent)>);

impl<'a> Held<'a> {
    /// Returns the content of a tag. One that is gone holds nothing; `None`: it was not asked about.
    pub(super) fn in_tag(tag: &TagName, seen: &'a Observation) -> Option<Self> {
        let builds = seen.build.tags.as_ref()?.get(tag)?.iter().flatten();
        let mut held: Vec<_> = builds.map(|build| (&build.nvr, build.event)).collect();
        held.sort_unstable();
        Some(Self(held))
    }

    /// Returns when a build was put there last; `None` if it is not there.
    pub(super) fn since(&self, nvr: &Nvr) -> Option<TagEvent> {
        let behind = self.0.partition_point(|(held, _)| *held <= nvr);
        self.0[..behind].last().filter(|(held, _)| *held == nvr).map(|(_, event)| *event)
    }
}

/// Returns when a build last came further. Asking for the same thing again is no progress.
fn last_progress(build: &ModuleBuild) -> Timestamp {
    let last_attempts = build.components.iter().filter_map(|component| component.attempts.last());
    last_attempts.map(|attempt| attempt.intended_at).fold(build.life.changed_at(), Timestamp::max)
}

/// Says whether something of a build goes on outside, which a message may or may not tell of.
fn is_under_way(build: &ModuleBuild) -> bool {
    let has_asked =
        |component: &Shared<ComponentBuild>| component.holds_slot() || component.tag_asked_at.is_some();
    build.repo.is_some() || build.components.iter().any(has_asked)
}

/// Returns when to look again: what is under way is polled, what waits for others is looked at again after `floor`.
fn wake_at(why: &Why, policy: &Policy, now: Timestamp, floor: Duration) -> Option<Timestamp> {
    match why {
        Why::GoingOn => Some(now),
        Why::Building { .. }
        | Why::WaitingForTags { .. }
        | Why::WaitingForRepo { .. }
        | Why::Cancelling { .. } => Some(later(now, policy.poll_floor)),
        Why::WaitingForSlot { .. } | Why::Paused | Why::Draining { .. } => Some(later(now, floor)),
        Why::BrokenOff { .. } | Why::Contradiction { .. } => Some(later(now, policy.idle_floor)),
        Why::InDoubt { until, .. } => Some((*until).max(now)),
        Why::BackingOff { trouble } => Some(trouble.next_try),
        Why::Timer { at, .. } => Some((*at).max(now)),
        Why::Finished => None,
    }
}

/// Returns the record of a build that no plan can be made for: it leaves the line, or it would hold up others, and is looked
/// at ever more rarely.
pub(super) fn shelved(
    build: &ModuleBuild,
    impossible: &Impossible,
    policy: &Policy,
    now: Timestamp,
) -> ModuleBuild {
    let mut shelved = build.clone();
    shelved.leave_line();
    if build.trouble.as_ref().is_none_or(|trouble| now >= trouble.next_try) {
        shelved.trouble = Some(next_trouble(build, impossible.to_string(), policy, now));
    }
    shelved
}

/// Counts one more trouble and chooses when to try again.
fn next_trouble(build: &ModuleBuild, last: String, policy: &Policy, now: Timestamp) -> Trouble {
    let before = build.trouble.as_ref();
    let (since, tries) = before.map_or((now, 0), |t| (t.since, t.tries));
    let over_when = before.map_or(OverWhen::Quiet, |trouble| trouble.over_when);
    Trouble { since, tries: tries + 1, next_try: later(now, policy.pause_after(tries)), last, over_when }
}

/// Marks what a failed module leaves unfinished: every component that is not complete gets the module's reason.
pub(super) fn close_components(build: &mut ModuleBuild) {
    let reason = build.life.reason().map(str::to_owned);
    for component in &mut build.components {
        if !component.is_complete() && !component.is_unsuccessful() {
            component.state = Some(BuildState::Failed);
            component.reason.clone_from(&reason);
        }
    }
}
