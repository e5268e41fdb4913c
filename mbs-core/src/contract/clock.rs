//! The suite of [`Clock`].

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::poll_immediate;

use super::promise::{Promise, Verdict, holds, promises, run};
use super::{Broken, Kept};
use crate::clock::Clock;

/// A clock, and its time.
#[async_trait]
pub trait ClockGround: Send + Sync + 'static {
    /// The clock under test, the same each time.
    fn clock(&self) -> &dyn Clock;

    /// Lets so much time pass, or a little more: for a real clock, waits.
    async fn pass(&self, time: Duration);
}

/// Tries every promise of [`Clock`], each on what `make` gives. Less than two seconds pass.
///
/// # Errors
/// `Broken` names the promises that were broken.
pub async fn clock<G: ClockGround, F: Future<Output = G>>(make: impl Fn() -> F) -> Result<Kept, Broken> {
    run("Clock", PROMISES, make, |ground: &G| ground as &dyn ClockGround).await
}

const PROMISES: &[Promise<dyn ClockGround>] = promises![Bench:
    keeping::the_reading_goes_on_as_time_passes,
    keeping::a_sleep_until_a_deadline_that_is_reached_ends_at_once,
    keeping::a_sleep_ends_when_its_deadline_is_reached_and_not_before,
    keeping::sleeps_do_not_disturb_each_other,
];

struct Bench<'a> {
    ground: &'a dyn ClockGround,
    clock: &'a dyn Clock,
}

impl<'a> Bench<'a> {
    fn on(ground: &'a dyn ClockGround) -> Self {
        Self { ground, clock: ground.clock() }
    }
}

/// A step that real clocks measure well.
const STEP: Duration = Duration::from_millis(100);

mod keeping {
    use super::{Bench, STEP, Verdict, holds, pin, poll_immediate};

    /// `reading`: the time since the clock's zero; it never goes back.
    pub(super) async fn the_reading_goes_on_as_time_passes(bench: &Bench<'_>) -> Verdict {
        let first = bench.clock.reading();
        holds(bench.clock.reading() >= first, "the reading never goes back")?;
        bench.ground.pass(STEP).await;
        holds(bench.clock.reading() >= first + STEP, "the reading shows what has passed")
    }

    /// `sleep_until`: at once if the reading has reached the deadline.
    pub(super) async fn a_sleep_until_a_deadline_that_is_reached_ends_at_once(bench: &Bench<'_>) -> Verdict {
        bench.ground.pass(STEP).await;
        for deadline in [bench.clock.reading(), bench.clock.reading() - STEP, Default::default()] {
            bench.clock.sleep_until(deadline).await;
        }
        Ok(())
    }

    /// `sleep_until`: returns when the reading has reached the deadline.
    pub(super) async fn a_sleep_ends_when_its_deadline_is_reached_and_not_before(
        bench: &Bench<'_>,
    ) -> Verdict {
        let deadline = bench.clock.reading() + 3 * STEP;
        let mut sleep = pin!(bench.clock.sleep_until(deadline));
        holds(poll_immediate(sleep.as_mut()).await.is_none(), "a sleep lasts")?;
        bench.ground.pass(STEP).await;
        holds(poll_immediate(sleep.as_mut()).await.is_none(), "a sleep does not end early")?;
        bench.ground.pass(2 * STEP).await;
        sleep.await;
        holds(bench.clock.reading() >= deadline, "a sleep has reached its deadline when it ends")
    }

    /// Clocks are shared: each sleep has a deadline of its own, and one that is dropped is forgotten.
    pub(super) async fn sleeps_do_not_disturb_each_other(bench: &Bench<'_>) -> Verdict {
        let now = bench.clock.reading();
        let mut long = pin!(bench.clock.sleep_until(now + 10 * STEP));
        {
            let mut dropped = pin!(bench.clock.sleep_until(now + STEP));
            holds(poll_immediate(dropped.as_mut()).await.is_none(), "a sleep lasts")?;
        }
        let mut short = pin!(bench.clock.sleep_until(now + 2 * STEP));
        holds(poll_immediate(long.as_mut()).await.is_none(), "the long sleep lasts")?;
        holds(poll_immediate(short.as_mut()).await.is_none(), "the short sleep lasts")?;
        bench.ground.pass(2 * STEP).await;
        short.await;
        holds(poll_immediate(long.as_mut()).await.is_none(), "the long sleep outlasts the short one")
    }
}
