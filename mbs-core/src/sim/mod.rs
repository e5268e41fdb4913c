//! Simulation: the real engine in a world in which everything that can go wrong does.
//!
//! A [`Scenario`] is plain data: modules, backends, faults, people. A [`World`] turns it into one history, always the same,
//! on a clock that only jumps; while it turns, the promises I1 to I15 of the design are held against how things really
//! stand, and at the end a reference model says what every module must have come to.

mod audit;
mod backend;
mod cast;
mod chance;
mod explore;
mod fault;
mod figures;
mod grounds;
mod inspector;
mod model;
mod mortal;
mod outcome;
mod people;
mod planner;
mod scenario;
mod story;
pub mod strategies;
#[cfg(test)]
mod tests;
mod wires;
mod world;

pub use chance::Chance;
pub use explore::{Explored, Simplest, explore, simplest, simplest_with};
pub use fault::{CallFault, Coverage, Fault, FaultKind, RepoFault, StoreFault, TaskFault};
pub use figures::{BuildFigures, Figures};
pub use grounds::Grounds;
pub use inspector::{Inspection, Invariant, Violation};
pub use model::{Expected, Told, expected};
pub use outcome::Outcome;
pub use scenario::{
    BackendScript, ComponentScript, Deed, Happening, Messages, ModuleScript, Order, Scenario, Timing, Until,
};
pub use story::{Line, shortened};
pub use strategies::{Faults, Size};
pub use world::{Parts, Telling, World};
