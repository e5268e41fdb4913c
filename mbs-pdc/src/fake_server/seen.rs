//! What was asked, in order.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// How many requests are remembered: a server that runs for days must not fill the memory.
const REMEMBERED: usize = 100_000;

/// A request that came in.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The whole path, as it was sent.
    pub path: String,
    /// The query, decoded, in the order in which it was sent.
    pub query: Vec<(String, String)>,
    /// The body; `Null`: there was none, or it was no JSON.
    pub body: Value,
    /// Whether there were credentials, good or bad.
    pub has_credentials: bool,
    /// Whose the credentials were; `None`: nobody's who may do anything.
    pub user: Option<String>,
    /// The reason that was given for the change.
    pub comment: Option<String>,
    /// The status of the answer; `None`: none has gone out, or not yet.
    pub status: Option<u16>,
}

/// What was asked since the start or the last reset.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    seen: VecDeque<Seen>,
    /// How many have been forgotten, by a reset or for want of room.
    forgotten: usize,
    under_way: usize,
    most: usize,
}

impl Ledger {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves what was noted.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a request is under way until what is returned is dropped.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        let mut inner = self.inner();
        inner.under_way += 1;
        inner.most = inner.most.max(inner.under_way);
        UnderWay { ledger: self }
    }

    /// Notes what a request asks, and returns its number.
    pub(super) fn note(&self, seen: Seen) -> usize {
        let mut inner = self.inner();
        if inner.seen.len() == REMEMBERED {
            inner.seen.pop_front();
            inner.forgotten += 1;
        }
        inner.seen.push_back(seen);
        inner.forgotten + inner.seen.len() - 1
    }

    /// Notes the status that a request has got.
    pub(super) fn answered(&self, number: usize, status: u16) {
        let mut inner = self.inner();
        let place = number.checked_sub(inner.forgotten);
        if let Some(seen) = place.and_then(|place| inner.seen.get_mut(place)) {
            seen.status = Some(status);
        }
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.inner().seen.iter().cloned().collect()
    }

    pub(super) fn most(&self) -> usize {
        self.inner().most
    }

    pub(super) fn reset(&self) {
        let mut inner = self.inner();
        inner.forgotten += inner.seen.len();
        inner.seen.clear();
        inner.most = inner.under_way;
    }
}

/// A request that is under way.
pub(super) struct UnderWay<'l> {
    ledger: &'l Ledger,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.ledger.inner().under_way -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_outlives_a_reset_is_still_under_way() {
        let ledger = Ledger::default();
        let first = ledger.begin();
        drop(ledger.begin());
        assert_eq!(ledger.most(), 2);
        ledger.reset();
        assert_eq!(ledger.most(), 1);
        drop(first);
        ledger.reset();
        assert_eq!(ledger.most(), 0);
    }
}
