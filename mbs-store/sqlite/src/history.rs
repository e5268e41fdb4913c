//! What is kept of how builds and their components came about: traces, log lines, audit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mbs_core::ident::{BuildId, ComponentId, LogId};
use mbs_core::model::Transition;
use mbs_core::store::{AuditEntry, ComponentTransition, LogLine, Logged, Page, StateChange, StoreError};
use serde::{Deserialize, Serialize};

use crate::SqliteStore;
use crate::error::Outcome;
use crate::record::{parse, parse_of, unsigned};
use crate::rows;
use crate::text::json;
use crate::time;
use crate::write::Write;

/// What the record of a log line says; its number and its component have columns.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    at: Timestamp,
    text: String,
}

/// A row of the log.
struct LogRow {
    id: i64,
    build_id: i64,
    component_id: Option<i64>,
    record: String,
}

impl LogRow {
    fn line(self) -> Result<LogLine, StoreError> {
        let Said { at, text } = parse_of(&self.record, "log", self.build_id)?;
        Ok(LogLine { id: LogId(self.id), component: self.component_id.map(ComponentId), at, text })
    }
}

fn lines(rows: Vec<LogRow>) -> Result<Vec<LogLine>, StoreError> {
    rows.into_iter().map(LogRow::line).collect()
}

impl SqliteStore {
    pub(crate) async fn trace_of(&self, id: i64) -> Outcome<Vec<Transition>> {
        let rows = sqlx::query_scalar!("SELECT record FROM traces WHERE build_id = ?1 ORDER BY seq", id);
        let rows = rows.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(|row| parse_of(row, "trace", id)).collect::<Result<_, _>>()?)
    }

    pub(crate) async fn log_of(&self, id: i64) -> Outcome<Vec<LogLine>> {
        let rows = sqlx::query_as!(
            LogRow,
            r#"SELECT id AS "id!", build_id, component_id, record FROM log_lines WHERE build_id = ?1 ORDER BY id"#,
            id,
        );
        Ok(lines(rows.fetch_all(&self.readers).await?)?)
    }

    pub(crate) async fn log_page_of(&self, of: Logged, page: Page) -> Outcome<Vec<LogLine>> {
        let limit = i64::try_from(page.size()).unwrap_or(i64::MAX);
        let skip = i64::try_from(page.skip).unwrap_or(i64::MAX);
        let rows = match of {
            Logged::Build(build) => {
                let rows = sqlx::query_as!(
                    LogRow,
                    r#"SELECT id AS "id!", build_id, component_id, record FROM log_lines
                    WHERE build_id = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3"#,
                    build.0,
                    limit,
                    skip,
                );
                rows.fetch_all(&self.readers).await?
            }
            Logged::Component(component) => {
                let rows = sqlx::query_as!(
                    LogRow,
                    r#"SELECT id AS "id!", build_id, component_id, record FROM log_lines
                    WHERE component_id = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3"#,
                    component.0,
                    limit,
                    skip,
                );
                rows.fetch_all(&self.readers).await?
            }
        };
        Ok(lines(rows)?)
    }

    pub(crate) async fn count_log_of(&self, of: Logged) -> Outcome<u64> {
        let count = match of {
            Logged::Build(build) => {
                let count =
                    sqlx::query_scalar!("SELECT count(*) FROM log_lines WHERE build_id = ?1", build.0);
                count.fetch_one(&self.readers).await?
            }
            Logged::Component(component) => {
                let count = sqlx::query_scalar!(
                    "SELECT count(*) FROM log_lines WHERE component_id = ?1",
                    component.0
                );
                count.fetch_one(&self.readers).await?
            }
        };
        Ok(unsigned(count))
    }

    pub(crate) async fn component_traces_of(
        &self,
        ids: &[ComponentId],
    ) -> Outcome<BTreeMap<ComponentId, Vec<ComponentTransition>>> {
        let asked = json(ids)?;
        let rows = sqlx::query!(
            "SELECT component_id, record FROM component_traces
            WHERE component_id IN (SELECT value FROM json_each(?1)) ORDER BY component_id, id",
            asked,
        );
        let mut traces: BTreeMap<ComponentId, Vec<ComponentTransition>> = BTreeMap::new();
        for row in rows.fetch_all(&self.readers).await? {
            let of = || format!("the stored trace of component build {}", row.component_id);
            let change = parse(&row.record, of)?;
            traces.entry(ComponentId(row.component_id)).or_default().push(change);
        }
        Ok(traces)
    }

    pub(crate) async fn audit_of(&self, id: i64) -> Outcome<Vec<AuditEntry>> {
        let rows = sqlx::query_scalar!("SELECT record FROM audit WHERE build_id = ?1 ORDER BY id", id);
        let rows = rows.fetch_all(&self.readers).await?;
        Ok(rows.iter().map(|row| parse_of(row, "audit", id)).collect::<Result<_, _>>()?)
    }
}

impl Write<'_> {
    /// Writes the traces and events of changes of state that are saved together.
    pub(crate) async fn announce(&mut self, events: &[StateChange]) -> Outcome<()> {
        let Some(first) = events.first() else { return Ok(()) };
        let traces = events.iter().map(|event| (event.seq, &event.transition));
        self.trace(first.build, traces).await?;
        let (build, events) = (first.build.0, rows::events(events)?);
        let event = sqlx::query!(
            "INSERT INTO events (build_id, seq, at, record)
            SELECT ?1, value ->> 'seq', value ->> 'at', value ->> 'record' FROM json_each(?2) ORDER BY key",
            build,
            events,
        );
        event.execute(self.connection()).await?;
        Ok(())
    }

    /// Writes changes of state, numbered, of which nobody is told.
    pub(crate) async fn trace<'t>(
        &mut self,
        build: BuildId,
        changes: impl Iterator<Item = (u64, &'t Transition)>,
    ) -> Outcome<()> {
        let traces = rows::traces(changes)?;
        let trace = sqlx::query!(
            "INSERT INTO traces (build_id, seq, at, state, record)
            SELECT ?1, value ->> 'seq', value ->> 'at', value ->> 'state', value ->> 'record' FROM json_each(?2)",
            build.0,
            traces,
        );
        trace.execute(self.connection()).await?;
        Ok(())
    }

    /// Adds changes to the traces of components.
    pub(crate) async fn add_to_traces(
        &mut self,
        changes: &[(ComponentId, ComponentTransition)],
    ) -> Outcome<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let changes = changes.iter().map(|(component, change)| Ok((component, json(change)?)));
        let changes = json(&changes.collect::<Result<Vec<_>, StoreError>>()?)?;
        let insert = sqlx::query!(
            "INSERT INTO component_traces (component_id, record)
            SELECT value ->> 0, value ->> 1 FROM json_each(?1) ORDER BY key",
            changes,
        );
        insert.execute(self.connection()).await?;
        Ok(())
    }

    /// Writes lines to the log of a build: the component each speaks of, when, and what.
    pub(crate) async fn log(
        &mut self,
        build: BuildId,
        lines: &[(Option<ComponentId>, Timestamp, String)],
    ) -> Outcome<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let line = |(component, at, text): &(Option<ComponentId>, Timestamp, String)| {
            Ok((*component, time::micros(*at), json(&Said { at: *at, text: text.clone() })?))
        };
        let last = self.count_lines(lines.len()).await?;
        let lines = json(&lines.iter().map(line).collect::<Result<Vec<_>, StoreError>>()?)?;
        let log = sqlx::query!(
            "INSERT INTO log_lines (id, build_id, component_id, at, record)
            SELECT ?3 + 1 + key, ?1, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2) ORDER BY key",
            build.0,
            lines,
            last,
        );
        log.execute(self.connection()).await?;
        Ok(())
    }

    /// Moves the numbers of lines on and returns where they stood. Programs of an earlier schema do not count theirs.
    async fn count_lines(&mut self, by: usize) -> Outcome<i64> {
        let uncounted = sqlx::query!(
            "UPDATE main.counters SET last = (SELECT max(id) FROM log_lines)
            WHERE name = 'line' AND last < (SELECT max(id) FROM log_lines)"
        );
        uncounted.execute(self.connection()).await?;
        self.count_on("line", by).await
    }

    /// Writes what a person did; `None`: to the settings.
    pub(crate) async fn audit(&mut self, build: Option<BuildId>, entry: &AuditEntry) -> Outcome<()> {
        let (build, at, entry) = (build.map(|build| build.0), time::micros(entry.at), json(entry)?);
        let audit =
            sqlx::query!("INSERT INTO audit (build_id, at, record) VALUES (?1, ?2, ?3)", build, at, entry);
        audit.execute(self.connection()).await?;
        Ok(())
    }
}
