//! A PDC for tests.

mod accept;
mod answer;
mod asked;
mod faults;
mod modules;
mod pages;
mod python;
mod query;
mod rows;
mod seen;
mod setup;
mod shared;
mod state;

pub use faults::{Faults, Rule, Trouble};
pub use rows::{Dependency, NewRow, Package, Row};
pub use seen::Seen;
pub use setup::{Flavour, Rights, Setup, User};
