//! The contracts of the traits, made executable: one suite per trait, which any implementer can call in a few lines.
//!
//! A suite is a list of *promises*. Each is one sentence of a trait's documentation, and is tried on a *ground* of its own: a
//! fresh object under test, and what the trait itself cannot do (let the store's time pass, end a task, commit a file).
//! A suite knows the object only through its trait, assumes nothing about where it keeps its data, and needs no runtime:
//! it is a plain future that the caller awaits. It never decides what a trait promises; the trait's documentation does.
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! # use async_trait::async_trait;
//! # use mbs_core::{contract, memory::{ManualClock, MemoryStore}, policy::Policy, store::Store};
//! struct Ground { clock: Arc<ManualClock>, store: MemoryStore }
//!
//! #[async_trait]
//! impl contract::StoreGround for Ground {
//!     fn store(&self) -> &dyn Store { &self.store }
//!     fn policy(&self) -> Policy { Policy::default() }
//!     async fn pass(&self, time: Duration) { self.clock.advance(time) }
//! }
//!
//! # async fn run() -> Result<(), contract::Broken> {
//! let kept = contract::store(async || {
//!     let clock = Arc::new(ManualClock::new());
//!     let store = MemoryStore::new(clock.clone(), jiff::Timestamp::UNIX_EPOCH, &Policy::default());
//!     Ground { clock, store }
//! })
//! .await?;
//! assert!(kept.left_out.is_empty(), "{kept}");
//! # Ok(())
//! # }
//! ```
//!
//! Every promise is tried, whatever became of the one before: [`Broken`] names all that were broken. It is returned, not
//! thrown: a program may want to end with a status, a test unwraps it. What a ground is [`Unable`] to do leaves promises
//! out, and [`Kept`] names those.

use std::fmt;

mod build_system;
mod bus;
mod clock;
mod promise;
mod resolver;
pub(crate) mod samples;
mod source_control;
mod store;
#[cfg(test)]
mod tests;

pub use build_system::{BuildSystemGround, build_system};
pub use bus::{MessageBusGround, message_bus};
pub use clock::{ClockGround, clock};
pub use promise::Unable;
pub use resolver::{ModuleResolverGround, module_resolver};
pub use source_control::{SourceControlGround, source_control};
pub use store::{StoreGround, store};

/// What became of a suite that found nothing broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The promises that were tried and kept, in the order of the suite.
    pub promises: Vec<&'static str>,
    /// The promises that were not tried, with what the ground could not do.
    pub left_out: Vec<(&'static str, Unable)>,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} promises kept", self.promises.len())?;
        self.left_out.iter().try_for_each(|(promise, unable)| write!(f, "\nleft out: {promise}: {unable}"))
    }
}

/// The promises that were broken, each with what was seen instead; at least one.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub struct Broken {
    /// The trait.
    pub suite: &'static str,
    /// Each broken promise and what was seen, in the order of the suite.
    pub promises: Vec<(&'static str, String)>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the contract of {} is broken", self.suite)?;
        self.promises.iter().try_for_each(|(promise, what)| write!(f, "\n{promise}: {what}"))
    }
}

/// As [`Display`](fmt::Display), for tests that unwrap.
impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
