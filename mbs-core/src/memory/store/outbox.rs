//! Events on their way out: each sink has its own position.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::tables::{Position, Seat, Tables};
use super::{MemoryStore, later};
use crate::store::checks::rejected;
use crate::store::{Delivery, EventNumber, Outbox, Sink, StateChange, StoreError, WorkerId};

#[async_trait]
impl Outbox for MemoryStore {
    async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError> {
        self.transact(|tables, _| {
            tables.know(sink);
            Ok(tables.undelivered(sink).take(n).collect())
        })
    }

    async fn ack(&self, sink: &Sink, events: &[EventNumber]) -> Result<(), StoreError> {
        self.transact(|tables, _| {
            if let Some(unknown) = events.iter().find(|number| number.0 > tables.last_event) {
                return Err(rejected(format!("there is no event {}", unknown.0)));
            }
            tables.know(sink);
            tables.acknowledge(sink, events);
            Ok(())
        })
    }

    async fn hold_seat(
        &self,
        sink: &Sink,
        worker: &WorkerId,
        how_long: Duration,
    ) -> Result<bool, StoreError> {
        self.transact(|tables, now| {
            let is_free =
                tables.seats.get(sink).is_none_or(|seat| seat.worker == *worker || seat.until <= now);
            if is_free {
                let seat = Seat { worker: worker.clone(), until: later(now, how_long) };
                tables.seats.insert(sink.clone(), seat);
            }
            Ok(is_free)
        })
    }

    async fn published(&self, after: EventNumber, n: usize) -> Result<Vec<Delivery>, StoreError> {
        self.transact(|tables, _| Ok(tables.beyond(after.0).map(delivery).take(n).collect()))
    }

    async fn last_published(&self) -> Result<EventNumber, StoreError> {
        self.transact(|tables, _| Ok(EventNumber(tables.last_event)))
    }
}

impl Position {
    /// Says whether an event was acknowledged.
    pub(super) fn has(&self, number: EventNumber) -> bool {
        number.0 <= self.floor || self.beyond.contains(&number)
    }
}

impl Tables {
    /// Begins a position for a sink that is new: from now on events are kept until it, too, has them.
    fn know(&mut self, sink: &Sink) {
        if !self.positions.contains_key(sink) {
            self.generation += 1;
            let first = self.events.first_key_value().map_or(self.last_event + 1, |(number, _)| number.0);
            self.positions.insert(sink.clone(), Position { floor: first - 1, ..Position::default() });
        }
    }

    /// Returns per build the oldest event that a sink has not acknowledged, by number.
    fn undelivered(&self, sink: &Sink) -> impl Iterator<Item = Delivery> {
        let position = self.positions.get(sink).cloned().unwrap_or_default();
        let mut begun = BTreeSet::new();
        self.beyond(position.floor)
            .filter(move |(number, event)| !position.has(**number) && begun.insert(event.build))
            .map(delivery)
    }

    /// Returns the events beyond a number.
    fn beyond(&self, number: u64) -> impl Iterator<Item = (&EventNumber, &Arc<StateChange>)> {
        self.events
            .range(EventNumber(number.saturating_add(1))..)
            .filter(move |(beyond, _)| beyond.0 > number)
    }

    /// Counts the events that each sink lacks.
    pub(super) fn pending(&self) -> BTreeMap<Sink, u64> {
        let lacking = |position: &Position| {
            self.beyond(position.floor).filter(|(number, _)| !position.has(**number)).count() as u64
        };
        self.positions.iter().map(|(sink, position)| (sink.clone(), lacking(position))).collect()
    }

    fn acknowledge(&mut self, sink: &Sink, events: &[EventNumber]) {
        let Some(position) = self.positions.get_mut(sink) else { return };
        self.generation += 1;
        let floor = position.floor;
        position.beyond.extend(events.iter().filter(|number| number.0 > floor));
        // Numbers that were trimmed away leave gaps, so the next event counts, not the next number.
        for (number, _) in self.events.range(EventNumber(position.floor + 1)..) {
            if !position.beyond.remove(number) {
                break;
            }
            position.floor = number.0;
        }
    }
}

fn delivery((number, event): (&EventNumber, &Arc<StateChange>)) -> Delivery {
    Delivery { number: *number, event: StateChange::clone(event) }
}
