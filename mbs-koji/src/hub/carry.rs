//! One request as often as it takes, by the rules of `after`.

use mbs_core::build_system::Effect;

use super::after::{Met, Next, Past, next};
use super::answer::{self, Failure};
use super::error::HubError;
use super::figures::Kind;
use super::parcel::{Deadline, Parcel};
use super::wire::{Go, Wire};
use crate::xmlrpc::{Fault, FaultCode, Value};

/// What a hub answered.
pub(super) struct Reply {
    pub(super) answer: Result<Value, Fault>,
    /// What shows, after a ticket, that the other side is the hub.
    pub(super) proof: Option<Vec<u8>>,
}

/// How the attempts at one request ended.
pub(super) enum End {
    /// With an answer, or a refusal to hand on.
    Reply(Reply),
    /// With the demand for a ticket; logins only.
    Challenge,
    /// In a session that has to be renewed or replaced first; nothing happened.
    Stale(Next),
}

impl Wire {
    /// Sends a request as often as may be and helps, and returns how that ended; `past` is what has become of it.
    pub(super) async fn carry(
        &self,
        parcel: &Parcel,
        past: &mut Past,
        until: Deadline,
    ) -> Result<End, HubError> {
        let mut go = Go::First;
        loop {
            let outcome = self.attempt(parcel, go, until).await;
            let met = match &outcome {
                Ok(Reply { answer: Ok(_), .. }) => Met::Answer,
                Ok(Reply { answer: Err(fault), .. }) => Met::Fault(fault.code),
                Err(failure) => failure.met,
            };
            let step = next(met, *past, &self.profile.retry);
            *past = past.and(met, step);
            go = if met == Met::Lost { Go::Afresh } else { Go::Again };
            match step {
                Next::AtOnce => {}
                Next::Take => {
                    return outcome
                        .map(End::Reply)
                        .map_err(|failure| self.error(parcel, failure, past.effect()));
                }
                Next::GiveUp => return self.given_up(parcel, outcome, *past),
                Next::Renew | Next::LogIn => return Ok(End::Stale(step)),
                Next::Done => return Err(HubError::Done { method: parcel.method.clone() }),
                Next::After(time) => {
                    let asked = outcome.as_ref().err().and_then(|failure| failure.retry_after);
                    let wait = self.pause(time.max(asked.unwrap_or_default()));
                    if until.bound(wait).await.is_none() {
                        return self.given_up(parcel, outcome, *past);
                    }
                }
            }
        }
    }

    /// Sends a request once and returns the hub's answer.
    async fn attempt(&self, parcel: &Parcel, go: Go, until: Deadline) -> Result<Reply, Failure> {
        let outcome = async {
            let answer = self.exchange(parcel, go, until).await?;
            let proof = answer::negotiated(&answer.headers);
            Ok(Reply { answer: answer::decode(answer).await?, proof })
        };
        let outcome = outcome.await;
        self.count(|figures| match &outcome {
            Ok(reply) => figures.faults += u64::from(reply.answer.is_err()),
            Err(_) => figures.failed += 1,
        });
        outcome
    }

    /// Ends without handing on what the last attempt met with.
    fn given_up(
        &self,
        parcel: &Parcel,
        outcome: Result<Reply, Failure>,
        past: Past,
    ) -> Result<End, HubError> {
        match outcome {
            Ok(Reply { answer: Ok(_), .. }) => unreachable!("an answer is taken"),
            Ok(Reply { answer: Err(fault), .. }) => Err(outage(fault, past.effect())),
            Err(failure) if parcel.kind == Kind::Login && failure.is_challenge => Ok(End::Challenge),
            Err(failure) => Err(self.error(parcel, failure, past.effect())),
        }
    }

    /// Tells why there is no answer.
    fn error(&self, parcel: &Parcel, failure: Failure, effect: Effect) -> HubError {
        let method = parcel.method.clone();
        let Failure { met, reason, retry_after, .. } = failure;
        match met {
            Met::Status(401 | 403) if parcel.kind == Kind::Login => HubError::login(reason),
            Met::Status(401 | 403) => {
                HubError::Configuration { what: format!("the hub does not let us in: {reason}"), effect }
            }
            Met::Status(300..=407 | 409..=428 | 430..=499) => HubError::Configuration {
                what: format!("{} is no hub for us: {reason}", self.profile.server),
                effect,
            },
            Met::Distrust => HubError::Configuration {
                what: format!("TLS with {}: {reason}", self.profile.server),
                effect,
            },
            Met::Nonsense => HubError::Protocol { method, what: reason, effect },
            Met::Excess => HubError::TooLarge { method, limit_bytes: self.profile.max_answer_bytes, effect },
            Met::Late => {
                let reason = format!("{method} was not answered in time");
                HubError::Unreachable { reason, effect, retry_after }
            }
            _ => HubError::Unreachable { reason, effect, retry_after },
        }
    }
}

/// Tells of a refusal that says "not now", or one that leaves open what came of an earlier attempt.
fn outage(fault: Fault, effect: Effect) -> HubError {
    if fault.code == FaultCode::ServerOffline && effect == Effect::None {
        return HubError::Offline { reason: fault.text };
    }
    let reason = format!("an answer was lost, and then it said: {fault}");
    HubError::Unreachable { reason, effect, retry_after: None }
}
