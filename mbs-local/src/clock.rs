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
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sleeper_wakes_when_the_reading_has_reached_its_deadline() {
        let clock = SystemClock::new();
        clock.sleep_until(Duration::from_secs(3600)).await;
        assert_eq!(clock.reading(), Duration::from_secs(3600));
        clock.sleep_until(Duration::from_secs(1)).await;
        assert_eq!(clock.reading(), Duration::from_secs(3600));
    }
}
