//! A clock that moves only when it is told to.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Clock;

/// A clock whose reading starts at zero and moves only by [`advance`](Self::advance).
///
/// A program that drives looks by hand polls everything until nothing moves, then advances to
/// [`next_deadline`](Self::next_deadline), and so on.
#[derive(Debug, Default)]
pub struct ManualClock {
    dial: Mutex<Dial>,
}

#[derive(Debug, Default)]
struct Dial {
    reading: Duration,
    /// By deadline, and then who came first.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    last_sleeper: u64,
}

impl ManualClock {
    /// Makes a clock that reads zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the reading forward and wakes whoever's deadline is reached.
    pub fn advance(&self, by: Duration) {
        let until = self.dial().reading.saturating_add(by);
        self.advance_to(until);
    }

    /// Moves the reading forward to a deadline and wakes whoever's deadline is reached; a past one changes nothing.
    pub fn advance_to(&self, deadline: Duration) {
        let woken: Vec<Waker> = {
            let mut dial = self.dial();
            dial.reading = dial.reading.max(deadline);
            let reached = (dial.reading, u64::MAX);
            let later = dial.sleepers.split_off(&reached);
            // Whoever is woken and sleeps on comes back by itself.
            std::mem::replace(&mut dial.sleepers, later).into_values().collect()
        };
        // Outside the lock: a waker may poll at once, and poll reads this clock.
        woken.into_iter().for_each(Waker::wake);
    }

    /// Returns the earliest deadline that somebody sleeps until and that is not reached yet; `None` if there is none.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.dial().sleepers.keys().next().map(|(deadline, _)| *deadline)
    }

    fn dial(&self) -> MutexGuard<'_, Dial> {
        self.dial.lock().expect("nothing panics while it holds the dial")
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn reading(&self) -> Duration {
        self.dial().reading
    }

    async fn sleep_until(&self, deadline: Duration) {
        Sleep { clock: self, deadline, key: None }.await;
    }
}

/// One sleep; dropped early, it leaves no deadline behind.
struct Sleep<'a> {
    clock: &'a ManualClock,
    deadline: Duration,
    key: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut dial = self.clock.dial();
        if dial.reading >= self.deadline {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            dial.last_sleeper += 1;
            dial.last_sleeper
        });
        dial.sleepers.insert((self.deadline, key), context.waker().clone());
        drop(dial);
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.dial().sleepers.remove(&(self.deadline, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;
    use futures_util::stream::{FuturesUnordered, StreamExt};

    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn advancing_wakes_exactly_those_whose_deadline_is_reached() {
        let clock = Arc::new(ManualClock::new());
        let sleeper = |n: u64| {
            let clock = clock.clone();
            async move {
                clock.sleep_until(secs(n)).await;
                n
            }
        };
        // FuturesUnordered polls only what was woken, so a lost wake-up would show.
        let mut sleepers: FuturesUnordered<_> = [sleeper(30), sleeper(10), sleeper(20)].into_iter().collect();
        assert_eq!(sleepers.next().now_or_never(), None);
        assert_eq!(clock.next_deadline(), Some(secs(10)));
        clock.advance(secs(10));
        assert_eq!(sleepers.next().now_or_never(), Some(Some(10)));
        assert_eq!(sleepers.next().now_or_never(), None);
        assert_eq!(clock.next_deadline(), Some(secs(20)));
        clock.advance(secs(100));
        assert_eq!(sleepers.by_ref().collect::<Vec<_>>().now_or_never().unwrap().len(), 2);
    }

    #[test]
    fn a_dropped_sleep_leaves_no_deadline() {
        let clock = ManualClock::new();
        let mut sleep = clock.sleep_until(secs(9));
        assert_eq!((&mut sleep).now_or_never(), None);
        assert_eq!(clock.next_deadline(), Some(secs(9)));
        drop(sleep);
        assert_eq!(clock.next_deadline(), None);
    }
}
