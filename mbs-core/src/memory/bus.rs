//! A message bus in memory.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;

use crate::bus::{BusError, Hint, MessageBus};
use crate::ident::BuildId;
use crate::store::StateChange;

/// A bus that keeps what was published and gives the hints it is told.
///
/// It refuses an event that leaves a gap after the build's last one: a correct publisher keeps their order.
#[derive(Debug, Default)]
pub struct MemoryBus {
    wire: Mutex<Wire>,
}

#[derive(Debug, Default)]
struct Wire {
    published: Vec<StateChange>,
    last_seq: BTreeMap<BuildId, u64>,
    hints: Vec<Hint>,
    is_closed: bool,
    outage: Option<String>,
    listeners: Vec<Waker>,
}

impl MemoryBus {
    /// Makes a bus that works.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns everything published so far, in order, repetitions included.
    pub fn published(&self) -> Vec<StateChange> {
        self.wire().published.clone()
    }

    /// Sends hints to whoever listens next; during an outage they are lost.
    pub fn push(&self, hints: impl IntoIterator<Item = Hint>) {
        self.tell(|wire| {
            if wire.outage.is_none() {
                wire.hints.extend(hints);
            }
        });
    }

    /// Closes the bus for good: who listens gets the hints that are left, then nothing.
    pub fn close(&self) {
        self.tell(|wire| wire.is_closed = true);
    }

    /// Breaks the bus: until [`repair`](Self::repair) every call is `Unavailable` for this reason, and hints are lost.
    pub fn break_down(&self, reason: &str) {
        self.tell(|wire| {
            wire.outage = Some(reason.to_owned());
            wire.hints.clear();
        });
    }

    /// Ends an outage.
    pub fn repair(&self) {
        self.tell(|wire| wire.outage = None);
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().expect("nothing panics while it holds the wire")
    }

    fn tell(&self, change: impl FnOnce(&mut Wire)) {
        let listeners = {
            let mut wire = self.wire();
            change(&mut wire);
            std::mem::take(&mut wire.listeners)
        };
        listeners.into_iter().for_each(Waker::wake);
    }

    fn poll_hints(&self, context: &Context<'_>) -> Poll<Result<Vec<Hint>, BusError>> {
        let mut wire = self.wire();
        if let Some(error) = wire.error() {
            return Poll::Ready(Err(error));
        }
        if wire.hints.is_empty() && !wire.is_closed {
            wire.listeners.push(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(std::mem::take(&mut wire.hints)))
    }
}

impl Wire {
    fn error(&self) -> Option<BusError> {
        self.outage.clone().map(|reason| BusError::Unavailable { reason })
    }

    fn publish(&mut self, event: &StateChange) -> Result<(), BusError> {
        let last = self.last_seq.get(&event.build).copied();
        if let Some(last) = last.filter(|last| event.seq > last + 1) {
            let reason = format!(
                "event {} of module build {} came right after its event {last}",
                event.seq, event.build
            );
            return Err(BusError::Unavailable { reason });
        }
        self.last_seq.insert(event.build, event.seq.max(last.unwrap_or(0)));
        self.published.push(event.clone());
        Ok(())
    }
}

#[async_trait]
impl MessageBus for MemoryBus {
    async fn publish(&self, events: &[StateChange]) -> Result<(), BusError> {
        let mut wire = self.wire();
        match wire.error() {
            Some(error) => Err(error),
            None => events.iter().try_for_each(|event| wire.publish(event)),
        }
    }

    async fn hints(&self) -> Result<Vec<Hint>, BusError> {
        poll_fn(|context| self.poll_hints(context)).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::memory::samples::{at, new_build, now_or_panic};
    use crate::model::ModuleBuild;
    use crate::store::Summary;

    fn event(build: i64, seq: u64) -> StateChange {
        let id = BuildId(build);
        let mut record = ModuleBuild::begin(new_build("app:1:1:a"), id, id, at(0));
        let transition = record.life.take_unsaved().remove(0);
        StateChange { build: id, seq, summary: Summary::of(&record), transition }
    }

    #[test]
    fn an_event_that_leaves_a_gap_is_refused() {
        let bus = MemoryBus::new();
        now_or_panic(bus.publish(&[event(7, 1)])).unwrap();
        assert!(now_or_panic(bus.publish(&[event(7, 3)])).is_err());
        assert_eq!(bus.published().len(), 1);
    }

    #[test]
    fn who_listens_waits_for_hints_and_gets_all_at_once() {
        let bus = MemoryBus::new();
        assert_eq!(bus.hints().now_or_never(), None);
        bus.push([Hint::Everything, Hint::Build(BuildId(1))]);
        assert_eq!(now_or_panic(bus.hints()), Ok(vec![Hint::Everything, Hint::Build(BuildId(1))]));
        assert_eq!(bus.hints().now_or_never(), None);
    }

    #[test]
    fn a_listener_is_woken_by_a_hint() {
        use futures_util::stream::{FuturesUnordered, StreamExt};
        let bus = MemoryBus::new();
        let mut listeners: FuturesUnordered<_> = [bus.hints()].into_iter().collect();
        assert_eq!(listeners.next().now_or_never(), None);
        bus.push([Hint::Everything]);
        assert_eq!(listeners.next().now_or_never(), Some(Some(Ok(vec![Hint::Everything]))));
    }

    #[test]
    fn a_closed_bus_gives_what_is_left_and_then_nothing() {
        let bus = MemoryBus::new();
        bus.push([Hint::Everything]);
        bus.close();
        assert_eq!(now_or_panic(bus.hints()), Ok(vec![Hint::Everything]));
        assert_eq!(now_or_panic(bus.hints()), Ok(vec![]));
    }

    #[test]
    fn an_outage_refuses_events_and_loses_hints() {
        let bus = MemoryBus::new();
        bus.push([Hint::Everything]);
        bus.break_down("no route");
        bus.push([Hint::Everything]);
        let error = BusError::Unavailable { reason: "no route".into() };
        assert_eq!(now_or_panic(bus.publish(&[event(1, 1)])), Err(error.clone()));
        assert_eq!(now_or_panic(bus.hints()), Err(error));
        bus.repair();
        assert_eq!(bus.hints().now_or_never(), None);
        assert_eq!(now_or_panic(bus.publish(&[event(1, 1)])), Ok(()));
    }
}
