//! Between modules: how many slots there are, and who gets the free ones.
//!
//! Decides whom a free slot is for, how many of the free ones a build may take, who is to be told of them, and how far the
//! limit is lowered while the build system is strained. Never asks who needs a slot: a build says that itself, by its
//! [`Line`](crate::model::Line).
//!
//! A store keeps the line as an index of [`PlaceInLine`] and shows each look its head. Whoever stands so near to the front
//! that a free slot is left for it may take one ([`grant`]), and only those are woken ([`first_in_line`]): the two agree, so
//! that no slot stays free while somebody could use it, and nobody is woken for nothing.
//!
//! The limit is what operators set, or what it is lowered to: every look tells how the build system bore it ([`adapt`]).

mod line;
mod throttle;

pub(crate) use line::microseconds;
pub use line::{PlaceInLine, first_in_line, free, grant, head, place_in_line};
pub use throttle::{Throttle, adapt};
