//! A client of the module build service, over its REST interface; of ours and of the original alike.
//!
//! Modules stand in the order settings, who we are, client, nouns, trait: `server` (which service), `login` (tokens and
//! tickets), `client` (requests and answers), `api` (what the service calls things), `resolver` (modules that may be required,
//! looked up there). What is built, and when, is decided by the service.

pub mod api;
pub mod client;
#[cfg(feature = "fake-server")]
pub mod fake_server;
pub mod login;
pub mod resolver;
pub mod server;
