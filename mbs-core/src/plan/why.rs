//! Why a build is not further: a typed reason that prints as a sentence.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ident::{Batch, BuildId, Package, TaskId};
use crate::model::{State, Trouble};

/// Why a build is not further. It holds times, not durations, so that it stays true while nothing happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Why {
    /// Something was decided; the next look follows at once.
    GoingOn,
    /// Builds of a batch are under way.
    Building {
        /// The batch.
        batch: Batch,
        /// How many components the batch has.
        of: u32,
        /// Those not finished, with task and begin.
        left: Vec<UnderWay>,
    },
    /// No slot is free.
    WaitingForSlot {
        /// Slots in use.
        in_use: u32,
        /// The effective limit.
        limit: u32,
        /// Builds that are served before.
        ahead: Vec<BuildId>,
    },
    /// Tagging was asked for and is not seen yet.
    WaitingForTags {
        /// The packages.
        packages: Vec<Package>,
        /// When it was asked for.
        since: Timestamp,
    },
    /// A repository was asked for and is not there yet.
    WaitingForRepo {
        /// Its task.
        task: Option<TaskId>,
        /// When it was asked for.
        since: Timestamp,
    },
    /// Nobody knows yet whether the build system took a component.
    InDoubt {
        /// The component.
        component: Package,
        /// Until when a late call may still arrive.
        until: Timestamp,
    },
    /// Something keeps going wrong.
    BackingOff {
        /// What.
        trouble: Trouble,
    },
    /// The build failed; its tasks are being cancelled.
    Cancelling {
        /// Those that live.
        tasks: Vec<TaskId>,
    },
    /// An operator paused submissions.
    Paused,
    /// An operator lets the service run dry.
    Draining {
        /// The state it stays in.
        state: State,
    },
    /// Nothing to do until a time.
    Timer {
        /// What then.
        what: String,
        /// When.
        at: Timestamp,
    },
    /// Nothing to do any more.
    Finished,
    /// The last look was broken off.
    BrokenOff {
        /// What broke it off.
        what: String,
    },
    /// Record and build system contradict each other; a person has to look.
    Contradiction {
        /// Both sides.
        what: String,
    },
}

/// A component that is being built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// The package.
    pub package: Package,
    /// Its task; `None` while it is not known.
    pub task: Option<TaskId>,
    /// Since when; `None` if it has not begun.
    pub since: Option<Timestamp>,
}

impl fmt::Display for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.task, self.since) {
            (Some(task), Some(since)) => write!(f, "{} (task {task}, since {since})", self.package),
            (None, Some(since)) => write!(f, "{} (since {since})", self.package),
            (_, None) => write!(f, "{} (not begun)", self.package),
        }
    }
}

fn joined<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::GoingOn => write!(f, "going on"),
            Why::Building { batch, of, left } => {
                write!(f, "waiting for {} of {of} builds of batch {batch}: {}", left.len(), joined(left))
            }
            Why::WaitingForSlot { in_use, limit, ahead } => {
                write!(f, "waiting for a slot: {in_use} of {limit} in use")?;
                if ahead.is_empty() {
                    Ok(())
                } else {
                    write!(f, ", next in line after modules {}", joined(ahead))
                }
            }
            Why::WaitingForTags { packages, since } => {
                write!(f, "waiting since {since} until these are tagged: {}", joined(packages))
            }
            Why::WaitingForRepo { task: Some(task), since } => {
                write!(f, "waiting since {since} for the repository of task {task}")
            }
            Why::WaitingForRepo { task: None, since } => {
                write!(f, "waiting since {since} for the repository")
            }
            Why::InDoubt { component, until } => {
                write!(f, "it is not known whether {component} was submitted; certain after {until}")
            }
            Why::BackingOff { trouble } => {
                write!(
                    f,
                    "trying again at {} ({} tries since {}): {}",
                    trouble.next_try, trouble.tries, trouble.since, trouble.last
                )
            }
            Why::Cancelling { tasks } => write!(f, "cancelling; tasks still live: {}", joined(tasks)),
            Why::Paused => write!(f, "an operator paused submissions"),
            Why::Draining { state } => write!(f, "an operator lets the service run dry; it stays in {state}"),
            Why::Timer { what, at } => write!(f, "nothing to do until {at}: {what}"),
            Why::Finished => write!(f, "finished"),
            Why::BrokenOff { what } => write!(f, "the last look was broken off: {what}"),
            Why::Contradiction { what } => write!(f, "record and build system contradict each other: {what}"),
        }
    }
}
