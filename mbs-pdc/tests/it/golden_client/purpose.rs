//! What a recorded request was for, in terms of our client: the rule that chooses who of ours has to make the same one.

use std::collections::BTreeMap;

use mbs_pdc::api::{Change, Face, Filter, NewEntry};
use mbs_pdc::client::{Method, Request};

use super::bodies::{change, new_entry};
use crate::recorded;

/// Below this everything is.
pub(super) const ROOT: &str = "/rest_api/v1/";

/// What a request was for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// All entries that match, at once.
    Find(Face, Filter),
    /// A part of the entries that match, by this paging.
    Page(Face, Filter, Vec<(String, String)>),
    /// One entry.
    Entry(Face, String),
    /// Which endpoint there is.
    Newest,
    /// A new entry.
    Create(Face, NewEntry),
    /// A change of one entry.
    Change(Face, String, Change),
    /// Changes of several.
    ChangeMany(Face, BTreeMap<String, Change>),
    /// A branch: of what kind, component and name.
    Branch(String, String, String),
    /// A token for a ticket.
    Token,
    /// Anything else.
    Plain(Request),
    /// What no client of ours sends.
    Foreign(Foreign),
}

/// Why no client of ours sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Foreign {
    /// It meets with a redirect, which ours never do: they send the slash.
    NoSlash,
    /// It is for another part of the server.
    OutsideRoot,
    /// Its path has parts that are none.
    OddPath,
    /// It has a method that nothing of ours needs.
    Method,
    /// It sends something else than JSON, or does not say that it is JSON.
    Body,
    /// It wants another answer than JSON.
    Accept,
    /// It has credentials that are neither a token nor a ticket.
    Credentials,
    /// It has a ticket where ours have a token by then.
    Ticket,
}

impl Purpose {
    /// Returns its name, for counting.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Find(..) => "Entries::find",
            Self::Page(..) => "Filter::request",
            Self::Entry(..) => "Entries::entry",
            Self::Newest => "Entries::newest",
            Self::Create(..) => "Entries::create",
            Self::Change(..) => "Entries::change",
            Self::ChangeMany(..) => "Change::request_of_many",
            Self::Branch(..) => "branches",
            Self::Token => "Pdc::token",
            Self::Plain(_) => "a plain request",
            Self::Foreign(_) => "nothing",
        }
    }
}

/// Finds out what a request was for.
pub(super) fn purpose(recorded: &recorded::Request) -> Purpose {
    match below(recorded) {
        Err(foreign) => Purpose::Foreign(foreign),
        Ok((method, parts)) => {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            typed(recorded, method, &parts).unwrap_or_else(|| plain(recorded, method, &parts))
        }
    }
}

/// Returns a header, whatever its case.
pub(super) fn header<'r>(recorded: &'r recorded::Request, name: &str) -> Option<&'r str> {
    let found = recorded.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Returns the user whose ticket a request has.
pub(super) fn ticket(recorded: &recorded::Request) -> Option<&str> {
    header(recorded, "Authorization")?.strip_prefix("Negotiate ")
}

/// Returns method and parts of the path of a request that a client of ours could send.
fn below(recorded: &recorded::Request) -> Result<(Method, Vec<String>), Foreign> {
    let path = recorded.path.strip_prefix(ROOT).ok_or(Foreign::OutsideRoot)?;
    let path = path.strip_suffix('/').ok_or(Foreign::NoSlash)?;
    let parts: Vec<String> = path.split('/').map(decoded).collect();
    if parts.iter().any(|part| matches!(part.as_str(), "" | "." | "..")) {
        return Err(Foreign::OddPath);
    }
    let methods = [Method::Get, Method::Post, Method::Patch, Method::Delete];
    let method = methods.into_iter().find(|method| method.name() == recorded.method);
    let is_json = |name| header(recorded, name).is_none_or(|kind| kind == "application/json");
    let is_obtaining =
        recorded.method == "GET" && parts == ["auth", "token", "obtain"] && recorded.query.is_empty();
    let is_text = recorded.body.get("__text__").is_some();
    let is_untold = !recorded.body.is_null() && header(recorded, "Content-Type").is_none();
    match header(recorded, "Authorization") {
        Some(header) if header.starts_with("Negotiate ") && !is_obtaining => return Err(Foreign::Ticket),
        Some(header)
            if header.starts_with("Negotiate ") || header == "Token" || header.starts_with("Token ") => {}
        Some(_) => return Err(Foreign::Credentials),
        None => {}
    }
    match method {
        None => Err(Foreign::Method),
        Some(_) if !is_json("Accept") => Err(Foreign::Accept),
        Some(_) if !is_json("Content-Type") || is_text || is_untold => Err(Foreign::Body),
        Some(method) => Ok((method, parts)),
    }
}

/// Finds who of ours is there for it.
fn typed(recorded: &recorded::Request, method: Method, parts: &[&str]) -> Option<Purpose> {
    let body = &recorded.body;
    let is_bare = recorded.query.is_empty();
    if method == Method::Get && !body.is_null() {
        return None;
    }
    if let (Method::Get, ["auth", "token", "obtain"], true) = (method, parts, is_bare) {
        return ticket(recorded).map(|_| Purpose::Token);
    }
    if let (Method::Get, ["component-branches"]) = (method, parts) {
        let mut query: BTreeMap<&str, &str> = pairs(recorded).collect();
        let mut value = |name| query.remove(name).map(str::to_owned);
        let branch = Purpose::Branch(value("type")?, value("global_component")?, value("name")?);
        return (query.is_empty() && recorded.query.len() == 3).then_some(branch);
    }
    let face = match *parts.first()? {
        "unreleasedvariants" => Face::Variants,
        "modules" => Face::Modules,
        _ => return None,
    };
    match (method, &parts[1..]) {
        (Method::Get, []) => listing(recorded, face),
        (Method::Get, [uid]) if is_bare => Some(Purpose::Entry(face, (*uid).to_owned())),
        (Method::Post, []) if is_bare => Some(Purpose::Create(face, new_entry(face, body)?)),
        (Method::Patch, [uid]) if is_bare => Some(Purpose::Change(face, (*uid).to_owned(), change(body)?)),
        (Method::Patch, []) if is_bare => {
            let changes = body.as_object().filter(|changes| !changes.is_empty())?;
            let changes = changes.iter().map(|(uid, body)| Some((uid.clone(), change(body)?)));
            Some(Purpose::ChangeMany(face, changes.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

fn plain(recorded: &recorded::Request, method: Method, parts: &[&str]) -> Purpose {
    let mut request = Request::new(method, parts.iter().copied());
    for (key, value) in pairs(recorded) {
        request = request.query(kept(key), value);
    }
    if !recorded.body.is_null() {
        request = request.body(recorded.body.clone());
    }
    Purpose::Plain(request)
}

/// Keeps a key for good: a test has few.
pub(super) fn kept(key: &str) -> &'static str {
    Box::leak(key.to_owned().into_boxed_str())
}

fn pairs(recorded: &recorded::Request) -> impl Iterator<Item = (&str, &str)> {
    recorded.query.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}

fn listing(recorded: &recorded::Request, face: Face) -> Option<Purpose> {
    let (paging, filters): (Vec<_>, Vec<_>) =
        recorded.query.iter().cloned().partition(|(key, _)| key == "page" || key == "page_size");
    let sizes: Vec<(&str, &str)> = paging.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    match sizes.as_slice() {
        [("page_size", "1")] if face == Face::Modules && filters.is_empty() => Some(Purpose::Newest),
        [("page_size", "-1")] => Some(Purpose::Find(face, filter(face, &filters)?)),
        _ => Some(Purpose::Page(face, filter(face, &filters)?, paging)),
    }
}

/// Returns the filter that has these parameters, each of which has to be there once.
fn filter(face: Face, given: &[(String, String)]) -> Option<Filter> {
    let mut given_once: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, value) in given {
        if given_once.insert(key, value).is_some() {
            return None;
        }
    }
    let [name, uid, stream, version, context] = match face {
        Face::Variants => {
            ["variant_id", "variant_uid", "variant_version", "variant_release", "variant_context"]
        }
        Face::Modules => ["name", "uid", "stream", "version", "context"],
    };
    let active = match given_once.remove("active") {
        None => None,
        Some("True") => Some(true),
        Some("False") => Some(false),
        Some(_) => return None,
    };
    let mut value = |key| given_once.remove(key).map(str::to_owned);
    let (name, uid, stream) = (value(name), value(uid), value(stream));
    let (version, context) = (value(version), value(context));
    let (koji_tag, component) = (value("koji_tag"), value("component_name"));
    let build_dep = value("build_dep_name").map(|name| (name, value("build_dep_stream")));
    let runtime_dep = value("runtime_dep_name").map(|name| (name, value("runtime_dep_stream")));
    let filter =
        Filter { uid, name, stream, version, context, koji_tag, active, build_dep, runtime_dep, component };
    given_once.is_empty().then_some(filter)
}

/// Returns a part of a path as it is meant. A `%` that begins nothing stands for itself.
pub(super) fn decoded(part: &str) -> String {
    let bytes = part.as_bytes();
    let (mut read, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let code = part.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        read.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&read).into_owned()
}

#[test]
fn golden_rule_knows_what_is_ours() {
    use serde_json::{Value, json};

    let json_header = || json!({"Content-Type": "application/json"});
    let asked = |method: &str, path: &str, query: Value, headers: Value, body: Value| {
        let recorded =
            json!({"method": method, "path": path, "query": query, "headers": headers, "body": body});
        let purpose = purpose(&serde_json::from_value(recorded).unwrap());
        match purpose {
            Purpose::Foreign(why) => format!("{why:?}"),
            purpose => purpose.name().to_owned(),
        }
    };
    let get = |path: &str, query: Value| asked("GET", path, query, json!({}), Value::Null);
    let write = |method: &str, path: &str, body: Value| asked(method, path, json!([]), json_header(), body);
    let (variants, modules) = ("/rest_api/v1/unreleasedvariants/", "/rest_api/v1/modules/");
    for (is, wanted) in [
        (
            get(variants, json!([["variant_id", "a"], ["active", "True"], ["page_size", "-1"]])),
            "Entries::find",
        ),
        (get(variants, json!([["active", "t"], ["page_size", "-1"]])), "a plain request"),
        (get(variants, json!([["build_dep_name", "a"], ["build_dep_name", "b"]])), "a plain request"),
        (get(variants, json!([["page_size", "1"]])), "Filter::request"),
        (get(modules, json!([["page_size", "1"]])), "Entries::newest"),
        (get(modules, json!([["variant_id", "a"]])), "a plain request"),
        (get("/rest_api/v1/modules/a%3Ab/", json!([])), "Entries::entry"),
        (get("/rest_api/v1/modules/a/b/", json!([])), "a plain request"),
        (get("/rest_api/v1/modules/../", json!([])), "OddPath"),
        (get("/rest_api/v1/modules", json!([])), "NoSlash"),
        (get("/admin/", json!([])), "OutsideRoot"),
        (write("POST", modules, json!([{"name": "a"}])), "a plain request"),
        (write("DELETE", modules, json!(["a"])), "a plain request"),
        (write("PUT", modules, json!({})), "Method"),
        (write("PATCH", modules, json!({"a": {"koji_tag": "b"}})), "Change::request_of_many"),
        (write("PATCH", modules, json!({"a": {"version": "b"}})), "a plain request"),
        (write("PATCH", modules, json!({"__text__": "a"})), "Body"),
        (asked("HEAD", modules, json!([]), json!({}), Value::Null), "Method"),
        (asked("GET", modules, json!([]), json!({"Accept": "text/html"}), Value::Null), "Accept"),
        (asked("GET", modules, json!([]), json!({"Authorization": "Basic a"}), Value::Null), "Credentials"),
        (asked("GET", modules, json!([]), json!({"Authorization": "Negotiate a"}), Value::Null), "Ticket"),
    ] {
        assert_eq!(is, wanted);
    }
}
