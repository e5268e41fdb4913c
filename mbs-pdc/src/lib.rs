//! The Product Definition Center, as the module build service meets it.
//!
//! PDC is an inventory behind HTTP and JSON. Modules that may be required can be found there, modules that nothing builds are
//! entered there by hand, and what was built can be recorded there. What PDC's fields mean is written here; what a module is,
//! and which build is chosen, is `mbs-core`'s.

#[cfg(feature = "fake-server")]
pub mod fake_server;
