//! Which parameters a request may have, and the order that it asks for.

use super::answer::Refusal;
use super::asked::Asked;
use super::python;

/// Checks that there are no parameters but these and those of every list.
///
/// # Errors
/// There are others.
pub(super) fn check(asked: &Asked, is_filter: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    let is_known = |name: &str| matches!(name, "ordering" | "page" | "page_size") || is_filter(name);
    let mut others: Vec<&str> = asked.query.iter().map(|(name, _)| name.as_str()).collect();
    others.retain(|name| !is_known(name));
    others.sort_unstable();
    others.dedup();
    match others.as_slice() {
        [] => Ok(()),
        others => Err(Refusal::detail(400, &format!("Unknown query params: {}.", others.join(", ")))),
    }
}

/// Returns the names to sort by, first the most important, and whether each is descending.
///
/// # Errors
/// A name is none of these.
pub(super) fn ordering<'a>(asked: &'a Asked, known: &[&str]) -> Result<Vec<(&'a str, bool)>, Refusal> {
    let Some(ordering) = asked.parameter("ordering") else { return Ok(Vec::new()) };
    let keys = ordering.split(',').map(str::trim).filter(|key| !key.contains("__"));
    let keys: Vec<(&str, bool)> =
        keys.map(|key| (key.trim_start_matches('-'), key.starts_with('-'))).collect();
    let unknown = python::table_order(python::table_order(keys.iter().map(|(key, _)| *key)))
        .into_iter()
        .filter(|key| !known.contains(key));
    let unknown: Vec<String> = python::table_order(unknown).into_iter().map(python::quoted).collect();
    if unknown.is_empty() {
        return Ok(keys);
    }
    // The number of a row is the one name that the server's own table has as a Unicode text.
    let spelled = |name: &&str| match *name {
        "id" => "u'id'".to_owned(),
        name => format!("'{name}'"),
    };
    let known: Vec<String> = known.iter().map(spelled).collect();
    let text = format!("Unknown query key: [{}] not in fields: [{}]", unknown.join(", "), known.join(", "));
    Err(Refusal::detail(400, &text))
}

/// Reads a truth value as filters spell it.
///
/// # Errors
/// It is none.
pub(super) fn truth(text: &str) -> Result<bool, Refusal> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "1" => Ok(true),
        "false" | "f" | "0" => Ok(false),
        _ => Err(Refusal::detail(400, &format!("{text} is not a valid boolean value"))),
    }
}
