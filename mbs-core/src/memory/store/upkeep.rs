//! Settings, and what time sweeps away.

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use super::tables::Tables;
use crate::store::{AuditEntry, EventNumber, Settings, StoreError, Upkeep};

#[async_trait]
impl Upkeep for MemoryStore {
    async fn settings(&self) -> Result<Settings, StoreError> {
        self.transact(|tables, _| Ok(tables.settings.clone()))
    }

    async fn change_settings(&self, settings: Settings, by: &str) -> Result<(), StoreError> {
        self.transact(|tables, now| {
            tables.change_settings(settings, by, now);
            Ok(())
        })
    }

    async fn trim(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.transact(|tables, _| Ok(tables.trim(before)))
    }
}

impl Tables {
    fn change_settings(&mut self, settings: Settings, by: &str, now: Timestamp) {
        let what = describe(&self.settings, &settings);
        self.settings_audit.push(AuditEntry { at: now, by: by.to_owned(), what });
        self.generation += 1;
        let drain_ends = self.settings.draining && !settings.draining;
        self.waking_line(None, now, |tables| tables.settings = settings);
        if drain_ends {
            self.wake_all(&self.held_by_drain(), now);
        }
    }

    fn trim(&mut self, before: Timestamp) -> u64 {
        let mut gone = 0;
        for row in self.rows.all_mut() {
            let had = row.log.len();
            row.log.retain(|line| line.at >= before);
            gone += had - row.log.len();
        }
        let had = self.keys.len();
        self.keys.retain(|_, key| key.at >= before);
        gone += had - self.keys.len();
        gone += self.trim_events(before);
        if gone > 0 {
            self.generation += 1;
        }
        gone as u64
    }

    /// Removes events that every sink has. While no sink is known nobody has any, and all are kept.
    fn trim_events(&mut self, before: Timestamp) -> usize {
        let positions = &self.positions;
        let is_delivered =
            |number: EventNumber| !positions.is_empty() && positions.values().all(|sink| sink.has(number));
        let had = self.events.len();
        self.events.retain(|number, event| event.transition.at >= before || !is_delivered(*number));
        had - self.events.len()
    }
}

fn describe(was: &Settings, now: &Settings) -> String {
    let limit = |settings: &Settings| settings.limit.map_or("none".to_owned(), |limit| limit.to_string());
    let mut changes = Vec::new();
    if was.limit != now.limit {
        changes.push(format!("limit from {} to {}", limit(was), limit(now)));
    }
    if was.paused != now.paused {
        changes.push(format!("paused from {} to {}", was.paused, now.paused));
    }
    if was.draining != now.draining {
        changes.push(format!("draining from {} to {}", was.draining, now.draining));
    }
    if changes.is_empty() { "changed nothing".to_owned() } else { format!("changed {}", changes.join(", ")) }
}
