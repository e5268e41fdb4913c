//! This machine for the module build service: git as source control, `rpmbuild` or mock as build system, local repositories.
//!
//! Modules stand in the order wire, client, meaning, trait: programs and how they are run (`programs`, `process`,
//! `supervise`, `sandbox`), what is built with them (`buildroot`, `srpm`, `rpmbuild`, `mock`, `repo`), and the traits of the core
//! (`build_system`, `git`, `clock`). No module decides what is built next; none runs text from outside.

pub mod build_log;
pub mod build_system;
pub mod buildroot;
pub mod clock;
pub mod error;
pub mod files;
pub mod git;
pub mod headers;
pub mod host_packages;
pub mod leftovers;
pub mod lock;
pub mod mock;
pub mod mock_build;
pub mod module_files;
pub mod modules;
pub mod process;
pub mod programs;
pub mod repo;
pub mod rpmbuild;
pub mod sandbox;
pub mod srpm;
pub mod supervise;

#[cfg(test)]
mod testing;

pub use build_system::{Builder, Checkout, LocalBuildSystem, LocalSettings};
pub use clock::SystemClock;
pub use error::{Lacking, LocalError};
