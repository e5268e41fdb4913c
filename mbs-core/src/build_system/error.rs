//! Why a build system did not do or say what it was asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ident::Nvr;

/// Whether a call that ended in an error did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// It was refused: nothing happened.
    None,
    /// Nobody knows.
    Unknown,
}

/// Why a build system did not do or say what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildSystemError {
    /// A tag, build, task or target does not exist. The plan makes it again where it can, or fails the build.
    #[error("{what} does not exist")]
    NotFound {
        /// Kind and name of what is missing.
        what: String,
    },
    /// Builds that were to be tagged do not exist (any more); the others may be tagged. The plan builds again what it meant to
    /// reuse.
    #[error("{} not exist", list(.builds))]
    BuildsGone {
        /// All of them.
        builds: Vec<Nvr>,
    },
    /// What exists contradicts what is wanted. An administrator has to look.
    #[error("{what}")]
    Conflict {
        /// Both sides, in words.
        what: String,
    },
    /// A permission lacks. An administrator has to grant it. A login that expired is `Unavailable`.
    #[error("not allowed: {what}")]
    Denied {
        /// The permission and what it is needed for.
        what: String,
    },
    /// The request makes no sense to the build system. Asking again is pointless.
    #[error("{reason}")]
    Rejected {
        /// Its words.
        reason: String,
    },
    /// It cannot be reached, is overloaded or did not answer in time. Ask again later.
    #[error("the build system is not available: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
        /// Whether the call may have done something.
        effect: Effect,
    },
    /// This build system cannot do that.
    #[error("this build system does not offer {what}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
    /// It answered something that makes no sense. Ask again later, and tell the administrator.
    #[error("the build system answered nonsense: {what}")]
    Protocol {
        /// The call and what was odd.
        what: String,
        /// Whether the call may have done something.
        effect: Effect,
    },
}

fn list(builds: &[Nvr]) -> String {
    let names: Vec<String> = builds.iter().map(ToString::to_string).collect();
    let (noun, verb) = if names.len() == 1 { ("build", "does") } else { ("builds", "do") };
    format!("the {noun} {} {verb}", names.join(", "))
}

impl BuildSystemError {
    /// Says whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Protocol { .. })
    }

    /// Returns how long it asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::NotFound { .. }
            | Self::BuildsGone { .. }
            | Self::Conflict { .. }
            | Self::Denied { .. }
            | Self::Rejected { .. }
            | Self::Unsupported { .. }
            | Self::Protocol { .. } => None,
        }
    }

    /// Says whether the call may have done something all the same.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Unavailable { effect, .. } | Self::Protocol { effect, .. } => *effect,
            Self::NotFound { .. }
            | Self::BuildsGone { .. }
            | Self::Conflict { .. }
            | Self::Denied { .. }
            | Self::Rejected { .. }
            | Self::Unsupported { .. } => Effect::None,
        }
    }
}
