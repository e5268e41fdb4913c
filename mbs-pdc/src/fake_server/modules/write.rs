//! Creating, changing and deleting one entry.

use std::sync::Arc;

use serde_json::Value;

use super::check;
use super::face::{Face, Kind};
use crate::fake_server::answer::Refusal;
use crate::fake_server::python;
use crate::fake_server::rows::Row;
use crate::fake_server::shared::Work;
use crate::fake_server::state::{Change, Column, nsvc};

/// The columns with the names that the store gives them.
const STORED: [(&str, Column); 8] = [
    ("variant_id", Column::VariantId),
    ("uid", Column::Uid),
    ("name", Column::Name),
    ("stream", Column::Stream),
    ("version", Column::Version),
    ("context", Column::Context),
    ("type", Column::Kind),
    ("koji_tag", Column::KojiTag),
];

/// Returns how many characters a column has room for.
pub(super) fn longest(column: Column) -> usize {
    match column {
        Column::Uid => 610,
        Column::Name | Column::KojiTag => 300,
        Column::VariantId | Column::Kind | Column::Stream | Column::Version | Column::Context => 100,
    }
}

/// Creates an entry.
///
/// # Errors
/// The body is refused, or there is such an entry.
pub(super) fn create(work: &mut Work, face: Face, body: &Value) -> Result<Arc<Row>, Refusal> {
    let draft = check::read(work, face, body, false)?;
    let mut row = draft.into_row(work.state.next_id());
    check_unique(work, &row)?;
    if face.kind == Kind::Modules {
        name(&mut row);
    }
    put(work, None, row)
}

/// Changes an entry by a body, which may be partial.
///
/// # Errors
/// There is no such entry, the body is refused, or another entry is like that.
pub(super) fn update(
    work: &mut Work,
    face: Face,
    uid: &str,
    (body, is_partial): (&Value, bool),
) -> Result<Arc<Row>, Refusal> {
    let old = face.find(&work.state.table, uid)?;
    let draft = check::read(work, face, body, is_partial)?;
    let mut row = Row::clone(&old);
    let is_named = draft
        .texts
        .keys()
        .any(|column| matches!(column, Column::Name | Column::Stream | Column::Version | Column::Context));
    let has_dependencies = draft.has_dependencies();
    draft.apply(&mut row);
    check_unique(work, &row)?;
    if has_dependencies {
        return Err(Refusal::fault());
    }
    if face.kind == Kind::Modules && is_named {
        name(&mut row);
    }
    put(work, Some(&old), row)
}

/// Deletes an entry.
///
/// # Errors
/// There is no such entry.
pub(super) fn delete(work: &mut Work, face: Face, uid: &str) -> Result<(), Refusal> {
    let old = face.find(&work.state.table, uid)?;
    work.state.table.remove(uid);
    work.changes.push(Change::of_module(Some(&old), None));
    Ok(())
}

/// Gives a row the key that `modules` makes.
fn name(row: &mut Row) {
    row.variant_id.clone_from(&row.name);
    row.uid = nsvc(row).join(":");
}

fn check_unique(work: &Work, row: &Row) -> Result<(), Refusal> {
    match work.state.table.same(nsvc(row)) {
        Some(other) if other.id != row.id => {
            let text = "The fields name, stream, version, context must make a unique set.";
            Err(Refusal::details(&[text.to_owned()]))
        }
        _ => Ok(()),
    }
}

fn put(work: &mut Work, old: Option<&Row>, row: Row) -> Result<Arc<Row>, Refusal> {
    check_stored(work, &row)?;
    work.changes.push(Change::of_module(old, Some(&row)));
    let table = &mut work.state.table;
    if let Some(old) = old {
        table.remove(&old.uid);
    }
    let uid = row.uid.clone();
    table.put(row);
    Ok(Arc::clone(table.row(&uid).expect("it has just been put there")))
}

/// Checks what the store itself checks.
fn check_stored(work: &Work, row: &Row) -> Result<(), Refusal> {
    let mut errors: Vec<(&str, String)> = Vec::new();
    for (name, column) in STORED {
        let (length, longest) = (column.of(row).chars().count(), longest(column));
        if length > longest {
            let text = format!("Ensure this value has at most {longest} characters (it has {length}).");
            errors.push((name, text));
        }
    }
    if work.state.table.row(&row.uid).is_some_and(|other| other.id != row.id) {
        errors.push(("uid", "Module with this Uid already exists.".to_owned()));
    }
    if errors.is_empty() {
        return Ok(());
    }
    let order = python::table_order(errors.iter().map(|(name, _)| *name));
    errors.sort_by_key(|(name, _)| order.iter().position(|other| other == name));
    let texts: Vec<String> = errors.into_iter().map(|(_, text)| text).collect();
    Err(Refusal::details(&texts))
}
