//! The slots, the line for them, and who is woken.
//!
//! Who may take a slot, and how far the limit is lowered, is decided by [`mbs_core::share`]; here the line is read from its
//! index, no further than the answer needs. A wake never ends a look: during a lease it is remembered.

use mbs_core::ident::BuildId;
use mbs_core::share::{self, PlaceInLine, Throttle};
use mbs_core::store::{Settings, Signal, Slots, StoreError};
use sqlx::SqliteConnection;

use crate::error::Outcome;
use crate::record::parse;
use crate::text::json;
use crate::time;
use crate::write::Write;

/// So much of the line is read at first.
const BEGINNING: i64 = 64;

/// What operators set, and what the limit is lowered to.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) settings: Settings,
    throttle: Throttle,
}

impl Terms {
    pub(crate) async fn read(connection: &mut SqliteConnection) -> Outcome<Self> {
        let row = sqlx::query!("SELECT record, throttle FROM main.settings").fetch_one(connection).await?;
        let of = |what: &'static str| move || format!("the stored {what}");
        Ok(Self {
            settings: parse(&row.record, of("settings"))?,
            throttle: parse(&row.throttle, of("lowering of the limit"))?,
        })
    }
}

/// Reads the slots without the line for them.
pub(crate) async fn slots_without_line(connection: &mut SqliteConnection) -> Outcome<Slots> {
    let Terms { settings, throttle } = Terms::read(&mut *connection).await?;
    let held = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(held), 0) AS "held!: i64" FROM main.slots WHERE held > 0"#
    );
    let in_use = held.fetch_one(connection).await?;
    Ok(Slots {
        limit: throttle.effective(settings.limit),
        in_use: u32::try_from(in_use).unwrap_or(u32::MAX),
        is_paused: settings.paused,
        is_draining: settings.draining,
        head: Vec::new(),
    })
}

/// Reads the slots as looks see them.
pub(crate) async fn slots(connection: &mut SqliteConnection) -> Outcome<Slots> {
    let slots = slots_without_line(&mut *connection).await?;
    let free = slots.limit.map(|_| share::free(&slots));
    let head = of_line(connection, |line| share::head(free, line)).await?;
    Ok(Slots { head, ..slots })
}

/// Returns those in line for whom a slot is free.
async fn may_take(connection: &mut SqliteConnection) -> Outcome<Vec<BuildId>> {
    let free = share::free(&slots_without_line(&mut *connection).await?);
    if free == 0 {
        return Ok(Vec::new());
    }
    of_line(connection, |line| share::first_in_line(free, line).collect()).await
}

/// Reads the line until a decision about its beginning, one answer for each place it counts, holds for the whole of it.
async fn of_line<T>(
    connection: &mut SqliteConnection,
    decide: impl Fn(&[PlaceInLine]) -> Vec<T>,
) -> Outcome<Vec<T>> {
    let mut most = BEGINNING;
    loop {
        let line = beginning(&mut *connection, most).await?;
        let decided = decide(&line);
        let is_whole = i64::try_from(line.len()).is_ok_and(|read| read < most);
        if is_whole || decided.len() < line.len() {
            return Ok(decided);
        }
        most = most.saturating_mul(8);
    }
}

async fn beginning(connection: &mut SqliteConnection, most: i64) -> Outcome<Vec<PlaceInLine>> {
    let rows = sqlx::query!(
        r#"SELECT build_id, priority AS "priority!: i32", turn AS "turn!", wants AS "wants!"
        FROM slots WHERE priority IS NOT NULL ORDER BY priority DESC, turn, build_id LIMIT ?1"#,
        most,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        Ok(PlaceInLine {
            priority: std::cmp::Reverse(row.priority),
            turn: time::kept(row.turn, "a place in line")?,
            build: BuildId(row.build_id),
            wants: u32::try_from(row.wants).unwrap_or(u32::MAX),
        })
    });
    Ok(rows.collect::<Result<_, StoreError>>()?)
}

impl Write<'_> {
    /// Takes in how the build system behaved.
    pub(crate) async fn adapt(&mut self, signal: Signal) -> Outcome<()> {
        let Terms { settings, throttle } = Terms::read(self.connection()).await?;
        let every = self.store.rules.adapt_every;
        let next = share::adapt(throttle, signal, settings.limit, self.now, every);
        if next != throttle {
            let next = json(&next)?;
            sqlx::query!("UPDATE settings SET throttle = ?1", next).execute(self.connection()).await?;
        }
        Ok(())
    }

    /// Wakes those in line for whom a slot is free. `except` is a build that sees the slots anyway.
    ///
    /// This goes by how things are, not by what a change did to them: whoever is not awake and could go on is found by the
    /// next change, whatever became of a wake before.
    pub(crate) async fn wake_line(&mut self, except: Option<BuildId>) -> Outcome<()> {
        let first = may_take(self.connection()).await?.into_iter();
        let first: Vec<i64> = first.filter(|build| Some(*build) != except).map(|build| build.0).collect();
        self.wake_all(&first).await
    }

    /// Makes builds due, not before the gap after their last look; during a look it is remembered.
    pub(crate) async fn wake_all(&mut self, builds: &[i64]) -> Outcome<()> {
        if builds.is_empty() {
            return Ok(());
        }
        let (builds, now) = (json(builds)?, self.micros());
        let (gap, last) = (time::span(self.store.rules.min_gap), time::last());
        let woken = sqlx::query!(
            "WITH named AS (
                SELECT build_id AS id, coalesce(lease_until > ?2, 0) AS is_looked_at,
                    max(?2, min(coalesce(looked_at + ?3, ?2), ?4)) AS soonest
                FROM work WHERE build_id IN (SELECT value FROM json_each(?1))
            )
            UPDATE work SET
                woken = max(woken, is_looked_at),
                due = iif(is_looked_at, due, min(coalesce(due, soonest), soonest))
            FROM named
            WHERE build_id = id AND iif(is_looked_at, woken = 0, due IS NULL OR due > soonest)",
            builds,
            now,
            gap,
            last,
        );
        woken.execute(self.connection()).await?;
        Ok(())
    }

    /// Makes a build due at once; during a look it is remembered.
    pub(crate) async fn make_due(&mut self, build: BuildId) -> Outcome<()> {
        let now = self.micros();
        let due = sqlx::query!(
            "UPDATE work SET
                woken = iif(lease_until > ?2, 1, woken),
                due = iif(lease_until > ?2, due, min(coalesce(due, ?2), ?2))
            WHERE build_id = ?1",
            build.0,
            now,
        );
        due.execute(self.connection()).await?;
        Ok(())
    }
}
