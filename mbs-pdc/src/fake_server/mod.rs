//! A PDC for tests.

mod faults;
mod rows;
mod seen;
mod setup;

pub use faults::{Faults, Rule, Trouble};
pub use rows::{Dependency, NewRow, Package, Row};
pub use seen::Seen;
pub use setup::{Flavour, Rights, Setup, User};
