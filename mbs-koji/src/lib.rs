//! Koji for the module build service.
//!
//! Modules stand in the order wire, hub, meaning, trait: `xmlrpc` (values and XML), `hub` (sessions, calls, uploads), `api`
//! (Koji's nouns), and the traits of the core over them. No module decides what is built next.

pub mod api;
pub mod build_system;
pub mod content_generator;
mod digests;
#[cfg(feature = "fake-hub")]
pub mod fake_hub;
pub mod hub;
pub mod messages;
pub mod profile;
pub mod repodata;
pub mod resolver;
pub mod source_rpm;
pub mod xmlrpc;
