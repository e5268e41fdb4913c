//! A PDC for tests.

mod faults;
mod python;
mod rows;
mod seen;
mod setup;
mod state;

pub use faults::{Faults, Rule, Trouble};
pub use rows::{Dependency, NewRow, Package, Row};
pub use seen::Seen;
pub use setup::{Flavour, Rights, Setup, User};
