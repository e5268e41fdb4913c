//! What passed, in numbers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a bus has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Connections that were made.
    pub connections: u64,
    /// Whether there is a connection that listens.
    pub is_listening: bool,
    /// Messages that the broker confirmed.
    pub published: u64,
    /// Those among them that it gave to no queue.
    pub unrouted: u64,
    /// Messages that it did not take, or did not say so of.
    pub not_taken: u64,
    /// Messages that came.
    pub received: u64,
    /// Those among them that gave a hint.
    pub hints: u64,
    /// Those among them that could not be read.
    pub malformed: u64,
}

/// Counts as we go.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) connections: Count,
    pub(crate) is_listening: AtomicBool,
    pub(crate) published: Count,
    pub(crate) unrouted: Count,
    pub(crate) not_taken: Count,
    pub(crate) received: Count,
    pub(crate) hints: Count,
    pub(crate) malformed: Count,
}

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    /// Adds one, and says whether this is worth a line in the log: the first of its kind is, and then ever fewer.
    pub(crate) fn add(&self) -> bool {
        (self.0.fetch_add(1, Ordering::Relaxed) + 1).is_power_of_two()
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counts {
    /// Returns the numbers of this moment.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            connections: self.connections.read(),
            is_listening: self.is_listening.load(Ordering::Relaxed),
            published: self.published.read(),
            unrouted: self.unrouted.read(),
            not_taken: self.not_taken.read(),
            received: self.received.read(),
            hints: self.hints.read(),
            malformed: self.malformed.read(),
        }
    }
}
