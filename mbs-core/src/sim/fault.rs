//! What can go wrong, and how often it did.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::memory::Call;

/// Something that goes wrong at its time. What it needs and does not find (a live task, a tag) leaves it without effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The next call of the build system, or the next of a kind.
    Call(Option<Call>, CallFault),
    /// The build system answers nobody for a while.
    Outage(Duration),
    /// The nth live build task.
    Task(usize, TaskFault),
    /// The next repository that is asked for.
    Repo(RepoFault),
    /// An administrator removes the nth tag of ours.
    TagRemoved(usize),
    /// Somebody takes the nth build out of a tag of ours.
    Untagged(usize),
    /// Somebody deletes the nth build of a finished module.
    BuildDeleted(usize),
    /// A message comes that nobody sent.
    Forged(u64),
    /// The nth backend dies after so many more polls, and is started again after a while.
    Killed(usize, u32, Duration),
    /// The nth backend stands still for a while and then goes on as if nothing had been.
    Frozen(usize, Duration),
    /// The next call of the store by a backend is not answered.
    Store(StoreFault),
    /// The message bus takes nothing for a while.
    BusDown(Duration),
    /// Nobody says which modules there are, for a while.
    ResolverDown(Duration),
    /// No repository of sources can be reached for a while.
    SourcesDown(Duration),
}

/// How a call of the build system goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFault {
    /// It is refused at once, and that it had no effect is known.
    Refused,
    /// The build system is overloaded and asks to be left alone for a while.
    Overloaded,
    /// It never arrives; the caller is told that nobody knows.
    Lost,
    /// It arrives; the answer does not.
    AnswerLost,
    /// It arrives; there is never an answer, nor an error.
    NoAnswer,
    /// It arrives late, though within the margin; the caller hears of a time-out first.
    Late,
    /// It arrives when nobody could expect it any more.
    BeyondMargin,
    /// It takes half a minute.
    Slow,
    /// The answer cannot be understood.
    Nonsense,
}

/// What becomes of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskFault {
    /// Its builder dies.
    Broken,
    /// Somebody cancels it.
    Cancelled,
    /// The build system forgets it.
    Forgotten,
}

/// What becomes of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepoFault {
    /// Its task fails.
    Fails,
    /// The request is taken, and nothing ever comes.
    Never,
    /// Its task hangs until somebody cancels it after so long.
    Hangs(Duration),
}

/// How a call of the store goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFault {
    /// Nothing was done.
    Before,
    /// It was done; the answer is lost.
    After,
}

/// A kind of fault, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is described where it is done; these are the names of the counters")]
pub enum FaultKind {
    CallRefused,
    CallOverloaded,
    CallLost,
    CallAnswerLost,
    CallNoAnswer,
    CallLate,
    CallBeyondMargin,
    CallSlow,
    CallNonsense,
    Outage,
    TaskBroken,
    TaskCancelled,
    TaskForgotten,
    RepoFails,
    RepoNever,
    RepoHangs,
    TagRemoved,
    Untagged,
    BuildDeleted,
    MessageLost,
    MessageDoubled,
    MessageLate,
    MessageReordered,
    MessageForged,
    BackendKilled,
    BackendFrozen,
    LeaseTakenOver,
    ClockOff,
    StoreBefore,
    StoreAfter,
    BusDown,
    ResolverDown,
    SourcesDown,
    EffectAfterLease,
    PersonCancels,
    PersonResumes,
    PersonSubmitsTwice,
    OperatorLimits,
    OperatorPauses,
    OperatorDrains,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [FaultKind; 40] = {
        use FaultKind as F;
        [
            F::CallRefused,
            F::CallOverloaded,
            F::CallLost,
            F::CallAnswerLost,
            F::CallNoAnswer,
            F::CallLate,
            F::CallBeyondMargin,
            F::CallSlow,
            F::CallNonsense,
            F::Outage,
            F::TaskBroken,
            F::TaskCancelled,
            F::TaskForgotten,
            F::RepoFails,
            F::RepoNever,
            F::RepoHangs,
            F::TagRemoved,
            F::Untagged,
            F::BuildDeleted,
            F::MessageLost,
            F::MessageDoubled,
            F::MessageLate,
            F::MessageReordered,
            F::MessageForged,
            F::BackendKilled,
            F::BackendFrozen,
            F::LeaseTakenOver,
            F::ClockOff,
            F::StoreBefore,
            F::StoreAfter,
            F::BusDown,
            F::ResolverDown,
            F::SourcesDown,
            F::EffectAfterLease,
            F::PersonCancels,
            F::PersonResumes,
            F::PersonSubmitsTwice,
            F::OperatorLimits,
            F::OperatorPauses,
            F::OperatorDrains,
        ]
    };
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How often each kind of fault happened: not how often it was meant to, but how often it met something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<FaultKind, u64>);

impl Coverage {
    /// Counts one.
    pub fn count(&mut self, kind: FaultKind) {
        *self.0.entry(kind).or_default() += 1;
    }

    /// Returns how often a kind happened.
    pub fn of(&self, kind: FaultKind) -> u64 {
        self.0.get(&kind).copied().unwrap_or(0)
    }

    /// Adds what happened in another world.
    pub fn add(&mut self, other: &Coverage) {
        other.0.iter().for_each(|(kind, count)| *self.0.entry(*kind).or_default() += count);
    }

    /// Returns the kinds that happened less often than `least`.
    pub fn rarer_than(&self, least: u64) -> Vec<FaultKind> {
        FaultKind::ALL.into_iter().filter(|kind| self.of(*kind) < least).collect()
    }
}

impl CallFault {
    /// Returns the kind it counts as.
    pub fn kind(self) -> FaultKind {
        match self {
            CallFault::Refused => FaultKind::CallRefused,
            CallFault::Overloaded => FaultKind::CallOverloaded,
            CallFault::Lost => FaultKind::CallLost,
            CallFault::AnswerLost => FaultKind::CallAnswerLost,
            CallFault::NoAnswer => FaultKind::CallNoAnswer,
            CallFault::Late => FaultKind::CallLate,
            CallFault::BeyondMargin => FaultKind::CallBeyondMargin,
            CallFault::Slow => FaultKind::CallSlow,
            CallFault::Nonsense => FaultKind::CallNonsense,
        }
    }
}

impl Fault {
    /// Returns how long it lasts by itself.
    pub fn lasts(&self) -> Duration {
        match self {
            Fault::Outage(time)
            | Fault::Killed(_, _, time)
            | Fault::Frozen(_, time)
            | Fault::BusDown(time)
            | Fault::ResolverDown(time)
            | Fault::SourcesDown(time)
            | Fault::Repo(RepoFault::Hangs(time)) => *time,
            Fault::Call(_, CallFault::BeyondMargin) => Duration::from_secs(200),
            Fault::Call(..)
            | Fault::Task(..)
            | Fault::Repo(RepoFault::Fails | RepoFault::Never)
            | Fault::TagRemoved(_)
            | Fault::Untagged(_)
            | Fault::BuildDeleted(_)
            | Fault::Forged(_)
            | Fault::Store(_) => Duration::ZERO,
        }
    }
}
