//! Lists in pages, and the addresses of the pages before and after.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::{Answer, Refusal};
use super::asked::Asked;

/// How many entries a page has if nobody says.
const USUAL_SIZE: usize = 20;
/// How many entries a page has at most.
const GREATEST_SIZE: usize = 100;

#[derive(Serialize)]
struct Page<'i, T> {
    count: usize,
    next: Option<String>,
    previous: Option<String>,
    results: &'i [T],
}

/// Answers with the page that is asked for, or with a bare list.
///
/// # Errors
/// There is no such page.
pub(super) fn answer<T: Serialize>(asked: &Asked, host: &str, items: &[T]) -> Result<Answer, Refusal> {
    let Some(size) = size(asked) else { return Ok(Answer::json(200, &items)) };
    let last = items.len().div_ceil(size).max(1);
    let number = if asked.loops { 1 } else { number(asked, last)? };
    let first = (number - 1) * size;
    let results = &items[first..items.len().min(first + size)];
    let url = |page: usize| address(asked, host, page);
    let next = match asked.loops {
        true => Some(url(requested(asked).unwrap_or(1) + 1)),
        false => (number < last).then(|| url(number + 1)),
    };
    let previous = (number > 1).then(|| url(number - 1));
    Ok(Answer::json(200, &Page { count: items.len(), next, previous, results }))
}

/// Returns how many entries a page has; `None`: there are no pages.
fn size(asked: &Asked) -> Option<usize> {
    match asked.parameter("page_size").and_then(integer) {
        None => Some(USUAL_SIZE),
        Some(size) => usize::try_from(size).ok().filter(|size| *size > 0).map(|size| size.min(GREATEST_SIZE)),
    }
}

fn number(asked: &Asked, last: usize) -> Result<usize, Refusal> {
    // An empty page is nonsense, not absent.
    let wanted = asked.query.iter().rfind(|(name, _)| name == "page").map(|(_, value)| value.as_str());
    let number = match wanted {
        None => Some(1),
        Some("last") => Some(last),
        Some(text) => integer(text).and_then(|number| usize::try_from(number).ok()),
    };
    let number = number.filter(|number| (1..=last).contains(number));
    number.ok_or_else(|| Refusal::detail(404, "Invalid page."))
}

fn requested(asked: &Asked) -> Option<usize> {
    usize::try_from(asked.parameter("page").and_then(integer)?).ok()
}

/// Reads a whole number as the real server does, blanks around it and all.
fn integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// Returns the address of a page: parameters by name, and no number on the first page.
fn address(asked: &Asked, host: &str, page: usize) -> String {
    let mut parameters: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &asked.query {
        parameters.entry(name).or_default().push(value.clone());
    }
    match page {
        1 => parameters.remove("page"),
        page => parameters.insert("page", vec![page.to_string()]),
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, values) in &parameters {
        for value in values {
            query.append_pair(name, value);
        }
    }
    // The real server's language escapes the asterisk, too.
    let query = query.finish().replace('*', "%2A");
    let mark = if query.is_empty() { "" } else { "?" };
    format!("http://{host}{}{mark}{query}", asked.path)
}
