//! What follows what a request met with. Pure: it is told what happened, and says what to do.
//!
//! A hub stores a session's call number only with a change that it commits. Hence a request may go out again as long as it
//! keeps its number; and a refusal that is not "this number is done" says that no earlier attempt was done either. A new
//! number, or a new session, is for requests only that cannot have been done yet.

use std::time::Duration;

use mbs_core::build_system::Effect;

use crate::profile::Retry;
use crate::xmlrpc::FaultCode;

/// What one attempt met with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// An answer with a value.
    Answer,
    /// A refusal of the hub.
    Fault(FaultCode),
    /// No connection: nothing was sent.
    Unconnected,
    /// A connection that was closed before the whole answer was there.
    Lost,
    /// No answer within the call's time.
    Late,
    /// Another HTTP status than 200.
    Status(u16),
    /// A server, or a client, whose certificate is not accepted.
    Distrust,
    /// Something else than XML-RPC.
    Nonsense,
    /// An answer longer than we read.
    Excess,
}

/// What has become of a request up to its last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Past {
    /// It may change something.
    pub(super) is_write: bool,
    /// It goes out in a session.
    pub(super) has_session: bool,
    /// The session is one that a login of ours may renew or replace.
    pub(super) is_own: bool,
    /// An attempt before the last one may have done it.
    pub(super) may_be_done: bool,
    /// It went out again at once, after a closed connection.
    pub(super) has_repeated: bool,
    /// Its session was renewed or replaced.
    pub(super) has_renewed: bool,
    /// How many further attempts it has had.
    pub(super) retries: u32,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Hand over what came.
    Take,
    /// It was done, and its answer was lost.
    Done,
    /// Send the same again now, over a new connection.
    AtOnce,
    /// Send the same again after this time.
    After(Duration),
    /// Renew the session, then send it under a new number.
    Renew,
    /// Log in anew, then send it there.
    LogIn,
    /// Nothing more can be done; the past says whether it may have happened.
    GiveUp,
}

impl Past {
    /// Returns the past of the next attempt.
    pub(super) fn and(mut self, met: Met, next: Next) -> Self {
        self.may_be_done |= self.is_write && may_be_done_after(met);
        match next {
            Next::AtOnce => self.has_repeated = true,
            // An outage that the hub itself reports wears nothing out.
            Next::After(_) if met == Met::Fault(FaultCode::ServerOffline) => {}
            Next::After(_) => self.retries += 1,
            Next::Renew | Next::LogIn => self.has_renewed = true,
            Next::Take | Next::Done | Next::GiveUp => {}
        }
        self
    }

    /// Returns what is known if no other attempt follows.
    pub(super) fn effect(self) -> Effect {
        if self.may_be_done { Effect::Unknown } else { Effect::None }
    }
}

/// Decides what follows.
pub(super) fn next(met: Met, past: Past, retry: &Retry) -> Next {
    let again = if past.retries < retry.max_retries { Next::After(retry.interval) } else { Next::GiveUp };
    match met {
        Met::Answer => Next::Take,
        Met::Fault(code) => after_fault(code, past, retry),
        Met::Lost if !past.has_repeated => Next::AtOnce,
        Met::Unconnected | Met::Lost | Met::Status(408 | 429 | 500..) => again,
        Met::Late | Met::Status(_) | Met::Distrust | Met::Nonsense | Met::Excess => Next::GiveUp,
    }
}

fn after_fault(code: FaultCode, past: Past, retry: &Retry) -> Next {
    let is_replaceable = past.is_own && !past.has_renewed;
    match code {
        FaultCode::ServerOffline if retry.offline_retry => Next::After(retry.offline_interval),
        FaultCode::ServerOffline => Next::GiveUp,
        // Numbers are used once, so it was this very request; a server in between may have sent it twice.
        FaultCode::RetryError if past.has_session => Next::Done,
        FaultCode::AuthExpired | FaultCode::AuthError | FaultCode::SequenceError if past.may_be_done => {
            Next::GiveUp
        }
        FaultCode::AuthExpired if is_replaceable => Next::Renew,
        FaultCode::AuthError | FaultCode::SequenceError if is_replaceable => Next::LogIn,
        _ => Next::Take,
    }
}

/// Says whether a hub may have done what met with this.
fn may_be_done_after(met: Met) -> bool {
    match met {
        Met::Lost | Met::Late | Met::Status(500..) | Met::Nonsense | Met::Excess => true,
        Met::Answer | Met::Fault(_) | Met::Unconnected | Met::Status(_) | Met::Distrust => false,
    }
}
