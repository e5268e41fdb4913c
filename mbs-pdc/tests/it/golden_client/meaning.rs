//! What a recorded answer means, read without the client: fields by hand, errors by their status.

use mbs_pdc::api::{Branch, Dependency, Entry, Face};
use mbs_pdc::client::PdcError;
use serde_json::Value;

use super::play::Came;
use super::purpose::Purpose;
use crate::recorded::Response;

/// Says how what came differs from what the answer means.
pub(super) fn differs(
    purpose: &Purpose,
    response: &Response,
    came: &Result<Came, PdcError>,
) -> Option<String> {
    let is_old = matches!(purpose, Purpose::Newest) && is_json(response) && response.status == 404;
    let is_right = match came {
        Ok(came) if is_old => *came == Came::Face(Face::Variants),
        // What was made is what was to be made.
        Ok(Came::Entry(entry)) if matches!(purpose, Purpose::Create(_, made) if !made.is(entry)) => false,
        Ok(came) => is_yes(response) && wanted(purpose, &response.body).as_ref() == Some(came),
        Err(PdcError::Protocol { .. }) if is_yes(response) => wanted(purpose, &response.body).is_none(),
        Err(error) => refused(response, error),
    };
    (!is_right).then(|| format!("meaning\n  recorded {} {}\n  came {came:?}", response.status, response.body))
}

/// Reads the entries of a list.
pub(super) fn entries(face: Face, listed: &Value) -> Option<Vec<Entry>> {
    listed.as_array()?.iter().map(|item| entry(face, item)).collect()
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let is_told = kind.is_some_and(|(_, kind)| kind.starts_with("application/json"));
    is_told && !response.body.is_null() && response.body.get("__text__").is_none()
}

/// Says whether it is an answer of PDC that grants what was asked for.
fn is_yes(response: &Response) -> bool {
    matches!(response.status, 200..=299) && (response.body.is_null() || is_json(response))
}

/// Returns what has to come of a good answer; `None`: it makes no sense as an answer to this.
fn wanted(purpose: &Purpose, body: &Value) -> Option<Came> {
    let listed = body.get("results").unwrap_or(body);
    Some(match purpose {
        Purpose::Find(face, _) | Purpose::Page(face, ..) => Came::Entries(entries(*face, listed)?),
        Purpose::Entry(face, _) | Purpose::Create(face, _) | Purpose::Change(face, ..) => {
            Came::of(entry(*face, body)?)
        }
        Purpose::ChangeMany(face, _) => {
            let shown = body.as_object()?.values().map(|shown| entry(*face, shown));
            Came::Entries(shown.collect::<Option<_>>()?)
        }
        Purpose::Newest if body.is_null() => return None,
        Purpose::Newest => Came::Face(Face::Modules),
        Purpose::Branch(..) => Came::Branches(listed.as_array()?.iter().map(branch).collect::<Option<_>>()?),
        Purpose::Token => Came::Token(mbs_http::Secret::new(body.get("token")?.as_str()?)),
        Purpose::Plain(_) => Came::Body(body.clone()),
        Purpose::Foreign(_) => return None,
    })
}

fn entry(face: Face, shown: &Value) -> Option<Entry> {
    let [uid, name, stream, version, context] = match face {
        Face::Variants => {
            ["variant_uid", "variant_id", "variant_version", "variant_release", "variant_context"]
        }
        Face::Modules => ["uid", "name", "stream", "version", "context"],
    };
    let text = |key: &str| shown.get(key)?.as_str().map(str::to_owned);
    let list = |key: &str| shown.get(key).map_or(Some(&[][..]), |list| list.as_array().map(Vec::as_slice));
    let dependencies = |key| list(key)?.iter().map(dependency).collect::<Option<_>>();
    Some(Entry {
        uid: text(uid)?,
        name: text(name)?,
        stream: text(stream)?,
        version: text(version)?,
        // What old servers do not have.
        context: text(context).unwrap_or_else(|| "00000000".to_owned()),
        active: shown.get("active").is_none_or(|active| *active == Value::Bool(true)),
        koji_tag: text("koji_tag")?,
        modulemd: text("modulemd")?,
        runtime_deps: dependencies("runtime_deps")?,
        build_deps: dependencies("build_deps")?,
        rpms: list("rpms")?.iter().map(|rpm| rpm.as_str().map(str::to_owned)).collect::<Option<_>>()?,
    })
}

fn dependency(shown: &Value) -> Option<Dependency> {
    let text = |key: &str| shown.get(key)?.as_str().map(str::to_owned);
    Some(Dependency { dependency: text("dependency")?, stream: text("stream")? })
}

fn branch(shown: &Value) -> Option<Branch> {
    let text = |key: &str| shown.get(key)?.as_str().map(str::to_owned);
    Some(Branch {
        global_component: text("global_component")?,
        name: text("name")?,
        kind: text("type")?,
        active: shown.get("active")?.as_bool()?,
    })
}

/// Says whether an error is the one that an answer stands for, and tells what PDC says.
fn refused(response: &Response, error: &PdcError) -> bool {
    let json = is_json(response);
    let words = words(&response.body);
    let is_duplicate =
        words.iter().any(|text| text.contains("must make a unique set") || text.contains("already exists"));
    let is_right = match (response.status, error) {
        (401 | 403, PdcError::Denied { status, .. }) => *status == response.status,
        (404, PdcError::NotFound { .. }) => json,
        (404, PdcError::Configuration { what }) => what.contains("PDC gives none for a ticket"),
        (400, PdcError::Exists { .. }) => is_duplicate,
        (401 | 403 | 404 | 408 | 429, PdcError::Rejected { .. }) => false,
        (400..=499, PdcError::Rejected { status, .. }) => json && !is_duplicate && *status == response.status,
        (300..=399, PdcError::Configuration { .. }) => true,
        (408 | 429 | 500..=599, PdcError::Unavailable { .. }) => true,
        (200..=299 | 400.., PdcError::Protocol { .. }) => !json,
        _ => false,
    };
    let told = error.to_string();
    // Of long speeches the beginning is told, in one line; pages are told without their markup.
    let beginning =
        |text: &str| text.chars().take(100).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let is_told = |text: &String| told.contains::<&String>(&beginning(text));
    let is_moved = matches!(response.status, 300..=399);
    is_right && (!json || is_moved || words.iter().take(2).all(is_told))
}

/// Returns all texts in a body but those that were sent, the reasons before what they are about.
fn words(body: &Value) -> Vec<String> {
    match body {
        Value::Object(fields) => {
            let said = fields.iter().filter(|(key, _)| *key != "invalid_data");
            let (reason, others): (Vec<_>, Vec<_>) = said.partition(|(key, _)| *key == "detail");
            reason.into_iter().chain(others).flat_map(|(_, value)| words(value)).collect()
        }
        Value::Array(items) => items.iter().flat_map(words).collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}
