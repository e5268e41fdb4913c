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
