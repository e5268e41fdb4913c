//! A client of the module build service, over its REST interface; of ours and of the original alike.
//!
//! Modules stand in the order settings, who we are, client, nouns: `server` (which service), `login` (tokens and tickets),
//! `client` (requests and answers), `api` (what the service calls things). What is built, and when, is decided by the service.

pub mod api;
pub mod client;
#[cfg(feature = "fake-server")]
pub mod fake_server;
pub mod login;
pub mod server;
