//! Figures about all builds, and those that stand still.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mbs_core::ident::BuildId;
use mbs_core::model::{ModuleBuild, State};
use mbs_core::plan::Why;
use mbs_core::store::{Ending, Figures, MOST_LISTED, Sink, Standing, WorkerId};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::catalogue::nsvc;
use crate::error::Failure;
use crate::line::{Reach, SlotsNow};
use crate::time::sql;

/// Each way to end has so many rows to be counted in.
const SPREAD: i64 = 16;

impl PostgresStore {
    pub(crate) async fn figures_now(&self) -> Result<Figures, Failure> {
        let mut connection = self.pool.acquire().await?;
        let seen = SlotsNow::read(&mut connection, Reach::Head).await?;
        let slots = seen.slots();
        let counts = sqlx::query!(
            r#"SELECT store_now() AS "now!",
                (SELECT count(*) FROM slots WHERE priority IS NOT NULL) AS "in_line!",
                (
                    SELECT count(*) FROM work
                    WHERE due <= (SELECT store_now()) AND (lease_until IS NULL OR lease_until <= (SELECT store_now()))
                ) AS "due!""#
        );
        let counts = counts.fetch_one(&mut *connection).await?;
        let mut figures = Figures {
            at: counts.now.to_jiff(),
            by_state: by_state(&mut connection).await?,
            configured_limit: seen.settings.limit,
            limit: slots.limit,
            in_use: slots.in_use,
            in_line: unsigned(counts.in_line),
            due: unsigned(counts.due),
            paused: slots.is_paused,
            draining: slots.is_draining,
            oldest_unfinished: oldest(&mut connection).await?,
            pending: pending(&mut connection).await?,
            failed: BTreeMap::new(),
            succeeded: 0,
        };
        let endings = endings(&mut connection).await?;
        figures.count_endings(|ending| endings.get(ending.name()).copied().unwrap_or_default());
        Ok(figures)
    }

    pub(crate) async fn standing_since(&self, since: Timestamp, n: usize) -> Result<Vec<Standing>, Failure> {
        let rows = sqlx::query!(
            r#"
            SELECT id, name, stream, version, context, state, coalesce(progressed_at, modified_at) AS "progressed_at!", due,
                CASE WHEN lease_until > store_now() THEN lease_worker END AS leased_by, why AS "why: Json<Why>"
            FROM module_builds JOIN work ON build_id = id
            WHERE under_way AND coalesce(progressed_at, modified_at) < $1
            ORDER BY coalesce(progressed_at, modified_at), id
            LIMIT $2
            "#,
            sql(since) as _,
            i64::try_from(n.min(MOST_LISTED)).unwrap_or(i64::MAX),
        );
        let mut standing = Vec::new();
        for row in rows.fetch_all(&self.pool).await? {
            let nsvc = nsvc((row.name, row.stream, row.version, row.context))?;
            let state = State::ALL.into_iter().find(|state| i16::from(state.number()) == row.state);
            let of = |state| Standing {
                id: BuildId(row.id),
                nsvc,
                state,
                progressed_at: row.progressed_at.to_jiff(),
                due: row.due.map(jiff_sqlx::Timestamp::to_jiff),
                leased_by: row.leased_by.map(WorkerId),
                why: row.why.map(|why| why.0),
            };
            standing.extend(state.map(of));
        }
        Ok(standing)
    }
}

/// Counts how a build ended, if it did. The last that a transaction does, for nobody shall wait long for such a row.
pub(crate) async fn count_endings(connection: &mut PgConnection, saved: &ModuleBuild) -> Result<(), Failure> {
    for ending in Ending::all_of(saved, saved.life.unsaved()) {
        let counted = sqlx::query!(
            "INSERT INTO endings (how, spread, count) VALUES ($1, $2, 1)
             ON CONFLICT (how, spread) DO UPDATE SET count = endings.count + 1",
            ending.name(),
            i16::try_from(saved.id.0 % SPREAD).unwrap_or_default(),
        );
        counted.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Reads an index alone.
async fn by_state(connection: &mut PgConnection) -> Result<BTreeMap<State, u64>, Failure> {
    let rows = sqlx::query!(r#"SELECT state, count(*) AS "count!" FROM module_builds GROUP BY state"#);
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(Figures::states(rows.map(|row| (row.state.into(), unsigned(row.count)))))
}

async fn oldest(connection: &mut PgConnection) -> Result<Option<(BuildId, Timestamp)>, Failure> {
    let oldest = sqlx::query!(
        r#"SELECT id, coalesce(progressed_at, modified_at) AS "progressed_at!" FROM module_builds
           WHERE under_way ORDER BY coalesce(progressed_at, modified_at), id LIMIT 1"#
    );
    let oldest = oldest.fetch_optional(connection).await?;
    Ok(oldest.map(|row| (BuildId(row.id), row.progressed_at.to_jiff())))
}

async fn pending(connection: &mut PgConnection) -> Result<BTreeMap<Sink, u64>, Failure> {
    let rows = sqlx::query!(
        r#"SELECT s.sink,
               (SELECT count(*) FROM events WHERE number IS NULL)
               + (SELECT count(*) FROM events e WHERE e.number > s.floor)
               - (SELECT count(*) FROM acknowledged a JOIN events e USING (number) WHERE a.sink = s.sink) AS "lacking!"
           FROM sinks s"#
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows.map(|row| (Sink(row.sink), unsigned(row.lacking))).collect())
}

async fn endings(connection: &mut PgConnection) -> Result<BTreeMap<String, u64>, Failure> {
    let rows = sqlx::query!(r#"SELECT how, sum(count)::bigint AS "count!" FROM endings GROUP BY how"#);
    Ok(rows.fetch_all(connection).await?.into_iter().map(|row| (row.how, unsigned(row.count))).collect())
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
