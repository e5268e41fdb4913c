//! States of module builds and component builds, and the arrows between them. Numbers are those of REST and Koji.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a module build stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Submitted; what it is made of is being found out.
    Init = 0,
    /// Complete on paper; waits for its buildroot.
    Wait = 1,
    /// Its components are being built.
    Build = 2,
    /// All built and tagged; scratch builds stay here.
    Done = 3,
    /// Ended badly, or cancelled.
    Failed = 4,
    /// Finished: others may require it.
    Ready = 5,
    /// Retired, or failed for too long.
    Garbage = 6,
}

impl State {
    /// All states by number.
    pub const ALL: [State; 7] =
        [State::Init, State::Wait, State::Build, State::Done, State::Failed, State::Ready, State::Garbage];

    /// Returns the name that REST and the command line show.
    pub fn name(self) -> &'static str {
        match self {
            State::Init => "init",
            State::Wait => "wait",
            State::Build => "build",
            State::Done => "done",
            State::Failed => "failed",
            State::Ready => "ready",
            State::Garbage => "garbage",
        }
    }

    /// Returns the number that REST and the store use.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Says whether the state may change from this one to `next`.
    pub fn may_become(self, next: State) -> bool {
        match self {
            State::Init => matches!(next, State::Wait | State::Failed),
            State::Wait => matches!(next, State::Build | State::Failed),
            State::Build => matches!(next, State::Done | State::Failed),
            State::Done => matches!(next, State::Ready | State::Failed),
            State::Failed => matches!(next, State::Init | State::Wait | State::Garbage),
            State::Ready => matches!(next, State::Garbage),
            State::Garbage => false,
        }
    }

    /// Says whether a build may still become `ready`, as far as the state tells.
    pub fn is_unfinished(self) -> bool {
        matches!(self, State::Init | State::Wait | State::Build | State::Done)
    }

    /// Says whether a person may still cancel.
    pub fn can_be_cancelled(self) -> bool {
        matches!(self, State::Init | State::Wait | State::Build)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where a component build stands; "not submitted yet" is `None` where this is optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BuildState {
    /// Submitted, or about to be.
    Building = 0,
    /// Built, or reused.
    Complete = 1,
    /// Its build was deleted.
    Deleted = 2,
    /// Ended badly.
    Failed = 3,
    /// Was cancelled.
    Canceled = 4,
}

impl BuildState {
    /// All states by number.
    pub const ALL: [BuildState; 5] = [
        BuildState::Building,
        BuildState::Complete,
        BuildState::Deleted,
        BuildState::Failed,
        BuildState::Canceled,
    ];

    /// Returns the name that Koji, REST and the command line show.
    pub fn name(self) -> &'static str {
        match self {
            BuildState::Building => "BUILDING",
            BuildState::Complete => "COMPLETE",
            BuildState::Deleted => "DELETED",
            BuildState::Failed => "FAILED",
            BuildState::Canceled => "CANCELED",
        }
    }

    /// Returns the number that Koji, REST and the store use.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Says whether the component ended without a usable build.
    pub fn is_unsuccessful(self) -> bool {
        matches!(self, BuildState::Deleted | BuildState::Failed | BuildState::Canceled)
    }
}

impl fmt::Display for BuildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Who has to act when something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// The packager.
    User,
    /// Those who run the build system.
    Infra,
    /// Nobody said.
    #[default]
    Unspec,
}

/// A change of state, as the trace keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The state before; `None` for the first.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// When, by the store's clock.
    pub at: Timestamp,
    /// Why, for people; `None` where the state says it all.
    pub reason: Option<String>,
}

/// A change of state that no arrow allows; a defect of whoever asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a module build in {from} cannot become {to}")]
pub struct Illegal {
    /// The state it is in.
    pub from: State,
    /// The state it was to enter.
    pub to: State,
}
