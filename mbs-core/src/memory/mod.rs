//! In-memory implementations of every trait: for tests, simulation, examples, and embedders without a database.
//!
//! They are stricter than the real ones: whatever a real one might let pass, but a correct caller never does, is an error
//! here (an unknown tag, a second live task for a component, a record that was not loaded). Nothing in here decides what
//! to build, reads a real clock, or needs a runtime: no method ever waits, except [`ManualClock::sleep_until`] for its
//! clock to be told, and [`MemoryBus::hints`] for a hint.
//!
//! [`ManualClock::sleep_until`]: crate::clock::Clock::sleep_until
//! [`MemoryBus::hints`]: crate::bus::MessageBus::hints

mod build_system;
mod bus;
mod clock;
mod resolver;
#[cfg(test)]
pub(crate) mod samples;
mod source_control;
mod store;

pub use build_system::{Call, Fault, MemoryBuildSystem, Pace, TagSummary, TaskKind, TaskSummary};
pub use bus::MemoryBus;
pub use clock::ManualClock;
pub use resolver::{EndOfLife, MemoryResolver};
pub use source_control::MemorySourceControl;
pub use store::MemoryStore;
