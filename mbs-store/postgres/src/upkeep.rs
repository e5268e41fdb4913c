//! Settings, and what time sweeps away.

use async_trait::async_trait;
use mbs_core::store::{AuditEntry, Figures, Retention, Settings, StoreError, Trim, Trimmed, Upkeep, checks};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::builds::database_time;
use crate::error::Failure;
use crate::history::write_audit;
use crate::line::{Reach, SlotsNow, lock_settings, tell};
use crate::work::lock_work;

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
        match trim {
            Trim::Count => self.retried(|| self.count_old(retention)).await,
            Trim::Remove => self.retried(|| self.remove_old(retention)).await,
        }
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.retried(|| self.figures_now()).await
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
        if (was.limit, was.paused) != (settings.limit, settings.paused) {
            self.look_again(None).await;
        }
        if was.draining && !settings.draining {
            self.wake_drained().await?;
        }
        Ok(())
    }

    /// Wakes once more whom a drain held, after it has ended: one may have come meanwhile and seen it.
    async fn wake_drained(&self) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        let held = held_by_drain(&mut transaction).await?;
        self.wake_builds(&mut transaction, &held).await?;
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
