//! Settings, and what time sweeps away.

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::store::{AuditEntry, Retention, Settings, StoreError, Trim, Trimmed, Upkeep, checks};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::builds::database_time;
use crate::error::Failure;
use crate::line::{Reach, SlotsNow, lock_settings, tell};
use crate::time::sql;
use crate::work::lock_work;
use crate::write::write_audit;

#[async_trait]
impl Upkeep for PostgresStore {
    async fn settings(&self) -> Result<Settings, StoreError> {
        self.retried(|| async {
            let settings = sqlx::query_scalar!(r#"SELECT record AS "record: Json<Settings>" FROM settings"#);
            Ok(settings.fetch_one(&self.pool).await?.0)
        })
        .await
    }

    async fn change_settings(&self, settings: Settings, by: &str) -> Result<(), StoreError> {
        self.retried(|| self.change_once(&settings, by)).await
    }

    async fn settings_audit(&self) -> Result<Vec<AuditEntry>, StoreError> {
        self.retried(|| async {
            let rows = sqlx::query_scalar!(
                r#"SELECT record AS "record: Json<AuditEntry>" FROM audit WHERE build_id IS NULL ORDER BY id"#
            );
            Ok(rows.fetch_all(&self.pool).await?.into_iter().map(|row| row.0).collect())
        })
        .await
    }

    async fn trim(&self, retention: &Retention, trim: Trim) -> Result<Trimmed, StoreError> {
        self.retried(|| async {
            let mut transaction = self.pool.begin().await?;
            let trimmed = remove(&mut transaction, retention).await?;
            match trim {
                Trim::Remove => transaction.commit().await?,
                Trim::Count => transaction.rollback().await?,
            }
            Ok(trimmed)
        })
        .await
    }
}

impl PostgresStore {
    async fn change_once(&self, settings: &Settings, by: &str) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        let connection = &mut *transaction;
        lock_settings(connection).await?;
        let before = SlotsNow::read(connection, Reach::Everybody).await?;
        let (could_take, was) = (before.may_take(None), before.settings);
        let at = database_time(connection).await?;
        sqlx::query!("UPDATE settings SET record = $1", Json(settings) as _)
            .execute(&mut *connection)
            .await?;
        let what = checks::describe(&was, settings);
        write_audit(connection, None, &AuditEntry { at, by: by.to_owned(), what }).await?;
        let mut woken = SlotsNow::read(connection, Reach::Everybody).await?.may_take(None);
        woken.retain(|build| !could_take.contains(build));
        if was.draining && !settings.draining {
            woken.extend(held_by_drain(connection).await?);
        }
        lock_work(connection, &woken, &[]).await?;
        self.wake_builds(connection, &woken).await?;
        tell(connection).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Returns the builds that a drain keeps where they are: those in `init` and `wait`.
async fn held_by_drain(connection: &mut PgConnection) -> Result<Vec<i64>, Failure> {
    Ok(sqlx::query_scalar!("SELECT id FROM module_builds WHERE state IN (0, 1)")
        .fetch_all(connection)
        .await?)
}

async fn remove(connection: &mut PgConnection, retention: &Retention) -> Result<Trimmed, Failure> {
    let mut gone = Trimmed::default();
    if let Some(before) = retention.log {
        let old = sqlx::query!("DELETE FROM log_lines WHERE at < $1", sql(before) as _);
        gone.log = old.execute(&mut *connection).await?.rows_affected();
    }
    if let Some(before) = retention.audit {
        let old = sqlx::query!("DELETE FROM audit WHERE at < $1", sql(before) as _);
        gone.audit = old.execute(&mut *connection).await?.rows_affected();
    }
    if let Some(before) = retention.keys {
        let old = sqlx::query!("DELETE FROM idempotency_keys WHERE at < $1", sql(before) as _);
        gone.keys = old.execute(&mut *connection).await?.rows_affected();
    }
    if let Some(before) = retention.events {
        gone.events = remove_events(connection, before).await?;
    }
    Ok(gone)
}

/// Removes events that every sink has. While no sink is known nobody has any, and all are kept.
async fn remove_events(connection: &mut PgConnection, before: Timestamp) -> Result<u64, Failure> {
    let old = sqlx::query!(
        "DELETE FROM events e
         WHERE e.at < $1 AND e.number IS NOT NULL AND EXISTS (SELECT FROM sinks)
           AND NOT EXISTS (
               SELECT FROM sinks s
               WHERE e.number > s.floor
                 AND NOT EXISTS (SELECT FROM acknowledged a WHERE a.sink = s.sink AND a.number = e.number)
           )",
        sql(before) as _,
    );
    Ok(old.execute(connection).await?.rows_affected())
}
