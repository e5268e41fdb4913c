//! What `mbs-koji` does against recorded traffic and a fake hub.

mod golden_content_generator;
mod golden_events;
mod golden_meaning;
mod golden_module_rows;
mod golden_wire;
mod recorded;
mod source_rpm;
mod certificates;
mod golden_client;
mod golden_wire;
mod hub;
mod hub_tls;
mod recorded;
mod server;
