//! The promises of the design by their names, and how a broken one is told.

use std::fmt;
use std::time::Duration;

use crate::ident::BuildId;

/// A promise of the design, section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Nobody gets a slot above the limit.
    I1,
    /// One live task per component; nothing is built twice.
    I2,
    /// Nothing starts before all it comes after is in the repository.
    I3,
    /// The macros stay out of the destination tag; what is build-only is filtered before it is tagged.
    I4,
    /// `done` and `ready` mean that everything is there.
    I5,
    /// A settled failed build has no live task.
    I6,
    /// States change along the arrows, each change with its trace row.
    I7,
    /// Only who holds the lease saves, and nobody's change is lost.
    I8,
    /// The same inputs give the same plan; nothing new changes nothing.
    I9,
    /// Once faults stop, every build comes to its end.
    I10,
    /// Transient faults end no build, and infrastructure is not the packager's fault.
    I11,
    /// No slot stays free while somebody in line could use it, and nobody waits beyond his turn.
    I12,
    /// A poisoned build holds up nobody and is looked at ever more rarely.
    I13,
    /// The same submission gives the same builds.
    I14,
    /// What was published is what was committed, in order.
    I15,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// The build concerned; `None`: none in particular.
    pub build: Option<BuildId>,
    /// How, in words.
    pub what: String,
    /// When, since the world began.
    pub at: Duration,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is broken", self.invariant)?;
        if let Some(build) = self.build {
            write!(f, " by module build {build}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// How closely a world is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspection {
    /// Every promise is checked at every step, and every plan is made twice.
    Steps,
    /// Only how the builds end, and what is checked as something is committed: what remains is hardly more than what engine,
    /// store and build system cost.
    Ends,
}
