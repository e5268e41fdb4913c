//! How much was asked of a hub.

use std::time::Duration;

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A call without session.
    Read,
    /// A call in a session.
    Write,
    /// A login or a renewal.
    Login,
    /// A part of a file.
    Upload,
}

/// Counts of HTTP requests since the hub was made. Each attempt counts; a multicall is one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Calls without session.
    pub reads: u64,
    /// Calls in a session.
    pub writes: u64,
    /// Logins and renewals.
    pub logins: u64,
    /// Parts of files.
    pub uploads: u64,
    /// Those of all these that repeated an earlier request.
    pub repeated: u64,
    /// Those that brought no answer of the hub: no connection, none in time, or another server's words.
    pub failed: u64,
    /// Those that brought a fault.
    pub faults: u64,
    /// Length of all bodies sent.
    pub bytes_sent: u64,
    /// Length of all bodies read, unpacked.
    pub bytes_received: u64,
    /// How long all requests took together.
    pub total: Duration,
    /// How long the longest took.
    pub longest: Duration,
}

impl Figures {
    /// Returns the number of requests of every kind.
    pub fn requests(&self) -> u64 {
        self.reads + self.writes + self.logins + self.uploads
    }

    pub(super) fn count_sent(&mut self, kind: Kind, is_repeat: bool, bytes: u64) {
        let count = match kind {
            Kind::Read => &mut self.reads,
            Kind::Write => &mut self.writes,
            Kind::Login => &mut self.logins,
            Kind::Upload => &mut self.uploads,
        };
        *count += 1;
        self.repeated += u64::from(is_repeat);
        self.bytes_sent += bytes;
    }

    pub(super) fn count_answered(&mut self, took: Duration, bytes: u64) {
        self.bytes_received += bytes;
        self.total += took;
        self.longest = self.longest.max(took);
    }
}
