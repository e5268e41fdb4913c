//! What to do next for one module build: a pure function of the record, of what was observed, of the rules and the time.
//!
//! One look of the engine goes like this, and every part but the calls is decided here:
//!
//! ```text
//! { missing(build, observation) -> ask -> add the answers } until nothing is missing
//! plan(build, observation, now) -> save what changed -> act -> add the outcomes -> once more
//! until a plan changes nothing and wants nothing done: sleep until `wake_at`
//! ```
//!
//! - What a message said is no input. What is so was observed; a message only caused the look.
//! - Every action is recomputed from record and observation, and is an *ensure*. What was meant stands in the record before
//!   it is done: a crash in between leads to the same decision.
//! - The same inputs give the same plan, and planning again after nothing happened changes nothing.
//! - Time only moves forward and is an argument.
//!
//! It never asks, waits, or reads a clock.

mod absorb;
mod action;
mod building;
mod buildonly;
mod buildroot;
mod ended;
mod failed;
mod init;
mod observation;
mod order;
mod repository;
mod starting;
mod step;
mod tagging;
#[cfg(test)]
mod tests;
mod wait;
mod why;

use std::fmt::Debug;

use jiff::Timestamp;

use crate::model::{ModuleBuild, State};
use crate::policy::Policy;
use crate::store::Note;

pub use action::Action;
pub use buildroot::{buildroot_spec, target_of};
pub use observation::{
    ActionKey, AskingTrouble, DefaultsPlace, ModuleQuestions, Observation, ObservationQuery, Outcome,
    SourceQuestions,
};
pub use why::{UnderWay, Why};

use step::Step;

/// What to save, what to do, and when to look again.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The record as it should be; equal to the one given if nothing changed.
    pub build: ModuleBuild,
    /// What to do once it is saved, in this order.
    pub actions: Vec<Action>,
    /// When to look again at the latest; `None`: only a hint or a person brings news.
    pub wake_at: Option<Timestamp>,
    /// Why it is not further.
    pub why: Why,
    /// Lines for the build's log.
    pub notes: Vec<Note>,
}

/// Record and observation contradict each other. Nothing is done; a person has to look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Impossible {
    /// Both sides, in words.
    pub what: String,
}

/// Says what has to be asked before a plan can be made; empty when enough is known.
///
/// What the observation holds already, or could not be asked, is not asked again.
pub fn missing(build: &ModuleBuild, observation: &Observation, policy: &Policy) -> ObservationQuery {
    if !observation.troubles.is_empty() {
        return ObservationQuery::default();
    }
    match build.state() {
        State::Init => init::missing(build, observation, policy),
        State::Wait => wait::missing(build, observation, policy),
        State::Build => building::missing(build, observation, policy),
        State::Failed => failed::missing(build, observation, policy),
        State::Done | State::Ready | State::Garbage => ObservationQuery::default(),
    }
}

/// Decides the next step of a module build.
///
/// # Errors
/// [`Impossible`] if record and observation contradict each other; the caller shows it and saves what [`shelved`] returns.
pub fn plan(
    build: &ModuleBuild,
    observation: &Observation,
    policy: &Policy,
    now: Timestamp,
) -> Result<Plan, Impossible> {
    let mut step = Step::new(build, observation, policy, now);
    // What was done is taken in first, also by a build that fails: a task that was begun is not forgotten.
    absorb::outcomes(&mut step);
    step.note_trouble()?;
    if !step.has_left(build.state()) {
        match build.state() {
            State::Init => init::plan(&mut step)?,
            State::Wait => wait::plan(&mut step)?,
            State::Build => building::plan(&mut step)?,
            State::Failed => failed::plan(&mut step)?,
            State::Done => ended::plan_done(&mut step)?,
            State::Ready | State::Garbage => ended::plan_ended(&mut step),
        }
    }
    Ok(step.finish(build))
}

/// Decides for the engine. [`Standard`] is this room; another may wrap it, to count or to look closer, and must be as pure.
pub trait Planner: Debug + Send + Sync + 'static {
    /// Says what has to be asked, as [`missing`] does.
    fn missing(&self, build: &ModuleBuild, observation: &Observation, policy: &Policy) -> ObservationQuery;

    /// Decides the next step, as [`plan`](fn@plan) does.
    ///
    /// # Errors
    /// [`Impossible`], as there.
    fn plan(
        &self,
        build: &ModuleBuild,
        observation: &Observation,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Plan, Impossible>;
}

/// Decides by the rules of this room.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standard;

impl Planner for Standard {
    fn missing(&self, build: &ModuleBuild, observation: &Observation, policy: &Policy) -> ObservationQuery {
        missing(build, observation, policy)
    }

    fn plan(
        &self,
        build: &ModuleBuild,
        observation: &Observation,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Plan, Impossible> {
        plan(build, observation, policy, now)
    }
}

/// Returns the record of a build for which [`plan`](fn@plan) found an [`Impossible`]: out of the line, with a pause that grows each
/// time. Equal to the one given while the pause lasts.
pub fn shelved(build: &ModuleBuild, impossible: &Impossible, policy: &Policy, now: Timestamp) -> ModuleBuild {
    step::shelved(build, impossible, policy, now)
}
