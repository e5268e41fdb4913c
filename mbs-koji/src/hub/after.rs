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

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(20);
    const OUTAGE: Duration = Duration::from_secs(300);
    const READ: Past = Past {
        is_write: false,
        has_session: false,
        is_own: false,
        may_be_done: false,
        has_repeated: false,
        has_renewed: false,
        retries: 0,
    };
    const WRITE: Past = Past { is_write: true, has_session: true, is_own: true, ..READ };

    fn retry() -> Retry {
        Retry { max_retries: 2, interval: PAUSE, offline_retry: false, offline_interval: OUTAGE }
    }

    /// Plays attempts one after another; what each met with, what follows, and what is known if nothing did.
    fn play(mut past: Past, retry: &Retry, steps: &[(Met, Next, Effect)]) {
        for (at, (met, wanted, effect)) in steps.iter().enumerate() {
            let step = next(*met, past, retry);
            past = past.and(*met, step);
            assert_eq!((step, past.effect()), (*wanted, *effect), "step {at} of {steps:?}");
        }
    }

    fn fault(number: i64) -> Met {
        Met::Fault(FaultCode::of(number))
    }

    #[test]
    fn what_follows_one_attempt_stands_in_a_table() {
        let (again, none, unknown) = (Next::After(PAUSE), Effect::None, Effect::Unknown);
        // What it met with; what follows for a read; what follows for a write, and whether that may be done.
        let table = [
            (Met::Answer, Next::Take, Next::Take, none),
            (fault(1000), Next::Take, Next::Take, none),
            (fault(1), Next::Take, Next::Take, none),
            (fault(1006), Next::Take, Next::Take, none),
            (fault(1014), Next::GiveUp, Next::GiveUp, none),
            (fault(1007), Next::Take, Next::Renew, none),
            (fault(1002), Next::Take, Next::LogIn, none),
            (fault(1008), Next::Take, Next::LogIn, none),
            (fault(1009), Next::Take, Next::Done, none),
            (Met::Unconnected, again, again, none),
            (Met::Lost, Next::AtOnce, Next::AtOnce, unknown),
            (Met::Late, Next::GiveUp, Next::GiveUp, unknown),
            (Met::Status(302), Next::GiveUp, Next::GiveUp, none),
            (Met::Status(400), Next::GiveUp, Next::GiveUp, none),
            (Met::Status(401), Next::GiveUp, Next::GiveUp, none),
            (Met::Status(408), again, again, none),
            (Met::Status(429), again, again, none),
            (Met::Status(500), again, again, unknown),
            (Met::Status(503), again, again, unknown),
            (Met::Distrust, Next::GiveUp, Next::GiveUp, none),
            (Met::Nonsense, Next::GiveUp, Next::GiveUp, unknown),
            (Met::Excess, Next::GiveUp, Next::GiveUp, unknown),
        ];
        for (met, read, write, effect) in table {
            play(READ, &retry(), &[(met, read, none)]);
            play(WRITE, &retry(), &[(met, write, effect)]);
        }
    }

    #[test]
    fn a_closed_connection_costs_no_further_attempt_but_the_next_one_does() {
        let (again, unknown) = (Next::After(PAUSE), Effect::Unknown);
        let steps = [
            (Met::Lost, Next::AtOnce, unknown),
            (Met::Lost, again, unknown),
            (Met::Unconnected, again, unknown),
            (Met::Unconnected, Next::GiveUp, unknown),
        ];
        play(WRITE, &retry(), &steps);
        let none = Retry { max_retries: 0, ..retry() };
        play(WRITE, &none, &[(Met::Lost, Next::AtOnce, unknown), (Met::Lost, Next::GiveUp, unknown)]);
        play(WRITE, &none, &[(Met::Unconnected, Next::GiveUp, Effect::None)]);
    }

    #[test]
    fn after_a_lost_answer_only_the_same_number_goes_out() {
        let lost = (Met::Lost, Next::AtOnce, Effect::Unknown);
        for (code, step) in [
            (1007, Next::GiveUp),
            (1002, Next::GiveUp),
            (1008, Next::GiveUp),
            (1014, Next::GiveUp),
            (1009, Next::Done),
            // The hub would have said that the number is done.
            (1000, Next::Take),
        ] {
            play(WRITE, &retry(), &[lost, (fault(code), step, Effect::Unknown)]);
        }
    }

    #[test]
    fn a_session_is_renewed_or_replaced_once_and_only_if_it_is_ours() {
        let none = Effect::None;
        play(WRITE, &retry(), &[(fault(1007), Next::Renew, none), (fault(1007), Next::Take, none)]);
        play(WRITE, &retry(), &[(fault(1002), Next::LogIn, none), (fault(1002), Next::Take, none)]);
        let foreign = Past { is_own: false, ..WRITE };
        play(foreign, &retry(), &[(fault(1007), Next::Take, none)]);
        play(foreign, &retry(), &[(fault(1009), Next::Done, none)]);
    }

    #[test]
    fn an_outage_is_waited_for_without_end_only_if_the_profile_says_so() {
        let patient = Retry { offline_retry: true, max_retries: 0, ..retry() };
        let wait = (fault(1014), Next::After(OUTAGE), Effect::None);
        play(WRITE, &patient, &[wait, wait, wait, (Met::Answer, Next::Take, Effect::None)]);
    }
}
