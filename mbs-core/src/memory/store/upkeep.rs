//! Settings, and what time sweeps away.

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use super::tables::Tables;
use crate::store::{
    AuditEntry, EventNumber, Figures, Retention, Settings, StoreError, Trim, Trimmed, Upkeep, checks,
};

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

    async fn settings_audit(&self) -> Result<Vec<AuditEntry>, StoreError> {
        self.transact(|tables, _| Ok(tables.settings_audit.clone()))
    }

    async fn trim(&self, retention: &Retention, trim: Trim) -> Result<Trimmed, StoreError> {
        self.transact(|tables, _| match trim {
            Trim::Remove => Ok(tables.trim(retention)),
            Trim::Count => Ok(tables.clone().trim(retention)),
        })
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.transact(|tables, now| Ok(tables.figures(now)))
    }
}

impl Tables {
    fn change_settings(&mut self, settings: Settings, by: &str, now: Timestamp) {
        let what = checks::describe(&self.settings, &settings);
        self.settings_audit.push(AuditEntry { at: now, by: by.to_owned(), what });
        self.generation += 1;
        let drain_ends = self.settings.draining && !settings.draining;
        self.waking_line(None, now, |tables| tables.settings = settings);
        if drain_ends {
            self.wake_all(&self.held_by_drain(), now);
        }
    }

    fn trim(&mut self, retention: &Retention) -> Trimmed {
        let mut gone = Trimmed::default();
        for row in self.rows.all_mut() {
            gone.log += drop_older(&mut row.log, retention.log, |line| line.at);
            gone.audit += drop_older(&mut row.audit, retention.audit, |entry| entry.at);
        }
        gone.audit += drop_older(&mut self.settings_audit, retention.audit, |entry| entry.at);
        if let Some(before) = retention.keys {
            let had = self.keys.len();
            self.keys.retain(|_, key| key.at >= before);
            gone.keys = (had - self.keys.len()) as u64;
        }
        if let Some(before) = retention.events {
            gone.events = self.trim_events(before);
        }
        if gone.all() > 0 {
            self.generation += 1;
        }
        gone
    }

    /// Removes events that every sink has. While no sink is known nobody has any, and all are kept.
    fn trim_events(&mut self, before: Timestamp) -> u64 {
        let positions = &self.positions;
        let is_delivered =
            |number: EventNumber| !positions.is_empty() && positions.values().all(|sink| sink.has(number));
        let had = self.events.len();
        self.events.retain(|number, event| event.transition.at >= before || !is_delivered(*number));
        (had - self.events.len()) as u64
    }
}

fn drop_older<T>(rows: &mut Vec<T>, before: Option<Timestamp>, at: impl Fn(&T) -> Timestamp) -> u64 {
    let had = rows.len();
    rows.retain(|row| before.is_none_or(|before| at(row) >= before));
    (had - rows.len()) as u64
}
