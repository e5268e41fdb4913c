//! `queryOpts`: order, limit, offset and count of a list's rows.

use std::cmp::Ordering;

use super::Args;
use crate::fake_hub::python::is_true;
use crate::fake_hub::state::{Answer, refuse};
use crate::xmlrpc::{Struct, Value};

/// Applies the query options of a call to its rows.
pub(crate) fn rows(rows: Vec<Struct>, args: &Args) -> Answer {
    apply(rows, args.value("queryOpts"))
}

/// Applies query options to rows.
pub(crate) fn apply(mut rows: Vec<Struct>, options: &Value) -> Answer {
    if let Some(order) = options.member("order").and_then(Value::as_str) {
        sort(&mut rows, order)?;
    }
    if options.member("countOnly").is_some_and(is_true) {
        return Ok(count(rows.len()));
    }
    Ok(cut(rows.into_iter().map(Value::from).collect(), options).into())
}

/// Applies offset and limit.
pub(crate) fn cut(values: Vec<Value>, options: &Value) -> Vec<Value> {
    let number = |name| options.member(name).and_then(Value::as_int).and_then(|n| usize::try_from(n).ok());
    let limit = number("limit").unwrap_or(usize::MAX);
    values.into_iter().skip(number("offset").unwrap_or(0)).take(limit).collect()
}

/// Returns how many there are.
pub(crate) fn count(len: usize) -> Value {
    i64::try_from(len).unwrap_or(i64::MAX).into()
}

/// Sorts rows by members, each in rising order or with a leading dash in falling.
pub(crate) fn sort(rows: &mut [Struct], order: &str) -> Answer<()> {
    for key in order.split(',').rev() {
        let (name, falls) = key.strip_prefix('-').map_or((key, false), |name| (name, true));
        if rows.first().is_some_and(|row| row.member(name).is_none()) {
            return Err(refuse(format!("Invalid order: {order}")));
        }
        rows.sort_by(|a, b| {
            let compared = compare(a.member(name), b.member(name));
            if falls { compared.reverse() } else { compared }
        });
    }
    Ok(())
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (Some(a), Some(b)) => match (a.as_double(), b.as_double()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            // Nil comes last, as in PostgreSQL.
            _ => a.is_nil().cmp(&b.is_nil()),
        },
        _ => Ordering::Equal,
    }
}
