//! Tokens: had for a ticket, from whichever path there is, had anew when the owner has changed it, and never printed.

use std::sync::Arc;

use mbs_core::build_system::Effect;
use mbs_http::{Secret, Tickets};
use mbs_pdc::api::{Change, Entries, Entry, Face};
use mbs_pdc::client::{Pdc, PdcError};
use mbs_pdc::server::Login;

use crate::client::{Skipping, Ticket, ends, server};
use crate::server::{Heard, Server, bytes, json};

const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
const MARY: &str = "<ticket of mary@EXAMPLE.COM>";

fn ticket() -> Ticket {
    Ticket(Some(MARY.to_owned()))
}

fn client(root: &str, tickets: impl Tickets) -> Pdc {
    let server = mbs_pdc::server::Server { login: Login::Ticket, ..server(root, 20_000) };
    Pdc::with_tickets(&server, Arc::new(Skipping::default()), Arc::new(tickets)).unwrap()
}

async fn activate(pdc: &Pdc) -> Result<Entry, PdcError> {
    let change = Change { active: Some(true), ..Change::default() };
    ends(Entries::new(pdc.clone(), Face::Variants).change("core-s-1", &change, "ticket 42")).await
}

fn obtained(token: &str) -> Vec<u8> {
    json(200, &format!(r#"{{"token": "{token}"}}"#))
}

fn entry() -> Vec<u8> {
    let entry = r#"{"variant_id": "core", "variant_uid": "core-s-1", "variant_name": "core", "variant_type": "module",
        "variant_version": "s", "variant_release": "1", "variant_context": "00000000", "koji_tag": "NA",
        "modulemd": "x", "runtime_deps": [], "build_deps": [], "active": true, "rpms": []}"#;
    json(200, entry)
}

fn not_found() -> Vec<u8> {
    json(404, r#"{"detail": "Not found"}"#)
}

fn invalid() -> Vec<u8> {
    json(401, r#"{"detail": "Invalid token."}"#)
}

/// Returns path and credentials of each request.
fn asked(server: &Server) -> Vec<(String, String)> {
    let told = |heard: Heard| {
        let path = heard.path.trim_start_matches("/rest_api/v1/").to_owned();
        (path, heard.headers.get("authorization").cloned().unwrap_or_default())
    };
    server.heard().into_iter().map(told).collect()
}

/// Returns what [`asked`] should be: `t` stands for the ticket, others for tokens.
fn wanted(asked: &[(&str, &str)]) -> Vec<(String, String)> {
    // As base64 has it.
    let ticket = "Negotiate PHRpY2tldCBvZiBtYXJ5QEVYQU1QTEUuQ09NPg==".to_owned();
    let header = |login: &str| if login == "t" { ticket.clone() } else { format!("Token {login}") };
    asked.iter().map(|(path, login)| ((*path).to_owned(), header(login))).collect()
}

#[tokio::test]
async fn one_token_is_had_for_all_requests() {
    let told = Server::playing([obtained("first"), entry(), entry()]).await;
    let pdc = client(&told.root, ticket());
    assert!(activate(&pdc).await.unwrap().active && activate(&pdc).await.unwrap().active);
    let change = ("unreleasedvariants/core-s-1/", "first");
    assert_eq!(asked(&told), wanted(&[("auth/token/obtain/", "t"), change, change]));
    assert_eq!((pdc.figures().reads, pdc.figures().writes, pdc.figures().repeated), (1, 2, 0));
}

#[tokio::test]
async fn requests_that_begin_together_wait_for_one_token() {
    let answer = |heard: &Heard| if heard.path.ends_with("/obtain/") { obtained("first") } else { entry() };
    let told = Server::start(answer).await;
    let pdc = client(&told.root, ticket());
    let (one, other) = tokio::join!(activate(&pdc), activate(&pdc));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(asked(&told).iter().filter(|(path, _)| path == "auth/token/obtain/").count(), 1);
}

#[tokio::test]
async fn the_path_of_an_older_server_is_found() {
    let page = bytes(404, &[("Content-Type", "text/html")], "<h1>Not Found</h1>");
    let told = Server::playing([page, not_found(), obtained("old")]).await;
    assert_eq!(ends(client(&told.root, ticket()).token()).await, Ok(Secret::new("old")));
    let paths = [("auth/token/obtain/", "t"), ("auth/obtain-token/", "t"), ("auth/obtain_token/", "t")];
    assert_eq!(asked(&told), wanted(&paths));
}

#[tokio::test]
async fn a_server_that_gives_no_tokens_says_nothing_about_entries() {
    let told = Server::start(|_| not_found()).await;
    let pdc = client(&told.root, ticket());
    let wanted = "no token is configured, and PDC gives none for a ticket: Not found";
    let entry = ends(Entries::new(pdc.clone(), Face::Modules).entry("a:b:1:c")).await.unwrap_err();
    assert_eq!((entry.to_string().as_str(), entry.effect()), (wanted, Effect::None));
    let newest = ends(Entries::newest(pdc.clone())).await.unwrap_err();
    assert_eq!(newest.to_string(), wanted);
    assert_eq!((told.heard().len(), pdc.figures().repeated), (6, 0));
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so_and_nothing_was_sent() {
    let page = bytes(401, &[("Content-Type", "text/html"), ("WWW-Authenticate", "Negotiate")], "<h1>No</h1>");
    let told = Server::playing([page]).await;
    let refused = activate(&client(&told.root, ticket())).await.unwrap_err();
    assert_eq!(refused.to_string(), "PDC does not allow it (401): HTTP 401 and the words `No`");
    assert_eq!(asked(&told), wanted(&[("auth/token/obtain/", "t")]));

    let told = Server::playing([]).await;
    let without = activate(&client(&told.root, Ticket(None))).await.unwrap_err();
    let wanted = "PDC does not allow it (401): no Kerberos ticket could be had: no credentials";
    assert_eq!((without.to_string().as_str(), without.effect()), (wanted, Effect::None));
    assert_eq!(told.heard(), []);
}

#[cfg(not(feature = "gssapi"))]
#[tokio::test]
async fn without_kerberos_no_token_is_had() {
    let told = Server::playing([]).await;
    let server = mbs_pdc::server::Server { login: Login::Ticket, ..server(told.root.as_str(), 20_000) };
    let pdc = Pdc::new(&server, Arc::new(Skipping::default())).unwrap();
    assert!(matches!(activate(&pdc).await, Err(PdcError::Configuration { .. })));
    assert_eq!(told.heard(), []);
}

#[tokio::test]
async fn a_token_that_was_changed_is_had_anew() {
    let told =
        Server::playing([obtained("first"), entry(), invalid(), obtained("second"), entry(), entry()]).await;
    let pdc = client(&told.root, ticket());
    for _ in 0..3 {
        assert!(activate(&pdc).await.unwrap().active);
    }
    let path = "unreleasedvariants/core-s-1/";
    let obtain = ("auth/token/obtain/", "t");
    let all = [obtain, (path, "first"), (path, "first"), obtain, (path, "second"), (path, "second")];
    assert_eq!(asked(&told), wanted(&all));
}

#[tokio::test]
async fn a_token_that_is_refused_though_it_is_the_right_one_stays_refused() {
    // So it is for somebody who is known but may not do anything any more.
    let told = Server::playing([obtained("only"), invalid(), obtained("only")]).await;
    let refused = activate(&client(&told.root, ticket())).await.unwrap_err();
    assert_eq!(refused, PdcError::Denied { status: 401, reason: "Invalid token.".to_owned() });
    assert_eq!(told.heard().len(), 3);
    // Nobody has another one in the place of one that was given.
    let told = Server::playing([invalid()]).await;
    let server =
        mbs_pdc::server::Server { login: Login::Token(Secret::new(TOKEN)), ..server(&told.root, 20_000) };
    let pdc = Pdc::with_tickets(&server, Arc::new(Skipping::default()), Arc::new(ticket())).unwrap();
    assert!(matches!(activate(&pdc).await, Err(PdcError::Denied { status: 401, .. })));
    assert_eq!(asked(&told), wanted(&[("unreleasedvariants/core-s-1/", TOKEN)]));
}
