//! Figures about all builds, for those who run the service.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Sink, WorkerId};
use crate::ident::{BuildId, Nsvc};
use crate::model::{Failure, ModuleBuild, State, Transition};
use crate::plan::Why;

/// How the service stands, at one moment as far as that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// When, by the store's clock.
    pub at: Timestamp,
    /// Builds in each state; states without builds are there, too.
    pub by_state: BTreeMap<State, u64>,
    /// The limit that operators set on builds in progress; `None`: none.
    pub configured_limit: Option<u32>,
    /// The limit that counts: that one, or what it is lowered to.
    pub limit: Option<u32>,
    /// Slots held by all builds.
    pub in_use: u32,
    /// Builds that wait for slots.
    pub in_line: u64,
    /// Builds that wait for a look: due, and not under a lease that lives.
    pub due: u64,
    /// Whether no new component is submitted.
    pub paused: bool,
    /// Whether no build leaves `init` or `wait`.
    pub draining: bool,
    /// The build under way ([`is_under_way`](super::is_under_way)) whose last progress is longest ago, and when that was; of several the first by id.
    pub oldest_unfinished: Option<(BuildId, Timestamp)>,
    /// Events that each known sink lacks.
    pub pending: BTreeMap<Sink, u64>,
    /// Builds that failed here, by who has to act; it never sinks, and all kinds are there. One that failed twice counts twice.
    pub failed: BTreeMap<Failure, u64>,
    /// Builds that succeeded here: became `ready`, or `done` as a try; it never sinks.
    pub succeeded: u64,
}

/// A build under way that stands still.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its id.
    pub id: BuildId,
    /// Its identity.
    pub nsvc: Nsvc,
    /// Its state.
    pub state: State,
    /// When a save or an amendment changed its record last.
    pub progressed_at: Timestamp,
    /// When it is looked at next; `None`: when somebody wakes it.
    pub due: Option<Timestamp>,
    /// Who looks at it; `None`: nobody does.
    pub leased_by: Option<WorkerId>,
    /// Why it is not further, as its last look said; `None` before the first.
    pub why: Option<Why>,
}

/// How a build ended, for the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It became `ready`, or `done` as a try.
    Succeeded,
    /// It failed.
    Failed(Failure),
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Succeeded,
        Self::Failed(Failure::User),
        Self::Failed(Failure::Infra),
        Self::Failed(Failure::Unspec),
    ];

    /// Returns the name it is counted under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(Failure::User) => "user",
            Self::Failed(Failure::Infra) => "infra",
            Self::Failed(Failure::Unspec) => "unspec",
        }
    }

    /// Returns the endings among changes of state that are saved with a record.
    pub fn all_of<'t>(
        build: &'t ModuleBuild,
        transitions: &'t [Transition],
    ) -> impl Iterator<Item = Self> + use<'t> {
        transitions.iter().filter_map(|transition| match transition.to {
            State::Ready => Some(Self::Succeeded),
            State::Done => build.new.scratch.then_some(Self::Succeeded),
            State::Failed => Some(Self::Failed(build.life.failure().unwrap_or_default())),
            State::Init | State::Wait | State::Build | State::Garbage => None,
        })
    }
}

impl Figures {
    /// Takes in how many builds ended in each way; ways without a count have none.
    pub fn count_endings(&mut self, count: impl Fn(Ending) -> u64) {
        for ending in Ending::ALL {
            match ending {
                Ending::Succeeded => self.succeeded = count(ending),
                Ending::Failed(failure) => _ = self.failed.insert(failure, count(ending)),
            }
        }
    }

    /// Makes the table of states of the counts by number.
    pub fn states(counts: impl IntoIterator<Item = (i64, u64)>) -> BTreeMap<State, u64> {
        let counts: BTreeMap<i64, u64> = counts.into_iter().collect();
        let of = |state: State| counts.get(&state.number().into()).copied().unwrap_or_default();
        State::ALL.into_iter().map(|state| (state, of(state))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::samples::{at, new_build};
    use crate::model::NewBuild;

    #[test]
    fn a_try_succeeds_when_it_is_done_and_all_else_when_it_is_ready() {
        let endings = |scratch: bool| {
            let new = NewBuild { scratch, ..new_build("app:1:1:a") };
            let mut build = ModuleBuild::begin(new, BuildId(7), BuildId(7), at(0));
            for state in [State::Wait, State::Build, State::Done, State::Ready] {
                build.enter(state, None, at(1)).unwrap();
            }
            let changes = build.life.take_unsaved();
            changes
                .iter()
                .map(|change| Ending::all_of(&build, std::slice::from_ref(change)).count())
                .collect::<Vec<_>>()
        };
        assert_eq!(endings(false), [0, 0, 0, 0, 1]);
        assert_eq!(endings(true), [0, 0, 0, 1, 1]);
    }

    #[test]
    fn a_failure_counts_for_who_has_to_act() {
        let mut build = ModuleBuild::begin(new_build("app:1:1:a"), BuildId(7), BuildId(7), at(0));
        build.life.fail("no space".into(), Failure::Infra, at(1)).unwrap();
        let changes = build.life.take_unsaved();
        assert_eq!(Ending::all_of(&build, &changes).collect::<Vec<_>>(), [Ending::Failed(Failure::Infra)]);
    }
}
