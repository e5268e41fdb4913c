//! The endpoints that a few entries are read from: components, their branches and support, and the audit trail.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::answer::{Answer, Refusal};
use super::asked::Asked;
use super::route::Resource;
use super::shared::Shared;
use super::state::{Changeset, State};
use super::{components, pages, query};

/// Checks the parameters of a request.
///
/// # Errors
/// There are unknown ones, or an unknown order.
pub(super) fn check_query(resource: Resource, asked: &Asked) -> Result<(), Refusal> {
    query::check(asked, |name| filters(resource).contains(&name))?;
    query::ordering(asked, fields(resource)).map(drop)
}

fn filters(resource: Resource) -> &'static [&'static str] {
    match resource {
        Resource::Branches => &["name", "global_component", "type", "active", "critical_path"],
        Resource::Slas => &["sla", "branch", "global_component", "branch_type", "eol"],
        Resource::SlaTypes => &["name", "description"],
        Resource::Components => &["name"],
        Resource::Changesets => &["author", "resource", "changed_since", "changed_until", "comment"],
        Resource::Variants | Resource::Modules => &[],
    }
}

fn fields(resource: Resource) -> &'static [&'static str] {
    match resource {
        Resource::Branches => &["id", "global_component", "name", "slas", "type", "active", "critical_path"],
        Resource::Slas => &["id", "sla", "branch", "eol"],
        Resource::SlaTypes => &["id", "name", "description"],
        Resource::Components => &["id", "name", "dist_git_path", "contacts", "labels", "upstream"],
        Resource::Changesets => &["id", "author", "requested_on", "committed_on", "changes", "comment"],
        Resource::Variants | Resource::Modules => &[],
    }
}

/// Answers what is asked of a list.
///
/// # Errors
/// It is refused.
pub(super) fn of_list(
    pdc: &Shared,
    asked: &Asked,
    resource: Resource,
    host: &str,
) -> Result<Answer, Refusal> {
    match asked.method.as_str() {
        "GET" | "HEAD" => {
            let mut items = items(&pdc.state(), resource, asked, pdc.today())?;
            let keys = query::ordering(asked, fields(resource))?;
            items.sort_by(|one, other| order(&keys, one, other));
            pages::answer(asked, host, &items)
        }
        "POST" => components::create(pdc, asked, resource),
        // Nobody who is to be tested against this changes components.
        _ => Err(Refusal::fault()),
    }
}

/// Answers what is asked of one entry.
///
/// # Errors
/// It is refused.
pub(super) fn of_detail(
    pdc: &Shared,
    asked: &Asked,
    resource: Resource,
    id: &str,
) -> Result<Answer, Refusal> {
    if !matches!(asked.method.as_str(), "GET" | "HEAD") {
        return Err(Refusal::fault());
    }
    let wanted: Option<u64> = id.parse().ok();
    let all = all(&pdc.state(), resource, pdc.today());
    let found = all.into_iter().find(|item| wanted.is_some() && item["id"].as_u64() == wanted);
    found.map(|item| Answer::json(200, &item)).ok_or_else(Refusal::not_found)
}

/// Returns all entries in their usual order.
fn all(state: &State, resource: Resource, today: Date) -> Vec<Value> {
    let known = &state.components;
    let by = |mut items: Vec<Value>, names: [&str; 3]| {
        let key = |item: &Value| names.map(|name| item.pointer(name).unwrap_or(&Value::Null).to_string());
        items.sort_by_cached_key(key);
        items
    };
    match resource {
        Resource::Branches => {
            let items = (1..=known.branches.len()).map(|id| known.shown_branch(id, today));
            by(items.collect(), ["/global_component", "/name", "/type"])
        }
        Resource::Slas => {
            let items = (1..=known.slas.len()).map(|id| known.shown_sla(id, today));
            by(items.collect(), ["/branch/global_component", "/branch/name", "/sla"])
        }
        Resource::SlaTypes => {
            let items = (1..=known.sla_types.len()).map(|id| known.shown_sla_type(id));
            by(items.collect(), ["/name", "/name", "/name"])
        }
        Resource::Components => (1..=known.names.len()).map(|id| known.shown_component(id)).collect(),
        Resource::Changesets => state.changesets.iter().rev().map(|one| one.shown()).collect(),
        Resource::Variants | Resource::Modules => Vec::new(),
    }
}

fn items(state: &State, resource: Resource, asked: &Asked, today: Date) -> Result<Vec<Value>, Refusal> {
    if resource == Resource::Changesets {
        let wanted = Wanted::read(asked)?;
        let own = state.changesets.iter().rev().filter(|one| wanted.takes(one));
        return Ok(own.map(|one| one.shown()).collect());
    }
    let mut items = all(state, resource, today);
    for name in filters(resource) {
        let Some(wanted) = asked.parameter(name) else { continue };
        let pointer = match *name {
            "branch" => "/branch/name",
            "global_component" if resource == Resource::Slas => "/branch/global_component",
            "branch_type" => "/branch/type",
            name => &format!("/{name}"),
        };
        let wanted = match *name {
            "active" | "critical_path" => Value::Bool(query::truth(wanted)?),
            _ => Value::from(wanted),
        };
        items.retain(|item| item.pointer(pointer) == Some(&wanted));
    }
    Ok(items)
}

/// Sorts by what entries show.
fn order(keys: &[(&str, bool)], one: &Value, other: &Value) -> Ordering {
    let by_key = |(name, is_descending): &(&str, bool)| {
        let order = match (&one[name], &other[name]) {
            (Value::Number(one), Value::Number(other)) => one.as_u64().cmp(&other.as_u64()),
            (one, other) => one.to_string().cmp(&other.to_string()),
        };
        if *is_descending { order.reverse() } else { order }
    };
    keys.iter().map(by_key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Which changesets are asked for.
struct Wanted<'a> {
    authors: Vec<&'a str>,
    resources: Vec<&'a str>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    comment: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn read(asked: &'a Asked) -> Result<Self, Refusal> {
        Ok(Self {
            authors: asked.parameters("author").collect(),
            resources: asked.parameters("resource").collect(),
            since: asked.parameter("changed_since").map(moment).transpose()?,
            until: asked.parameter("changed_until").map(moment).transpose()?,
            comment: asked.parameter("comment"),
        })
    }

    fn takes(&self, changeset: &Changeset) -> bool {
        let has_author = |author: &&str| changeset.author.as_deref() == Some(*author);
        let has_resource =
            |resource: &&str| changeset.changes.iter().any(|change| change.resource == *resource);
        // The recordings' database finds a part of a text whatever its case.
        let has_comment = |part: &str| {
            let comment = changeset.comment.as_deref().unwrap_or_default();
            comment.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
        };
        (self.authors.is_empty() || self.authors.iter().any(has_author))
            && (self.resources.is_empty() || self.resources.iter().any(has_resource))
            && self.since.is_none_or(|since| changeset.committed_on >= since)
            && self.until.is_none_or(|until| changeset.committed_on <= until)
            && self.comment.is_none_or(has_comment)
    }
}

/// Reads a moment, a day or a day and a time.
fn moment(text: &str) -> Result<Timestamp, Refusal> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let local = text.parse::<DateTime>().ok().and_then(|time| time.to_zoned(TimeZone::UTC).ok());
    let text = format!(
        "'{text}' value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format."
    );
    local.map(|zoned| zoned.timestamp()).ok_or_else(|| Refusal::details(&[text]))
}
