//! Why the hub did not do or say what it was asked, cut by what the caller does then.

use std::time::Duration;

use mbs_core::build_system::Effect;

use crate::xmlrpc::Fault;

/// Why a call of the hub brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// The hub says no: nothing happened. Asking the same again brings the same.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The hub is in a planned outage, or without its database: nothing happened. Ask later.
    #[error("the hub is offline: {reason}")]
    Offline {
        /// The hub's words.
        reason: String,
    },
    /// No answer came, or one of a server in between. Ask later; after a write that may have happened, look first.
    #[error("the hub cannot be reached: {reason}")]
    Unreachable {
        /// What came instead of an answer.
        reason: String,
        /// Whether it may have happened all the same.
        effect: Effect,
        /// When whoever answered would like to be asked again.
        retry_after: Option<Duration>,
    },
    /// It happened, but the answer was lost. Look at what came of it, and do not ask again.
    #[error("{method} was done, but its answer was lost")]
    Done {
        /// What was called.
        method: String,
    },
    /// Who we are was not accepted or could not be shown: nothing happened. An administrator has to look.
    #[error("the login was not accepted: {reason}")]
    Login {
        /// The hub's words, or what is wrong with the ticket.
        reason: String,
        /// Whether it may work later without anybody doing anything: no ticket could be had just then.
        is_transient: bool,
    },
    /// The settings cannot be used, or the address leads to something else than a hub: nothing happened.
    #[error("{what}")]
    Configuration {
        /// What cannot be used, by name.
        what: String,
        /// Whether an earlier attempt at the same may have happened.
        effect: Effect,
    },
    /// The answer is none that a hub gives.
    #[error("the hub's answer to {method} cannot be read: {what}")]
    Protocol {
        /// What was called.
        method: String,
        /// What is wrong with it, in few words.
        what: String,
        /// Whether it may have happened.
        effect: Effect,
    },
    /// The answer is longer than we read.
    #[error("the hub's answer to {method} is longer than {limit_bytes} bytes")]
    TooLarge {
        /// What was called.
        method: String,
        /// How many bytes we read.
        limit_bytes: u64,
        /// Whether it may have happened.
        effect: Effect,
    },
}

impl HubError {
    /// Says whether the call may have happened. After [`Done`](Self::Done) it did, but what came of it is unknown.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Fault(_) | Self::Offline { .. } | Self::Login { .. } => Effect::None,
            Self::Done { .. } => Effect::Unknown,
            Self::Unreachable { effect, .. }
            | Self::Configuration { effect, .. }
            | Self::Protocol { effect, .. }
            | Self::TooLarge { effect, .. } => *effect,
        }
    }

    /// Says whether the same may work later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Offline { .. } | Self::Unreachable { .. } => true,
            Self::Login { is_transient, .. } => *is_transient,
            Self::Fault(_)
            | Self::Done { .. }
            | Self::Configuration { .. }
            | Self::Protocol { .. }
            | Self::TooLarge { .. } => false,
        }
    }

    /// Returns how long the other side would like us to wait, if it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Unreachable { retry_after, .. } = self { *retry_after } else { None }
    }

    /// Makes an error of settings or arguments that cannot be used.
    pub(super) fn unusable(what: impl Into<String>) -> Self {
        Self::Configuration { what: what.into(), effect: Effect::None }
    }

    /// Makes an error of credentials.
    pub(super) fn login(reason: impl Into<String>) -> Self {
        Self::Login { reason: reason.into(), is_transient: false }
    }

    /// Says whether the hub may still be at it, so that its session is not to be used again.
    pub(super) fn leaves_doubt(&self) -> bool {
        self.effect() == Effect::Unknown && !matches!(self, Self::Done { .. })
    }

    /// Tells that so many calls of the same errand were done before.
    pub(super) fn after(self, count: usize) -> Self {
        if count == 0 || self.effect() == Effect::Unknown {
            return self;
        }
        let (retry_after, reason) = (self.retry_after(), format!("after {count} calls were done: {self}"));
        Self::Unreachable { reason, effect: Effect::Unknown, retry_after }
    }
}
