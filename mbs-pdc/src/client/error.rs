//! Why PDC did not do or say what it was asked, cut by what the caller does then.

use std::time::Duration;

use mbs_core::build_system::Effect;

use super::request::in_one_line;

/// As many characters of a server's words are told.
const LONGEST_WORDS: usize = 500;

/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PdcError {
    /// There is no such entry, or no such part of the API: nothing happened.
    #[error("PDC does not know {what}: {reason}")]
    NotFound {
        /// What was asked for: a path.
        what: String,
        /// PDC's words.
        reason: String,
    },
    /// There is one with the same identity: nothing happened. Look at it.
    #[error("PDC has one already: {reason}")]
    Exists {
        /// PDC's words.
        reason: String,
    },
    /// We may not, or nobody knows who we are: nothing happened. An administrator has to give a token or a right.
    #[error("PDC does not allow it ({status}): {reason}")]
    Denied {
        /// 401: who we are is not known; 403: we may not.
        status: u16,
        /// PDC's words.
        reason: String,
    },
    /// What was sent is refused: nothing happened. Sending the same again brings the same.
    #[error("PDC refuses it ({status}): {reason}")]
    Rejected {
        /// The status.
        status: u16,
        /// PDC's words, by field.
        reason: String,
    },
    /// No answer came, or one of a server in between. Ask later; after a write that may have happened, look first.
    #[error("PDC cannot be reached: {reason}")]
    Unavailable {
        /// What came instead of an answer.
        reason: String,
        /// Whether it may have happened all the same.
        effect: Effect,
        /// When whoever answered would like to be asked again.
        retry_after: Option<Duration>,
    },
    /// The answer is none that a PDC gives. Somebody has to look.
    #[error("the answer of PDC cannot be read: {what}")]
    Protocol {
        /// What is wrong with it.
        what: String,
        /// Whether it may have happened.
        effect: Effect,
    },
    /// The settings cannot be used: nothing happened.
    #[error("{what}")]
    Configuration {
        /// What cannot be used, by name.
        what: String,
    },
}

impl PdcError {
    /// Says whether the same may work later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Says whether it may have happened.
    pub fn effect(&self) -> Effect {
        match self {
            Self::NotFound { .. }
            | Self::Exists { .. }
            | Self::Denied { .. }
            | Self::Rejected { .. }
            | Self::Configuration { .. } => Effect::None,
            Self::Unavailable { effect, .. } | Self::Protocol { effect, .. } => *effect,
        }
    }

    pub(crate) fn odd(what: impl Into<String>) -> Self {
        Self::odd_after(what, Effect::None)
    }

    /// Tells of an answer that makes no sense, after what may have happened.
    pub(crate) fn odd_after(what: impl Into<String>, effect: Effect) -> Self {
        Self::Protocol { what: told(&what.into()), effect }
    }

    pub(super) fn unusable(what: impl Into<String>) -> Self {
        Self::Configuration { what: what.into() }
    }
}

/// Returns words that come from a server: one line of bounded length.
pub(crate) fn told(words: &str) -> String {
    in_one_line(&words.chars().take(LONGEST_WORDS).collect::<String>())
}
