//! What time sweeps away: a batch at a time, each its own transaction, so that however much there is it ends some day.

use jiff::Timestamp;
use mbs_core::store::{Retention, Trimmed};

use crate::PostgresStore;
use crate::error::Failure;
use crate::time::sql;

/// So many rows go at once.
const BATCH: i64 = 10_000;

impl PostgresStore {
    /// Counts what is too old.
    pub(crate) async fn count_old(&self, retention: &Retention) -> Result<Trimmed, Failure> {
        let mut old = Trimmed::default();
        if let Some(before) = retention.log {
            let lines = sqlx::query_scalar!(
                r#"SELECT count(*) AS "n!" FROM log_lines WHERE at < $1"#,
                sql(before) as _
            );
            old.log = unsigned(lines.fetch_one(&self.pool).await?);
        }
        if let Some(before) = retention.audit {
            let entries =
                sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM audit WHERE at < $1"#, sql(before) as _);
            old.audit = unsigned(entries.fetch_one(&self.pool).await?);
        }
        if let Some(before) = retention.keys {
            let keys = sqlx::query_scalar!(
                r#"SELECT count(*) AS "n!" FROM idempotency_keys WHERE at < $1"#,
                sql(before) as _
            );
            old.keys = unsigned(keys.fetch_one(&self.pool).await?);
        }
        if let Some(before) = retention.events {
            old.events = self.count_events(before).await?;
        }
        Ok(old)
    }

    /// Removes what is too old, and says how much that was.
    pub(crate) async fn remove_old(&self, retention: &Retention) -> Result<Trimmed, Failure> {
        let mut gone = Trimmed::default();
        while let Some(before) = retention.log {
            let batch = sqlx::query!(
                "DELETE FROM log_lines WHERE ctid = ANY(ARRAY(SELECT ctid FROM log_lines WHERE at < $1 LIMIT $2))",
                sql(before) as _,
                BATCH,
            );
            if is_last(batch.execute(&self.pool).await?.rows_affected(), &mut gone.log) {
                break;
            }
        }
        while let Some(before) = retention.audit {
            let batch = sqlx::query!(
                "DELETE FROM audit WHERE ctid = ANY(ARRAY(SELECT ctid FROM audit WHERE at < $1 LIMIT $2))",
                sql(before) as _,
                BATCH,
            );
            if is_last(batch.execute(&self.pool).await?.rows_affected(), &mut gone.audit) {
                break;
            }
        }
        while let Some(before) = retention.keys {
            let batch = sqlx::query!(
                "DELETE FROM idempotency_keys
                 WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_keys WHERE at < $1 LIMIT $2))",
                sql(before) as _,
                BATCH,
            );
            if is_last(batch.execute(&self.pool).await?.rows_affected(), &mut gone.keys) {
                break;
            }
        }
        while let Some(before) = retention.events {
            if is_last(self.remove_events(before).await?, &mut gone.events) {
                break;
            }
        }
        Ok(gone)
    }

    /// Counts the events that every sink has. While no sink is known nobody has any, and all are kept.
    async fn count_events(&self, before: Timestamp) -> Result<u64, Failure> {
        let old = sqlx::query_scalar!(
            r#"SELECT count(*) AS "n!" FROM events e
               WHERE e.at < $1 AND e.number IS NOT NULL AND EXISTS (SELECT FROM sinks)
                 AND NOT EXISTS (
                     SELECT FROM sinks s
                     WHERE e.number > s.floor
                       AND NOT EXISTS (SELECT FROM acknowledged a WHERE a.sink = s.sink AND a.number = e.number)
                 )"#,
            sql(before) as _,
        );
        Ok(unsigned(old.fetch_one(&self.pool).await?))
    }

    /// Removes a batch of the events that every sink has.
    async fn remove_events(&self, before: Timestamp) -> Result<u64, Failure> {
        let batch = sqlx::query!(
            "DELETE FROM events WHERE ctid = ANY(ARRAY(
                 SELECT e.ctid FROM events e
                 WHERE e.at < $1 AND e.number IS NOT NULL AND EXISTS (SELECT FROM sinks)
                   AND NOT EXISTS (
                       SELECT FROM sinks s
                       WHERE e.number > s.floor
                         AND NOT EXISTS (SELECT FROM acknowledged a WHERE a.sink = s.sink AND a.number = e.number)
                   )
                 LIMIT $2
             ))",
            sql(before) as _,
            BATCH,
        );
        Ok(batch.execute(&self.pool).await?.rows_affected())
    }
}

/// Adds a batch, and says whether it was the last.
fn is_last(batch: u64, gone: &mut u64) -> bool {
    *gone += batch;
    batch < BATCH.unsigned_abs()
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
