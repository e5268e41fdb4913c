//! A process of a world: a future that can die at any point at which it waits, stand still, and be started again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use super::wires::Driven;

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

/// A process.
#[derive(Default)]
pub(super) struct Process {
    running: Option<Driven>,
    flag: Arc<Flag>,
    /// It dies after so many more polls, and is then down for so long.
    dies_after: Option<(u64, Duration)>,
    is_frozen: bool,
    polls: u64,
}

impl Process {
    /// Starts it, with nothing left of an earlier life.
    pub(super) fn start(&mut self, life: impl Future<Output = ()> + Send + 'static) {
        self.running = Some(Box::pin(life));
        self.flag = Flag::raised();
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Lets it die after so many more polls, to be started again after a while.
    pub(super) fn doom(&mut self, polls: u64, down: Duration) {
        self.dies_after = Some((polls, down));
    }

    /// Lets it stand still.
    pub(super) fn freeze(&mut self) {
        self.is_frozen = true;
    }

    /// Lets it go on after it stood still.
    pub(super) fn thaw(&mut self) {
        self.is_frozen = false;
    }

    /// Forgets what was to happen to it.
    pub(super) fn spare(&mut self) {
        self.dies_after = None;
        self.is_frozen = false;
    }

    /// Returns how often it was polled, in all its lives.
    pub(super) fn polls(&self) -> u64 {
        self.polls
    }

    /// Says whether it runs and does not stand still.
    pub(super) fn is_up(&self) -> bool {
        self.running.is_some() && !self.is_frozen
    }

    /// Says whether it wants to go on.
    pub(super) fn is_ready(&self) -> bool {
        self.is_up() && self.flag.is_raised()
    }

    /// Lets it go on until it waits. If it dies, returns for how long it is down.
    pub(super) fn go_on(&mut self) -> Option<Duration> {
        let running = self.running.as_mut()?;
        if let Some((0, down)) = self.dies_after {
            self.spare();
            self.running = None;
            return Some(down);
        }
        self.dies_after = self.dies_after.map(|(left, down)| (left - 1, down));
        self.polls += 1;
        self.flag.lower();
        let waker = Waker::from(Arc::clone(&self.flag));
        if running.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.running = None;
        }
        None
    }
}
