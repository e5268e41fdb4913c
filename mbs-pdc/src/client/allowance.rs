//! How much an answer may take: time. Waiting for others takes none of it.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::server::Server;

/// What is left of the time of an answer.
#[derive(Debug)]
pub(super) struct Allowance {
    time: Duration,
}

impl Allowance {
    /// Allows one answer.
    pub(super) fn of_answer(server: &Server) -> Self {
        Self { time: server.timeout }
    }

    /// Says whether there is no time left.
    pub(super) fn is_over(&self) -> bool {
        self.time.is_zero()
    }

    /// Does something in the time that is left; `None`: it was not enough.
    pub(super) async fn spend<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let (start, given) = (Instant::now(), self.time);
        let came = timeout(given, work).await.ok();
        let taken = if came.is_some() { start.elapsed() } else { given };
        self.time = given.saturating_sub(taken);
        came
    }
}
