//! Calls that go out together, and which answer is whose.

use std::fmt;

use mbs_core::build_system::{BuildSystemError, Effect};

use super::refusal;
use crate::api::Odd;
use crate::xmlrpc::{Call, Fault, Value};

/// Calls in the order in which they are sent.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

/// The place of a call's answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(usize);

impl Calls {
    pub(super) fn add(&mut self, call: Call) -> Ticket {
        self.0.push(call);
        Ticket(self.0.len() - 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn as_slice(&self) -> &[Call] {
        &self.0
    }
}

/// Answers in the order of their calls.
#[derive(Debug)]
pub(super) struct Answers(Vec<Result<Value, Fault>>);

impl Answers {
    /// Takes what came for some calls.
    pub(super) fn to(calls: &Calls, answers: Vec<Result<Value, Fault>>) -> Result<Self, BuildSystemError> {
        if answers.len() == calls.0.len() {
            return Ok(Self(answers));
        }
        let what = format!("{} answers to {} calls", answers.len(), calls.0.len());
        Err(BuildSystemError::Protocol { what, effect: Effect::Unknown })
    }

    /// Returns the answer of one call.
    pub(super) fn of(&self, ticket: Ticket) -> &Result<Value, Fault> {
        &self.0[ticket.0]
    }

    /// Reads the answer of one call; `doing` says what a refusal is about: "to ask for the tag f40".
    pub(super) fn read<T>(
        &self,
        ticket: Ticket,
        doing: impl fmt::Display,
        read: impl FnOnce(&Value) -> Result<T, Odd>,
    ) -> Result<T, BuildSystemError> {
        let value = self.of(ticket).as_ref().map_err(|fault| refusal::of_fault(fault, doing))?;
        read(value).map_err(|odd| refusal::of_odd(&odd))
    }
}
