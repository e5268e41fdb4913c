//! The pure heart of the module build service.

pub mod modulemd;
