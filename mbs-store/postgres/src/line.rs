//! The slots and the line for them: read as one value, and who is woken when some are free.
//!
//! Who may take a slot is decided by [`mbs_core::share`]. Waking goes by how things are, not by what a change did to them: each
//! save and each release wakes everybody else for whom a slot is free at that moment and who would sleep. What frees slots,
//! moves the line or raises the limit looks again once it is committed, since another that it did not see may do the opposite at
//! the same time: of two that look after their commit, one sees both.
//!
//! Locks are taken in this order, and rows of one table by id: `module_builds`, `settings`, `work`, `endings`.

use jiff::Timestamp;
use mbs_core::ident::BuildId;
use mbs_core::share::{self, PlaceInLine, Throttle};
use mbs_core::store::{Settings, Signal, Slots};
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::error::Failure;

/// What the database function `slots_now` gives.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SlotsNow {
    pub(crate) settings: Settings,
    pub(crate) throttle: Throttle,
    pub(crate) in_use: i64,
    line: Vec<PlaceInLine>,
}

/// How much of the line is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// So much as decides who may take what is free below the limit.
    Head,
    /// All of it.
    Everybody,
}

/// Whether the throttle was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    Yes,
    No,
}

impl SlotsNow {
    /// Reads the slots as this transaction sees them.
    pub(crate) async fn read(connection: &mut PgConnection, reach: Reach) -> Result<Self, Failure> {
        let everybody = reach == Reach::Everybody;
        let now: Json<Self> =
            sqlx::query_scalar!(r#"SELECT slots_now($1) AS "now!: Json<SlotsNow>""#, everybody)
                .fetch_one(connection)
                .await?;
        Ok(now.0)
    }

    /// Returns the slots as looks see them.
    pub(crate) fn slots(&self) -> Slots {
        let slots = self.without_line();
        let free = slots.limit.map(|_| share::free(&slots));
        Slots { head: share::head(free, &self.line), ..slots }
    }

    fn without_line(&self) -> Slots {
        Slots {
            limit: self.throttle.effective(self.settings.limit),
            in_use: u32::try_from(self.in_use).unwrap_or(u32::MAX),
            is_paused: self.settings.paused,
            is_draining: self.settings.draining,
            head: Vec::new(),
        }
    }

    /// Returns those in line for whom a slot is free, but for one that sees the slots anyway.
    pub(crate) fn may_take(&self, except: Option<BuildId>) -> Vec<i64> {
        let first = share::first_in_line(share::free(&self.without_line()), &self.line);
        first.filter(|build| Some(*build) != except).map(|build| build.0).collect()
    }
}

/// Waits until nobody else raises the slots in use, sets the limit or moves it.
pub(crate) async fn lock_settings(connection: &mut PgConnection) -> Result<(), Failure> {
    sqlx::query!("SELECT 1 AS one FROM settings FOR UPDATE").fetch_one(connection).await?;
    Ok(())
}

impl PostgresStore {
    /// Takes in how the build system behaved; the settings are locked, and read again, only if that moves the limit.
    pub(crate) async fn adapt(
        &self,
        connection: &mut PgConnection,
        (signal, now): (Signal, Timestamp),
        seen: &SlotsNow,
    ) -> Result<Moved, Failure> {
        let next = |throttle, maximum| share::adapt(throttle, signal, maximum, now, self.rules.adapt_every);
        if next(seen.throttle, seen.settings.limit) == seen.throttle {
            return Ok(Moved::No);
        }
        lock_settings(connection).await?;
        let current = SlotsNow::read(connection, Reach::Head).await?;
        let next = Json(next(current.throttle, current.settings.limit));
        sqlx::query!("UPDATE settings SET throttle = $1", next as _).execute(connection).await?;
        Ok(Moved::Yes)
    }

    /// Wakes those in line for whom a slot is free, but for one that sees the slots anyway, and returns the slots.
    pub(crate) async fn wake_line(
        &self,
        connection: &mut PgConnection,
        except: Option<BuildId>,
        reach: Reach,
    ) -> Result<Slots, Failure> {
        let now = SlotsNow::read(connection, reach).await?;
        self.wake_builds(connection, &now.may_take(except)).await?;
        Ok(now.slots())
    }

    /// Wakes the line as it is after a commit, but for one that sees the slots anyway, and returns the slots; `None` if the
    /// database gave up. What was committed holds whatever comes of this.
    pub(crate) async fn look_again(&self, except: Option<BuildId>) -> Option<Slots> {
        let looked = self.retried(|| async {
            let mut transaction = self.pool.begin().await?;
            let slots = self.wake_line(&mut transaction, except, Reach::Head).await?;
            transaction.commit().await?;
            Ok(slots)
        });
        looked.await.inspect_err(|error| tracing::warn!(%error, "the line was not looked at again")).ok()
    }

    /// Makes builds due, not before the gap after their last look; during a look it is remembered.
    pub(crate) async fn wake_builds(
        &self,
        connection: &mut PgConnection,
        builds: &[i64],
    ) -> Result<(), Failure> {
        if builds.is_empty() {
            return Ok(());
        }
        let gap = self.min_gap();
        let woken = sqlx::query!(
            r#"
            WITH named AS (
                SELECT build_id FROM work
                WHERE build_id = ANY($1)
                  AND CASE WHEN lease_until > store_now() THEN NOT woken
                      ELSE due IS NULL OR due > greatest(store_now(), looked_at + make_interval(secs => $2)) END
                ORDER BY build_id
                FOR UPDATE
            )
            UPDATE work SET
                woken = woken OR coalesce(lease_until > store_now(), false),
                due = CASE WHEN lease_until > store_now() THEN due
                      ELSE least(due, greatest(store_now(), looked_at + make_interval(secs => $2))) END
            FROM named WHERE work.build_id = named.build_id
            "#,
            builds,
            gap,
        );
        if woken.execute(&mut *connection).await?.rows_affected() > 0 {
            tell(connection).await?;
        }
        Ok(())
    }

    pub(crate) fn min_gap(&self) -> f64 {
        self.rules.min_gap.as_secs_f64()
    }
}

/// Tells listening processes, once this commits, that something may be due.
pub(crate) async fn tell(connection: &mut PgConnection) -> Result<(), Failure> {
    sqlx::query!("SELECT pg_notify('mbs_work', '')").fetch_one(connection).await?;
    Ok(())
}
