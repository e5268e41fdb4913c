//! Plays one recorded exchange: our client asks, a server answers as recorded, and both sides are compared.

use std::sync::Arc;

use mbs_core::build_system::Effect;
use mbs_http::Secret;
use mbs_pdc::api::{Branch, Change, Entries, Entry, Face, branch_request, branches};
use mbs_pdc::client::{Method, Pdc, PdcError, Request};
use mbs_pdc::server::Login;
use serde_json::Value;

use super::meaning;
use super::purpose::{Purpose, ROOT, decoded, header, kept, ticket};
use crate::client::{Skipping, Ticket, ends};
use crate::recorded::{self, Exchange, Response};
use crate::server::{Heard, Server, bytes};

/// What a client made of an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Came {
    Entries(Vec<Entry>),
    Entry(Box<Entry>),
    Face(Face),
    Branches(Vec<Branch>),
    Token(Secret),
    /// The JSON itself; `Null`: nothing.
    Body(Value),
}

impl Came {
    /// What came is an entry.
    pub(super) fn of(entry: Entry) -> Self {
        Self::Entry(Box::new(entry))
    }
}

/// Plays an exchange, and returns what differs.
pub(super) async fn play(purpose: &Purpose, exchange: &Exchange) -> Vec<String> {
    let answer = answer(&exchange.response);
    let server = Server::start(move |_| answer.clone()).await;
    let pdc = client(&server, &exchange.request);
    let came = ends(act(&pdc, purpose, &exchange.request)).await;
    let mut differences = compare(&server.heard(), purpose, exchange);
    differences.extend(meaning::differs(purpose, &exchange.response, &came));
    differences
}

/// Makes the recorded answer.
pub(super) fn answer(recorded: &Response) -> Vec<u8> {
    let is_kept = |name: &str| !name.eq_ignore_ascii_case("content-length");
    let headers = recorded.headers.iter().filter(|(name, _)| is_kept(name));
    let headers: Vec<(&str, &str)> = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let text = recorded.body.get("__text__").and_then(Value::as_str);
    let body = match &recorded.body {
        Value::Null => String::new(),
        body => text.map_or_else(|| body.to_string(), str::to_owned),
    };
    bytes(recorded.status, &headers, &body)
}

/// Makes a client that sends the recorded credentials, and everything once.
fn client(server: &Server, recorded: &recorded::Request) -> Pdc {
    let token = header(recorded, "Authorization").and_then(|header| header.strip_prefix("Token"));
    let login = token.map_or(Login::Anonymous, |token| Login::Token(Secret::new(token.trim_start())));
    let server = mbs_pdc::server::Server {
        retries: 0,
        ..mbs_pdc::server::Server::new(server.root.trim_end_matches('/'), login)
    };
    let tickets = Ticket(ticket(recorded).map(str::to_owned));
    Pdc::with_tickets(&server, Arc::new(Skipping::default()), Arc::new(tickets)).unwrap()
}

/// Lets the client do what the request was for.
async fn act(pdc: &Pdc, purpose: &Purpose, recorded: &recorded::Request) -> Result<Came, PdcError> {
    let entries = |face: &Face| Entries::new(pdc.clone(), *face);
    let comment = header(recorded, "PDC-Change-Comment");
    match purpose {
        Purpose::Find(face, filter) => entries(face).find(filter).await.map(Came::Entries),
        Purpose::Page(face, filter, paging) => {
            let add = |request: Request, (key, value): &(String, String)| request.query(kept(key), value);
            let page: Value = pdc.read(&paging.iter().fold(filter.request(*face), add)).await?;
            let listed = page.get("results").unwrap_or(&page).as_array().ok_or_else(|| odd("no list"))?;
            each(*face, listed.iter()).map(Came::Entries)
        }
        Purpose::Entry(face, uid) => entries(face).entry(uid).await.map(Came::of),
        Purpose::Newest => Entries::newest(pdc.clone()).await.map(|found| Came::Face(found.face())),
        Purpose::Create(face, entry) => match comment {
            Some(comment) => entries(face).create(entry, comment).await.map(Came::of),
            None => one(*face, &write(pdc, &entry.request(*face)).await?),
        },
        Purpose::Change(face, uid, change) => match comment {
            Some(comment) => entries(face).change(uid, change, comment).await.map(Came::of),
            None => one(*face, &write(pdc, &change.request(*face, uid)).await?),
        },
        Purpose::ChangeMany(face, changes) => {
            let request = Change::request_of_many(*face, changes);
            let request = Request { comment: comment.map(str::to_owned), ..request };
            let shown = write(pdc, &request).await?;
            each(*face, shown.as_object().ok_or_else(|| odd("no entries"))?.values()).map(Came::Entries)
        }
        Purpose::Branch(kind, component, branch) => {
            branches(pdc, &branch_request(kind, component, branch)).await.map(Came::Branches)
        }
        Purpose::Token => pdc.token().await.map(Came::Token),
        Purpose::Plain(request) => {
            let request = Request { comment: comment.map(str::to_owned), ..request.clone() };
            match request.method {
                Method::Get => pdc.read(&request).await.map(Came::Body),
                _ => write(pdc, &request).await.map(Came::Body),
            }
        }
        Purpose::Foreign(_) => unreachable!("it is nothing to play"),
    }
}

async fn write(pdc: &Pdc, request: &Request) -> Result<Value, PdcError> {
    Ok(pdc.write(request).await?.unwrap_or_default())
}

fn one(face: Face, shown: &Value) -> Result<Came, PdcError> {
    Ok(Came::of(each(face, [shown].into_iter())?.remove(0)))
}

fn each<'v>(face: Face, shown: impl Iterator<Item = &'v Value>) -> Result<Vec<Entry>, PdcError> {
    shown.map(|shown| Entry::read(face, shown.clone()).map_err(|error| odd(&error.to_string()))).collect()
}

fn odd(what: &str) -> PdcError {
    PdcError::Protocol { what: what.to_owned(), effect: Effect::Unknown }
}

/// Compares what arrived with what was recorded.
fn compare(heard: &[Heard], purpose: &Purpose, exchange: &Exchange) -> Vec<String> {
    let recorded = &exchange.request;
    let mut differences = Vec::new();
    let mut note = |what: &str, recorded: String, ours: String| {
        if recorded != ours {
            differences.push(format!("{what}\n  recorded {recorded}\n  sent {ours}"));
        }
    };
    // The other spellings of the path to a token follow on a refusal of the first.
    let is_tried_on = matches!(purpose, Purpose::Token) && exchange.response.status == 404;
    note("how often it was sent", (if is_tried_on { 3 } else { 1 }).to_string(), heard.len().to_string());
    let Some(sent) = heard.first() else { return differences };
    note("method", recorded.method.clone(), sent.method.clone());
    note("path", format!("{:?}", parts(&recorded.path)), format!("{:?}", parts(&sent.path)));
    note("query", sorted(&recorded.query), sorted(&sent.query));
    note("body", recorded.body.to_string(), sent.json().to_string());
    for name in ["Accept", "Content-Type"] {
        let ours = sent.headers.get(&name.to_ascii_lowercase()).cloned().unwrap_or_default();
        note(name, header(recorded, name).unwrap_or(&ours).to_owned(), ours.clone());
    }
    let scheme = |header: &str| header.strip_prefix("Negotiate ").map_or(header, |_| "Negotiate").to_owned();
    let ours = sent.headers.get("authorization").map(|header| scheme(header));
    let theirs = header(recorded, "Authorization").map(scheme);
    note("Authorization", format!("{theirs:?}"), format!("{ours:?}"));
    // With a read a comment says nothing to PDC, and where ours read they have none.
    let ours = sent.headers.get("pdc-change-comment").map(String::as_str);
    if recorded.method != "GET" || ours.is_some() {
        let theirs = header(recorded, "PDC-Change-Comment");
        note("PDC-Change-Comment", format!("{theirs:?}"), format!("{ours:?}"));
    }
    differences
}

/// Returns the parts of a path, decoded; the last is empty, for the slash.
fn parts(path: &str) -> Vec<String> {
    path.strip_prefix(ROOT).unwrap_or(path).split('/').map(decoded).collect()
}

fn sorted(query: &[(String, String)]) -> String {
    let mut query = query.to_vec();
    query.sort();
    format!("{query:?}")
}
