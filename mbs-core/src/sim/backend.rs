//! A backend process of a world: the real engine on a clock of its own; it can die, stand still, and be started again.

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;

use super::scenario::BackendScript;
use super::wires::Driven;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::memory::ManualClock;
use crate::store::WorkerId;

/// Remembers that somebody has to be polled.
#[derive(Debug, Default)]
pub(super) struct Flag(AtomicBool);

impl Flag {
    pub(super) fn raised() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    pub(super) fn lower(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    pub(super) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Wakes an engine that sleeps.
#[derive(Debug, Default)]
pub(super) struct Bell(Mutex<(bool, Option<Waker>)>);

impl Bell {
    pub(super) fn ring(&self) {
        let waker = {
            let mut inner = self.0.lock().expect("nothing panics while it holds a bell");
            inner.0 = true;
            inner.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    async fn rung(self: Arc<Self>) {
        poll_fn(|context| {
            let mut inner = self.0.lock().expect("nothing panics while it holds a bell");
            if std::mem::take(&mut inner.0) {
                return Poll::Ready(());
            }
            inner.1 = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// A clock that began elsewhere and runs a little fast or slow.
#[derive(Debug)]
pub(super) struct OwnClock {
    world: Arc<ManualClock>,
    ahead: Duration,
    rate: f64,
}

impl OwnClock {
    fn new(world: Arc<ManualClock>, script: &BackendScript) -> Self {
        Self { world, ahead: script.ahead, rate: 1.0 + f64::from(script.drift_ppm) / 1e6 }
    }
}

#[async_trait]
impl Clock for OwnClock {
    fn reading(&self) -> Duration {
        self.ahead + self.world.reading().mul_f64(self.rate)
    }

    async fn sleep_until(&self, deadline: Duration) {
        // Rounding may wake a nanosecond early; then it sleeps that nanosecond, too.
        while self.reading() < deadline {
            let world = deadline.saturating_sub(self.ahead).div_f64(self.rate);
            let next = self.world.reading() + Duration::from_nanos(1);
            self.world.sleep_until(world.max(next)).await;
        }
    }
}

/// One backend.
pub(super) struct Backend {
    pub(super) place: usize,
    script: BackendScript,
    engine: Engine,
    /// How often it was started.
    lives: u32,
    running: Option<Driven>,
    flag: Arc<Flag>,
    pub(super) bell: Arc<Bell>,
    /// It dies after so many more polls.
    dies_after: Option<u64>,
    pub(super) is_frozen: bool,
    polls: u64,
}

impl Backend {
    /// Makes one that is not started yet. The engine's clock and worker are replaced by its own.
    pub(super) fn new(place: usize, script: BackendScript, engine: Engine, world: Arc<ManualClock>) -> Self {
        let clock = Arc::new(OwnClock::new(world, &script));
        let engine = Engine { clock, looks_at_once: script.looks_at_once, ..engine };
        Self {
            place,
            script,
            engine,
            lives: 0,
            running: None,
            flag: Flag::raised(),
            bell: Arc::default(),
            dies_after: None,
            is_frozen: false,
            polls: 0,
        }
    }

    pub(super) fn is_off(&self) -> bool {
        self.script.ahead > Duration::ZERO || self.script.drift_ppm != 0
    }

    /// Starts it, as a new process.
    pub(super) fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        self.lives += 1;
        let worker = WorkerId(self.name());
        let engine = Engine { worker, ..self.engine.clone() };
        let bell = Arc::clone(&self.bell);
        self.running = Some(Box::pin(async move {
            engine.run(|| Arc::clone(&bell).rung(), pending()).await;
        }));
        self.flag = Flag::raised();
    }

    /// Returns the name of its present life.
    pub(super) fn name(&self) -> String {
        format!("backend{}.{}", self.place + 1, self.lives)
    }

    pub(super) fn is_alive(&self) -> bool {
        self.running.is_some()
    }

    /// Lets it die after so many more polls.
    pub(super) fn doom(&mut self, polls: u64) {
        self.dies_after = Some(polls);
    }

    /// Forgets that it was to die.
    pub(super) fn spare(&mut self) {
        self.dies_after = None;
        self.is_frozen = false;
    }

    /// Returns how often it was polled, in all its lives: the number of points at which it could have died.
    pub(super) fn polls(&self) -> u64 {
        self.polls
    }

    /// Says whether it wants to go on.
    pub(super) fn is_ready(&self) -> bool {
        self.running.is_some() && !self.is_frozen && self.flag.is_raised()
    }

    /// Lets it go on until it waits. Says whether it died.
    pub(super) fn go_on(&mut self) -> bool {
        let Some(running) = &mut self.running else { return false };
        if self.dies_after == Some(0) {
            self.dies_after = None;
            self.running = None;
            return true;
        }
        self.dies_after = self.dies_after.map(|left| left - 1);
        self.polls += 1;
        self.flag.lower();
        let waker = Waker::from(Arc::clone(&self.flag));
        let ended = running.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if ended {
            self.running = None;
        }
        ended
    }
}
