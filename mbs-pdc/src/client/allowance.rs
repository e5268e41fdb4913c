//! How much an answer may take: time and bytes. Waiting for others takes none of it.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::server::Server;

/// A list in pages may take so many times the time of an answer.
const LIST_TIMES: u32 = 5;

/// What is left of the time and the bytes of an answer.
#[derive(Debug)]
pub(super) struct Allowance {
    /// Of the answer, or of the page.
    time: Duration,
    /// Of all pages of a list.
    time_of_all: Duration,
    /// Of all pages of a list; of one answer if it is none.
    bytes: u64,
}

impl Allowance {
    /// Allows one answer.
    pub(super) fn of_answer(server: &Server) -> Self {
        Self { time: server.timeout, time_of_all: server.timeout, bytes: server.max_answer_bytes }
    }

    /// Allows a list, which may come in pages.
    pub(super) fn of_list(server: &Server) -> Self {
        Self { time_of_all: server.timeout.saturating_mul(LIST_TIMES), ..Self::of_answer(server) }
    }

    /// Allows the next page of a list as much time as an answer has; if less is left of the list's, that.
    pub(super) fn turn_page(&mut self, server: &Server) {
        self.time = server.timeout.min(self.time_of_all);
    }

    /// Says whether there is no time left.
    pub(super) fn is_over(&self) -> bool {
        self.time.is_zero()
    }

    /// Returns how many bytes may come.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes away the bytes that have come.
    pub(super) fn take_bytes(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Does something in the time that is left; `None`: it was not enough.
    pub(super) async fn spend<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let (start, given) = (Instant::now(), self.time);
        let came = timeout(given, work).await.ok();
        let taken = if came.is_some() { start.elapsed() } else { given };
        self.time = given.saturating_sub(taken);
        self.time_of_all = self.time_of_all.saturating_sub(taken);
        came
    }
}
