//! Settings, and what time sweeps away.

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::store::{AuditEntry, Figures, Retention, Settings, StoreError, Trim, Trimmed, Upkeep, checks};

use crate::SqliteStore;
use crate::error::Outcome;
use crate::line::Terms;
use crate::record::parse;
use crate::text::json;
use crate::time::micros;
use crate::write::Write;

#[async_trait]
impl Upkeep for SqliteStore {
    async fn settings(&self) -> Result<Settings, StoreError> {
        self.told(self.settings_now().await)
    }

    async fn change_settings(&self, settings: Settings, by: &str) -> Result<(), StoreError> {
        self.told(self.set(&settings, by).await)
    }

    async fn settings_audit(&self) -> Result<Vec<AuditEntry>, StoreError> {
        self.told(self.audit_of_settings().await)
    }

    async fn trim(&self, retention: &Retention, trim: Trim) -> Result<Trimmed, StoreError> {
        self.told(self.sweep(retention, trim).await)
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.told(self.figures_now().await)
    }
}

impl SqliteStore {
    async fn settings_now(&self) -> Outcome<Settings> {
        let mut read = self.read().await?;
        Ok(Terms::read(&mut read).await?.settings)
    }

    async fn set(&self, settings: &Settings, by: &str) -> Outcome<()> {
        let mut write = self.write().await?;
        let was = Terms::read(write.connection()).await?.settings;
        let what = checks::describe(&was, settings);
        let entry = AuditEntry { at: write.now, by: by.to_owned(), what };
        write.audit(None, &entry).await?;
        let record = json(settings)?;
        sqlx::query!("UPDATE settings SET record = ?1", record).execute(write.connection()).await?;
        if (was.limit, was.paused) != (settings.limit, settings.paused) {
            write.wake_line(None).await?;
        }
        if was.draining && !settings.draining {
            write.end_drain().await?;
        }
        write.commit().await
    }

    async fn audit_of_settings(&self) -> Outcome<Vec<AuditEntry>> {
        let rows = sqlx::query_scalar!("SELECT record FROM main.audit WHERE build_id IS NULL ORDER BY id");
        let rows = rows.fetch_all(&self.readers).await?;
        let entry = |row: &String| parse(row, || "the stored audit of the settings".to_owned());
        Ok(rows.iter().map(entry).collect::<Result<_, _>>()?)
    }

    /// What is only counted is removed, too, in a transaction that is dropped: so both always agree.
    async fn sweep(&self, retention: &Retention, trim: Trim) -> Outcome<Trimmed> {
        let mut write = self.write().await?;
        let mut gone = Trimmed::default();
        if let Some(before) = retention.log {
            gone.log = write.trim_log(before).await?;
        }
        if let Some(before) = retention.audit {
            gone.audit = write.trim_audit(before).await?;
        }
        if let Some(before) = retention.keys {
            gone.keys = write.trim_keys(before).await?;
        }
        if let Some(before) = retention.events {
            gone.events = write.trim_events(before).await?;
        }
        match trim {
            Trim::Remove => write.commit().await?,
            Trim::Count => drop(write),
        }
        Ok(gone)
    }
}

impl Write<'_> {
    /// Wakes the builds that a drain kept where they were.
    async fn end_drain(&mut self) -> Outcome<()> {
        let held = sqlx::query_scalar!("SELECT id FROM main.module_builds WHERE state IN (0, 1)");
        let held = held.fetch_all(self.connection()).await?;
        self.wake_all(&held).await
    }

    async fn trim_log(&mut self, before: Timestamp) -> Outcome<u64> {
        let before = micros(before);
        let delete = sqlx::query!("DELETE FROM log_lines WHERE at < ?1", before);
        Ok(delete.execute(self.connection()).await?.rows_affected())
    }

    async fn trim_audit(&mut self, before: Timestamp) -> Outcome<u64> {
        let before = micros(before);
        let delete = sqlx::query!("DELETE FROM audit WHERE at < ?1", before);
        Ok(delete.execute(self.connection()).await?.rows_affected())
    }

    async fn trim_keys(&mut self, before: Timestamp) -> Outcome<u64> {
        let before = micros(before);
        let delete = sqlx::query!("DELETE FROM idempotency_keys WHERE at < ?1", before);
        Ok(delete.execute(self.connection()).await?.rows_affected())
    }

    /// Removes events that every sink has. While no sink is known nobody has any, and all are kept.
    async fn trim_events(&mut self, before: Timestamp) -> Outcome<u64> {
        let before = micros(before);
        let delete = sqlx::query!(
            "DELETE FROM events WHERE at < ?1 AND number IS NOT NULL AND EXISTS (SELECT 1 FROM sinks)
            AND NOT EXISTS (
                SELECT 1 FROM sinks WHERE floor < events.number AND NOT EXISTS (
                    SELECT 1 FROM acknowledged a WHERE a.sink = sinks.sink AND a.number = events.number
                )
            )",
            before,
        );
        Ok(delete.execute(self.connection()).await?.rows_affected())
    }
}
