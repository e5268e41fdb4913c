//! Many backends on one PostgreSQL and one build system, each a process that may be killed at any moment.
//!
//! ```text
//!  test ── starts, kills ──► backend, backend, … ── engine, publisher, listener of one process each
//!   │                           │           │
//!   └── looks ──► PostgreSQL ◄──┘           └──► hub: the build system and the bus, in a process that nobody kills
//! ```
//!
//! The hub is the witness: what was built how often, what ran at the same time, what was published in which order. Nothing here
//! judges; the test does.

pub mod backend;
mod call;
pub mod cast;
pub mod hub;
mod hub_client;
pub mod ledger;
pub mod process;
mod wire;

pub use hub_client::HubClient;
