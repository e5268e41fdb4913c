//! The endpoints `unreleasedvariants` and `modules`: two faces of one table.

mod check;
mod face;
mod fields;
mod filter;
mod packages;
mod write;

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::answer::{Answer, Refusal};
use super::asked::Asked;
use super::rows::Row;
use super::shared::Shared;
use super::{pages, python, query};

pub(super) use face::{Face, Kind};
pub(super) use fields::{Wrong, date, missing, text, truth};

/// Checks the parameters of a request.
///
/// # Errors
/// There are unknown ones, or an unknown order.
pub(super) fn check_query(face: Face, asked: &Asked) -> Result<(), Refusal> {
    query::check(asked, |name| filter::is_one(face, name))?;
    query::ordering(asked, &face.sorted_by()).map(drop)
}

/// Answers what is asked of the list.
///
/// # Errors
/// It is refused.
pub(super) fn of_list(pdc: &Shared, asked: &Asked, face: Face, host: &str) -> Result<Answer, Refusal> {
    match asked.method.as_str() {
        "POST" => create(pdc, asked, face),
        "PUT" | "PATCH" => update_many(pdc, asked, face),
        "DELETE" => delete_many(pdc, asked, face),
        _ => list(pdc, asked, face, host),
    }
}

/// Answers what is asked of one entry.
///
/// # Errors
/// It is refused.
pub(super) fn of_detail(pdc: &Shared, asked: &Asked, face: Face, uid: &str) -> Result<Answer, Refusal> {
    match asked.method.as_str() {
        "PATCH" => {
            let body = asked.body()?;
            if !python::is_true(&body) {
                return Err(Refusal::no_changes().with_warning());
            }
            let row = pdc.change(asked, |work| write::update(work, face, uid, (&body, true)))?;
            Ok(Answer::json(200, &face.show(row)))
        }
        "PUT" => {
            // What is not there is missed before the body is looked at.
            face.find(&pdc.state().table, uid)?;
            let body = asked.body()?;
            let row = pdc.change(asked, |work| write::update(work, face, uid, (&body, false)))?;
            Ok(Answer::json(200, &face.show(row)))
        }
        "DELETE" => {
            pdc.change(asked, |work| write::delete(work, face, uid))?;
            Ok(Answer::empty(204))
        }
        _ => {
            let row = face.find(&pdc.state().table, uid)?;
            Ok(Answer::json(200, &face.show(row)))
        }
    }
}

fn list(pdc: &Shared, asked: &Asked, face: Face, host: &str) -> Result<Answer, Refusal> {
    let wanted = filter::read(face, asked)?;
    let keys = query::ordering(asked, &face.sorted_by())?;
    let mut rows: Vec<Arc<Row>> = wanted.rows(&pdc.state().table, face);
    if !keys.is_empty() {
        rows.sort_by(|one, other| order(face, &keys, one, other));
    }
    let shown: Vec<_> = rows.into_iter().map(|row| face.show(row)).collect();
    pages::answer(asked, host, &shown)
}

fn order(face: Face, keys: &[(&str, bool)], one: &Row, other: &Row) -> Ordering {
    let by_key = |(name, is_descending): &(&str, bool)| {
        let order = match (face.sort_column(name), *name) {
            (Some(column), _) => column.of(one).cmp(column.of(other)),
            (None, "active") => one.active.cmp(&other.active),
            (None, "modulemd") => one.modulemd.cmp(&other.modulemd),
            (None, "id") => one.id.cmp(&other.id),
            (None, _) => Ordering::Equal,
        };
        if *is_descending { order.reverse() } else { order }
    };
    keys.iter().map(by_key).find(|order| order.is_ne()).unwrap_or_else(|| one.id.cmp(&other.id))
}

fn create(pdc: &Shared, asked: &Asked, face: Face) -> Result<Answer, Refusal> {
    let body = asked.body()?;
    let Value::Array(items) = &body else {
        let row = pdc.change(asked, |work| write::create(work, face, &body))?;
        return Ok(Answer::json(201, &face.show(row)));
    };
    let rows = pdc.change(asked, |work| {
        let create = |(place, item): (usize, &Value)| {
            write::create(work, face, item).map_err(|refusal| refusal.of_item(&place.into(), Some(item)))
        };
        items.iter().enumerate().map(create).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(Answer::json(201, &rows.into_iter().map(|row| face.show(row)).collect::<Vec<_>>()))
}

fn update_many(pdc: &Shared, asked: &Asked, face: Face) -> Result<Answer, Refusal> {
    let body = asked.body()?;
    let is_partial = asked.method == "PATCH";
    if is_partial && !python::is_true(&body) {
        return Err(Refusal::no_changes());
    }
    let Value::Object(items) = &body else {
        return Err(Refusal::detail(400, "Bulk update needs a mapping."));
    };
    let answer = pdc.change(asked, |work| {
        let mut answer = Map::new();
        for uid in python::table_order(items.keys().map(String::as_str)) {
            let item = &items[uid];
            let done = match is_partial && !python::is_true(item) {
                true => Err(Refusal::no_changes()),
                false => write::update(work, face, uid, (item, is_partial)),
            };
            let row = done.map_err(|refusal| refusal.of_item(&uid.into(), Some(item)))?;
            let shown = serde_json::to_value(face.show(row)).expect("an entry has text for keys");
            answer.insert(uid.to_owned(), shown);
        }
        Ok(answer)
    })?;
    Ok(Answer::json(200, &answer))
}

fn delete_many(pdc: &Shared, asked: &Asked, face: Face) -> Result<Answer, Refusal> {
    let body = asked.body()?;
    let Value::Array(items) = &body else {
        return Err(Refusal::detail(400, "Bulk delete needs a list of identifiers."));
    };
    let is_one = |item: &&Value| item.is_string() || item.is_boolean() || item.is_i64() || item.is_u64();
    if let Some(other) = items.iter().find(|item| !is_one(item)) {
        let text = format!("\"{}\" is not a valid identifier.", python::text(other));
        return Err(Refusal::detail(400, &text));
    }
    pdc.change(asked, |work| {
        for (place, item) in items.iter().enumerate() {
            if !items[..place].contains(item) {
                let deleted = write::delete(work, face, &python::text(item));
                deleted.map_err(|refusal| refusal.of_item(item, None))?;
            }
        }
        Ok(())
    })?;
    Ok(Answer::empty(204))
}
