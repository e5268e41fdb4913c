//! What is printed: no token, no ticket, no body, and nothing of a server that moves a terminal.

use std::io::Write;
use std::sync::{Arc, Mutex};

use mbs_http::Secret;
use mbs_pdc::api::{Entries, Face, Filter, NewEntry};
use mbs_pdc::client::{Method, Pdc, PdcError, Request};
use mbs_pdc::server::{Login, Server};
use tracing_subscriber::fmt::MakeWriter;

use crate::client::{Skipping, Ticket, ends, server};
use crate::server::{bytes, json};

const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn client(server: &Server) -> Pdc {
    let ticket = Ticket(Some(format!("<ticket of mary {TOKEN}>")));
    Pdc::with_tickets(server, Arc::new(Skipping::default()), Arc::new(ticket)).unwrap()
}

#[test]
fn a_server_and_its_client_are_shown_without_credentials() {
    let known = Server::new("https://pdc.example.org/", Login::Token(Secret::new(TOKEN)));
    let shown = format!("{known:?} {:?}", client(&known));
    assert!(shown.contains("https://pdc.example.org/") && !shown.contains(TOKEN), "{shown}");
    // Whoever puts a password into an address is told that it is none of its business, and nothing of it.
    let known = Server::new(format!("https://mary:{TOKEN}@pdc.example.org/"), Login::Anonymous);
    let refused = Pdc::new(&known, Arc::new(Skipping::default())).unwrap_err();
    let told =
        "PDC server `https://pdc.example.org/`: its root holds a user's name or password: PDC takes tokens";
    assert_eq!(refused.to_string(), told);
    assert!(!format!("{refused:?} {}", known.name).contains(TOKEN));
}

#[test]
fn whatever_password_is_put_into_an_address_is_not_shown() {
    for (root, shown) in [
        (format!("https://mary:{TOKEN}@pdc/v1"), "https://pdc/v1"),
        (format!("https://mary:a@b{TOKEN}@pdc/v1"), "https://pdc/v1"),
        (format!("https://mary:/{TOKEN}?#@pdc/v1"), "https://pdc/v1"),
        (format!("https://mary?{TOKEN}@pdc/v1"), "https://pdc/v1"),
        (format!("https:mary:{TOKEN}@pdc/v1"), "pdc/v1"),
        (format!("mary:{TOKEN}@pdc/v1"), "pdc/v1"),
        ("https://pdc/at@home/v1".to_owned(), "https://pdc/at@home/v1"),
    ] {
        let known = Server::new(root, Login::Anonymous);
        let debug = format!("{known:?}");
        assert!(debug.contains(&format!("root: {shown:?}")) && !debug.contains(TOKEN), "{debug}");
        assert_eq!(known.name, shown);
        let refused = Pdc::new(&known, Arc::new(Skipping::default())).map_err(|error| error.to_string());
        assert!(!format!("{refused:?}").contains(TOKEN), "{refused:?}");
    }
}

#[tokio::test]
async fn what_is_read_of_the_wrong_type_does_not_bring_a_token_into_an_error() {
    let told =
        crate::server::Server::start(|_| json(200, &format!(r#"{{"count": "{TOKEN}", "next": 1}}"#))).await;
    let pdc = client(&server(told.root.as_str(), 20_000));
    let request = Request::new(Method::Get, ["auth", "token", "obtain"]);
    let words = ends(pdc.read::<String>(&request)).await.unwrap_err();
    let listed = ends(pdc.list::<String>(&request)).await.unwrap_err();
    let post = Request { method: Method::Post, ..request };
    let written = ends(pdc.write::<u64>(&post)).await.unwrap_err();
    for error in [words, listed, written] {
        assert!(matches!(error, PdcError::Protocol { .. }), "{error:?}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("0123456789") && shown.contains("at line 1 column"), "{shown}");
    }
}

#[tokio::test]
async fn no_answer_brings_a_token_into_an_error() {
    for answer in [
        format!(r#"{{"token": ["{TOKEN}"]}}"#),
        format!(r#"{{"token": "{TOKEN}""#),
        format!(r#"{{"token": "{TOKEN}\n"}}"#),
        format!(r#"{{"token": "{TOKEN}", "token": 1}}"#),
        format!(r#"{{"key": "{TOKEN}"}}"#),
        format!(r#""{TOKEN}""#),
        TOKEN.to_owned(),
        r#"{"token": " "}"#.to_owned(),
        "{}".to_owned(),
        String::new(),
    ] {
        let kind = if answer == TOKEN { "text/plain" } else { "application/json" };
        let answer = bytes(200, &[("Content-Type", kind)], &answer);
        let told = crate::server::Server::start(move |_| answer.clone()).await;
        let pdc = client(&Server { login: Login::Ticket, ..server(told.root.as_str(), 20_000) });
        let error = ends(Entries::new(pdc, Face::Variants).entry("core-s-1")).await.unwrap_err();
        let is_told = matches!(error, PdcError::Protocol { .. });
        let shown = format!("{error} {error:?}");
        assert!(is_told && !shown.contains("0123456789"), "{shown}");
        assert_eq!(told.heard().len(), 1, "it is not used");
    }
}

#[tokio::test]
async fn logs_have_no_token_no_body_and_one_line_for_each_thing() {
    let log = Log::default();
    let subscriber = |log: &Log| {
        let level = tracing::Level::TRACE;
        tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(log.clone()).finish()
    };
    // With one subscriber alone, what other tests log first is decided by them, who have none, for everybody.
    let _second = tracing::Dispatch::new(subscriber(&Log::default()));
    let guard = tracing::subscriber::set_default(subscriber(&log));
    let warning = [("Content-Type", "application/json"), ("PDC-Warning", "Mind the gap")];
    let told = crate::server::Server::start(move |heard| match heard.method.as_str() {
        "GET" => json(200, &format!(r#"{{"token": "{TOKEN}"}}"#)),
        _ => bytes(400, &warning, r#"{"detail": "No.\nNo."}"#),
    })
    .await;
    let pdc = client(&Server { login: Login::Ticket, ..server(told.root.as_str(), 20_000) });
    let made = NewEntry {
        uid: "core-s-1".to_owned(),
        modulemd: "document: modulemd".to_owned(),
        ..NewEntry::default()
    };
    let outcome = ends(Entries::new(pdc, Face::Variants).create(&made, "ticket 42\nline")).await;
    drop(guard);
    assert!(matches!(outcome, Err(PdcError::Rejected { .. })), "{outcome:?}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!log.contains(TOKEN), "{log}");
    let ours: Vec<&str> = log.lines().filter(|line| !line.contains(" hyper_util::")).collect();
    let ours = ours.join("\n");
    for kept in ["Negotiate", "ticket", "modulemd", "\u{1b}"] {
        assert!(!ours.contains(kept), "{kept} in {ours}");
    }
    for told in ["PDC warns: Mind the gap", "asked PDC", "auth/token/obtain/", "unreleasedvariants/"] {
        assert!(ours.contains(told), "{told} in {ours}");
    }
    assert_eq!(ours.lines().count(), 3, "{ours}");
}

#[tokio::test]
async fn an_entry_that_is_left_out_is_told_with_its_key_in_one_line_of_bounded_length() {
    let log = Log::default();
    let subscriber = |log: &Log| tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    // As above.
    let _second = tracing::Dispatch::new(subscriber(&Log::default()));
    let guard = tracing::subscriber::set_default(subscriber(&log));
    let page = format!(r#"[{{"uid": "core\nkey\u001b[31m{}", "name": null}}, "{TOKEN}"]"#, "x".repeat(9000));
    let told = crate::server::Server::playing([json(200, &page)]).await;
    let entries = Entries::new(client(&server(told.root.as_str(), 20_000)), Face::Modules);
    let found = ends(entries.find(&Filter::default())).await;
    drop(guard);
    assert_eq!(found, Ok(Vec::new()));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let [keyed, bare] = lines[..] else { panic!("{log}") };
    assert!(keyed.contains(" WARN ") && keyed.contains("core key [31mx"), "{keyed}");
    assert!(keyed.contains("is left out: `name` is missing") && keyed.len() < 1500, "{keyed}");
    assert!(bare.contains("an entry of PDC is left out: it is no object"), "{bare}");
    assert!(!log.contains(TOKEN) && !log.contains('\u{1b}'), "{log}");
}
