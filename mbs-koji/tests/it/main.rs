//! What `mbs-koji` does against recorded traffic and a fake hub.

#![expect(clippy::unwrap_used, reason = "tests fail for want of anything")]

mod certificates;
#[cfg(feature = "fake-hub")]
mod contract;
#[cfg(feature = "fake-hub")]
mod external_repositories;
#[cfg(feature = "fake-hub")]
mod fake_hub;
mod golden_client;
mod golden_content_generator;
mod golden_events;
#[cfg(feature = "fake-hub")]
mod golden_hub;
#[cfg(feature = "fake-hub")]
mod golden_hub_messages;
mod golden_meaning;
mod golden_module_rows;
mod golden_wire;
mod hub;
#[cfg(feature = "gssapi")]
mod hub_gssapi;
mod hub_tls;
#[cfg(feature = "fake-hub")]
mod imports;
#[cfg(feature = "fake-hub")]
mod koji_command;
#[cfg(feature = "fake-hub")]
mod races;
#[cfg(test)]
mod recorded;
#[cfg(feature = "fake-hub")]
mod repository_requests;
#[cfg(feature = "fake-hub")]
mod requests;
#[cfg(feature = "fake-hub")]
mod resolver;
#[cfg(feature = "fake-hub")]
mod send;
#[cfg(feature = "fake-hub")]
mod sentences;
mod server;
#[cfg(feature = "fake-hub")]
mod site;
mod source_rpm;
