//! How long to wait before the next connection.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The pause after the first failure; each further one doubles it.
const FIRST: Duration = Duration::from_millis(100);

/// The longest pause: short, for whoever calls us has pauses of their own, and keeps no broker from being found again.
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that grow with each failure in a row.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    tries: u32,
    until: Option<Instant>,
}

impl Pauses {
    /// Waits until it may be tried again.
    pub(crate) async fn wait(&self) {
        if let Some(until) = self.until {
            sleep_until(until).await;
        }
    }

    /// Notes a failure.
    pub(crate) fn failed(&mut self) {
        let factor = 1_u32.checked_shl(self.tries.min(16)).unwrap_or(u32::MAX);
        self.until = Some(Instant::now() + FIRST.saturating_mul(factor).min(LONGEST));
        self.tries = self.tries.saturating_add(1);
    }

    /// Notes that all is well.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_up_to_a_bound_and_a_success_ends_them() {
        let mut pauses = Pauses::default();
        let mut waited = Vec::new();
        for _ in 0..40 {
            let began = Instant::now();
            pauses.wait().await;
            waited.push(began.elapsed());
            pauses.failed();
        }
        assert_eq!(waited[0], Duration::ZERO);
        assert!(waited[1] >= FIRST && waited.is_sorted(), "{waited:?}");
        assert!(waited[39].abs_diff(LONGEST) < Duration::from_millis(5), "{waited:?}");
        pauses.succeeded();
        let began = Instant::now();
        pauses.wait().await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
