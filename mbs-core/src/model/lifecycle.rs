//! State, reason and times of a module build, changed along the arrows only.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Failure, Illegal, State, Transition};

/// What has become of a module build so far. Its fields are private: a state without its trace cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    state: State,
    reason: Option<String>,
    #[serde(default)]
    failure: Option<Failure>,
    /// Whether a failed build is known to have no live task; others count as settled.
    settled: bool,
    /// The state it failed in.
    #[serde(default)]
    failed_in: Option<State>,
    changed_at: Timestamp,
    completed_at: Option<Timestamp>,
    #[serde(skip)]
    unsaved: Vec<Transition>,
}

/// What became of a build in another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The state.
    pub state: State,
    /// The last reason that was given.
    pub reason: Option<String>,
    /// Who has to act; `None`: nobody said. Of failed builds only.
    pub failure: Option<Failure>,
    /// Whether no live task of it is left; of failed builds only.
    pub settled: bool,
    /// The state it failed in, which is where it goes on if it is resumed; `None`: not known, or it did not fail.
    pub failed_in: Option<State>,
    /// When the state last changed.
    pub changed_at: Timestamp,
    /// When everything was built, or when it failed; `None` before.
    pub completed_at: Option<Timestamp>,
}

impl Lifecycle {
    /// Begins a life in `init`.
    pub fn begin(now: Timestamp) -> Self {
        let first = Transition { from: None, to: State::Init, at: now, reason: None };
        Self {
            state: State::Init,
            reason: None,
            failure: None,
            settled: true,
            failed_in: None,
            changed_at: now,
            completed_at: None,
            unsaved: vec![first],
        }
    }

    /// Makes the life of a module that was built elsewhere: `ready`, all of it at one moment. No arrow leads there, so no change
    /// is noted, and there is no trace.
    pub fn imported(now: Timestamp) -> Self {
        Self { state: State::Ready, completed_at: Some(now), unsaved: Vec::new(), ..Self::begin(now) }
    }

    /// Makes a life that was led elsewhere, as it was told. What no life can have is left out: a failure of a build that did not
    /// fail, doubt about the tasks of any other. Nothing is noted: the trace comes with it.
    pub fn restored(past: Past) -> Self {
        let has_failed = past.state == State::Failed;
        Self {
            state: past.state,
            reason: past.reason,
            failure: has_failed.then(|| past.failure.unwrap_or_default()),
            settled: past.settled || !has_failed,
            failed_in: past.failed_in.filter(|_| has_failed),
            changed_at: past.changed_at,
            completed_at: past.completed_at,
            unsaved: Vec::new(),
        }
    }

    /// Returns the state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns the last reason that a change of state came with, for people.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Returns who has to act on a failure; `None` unless failed.
    pub fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Says whether no live task of the build is left; only failed builds can be unsettled.
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// Returns the state it failed in; `None` if it did not fail since it was submitted or resumed.
    pub fn failed_in(&self) -> Option<State> {
        self.failed_in
    }

    /// Returns when the state last changed.
    pub fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// Returns when everything was built, or when it failed; `None` before.
    pub fn completed_at(&self) -> Option<Timestamp> {
        self.completed_at
    }

    /// Returns the changes that no store has seen yet, oldest first.
    pub fn unsaved(&self) -> &[Transition] {
        &self.unsaved
    }

    /// Takes the changes that no store has seen yet; for stores, when they save.
    pub fn take_unsaved(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.unsaved)
    }

    /// Notes that everything is built; of several such moments the first counts.
    pub fn complete(&mut self, now: Timestamp) {
        self.completed_at.get_or_insert(now);
    }

    /// Notes that a failed build has no live task any more.
    pub fn settle(&mut self) {
        self.settled = true;
    }

    /// Changes the state along an arrow and notes the change.
    ///
    /// # Errors
    /// No arrow leads there; nothing changed.
    pub fn enter(&mut self, to: State, reason: Option<String>, now: Timestamp) -> Result<(), Illegal> {
        let from = self.state;
        if !from.may_become(to) {
            return Err(Illegal { from, to });
        }
        self.unsaved.push(Transition { from: Some(from), to, at: now, reason: reason.clone() });
        match to {
            State::Init | State::Wait | State::Build => self.completed_at = None,
            State::Done => self.complete(now),
            State::Failed => self.completed_at = Some(now),
            State::Ready | State::Garbage => {}
        }
        self.failed_in = (to == State::Failed).then_some(from);
        self.failure = (to == State::Failed).then_some(Failure::Unspec);
        self.settled = to != State::Failed;
        self.state = to;
        self.reason = reason.or(self.reason.take());
        self.changed_at = now;
        Ok(())
    }

    /// Enters `failed` and says who has to act.
    ///
    /// # Errors
    /// No arrow leads there; nothing changed.
    pub fn fail(&mut self, reason: String, failure: Failure, now: Timestamp) -> Result<(), Illegal> {
        self.enter(State::Failed, Some(reason), now)?;
        self.failure = Some(failure);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn every_change_is_noted_with_its_reason() {
        let mut life = Lifecycle::begin(at(0));
        life.enter(State::Wait, None, at(1)).unwrap();
        life.fail("no space".into(), Failure::Infra, at(2)).unwrap();
        let noted: Vec<_> = life.take_unsaved().into_iter().map(|t| (t.from, t.to, t.reason)).collect();
        assert_eq!(
            noted,
            [
                (None, State::Init, None),
                (Some(State::Init), State::Wait, None),
                (Some(State::Wait), State::Failed, Some("no space".into())),
            ]
        );
        assert_eq!((life.failed_in(), life.failure()), (Some(State::Wait), Some(Failure::Infra)));
        assert!(!life.is_settled());
    }

    #[test]
    fn a_reason_stays_until_there_is_another() {
        let mut life = Lifecycle::begin(at(0));
        life.fail("no space".into(), Failure::Infra, at(1)).unwrap();
        life.enter(State::Wait, Some("Resubmitted by bert".into()), at(2)).unwrap();
        life.enter(State::Build, None, at(3)).unwrap();
        assert_eq!(life.reason(), Some("Resubmitted by bert"));
        assert_eq!(life.unsaved().last().unwrap().reason, None);
    }

    #[test]
    fn what_is_done_was_complete_when_everything_was_built() {
        let mut life = Lifecycle::begin(at(0));
        life.enter(State::Wait, None, at(1)).unwrap();
        life.enter(State::Build, None, at(2)).unwrap();
        life.complete(at(3));
        life.complete(at(4));
        life.enter(State::Done, None, at(5)).unwrap();
        assert_eq!(life.completed_at(), Some(at(3)));
    }

    #[test]
    fn what_was_built_elsewhere_is_ready_at_once_without_a_change() {
        let mut life = Lifecycle::imported(at(7));
        assert_eq!((life.state(), life.unsaved()), (State::Ready, &[][..]));
        assert_eq!((life.changed_at(), life.completed_at()), (at(7), Some(at(7))));
        life.enter(State::Garbage, None, at(8)).unwrap();
        assert_eq!(life.unsaved()[0].from, Some(State::Ready));
    }

    #[test]
    fn a_life_led_elsewhere_is_taken_as_told_but_for_what_none_can_have() {
        let past = Past {
            state: State::Failed,
            reason: Some("no space".into()),
            failure: None,
            settled: false,
            failed_in: Some(State::Build),
            changed_at: at(3),
            completed_at: Some(at(2)),
        };
        let failed = Lifecycle::restored(past.clone());
        assert_eq!(
            (failed.state(), failed.reason(), failed.is_settled()),
            (State::Failed, Some("no space"), false)
        );
        assert_eq!((failed.failure(), failed.failed_in()), (Some(Failure::Unspec), Some(State::Build)));
        assert_eq!((failed.changed_at(), failed.completed_at()), (at(3), Some(at(2))));
        let ready = Lifecycle::restored(Past { state: State::Ready, failure: Some(Failure::User), ..past });
        assert_eq!((ready.failure(), ready.failed_in(), ready.is_settled()), (None, None, true));
    }

    #[test]
    fn a_forbidden_arrow_changes_nothing() {
        let mut life = Lifecycle::begin(at(0));
        let before = life.clone();
        assert_eq!(
            life.enter(State::Ready, None, at(1)),
            Err(Illegal { from: State::Init, to: State::Ready })
        );
        assert_eq!(life, before);
    }
}
