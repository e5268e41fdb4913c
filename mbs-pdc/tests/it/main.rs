//! What `mbs-pdc` does against recorded traffic and a fake server.

#![expect(clippy::unwrap_used, reason = "tests fail for want of anything")]

mod api;
mod client;
#[cfg(feature = "fake-server")]
mod contract;
#[cfg(feature = "fake-server")]
mod fake_server;
#[cfg(feature = "fake-server")]
mod faults;
mod golden_client;
#[cfg(test)]
#[cfg(feature = "fake-server")]
mod golden_expansions;
#[cfg(feature = "fake-server")]
mod golden_server;
#[cfg(feature = "fake-server")]
mod lookups;
#[cfg(feature = "fake-server")]
mod properties;
#[cfg(feature = "fake-server")]
mod raw;
#[cfg(test)]
mod recorded;
mod secrets;
mod server;
mod tls;
mod tokens;
#[cfg(feature = "fake-server")]
mod universe;
#[cfg(feature = "fake-server")]
mod updates;
