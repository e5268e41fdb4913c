//! What the tests of this crate share: real programs where the machine has them.

use std::path::Path;

use crate::programs::{Program, Programs};
use crate::sandbox::Sandbox;

/// Returns a working sandbox, or `None` after saying why there is none.
///
/// Panics instead when the environment says that nothing may be left out.
pub(crate) async fn sandbox(scratch: &Path) -> Option<Sandbox> {
    match Sandbox::probe(&Programs::of_machine(), scratch).await {
        Ok(sandbox) => Some(sandbox),
        Err(error) => left_out(&error.to_string()),
    }
}

/// Says that a test is left out, and why.
pub(crate) fn left_out<T>(why: &str) -> Option<T> {
    assert!(std::env::var_os("MBS_REFERENCE_REQUIRED").is_none(), "{why}");
    println!("left out: {why}");
    None
}

/// Returns the programs if these are installed, or `None` after saying what is missing.
///
/// Panics instead when the environment says that nothing may be left out.
pub(crate) fn programs(needed: &[Program]) -> Option<Programs> {
    let programs = Programs::of_machine();
    match programs.require(needed) {
        Ok(()) => Some(programs),
        Err(lacking) => left_out(&lacking.to_string()),
    }
}
