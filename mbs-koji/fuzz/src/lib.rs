//! The modules that are fuzzed, without the rest of their crate.

#[path = "../../src/xmlrpc/mod.rs"]
pub mod xmlrpc;
