//! From rows to records: builds with their documents, components and attempts.
//!
//! Decides nothing: the record is read as it was written. What cannot be read is an error that names the row, never a panic.

use std::collections::BTreeMap;
use std::fmt::Display;

use mbs_core::ident::{BuildId, Revision};
use mbs_core::model::{Attempt, ComponentBuild, ModuleBuild};
use mbs_core::store::StoreError;
use mbs_core::store::checks::rejected;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;

use crate::documents::Documents;
use crate::error::Outcome;
use crate::text::json;

/// A record as stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) build: ModuleBuild,
    pub(crate) revision: Revision,
    /// The number of its last event.
    pub(crate) last_seq: u64,
}

/// Makes the error of a row that cannot be read.
pub(crate) fn unreadable(of: &str, error: &dyn Display) -> StoreError {
    rejected(format!("{of} cannot be read: {error}"))
}

/// Makes the error of a build whose document is gone.
pub(crate) fn missing_document(build: i64) -> StoreError {
    rejected(format!("the stored document of module build {build} is missing"))
}

/// Reads JSON that was stored; `of` says of what, for the error.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, of: impl FnOnce() -> String) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable(&of(), &error))
}

/// Reads JSON of a build.
pub(crate) fn parse_of<T: DeserializeOwned>(text: &str, what: &str, build: i64) -> Result<T, StoreError> {
    parse(text, || format!("the stored {what} of module build {build}"))
}

/// Returns a number that is never negative in this file.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Reads one record.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    documents: &Documents,
    id: BuildId,
) -> Outcome<Stored> {
    let mut records = records(connection, documents, &[id.0]).await?;
    Ok(records.remove(&id.0).ok_or(StoreError::NotFound(id))?)
}

/// Reads records by their ids; unknown ones are missing. All of it must be one transaction.
pub(crate) async fn records(
    connection: &mut SqliteConnection,
    documents: &Documents,
    ids: &[i64],
) -> Outcome<BTreeMap<i64, Stored>> {
    let asked = json(ids)?;
    let rows = sqlx::query!(
        "SELECT id, revision, last_seq, record FROM module_builds WHERE id IN (SELECT value FROM json_each(?1))",
        asked,
    );
    let rows = rows.fetch_all(&mut *connection).await?;
    let documents = documents.of(connection, ids).await?;
    let mut components = components(connection, &asked).await?;
    let mut records = BTreeMap::new();
    for row in rows {
        let head: ModuleBuild = parse_of(&row.record, "record", row.id)?;
        let document = documents.get(&row.id).ok_or_else(|| missing_document(row.id))?.clone();
        let components = components.remove(&row.id).unwrap_or_default();
        let components = components.into_iter().map(Into::into).collect();
        let build = ModuleBuild::from_parts(head, document, components);
        let (revision, last_seq) = (Revision(unsigned(row.revision)), unsigned(row.last_seq));
        records.insert(row.id, Stored { build, revision, last_seq });
    }
    Ok(records)
}

/// Reads the components of builds with their attempts, in order.
async fn components(
    connection: &mut SqliteConnection,
    asked: &str,
) -> Outcome<BTreeMap<i64, Vec<ComponentBuild>>> {
    let mut attempts = attempts(connection, asked).await?;
    let rows = sqlx::query!(
        "SELECT id, build_id, record FROM components WHERE build_id IN (SELECT value FROM json_each(?1))
         ORDER BY build_id, position",
        asked,
    );
    let mut components: BTreeMap<i64, Vec<ComponentBuild>> = BTreeMap::new();
    for row in rows.fetch_all(connection).await? {
        let mut component: ComponentBuild = parse_of(&row.record, "component", row.build_id)?;
        component.attempts = attempts.remove(&row.id).unwrap_or_default();
        components.entry(row.build_id).or_default().push(component);
    }
    Ok(components)
}

async fn attempts(connection: &mut SqliteConnection, asked: &str) -> Outcome<BTreeMap<i64, Vec<Attempt>>> {
    let rows = sqlx::query!(
        "SELECT component_id, build_id, attempts.record FROM components
         JOIN attempts ON component_id = components.id
         WHERE build_id IN (SELECT value FROM json_each(?1))
         ORDER BY component_id, attempts.position",
        asked,
    );
    let mut attempts: BTreeMap<i64, Vec<Attempt>> = BTreeMap::new();
    for row in rows.fetch_all(connection).await? {
        let attempt = parse_of(&row.record, "attempt", row.build_id)?;
        attempts.entry(row.component_id).or_default().push(attempt);
    }
    Ok(attempts)
}
