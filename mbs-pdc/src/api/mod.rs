//! PDC's nouns: entries of modules with their packages, branches of components, and who we are.
//!
//! What PDC's fields are called and how they are read and written stands here; [`client`](crate::client) sends it. Which entry
//! is chosen is decided elsewhere.

mod branch;
mod change;
mod entries;
mod entry;
mod face;
mod filter;
mod new_entry;
mod package;
mod row;

pub use branch::{Branch, branch_request, branches};
pub use change::Change;
pub use entries::Entries;
pub use entry::{Dependency, Entry, NO_CONTEXT};
pub use face::Face;
pub use filter::Filter;
pub use new_entry::NewEntry;
pub use package::NewPackage;
