//! The machine's monotonic clock. Nothing here reads the time of day.

use std::time::Duration;

use async_trait::async_trait;
use mbs_core::clock::Clock;
use tokio::time::Instant;

/// Counts from when it was made; suspended machines may stop it.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    zero: Instant,
}

impl SystemClock {
    /// Starts at zero.
    pub fn new() -> Self {
        Self { zero: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn reading(&self) -> Duration {
        self.zero.elapsed()
    }

    async fn sleep_until(&self, deadline: Duration) {
        tokio::time::sleep_until(self.zero + deadline).await;
    }
}

#[cfg(test)]
mod tests {
    use mbs_core::contract::{ClockGround, clock};

    use super::*;

    #[async_trait]
    impl ClockGround for SystemClock {
        fn clock(&self) -> &dyn Clock {
            self
        }

        async fn pass(&self, time: Duration) {
            tokio::time::sleep(time).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_contract_of_clocks_is_kept() {
        let kept = clock(async || SystemClock::new()).await.unwrap();
        assert!(kept.left_out.is_empty(), "{kept}");
    }
}
