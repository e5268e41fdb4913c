//! What is kept of how builds and their components came about: traces, log lines, audit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mbs_core::ident::{BuildId, ComponentId, LogId};
use mbs_core::model::Transition;
use mbs_core::store::{AuditEntry, ComponentTransition, LogLine, Logged, Note, Page, StateChange};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::error::Failure;
use crate::text::json;
use crate::time::sql;
use crate::write::Step;

/// What the record of a log line says; its number and its component have columns.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    at: Timestamp,
    text: String,
}

/// A row of the log.
struct LogRow {
    id: i64,
    component_id: Option<i64>,
    record: Json<Said>,
}

impl From<LogRow> for LogLine {
    fn from(LogRow { id, component_id, record: Json(Said { at, text }) }: LogRow) -> Self {
        Self { id: LogId(id), component: component_id.map(ComponentId), at, text }
    }
}

fn lines(rows: Vec<LogRow>) -> Vec<LogLine> {
    rows.into_iter().map(LogLine::from).collect()
}

impl PostgresStore {
    pub(crate) async fn trace_of(&self, id: BuildId) -> Result<Vec<Transition>, Failure> {
        let rows = sqlx::query_scalar!(
            r#"SELECT record AS "record: Json<Transition>" FROM traces WHERE build_id = $1 ORDER BY seq"#,
            id.0,
        );
        Ok(rows.fetch_all(&self.pool).await?.into_iter().map(|row| row.0).collect())
    }

    pub(crate) async fn log_of(&self, id: BuildId) -> Result<Vec<LogLine>, Failure> {
        let rows = sqlx::query_as!(
            LogRow,
            r#"SELECT id, component_id, record AS "record: Json<Said>" FROM log_lines WHERE build_id = $1 ORDER BY id"#,
            id.0,
        );
        Ok(lines(rows.fetch_all(&self.pool).await?))
    }

    pub(crate) async fn log_page_of(&self, of: Logged, page: Page) -> Result<Vec<LogLine>, Failure> {
        let limit = i64::try_from(page.size()).unwrap_or(i64::MAX);
        let skip = i64::try_from(page.skip).unwrap_or(i64::MAX);
        let rows = match of {
            Logged::Build(build) => {
                let rows = sqlx::query_as!(
                    LogRow,
                    r#"SELECT id, component_id, record AS "record: Json<Said>" FROM log_lines
                       WHERE build_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3"#,
                    build.0,
                    limit,
                    skip,
                );
                rows.fetch_all(&self.pool).await?
            }
            Logged::Component(component) => {
                let rows = sqlx::query_as!(
                    LogRow,
                    r#"SELECT id, component_id, record AS "record: Json<Said>" FROM log_lines
                       WHERE component_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3"#,
                    component.0,
                    limit,
                    skip,
                );
                rows.fetch_all(&self.pool).await?
            }
        };
        Ok(lines(rows))
    }

    pub(crate) async fn count_log_of(&self, of: Logged) -> Result<u64, Failure> {
        let count = match of {
            Logged::Build(build) => {
                let count = sqlx::query_scalar!(
                    r#"SELECT count(*) AS "n!" FROM log_lines WHERE build_id = $1"#,
                    build.0
                );
                count.fetch_one(&self.pool).await?
            }
            Logged::Component(component) => {
                let count = sqlx::query_scalar!(
                    r#"SELECT count(*) AS "n!" FROM log_lines WHERE component_id = $1"#,
                    component.0,
                );
                count.fetch_one(&self.pool).await?
            }
        };
        Ok(u64::try_from(count).unwrap_or_default())
    }

    pub(crate) async fn component_traces_of(
        &self,
        ids: &[ComponentId],
    ) -> Result<BTreeMap<ComponentId, Vec<ComponentTransition>>, Failure> {
        let rows = sqlx::query!(
            r#"SELECT component_id, record AS "record: Json<ComponentTransition>" FROM component_traces
               WHERE component_id = ANY($1) ORDER BY component_id, id"#,
            &ids.iter().map(|id| id.0).collect::<Vec<_>>(),
        );
        let mut traces: BTreeMap<ComponentId, Vec<ComponentTransition>> = BTreeMap::new();
        for row in rows.fetch_all(&self.pool).await? {
            traces.entry(ComponentId(row.component_id)).or_default().push(row.record.0);
        }
        Ok(traces)
    }

    pub(crate) async fn audit_of(&self, id: BuildId) -> Result<Vec<AuditEntry>, Failure> {
        let rows = sqlx::query_scalar!(
            r#"SELECT record AS "record: Json<AuditEntry>" FROM audit WHERE build_id = $1 ORDER BY id"#,
            id.0,
        );
        Ok(rows.fetch_all(&self.pool).await?.into_iter().map(|row| row.0).collect())
    }
}

/// Writes traces, events and log.
pub(crate) async fn write_history(connection: &mut PgConnection, step: &Step<'_>) -> Result<(), Failure> {
    let reason = step.was.and_then(|was| was.life.reason()).map(str::to_owned);
    let last_seq = u64::try_from(step.last_seq).unwrap_or_default();
    for event in StateChange::all_of(step.now, last_seq, reason, step.transitions) {
        let transition = &event.transition;
        let history = sqlx::query!(
            "WITH trace AS (
                 INSERT INTO traces (build_id, seq, at, state, record) VALUES ($1, $2, $3, $4, $5::text::json)
             )
             INSERT INTO events (build_id, seq, at, record) VALUES ($1, $2, $3, $6::text::json)",
            event.build.0,
            i64::try_from(event.seq).unwrap_or(i64::MAX),
            sql(transition.at) as _,
            i16::from(transition.to.number()),
            json(transition)?,
            json(&event)?,
        );
        history.execute(&mut *connection).await?;
    }
    let changes = ComponentTransition::between(step.was, step.now, step.at);
    write_component_traces(connection, &changes).await?;
    write_log(connection, step.now.id, &Note::lines(step.notes, step.now, step.at)).await
}

/// Adds changes to the traces of components.
pub(crate) async fn write_component_traces(
    connection: &mut PgConnection,
    changes: &[(ComponentId, ComponentTransition)],
) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let components: Vec<i64> = changes.iter().map(|(component, _)| component.0).collect();
    let records = changes.iter().map(|(_, change)| json(change)).collect::<Result<Vec<_>, _>>()?;
    let written = sqlx::query!(
        "INSERT INTO component_traces (component_id, record)
         SELECT component, change::json FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS new (component, change, place)
         ORDER BY place",
        &components,
        &records,
    );
    written.execute(connection).await?;
    Ok(())
}

/// Adds lines to the log of a build: the component each speaks of, when, and what.
pub(crate) async fn write_log(
    connection: &mut PgConnection,
    build: BuildId,
    lines: &[(Option<ComponentId>, Timestamp, String)],
) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    let components: Vec<_> =
        lines.iter().map(|(component, ..)| component.map(|component| component.0)).collect();
    let times: Vec<_> = lines.iter().map(|(_, at, _)| sql(*at)).collect();
    let said = lines.iter().map(|(_, at, text)| json(&Said { at: *at, text: text.clone() }));
    let records = said.collect::<Result<Vec<_>, _>>()?;
    let written = sqlx::query!(
        "INSERT INTO log_lines (build_id, component_id, at, record)
         SELECT $1, component, at, line::json
         FROM unnest($2::bigint[], $3::timestamptz[], $4::text[]) WITH ORDINALITY AS new (component, at, line, place)
         ORDER BY place",
        build.0,
        &components as &[Option<i64>],
        &times as _,
        &records,
    );
    written.execute(connection).await?;
    Ok(())
}

/// Keeps what a person did: to a build, or to the settings.
pub(crate) async fn write_audit(
    connection: &mut PgConnection,
    build: Option<BuildId>,
    entry: &AuditEntry,
) -> Result<(), Failure> {
    let audit = sqlx::query!(
        "INSERT INTO audit (build_id, at, record) VALUES ($1, $2, $3::text::json)",
        build.map(|build| build.0),
        sql(entry.at) as _,
        json(entry)?,
    );
    audit.execute(connection).await?;
    Ok(())
}
