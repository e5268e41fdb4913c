//! How many messages of each kind came.

use super::{Heard, Ignored};

/// Numbers of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Messages that gave a hint.
    pub hints: u64,
    /// Messages in order that were of no use.
    pub ignored: u64,
    /// Events of the build system that are not known here.
    pub unknown: u64,
    /// Messages that were none of Koji's.
    pub malformed: u64,
}

impl Tally {
    /// Counts a message.
    pub fn count(&mut self, heard: &Heard) {
        let number = match heard {
            Heard::Hint(_) => &mut self.hints,
            Heard::Ignored(Ignored::Unknown) => &mut self.unknown,
            Heard::Ignored(_) => &mut self.ignored,
            Heard::Malformed(_) => &mut self.malformed,
        };
        *number = number.saturating_add(1);
    }

    /// Returns how many messages came.
    pub fn total(&self) -> u64 {
        self.hints.saturating_add(self.ignored).saturating_add(self.unknown).saturating_add(self.malformed)
    }
}
