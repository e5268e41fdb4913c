//! A server's inside, shared by its copies and its connections.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::answer::Refusal;
use super::asked::Asked;
use super::faults::Faults;
use super::seen::Ledger;
use super::setup::{Rights, Setup};
use super::state::{Change, Changeset, State};

/// A server's inside.
pub(super) struct Shared {
    pub(super) setup: Setup,
    pub(super) faults: Faults,
    pub(super) ledger: Ledger,
    state: Mutex<State>,
    is_over: AtomicBool,
}

/// A change under way: what it would leave, and what the audit trail would say of it.
pub(super) struct Work {
    pub(super) state: State,
    pub(super) changes: Vec<Change>,
}

impl Shared {
    pub(super) fn new(mut setup: Setup) -> Self {
        let users = std::mem::take(&mut setup.users);
        Self {
            setup,
            faults: Faults::default(),
            ledger: Ledger::default(),
            state: Mutex::new(State::new(users)),
            is_over: AtomicBool::new(false),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A change is made on a copy that takes the place of what was; a panic leaves what was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the day that decides about ends of life.
    pub(super) fn today(&self) -> Date {
        self.setup.today.unwrap_or_else(|| Timestamp::now().to_zoned(TimeZone::UTC).date())
    }

    /// Says that the last copy is gone: nothing is answered any more.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Says whether connections are to be closed.
    pub(super) fn is_closed(&self) -> bool {
        self.is_over.load(Ordering::Acquire) || self.faults.is_down()
    }

    /// Changes what is stored, as a whole or not at all, and notes who did and why.
    pub(super) fn change<T>(
        &self,
        asked: &Asked,
        act: impl FnOnce(&mut Work) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut state = self.state();
        let mut work = Work { state: state.clone(), changes: Vec::new() };
        let done = act(&mut work)?;
        let Work { state: mut next, mut changes } = work;
        changes.retain(|change| change.old != change.new);
        if !changes.is_empty() {
            let id = next.next_id();
            let changeset = Changeset {
                id,
                author: asked.user.clone(),
                requested_on: asked.at,
                committed_on: Timestamp::now(),
                changes,
                comment: asked.header("pdc-change-comment").map(str::to_owned),
            };
            next.changesets.push(Arc::new(changeset));
        }
        *state = next;
        Ok(done)
    }

    /// Returns what a user may do; `None`: there is no such user who may do anything.
    pub(super) fn rights_of(&self, name: &str) -> Option<Rights> {
        let state = self.state();
        let user = state.users.iter().find(|user| user.name == name && user.is_active);
        user.map(|user| user.rights)
    }
}
