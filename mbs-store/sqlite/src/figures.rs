//! Figures about all builds, and those that stand still.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mbs_core::ident::BuildId;
use mbs_core::model::{ModuleBuild, State, Transition};
use mbs_core::store::{Ending, Figures, MOST_LISTED, Sink, Standing, StoreError, WorkerId};
use sqlx::SqliteConnection;

use crate::SqliteStore;
use crate::error::Outcome;
use crate::line::{Terms, slots_without_line};
use crate::record::{parse_of, unsigned};
use crate::text::json;
use crate::time::{kept, micros};
use crate::write::Write;

impl SqliteStore {
    pub(crate) async fn figures_now(&self) -> Outcome<Figures> {
        let mut read = self.read().await?;
        let at = self.wall();
        let now = micros(at);
        let slots = slots_without_line(&mut read).await?;
        let counts = sqlx::query!(
            r#"SELECT (SELECT count(*) FROM slots WHERE priority IS NOT NULL) AS "in_line!: i64",
                (SELECT count(*) FROM work WHERE due <= ?1 AND (lease_until IS NULL OR lease_until <= ?1)) AS "due!: i64""#,
            now,
        );
        let counts = counts.fetch_one(&mut *read).await?;
        let mut figures = Figures {
            at,
            by_state: by_state(&mut read).await?,
            configured_limit: Terms::read(&mut read).await?.settings.limit,
            limit: slots.limit,
            in_use: slots.in_use,
            in_line: unsigned(counts.in_line),
            due: unsigned(counts.due),
            paused: slots.is_paused,
            draining: slots.is_draining,
            oldest_unfinished: oldest(&mut read).await?,
            pending: pending(&mut read).await?,
            failed: BTreeMap::new(),
            succeeded: 0,
        };
        let endings = endings(&mut read).await?;
        figures.count_endings(|ending| endings.get(ending.name()).copied().unwrap_or_default());
        Ok(figures)
    }

    pub(crate) async fn standing_since(&self, since: Timestamp, n: usize) -> Outcome<Vec<Standing>> {
        let (since, now) = (micros(since), micros(self.wall()));
        let n = i64::try_from(n.min(MOST_LISTED)).unwrap_or(i64::MAX);
        let rows = sqlx::query_as!(
            StandingRow,
            r#"SELECT id, record ->> '$.new.nsvc' AS "nsvc!: String", state,
                coalesce(progressed_at, modified_at) AS "progressed_at!: i64", due,
                iif(lease_until > ?3, lease_worker, NULL) AS "leased_by: String", why
            FROM module_builds JOIN work ON build_id = id
            WHERE under_way AND coalesce(progressed_at, modified_at) < ?1
            ORDER BY coalesce(progressed_at, modified_at), id LIMIT ?2"#,
            since,
            n,
            now,
        );
        let rows = rows.fetch_all(&self.readers).await?;
        let standing = rows.into_iter().filter_map(|row| row.standing().transpose());
        Ok(standing.collect::<Result<_, _>>()?)
    }
}

/// What a query tells of a build that stands still: text that is parsed, and times.
struct StandingRow {
    id: i64,
    nsvc: String,
    state: i64,
    progressed_at: i64,
    due: Option<i64>,
    leased_by: Option<String>,
    why: Option<String>,
}

impl StandingRow {
    fn standing(self) -> Result<Option<Standing>, StoreError> {
        let Some(state) = State::ALL.into_iter().find(|state| i64::from(state.number()) == self.state) else {
            return Ok(None);
        };
        Ok(Some(Standing {
            id: BuildId(self.id),
            nsvc: parse_of(&json(&self.nsvc)?, "identity", self.id)?,
            state,
            progressed_at: kept(self.progressed_at, "a module build")?,
            due: self.due.map(|due| kept(due, "the work on a module build")).transpose()?,
            leased_by: self.leased_by.map(WorkerId),
            why: self.why.map(|why| parse_of(&why, "reason", self.id)).transpose()?,
        }))
    }
}

impl Write<'_> {
    /// Counts how a build ended, if one of these changes is an end.
    pub(crate) async fn count_endings(
        &mut self,
        build: &ModuleBuild,
        transitions: &[Transition],
    ) -> Outcome<()> {
        for ending in Ending::all_of(build, transitions) {
            let how = ending.name();
            let counted = sqlx::query!(
                "INSERT INTO endings (how, count) VALUES (?1, 1) ON CONFLICT (how) DO UPDATE SET count = count + 1",
                how,
            );
            counted.execute(self.connection()).await?;
        }
        Ok(())
    }
}

async fn by_state(connection: &mut SqliteConnection) -> Outcome<BTreeMap<State, u64>> {
    let rows =
        sqlx::query!(r#"SELECT state, count(*) AS "count!: i64" FROM main.module_builds GROUP BY state"#);
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(Figures::states(rows.map(|row| (row.state, unsigned(row.count)))))
}

async fn oldest(connection: &mut SqliteConnection) -> Outcome<Option<(BuildId, Timestamp)>> {
    let oldest = sqlx::query!(
        r#"SELECT id, coalesce(progressed_at, modified_at) AS "progressed_at!: i64" FROM main.module_builds
        WHERE under_way ORDER BY coalesce(progressed_at, modified_at), id LIMIT 1"#
    );
    let Some(row) = oldest.fetch_optional(connection).await? else { return Ok(None) };
    Ok(Some((BuildId(row.id), kept(row.progressed_at, "a module build")?)))
}

async fn pending(connection: &mut SqliteConnection) -> Outcome<BTreeMap<Sink, u64>> {
    let rows = sqlx::query!(
        r#"SELECT sink,
            (SELECT count(*) FROM events WHERE number IS NULL)
            + (SELECT count(*) FROM events WHERE number > floor)
            - (SELECT count(*) FROM acknowledged a JOIN events e ON e.number = a.number WHERE a.sink = s.sink)
            AS "lacking!: i64"
        FROM main.sinks s"#
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows.map(|row| (Sink(row.sink), unsigned(row.lacking))).collect())
}

async fn endings(connection: &mut SqliteConnection) -> Outcome<BTreeMap<String, u64>> {
    let rows = sqlx::query!("SELECT how, count FROM main.endings");
    Ok(rows.fetch_all(connection).await?.into_iter().map(|row| (row.how, unsigned(row.count))).collect())
}
