//! Taking over from an original service: the builds of its database become ours, with their ids.

mod arrival;
mod dump;
mod records;

pub use arrival::arrive;
pub use dump::Dump;
pub use records::{Unusable, records};
