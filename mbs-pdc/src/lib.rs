//! The Product Definition Center, as the module build service meets it.
//!
//! PDC is an inventory behind HTTP and JSON. Modules that may be required can be found there, modules that nothing builds are
//! entered there by hand, and what was built can be recorded there. Modules stand in the order settings, client, meaning, trait:
//! `server` (which PDC), `client` (requests and answers), `api` (PDC's nouns), and what the core knows over them. What a module
//! is, and which build is chosen, is `mbs-core`'s.

pub mod api;
pub mod client;
#[cfg(feature = "fake-server")]
pub mod fake_server;
pub mod resolver;
pub mod server;
pub mod updater;
