//! The pure heart of the module build service, and the traits it works through.
//!
//! Deciding is pure: documents, rules, record and [`mod@plan`] are plain data and functions, without clock, randomness or
//! I/O. Doing is behind traits; [`engine`] calls them, [`memory`] implements them.
//!
//! | room | decides |
//! | --- | --- |
//! | [`ident`], [`modulemd`], [`model`] | what names, documents and records are |
//! | [`submission`], [`context`], [`stream_version`], [`naming`] | what a submission becomes, and what it is called |
//! | [`arches`], [`batch`], [`collisions`], [`macros`], [`reuse`], [`share`], [`artifacts`] | one rule each |
//! | [`mod@plan`] | what is asked and done next |
//! | [`build_system`], [`resolver`], [`source_control`], [`store`], [`bus`], [`clock`] | nothing: they are the traits |
//!
//! Who implements a trait holds the implementation to its contract by the suites of `contract` (feature `contract`).

pub mod arches;
pub mod artifacts;
pub mod batch;
pub mod build_system;
pub mod bus;
pub mod clock;
pub mod collisions;
pub mod context;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod engine;
pub mod expansion;
pub mod ident;
pub mod macros;
pub mod memory;
pub mod model;
pub mod modulemd;
pub mod naming;
pub mod outlook;
pub mod plan;
pub mod policy;
pub mod resolver;
pub mod reuse;
pub mod share;
pub mod shared;
#[cfg(feature = "sim")]
pub mod sim;
pub mod source_control;
pub mod store;
pub mod stream_version;
pub mod submission;
#[cfg(test)]
mod tests;
