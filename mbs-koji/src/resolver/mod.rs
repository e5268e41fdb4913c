//! Modules from a Koji tag: which of the module builds tagged there, or inherited, are candidates.
//!
//! Only the decisions are here; nothing is asked. Inheritance says which builds are compatible. Source: behaviour, section 4,
//! "Modules from a Koji tag".

mod choose;
mod row;

pub use choose::{StrangeTag, choose, without_twins};
pub use row::{NotAModule, TaggedModule};
