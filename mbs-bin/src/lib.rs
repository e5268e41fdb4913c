//! The module build service as a library and thin binaries: arguments, terminal, exit status.
//!
//! Here implementations meet: this crate decides which store, build system, resolver and source control stand behind the
//! traits of [`mbs_core`], and how things look to people. What to build is decided in the core.

mod api_token;
pub mod backend;
pub mod bus;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod exit;
pub mod frontend;
mod importing;
pub mod local;
pub mod logging;
pub mod manager;
pub mod metrics;
pub mod plan;
pub mod remote;
pub mod rest;
pub mod site;
pub mod sources;
pub mod table;
pub mod takeover;
pub mod validate;
