//! A backend of a world: the real engine and listener, on a clock of its own.

use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join;

use super::mortal::Process;
use super::scenario::BackendScript;
use crate::bus::Hint;
use crate::clock::Clock;
use crate::engine::{Engine, Listener};
use crate::memory::{ManualClock, MemoryBus};
use crate::store::WorkerId;

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

    pub(super) async fn rung(self: Arc<Self>) {
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
    place: usize,
    script: BackendScript,
    engine: Engine,
    /// How often it was started.
    lives: u32,
    pub(super) process: Process,
    /// Wakes the engine.
    pub(super) bell: Arc<Bell>,
    /// Its end of the message bus; messages are lost while it is down.
    bus: Arc<MemoryBus>,
}

impl Backend {
    /// Makes one that is not started yet. The engine's clock and worker are replaced by its own.
    pub(super) fn new(place: usize, script: BackendScript, engine: Engine, world: Arc<ManualClock>) -> Self {
        let clock = Arc::new(OwnClock::new(world, &script));
        let engine = Engine { clock, looks_at_once: script.looks_at_once, ..engine };
        let (process, bell, bus) = (Process::default(), Arc::default(), Arc::default());
        Self { place, script, engine, lives: 0, process, bell, bus }
    }

    pub(super) fn is_off(&self) -> bool {
        self.script.ahead > Duration::ZERO || self.script.drift_ppm != 0
    }

    /// Starts it, as a new process.
    pub(super) fn start(&mut self) {
        if self.process.is_running() {
            return;
        }
        self.lives += 1;
        let engine = Engine { worker: WorkerId(self.name()), ..self.engine.clone() };
        let (bell, bus) = (Arc::clone(&self.bell), self.bus.clone());
        let listener = Listener {
            bus,
            store: engine.store.clone(),
            clock: engine.clock.clone(),
            policy: engine.policy.clone(),
        };
        self.process.start(async move {
            let working = engine.run(|| Arc::clone(&bell).rung(), pending());
            join(working, listener.run(|| bell.ring(), pending())).await;
        });
    }

    /// Returns the name of its present life.
    pub(super) fn name(&self) -> String {
        format!("backend{}.{}", self.place + 1, self.lives)
    }

    /// Lets a message arrive; one that is down misses it.
    pub(super) fn hear(&self, hint: Hint) {
        if self.process.is_running() {
            self.bus.push([hint]);
        }
    }
}
