//! How much was asked of a PDC.

use std::time::Duration;

/// Counts of HTTP requests since the client was made. Each attempt and each page counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Those that change nothing.
    pub reads: u64,
    /// Those that may change something.
    pub writes: u64,
    /// Those of both that repeated an earlier one.
    pub repeated: u64,
    /// Those that brought no answer of a PDC, or a refusal.
    pub failed: u64,
    /// Length of all bodies read, unpacked.
    pub bytes_received: u64,
    /// How long all requests took together.
    pub total: Duration,
}

impl Figures {
    /// Returns the number of requests of both kinds.
    pub fn requests(&self) -> u64 {
        self.reads + self.writes
    }

    pub(super) fn add(&mut self, more: Self) {
        self.reads += more.reads;
        self.writes += more.writes;
        self.repeated += more.repeated;
        self.failed += more.failed;
        self.bytes_received += more.bytes_received;
        self.total += more.total;
    }
}
