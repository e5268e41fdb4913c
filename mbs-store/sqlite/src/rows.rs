//! From records to rows that are written together: as JSON, which SQLite takes apart, so that one statement writes them all.
//!
//! In each row, `record` is text that is JSON itself: it is kept as it was written.

use mbs_core::model::Transition;
use mbs_core::store::{AttemptRow, ComponentColumns, ComponentRow, StateChange, StoreError};
use serde::Serialize;

use crate::text::json;
use crate::time;

#[derive(Serialize)]
struct Component<'r> {
    id: i64,
    position: usize,
    #[serde(flatten)]
    columns: &'r ComponentColumns,
    record: String,
}

#[derive(Serialize)]
struct Attempt {
    component_id: i64,
    position: usize,
    task: Option<i64>,
    is_live: bool,
    record: String,
}

#[derive(Serialize)]
struct Trace {
    seq: u64,
    at: i64,
    state: u8,
    record: String,
}

#[derive(Serialize)]
struct Event {
    seq: u64,
    at: i64,
    record: String,
}

/// Writes the rows of components.
pub(crate) fn components(rows: &[ComponentRow]) -> Result<String, StoreError> {
    all(rows, |row| {
        let record = json(&row.record)?;
        Ok(Component { id: row.id.0, position: row.position, columns: &row.columns, record })
    })
}

/// Writes the rows of attempts.
pub(crate) fn attempts(rows: &[AttemptRow]) -> Result<String, StoreError> {
    all(rows, |row| {
        let (component_id, position, task, is_live) =
            (row.component_id.0, row.position, row.task, row.is_live);
        Ok(Attempt { component_id, position, task, is_live, record: json(&row.record)? })
    })
}

/// Writes the rows of traces: changes by their numbers.
pub(crate) fn traces<'t>(changes: impl Iterator<Item = (u64, &'t Transition)>) -> Result<String, StoreError> {
    let row = |(seq, change): (u64, &Transition)| {
        Ok(Trace { seq, at: time::micros(change.at), state: change.to.number(), record: json(change)? })
    };
    json(&changes.map(row).collect::<Result<Vec<_>, StoreError>>()?)
}

/// Writes the rows of events.
pub(crate) fn events(changes: &[StateChange]) -> Result<String, StoreError> {
    all(changes, |change| {
        let at = time::micros(change.transition.at);
        Ok(Event { seq: change.seq, at, record: json(change)? })
    })
}

fn all<'r, R, W: Serialize>(
    rows: &'r [R],
    write: impl Fn(&'r R) -> Result<W, StoreError>,
) -> Result<String, StoreError> {
    let rows: Vec<W> = rows.iter().map(write).collect::<Result<_, _>>()?;
    json(&rows)
}
