//! Why the service did not do or say what it was asked, cut by what the caller does then.

use std::time::Duration;

use mbs_core::build_system::Effect;

use super::request::in_one_line;
use crate::login::LoginError;

/// As many characters of a server's words are told.
const LONGEST_WORDS: usize = 2000;

/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The service says no: nothing happened. Show its message; the same again brings the same, unless it
    /// [is transient](Self::is_transient).
    #[error("{status} {error}: {message}")]
    Refused {
        /// The status.
        status: u16,
        /// Its name: `Conflict`.
        error: String,
        /// The service's words.
        message: String,
        /// When the service would like to be asked again.
        retry_after: Option<Duration>,
    },
    /// Who we are cannot be shown: nothing happened. Log in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// No answer came, or one of a server in between. Ask later; after a write look first.
    #[error("the module build service cannot be reached: {reason}")]
    Unavailable {
        /// What came instead of an answer.
        reason: String,
        /// The status, if somebody answered.
        status: Option<u16>,
        /// Whether it may have happened all the same.
        effect: Effect,
        /// When whoever answered would like to be asked again.
        retry_after: Option<Duration>,
    },
    /// The answer is none that a module build service gives. Somebody has to look.
    #[error("the answer of the module build service cannot be read: {what}")]
    Odd {
        /// What is wrong with it.
        what: String,
        /// Whether it may have happened.
        effect: Effect,
    },
    /// The settings cannot be used: nothing happened.
    #[error("{what}")]
    Configuration {
        /// What cannot be used.
        what: String,
    },
}

impl ClientError {
    /// Says whether the same may work later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 502..=504),
            Self::Login(error) => error.is_transient(),
            Self::Odd { .. } | Self::Configuration { .. } => false,
        }
    }

    /// Says whether it may have happened.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Refused { .. } | Self::Login(_) | Self::Configuration { .. } => Effect::None,
            Self::Unavailable { effect, .. } | Self::Odd { effect, .. } => *effect,
        }
    }

    /// Returns when it would like to be asked again, whoever answered.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Login(_) | Self::Odd { .. } | Self::Configuration { .. } => None,
        }
    }

    pub(crate) fn odd(what: impl AsRef<str>, effect: Effect) -> Self {
        Self::Odd { what: told(what.as_ref()), effect }
    }

    pub(crate) fn unusable(what: impl Into<String>) -> Self {
        Self::Configuration { what: what.into() }
    }
}

/// Returns words that come from a server: of bounded length, each of their lines free of what moves a terminal.
pub(crate) fn told(words: &str) -> String {
    let words: String = words.chars().take(LONGEST_WORDS).collect();
    words.split('\n').map(in_one_line).collect::<Vec<_>>().join("\n")
}
