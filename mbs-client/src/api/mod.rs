//! What the service calls things: module builds, component builds, messages, and what can be done with them.
//!
//! Types are what the service shows, read leniently: members that are not known here are kept as they are, and what only longer
//! forms of an object have is `None` or empty in shorter ones. What is asked and sent is decided here, how in
//! [`client`](crate::client).

mod about;
mod component_build;
mod component_filter;
mod events;
mod explanation;
mod filter;
mod form;
mod lenient;
mod message;
mod module_build;
mod ordered;
mod plan;
mod strategy;
mod submission;

pub use about::About;
pub use component_build::ComponentBuild;
pub use component_filter::ComponentFilter;
pub use events::{Event, Events};
pub use explanation::Explanation;
pub use filter::{Bases, Filter, Order};
pub use form::Form;
pub use message::{Message, MessagesOf};
pub use module_build::{BaseModule, Buildrequire, ModuleBuild, Task, Trace};
pub use ordered::Ordered;
pub use plan::{PlannedBuild, PlannedBuildrequire, PlannedComponent, Plans};
pub use strategy::RebuildStrategyRow;
pub use submission::{Imported, Source, Submission};
