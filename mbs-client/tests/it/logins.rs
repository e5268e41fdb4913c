//! Who we are, shown to a service; with a provider that gives tokens.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mbs_client::client::{Client, ClientError};
use mbs_client::fake_server::{Answer, FakeServer, Heard};
use mbs_client::login::{Kerberos, Login, LoginError, Oidc, OidcSettings, Person};
use mbs_client::server::Trust;
use mbs_core::ident::BuildId;
use mbs_http::{Negotiation, Secret, TicketError, Tickets};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::settings;

const SCOPES: [&str; 2] = ["openid", "https://mbs.example.org/submit"];

/// A service that takes one token, and the provider that gives it, on one server.
struct Site {
    server: FakeServer,
    folder: TempDir,
}

fn build() -> Answer {
    Answer::json(
        200,
        &json!({"id": 7, "name": "a", "stream": "1", "version": "2", "state": 4, "state_name": "failed"}),
    )
}

fn form(heard: &Heard, key: &str) -> Option<String> {
    let query = format!("?{}", String::from_utf8(heard.body.clone()).unwrap());
    let heard = Heard { target: query, ..heard.clone() };
    heard.values(key).pop()
}

/// Gives `new` for the refresh token `good` and for the code `code`.
fn provider(heard: &Heard) -> Answer {
    let given = (form(heard, "refresh_token"), form(heard, "code"));
    let is_known = form(heard, "client_id").as_deref() == Some("mbs-authorizer")
        && form(heard, "client_secret").as_deref() == Some("notsecret");
    match (given.0.as_deref(), given.1.as_deref()) {
        (Some("good"), _) | (_, Some("code")) if is_known => Answer::json(
            200,
            &json!({"access_token": "new", "refresh_token": "next", "token_type": "Bearer", "expires_in": 60}),
        ),
        _ => Answer::json(400, &json!({"error": "invalid_grant"})),
    }
}

fn service(heard: &Heard) -> Answer {
    match heard.headers.get("authorization").map(String::as_str) {
        Some("Bearer new") => build(),
        _ => Answer::refusal(401, "Unauthorized", "OIDC token invalid or expired."),
    }
}

impl Site {
    async fn new() -> Self {
        Self::with(|heard| if heard.path() == "/openidc/Token" { provider(heard) } else { service(heard) })
            .await
    }

    async fn with(answer: impl Fn(&Heard) -> Answer + Send + Sync + 'static) -> Self {
        let server = FakeServer::start(answer).await.unwrap();
        Self { server, folder: tempfile::tempdir().unwrap() }
    }

    fn provider(&self) -> String {
        format!("{}/openidc/", self.server.url())
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("oidc_mbs_build.json")
    }

    fn keep(&self, access: &str, refresh: Option<&str>) {
        let mut entry =
            json!({"idp": self.provider(), "access_token": access, "scopes": [SCOPES[0], SCOPES[1], "x"]});
        entry["refresh_token"] = refresh.map_or(Value::Null, Value::from);
        fs::write(self.cache(), json!({"abc": entry, "other": {"idp": "https://other/"}}).to_string())
            .unwrap();
    }

    fn kept(&self) -> Value {
        fs::read(self.cache()).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
    }

    fn oidc(&self, person: Option<Arc<dyn Person>>) -> Oidc {
        let settings = OidcSettings {
            provider: self.provider(),
            trust: Trust::System,
            client_id: "mbs-authorizer".into(),
            client_secret: Secret::new("notsecret"),
            scopes: SCOPES.map(str::to_owned).into(),
            cache: self.cache(),
            port: 0,
            patience: Duration::from_secs(60),
        };
        Oidc::new(settings, person).unwrap()
    }

    async fn cancel(&self, login: Login) -> Result<(), ClientError> {
        Client::new(settings(&self.server), login).unwrap().cancel(BuildId(7)).await.map(drop)
    }

    fn bearers(&self) -> Vec<String> {
        let heard = self.server.heard();
        heard.iter().filter_map(|heard| heard.headers.get("authorization").cloned()).collect()
    }
}

#[tokio::test]
async fn reads_show_nobody_who_we_are() {
    let site = Site::with(|_| Answer::json(200, &json!({}))).await;
    let client = Client::new(settings(&site.server), Login::Token(Secret::new("t"))).unwrap();
    client.about().await.unwrap();
    assert_eq!(site.bearers(), [""; 0]);
    assert!(!format!("{client:?}").contains("Secret"));
}

#[tokio::test]
async fn a_given_token_is_shown_and_its_refusal_is_the_services() {
    let site = Site::new().await;
    assert_eq!(site.cancel(Login::Token(Secret::new("new"))).await, Ok(()));
    let error = site.cancel(Login::Token(Secret::new("old"))).await.unwrap_err();
    assert_eq!(error.to_string(), "401 Unauthorized: OIDC token invalid or expired.");
    assert_eq!(site.bearers(), ["Bearer new", "Bearer old"]);
}

#[tokio::test]
async fn a_kept_token_is_used_whatever_its_age() {
    let site = Site::new().await;
    site.keep("new", Some("good"));
    assert_eq!(site.cancel(Login::Oidc(site.oidc(None))).await, Ok(()));
    assert_eq!(site.bearers(), ["Bearer new"]);
}

#[tokio::test]
async fn a_refused_token_is_exchanged_once_and_the_request_repeated() {
    let site = Site::new().await;
    site.keep("old", Some("good"));
    assert_eq!(site.cancel(Login::Oidc(site.oidc(None))).await, Ok(()));
    assert_eq!(site.bearers(), ["Bearer old", "Bearer new"]);
    let kept = site.kept();
    assert_eq!([&kept["abc"]["access_token"], &kept["abc"]["refresh_token"]], ["new", "next"]);
    assert_eq!(kept["abc"]["scopes"], json!([SCOPES[0], SCOPES[1], "x"]));
    assert!(kept["abc"]["expires_at"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(kept["other"], json!({"idp": "https://other/"}));
}

#[tokio::test]
async fn a_token_that_is_not_exchanged_is_forgotten_and_the_refusal_told() {
    for refresh in [Some("bad"), None] {
        let site = Site::new().await;
        site.keep("old", refresh);
        let error = site.cancel(Login::Oidc(site.oidc(None))).await.unwrap_err();
        assert_eq!(error.to_string(), "401 Unauthorized: OIDC token invalid or expired.");
        assert_eq!(site.bearers(), ["Bearer old"]);
        assert_eq!(site.kept(), json!({"other": {"idp": "https://other/"}}));
    }
}

#[tokio::test]
async fn a_provider_that_is_away_costs_nobody_a_token() {
    let site = Site::with(|heard| match heard.path() {
        "/openidc/Token" => Answer::of(503, "text/plain", "later"),
        _ => service(heard),
    })
    .await;
    site.keep("old", Some("good"));
    site.cancel(Login::Oidc(site.oidc(None))).await.unwrap_err();
    assert_eq!(site.kept()["abc"]["access_token"], "old");
}

#[tokio::test]
async fn a_token_that_another_program_renewed_meanwhile_is_taken() {
    let site = Site::new().await;
    site.keep("new", Some("bad"));
    assert_eq!(site.oidc(None).refreshed(&Secret::new("old")).await, Ok(Secret::new("new")));
    assert_eq!(site.server.heard(), []);
}

#[tokio::test]
async fn without_a_token_and_without_anybody_to_send_nothing_goes_out() {
    let site = Site::new().await;
    let error = site.cancel(Login::Oidc(site.oidc(None))).await.unwrap_err();
    assert!(matches!(error, ClientError::Login(LoginError::Denied { .. })), "{error}");
    assert_eq!(site.server.heard(), []);
}

/// Somebody whose browser comes back at once, as the provider sends it.
#[derive(Debug, Default)]
struct Browsing {
    answer: &'static str,
    visited: Mutex<Vec<String>>,
}

impl Browsing {
    fn with(answer: &'static str) -> Arc<Self> {
        Arc::new(Self { answer, visited: Mutex::default() })
    }
}

impl Person for Browsing {
    fn visit(&self, address: &str) {
        self.visited.lock().unwrap().push(address.to_owned());
        let heard = Heard {
            method: "GET".into(),
            target: address.to_owned(),
            headers: Default::default(),
            body: Vec::new(),
        };
        let value = |key| heard.values(key).pop().unwrap();
        let back = format!("{}?{}&state={}", value("redirect_uri"), self.answer, value("state"));
        tokio::spawn(async move {
            let back = back.replace("localhost", "127.0.0.1");
            let (host, path) = back.strip_prefix("http://").unwrap().split_once('/').unwrap();
            let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
            let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
            let mut page = String::new();
            tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut page).await.unwrap();
        });
    }
}

#[tokio::test]
async fn a_person_is_sent_to_the_provider_and_what_it_gives_is_kept() {
    let site = Site::new().await;
    let person = Browsing::with("code=code");
    assert_eq!(site.cancel(Login::Oidc(site.oidc(Some(person.clone())))).await, Ok(()));
    let visited = person.visited.lock().unwrap().clone();
    let beginning =
        format!("{}Authorization?scope=openid+https%3A%2F%2Fmbs.example.org%2Fsubmit&", site.provider());
    assert!(visited.len() == 1 && visited[0].starts_with(&beginning), "{visited:?}");
    let sent = &site.server.heard()[0];
    assert_eq!(form(sent, "grant_type").as_deref(), Some("authorization_code"));
    assert!(form(sent, "redirect_uri").unwrap().starts_with("http://localhost:"));
    let kept = site.kept();
    let entry = kept.as_object().unwrap().values().next().unwrap();
    assert_eq!((&entry["idp"], &entry["access_token"]), (&json!(site.provider()), &json!("new")));
    assert_eq!(entry["scopes"], json!(SCOPES));
}

#[tokio::test]
async fn a_person_who_says_no_is_heard() {
    let site = Site::new().await;
    let person = Browsing::with("error=access_denied");
    let error = site.oidc(Some(person)).log_in().await.unwrap_err();
    assert_eq!(error.to_string(), "the identity provider says no: access_denied");
    assert_eq!(site.kept(), Value::Null);
}

#[tokio::test]
async fn who_logs_out_has_no_token_any_more() {
    let site = Site::new().await;
    site.keep("new", None);
    let oidc = site.oidc(None);
    assert_eq!((oidc.log_out().await, oidc.log_out().await), (Ok(true), Ok(false)));
    assert_eq!(site.kept(), json!({"other": {"idp": "https://other/"}}));
}

/// Somebody with a ticket, or without.
#[derive(Debug)]
struct Ticket(Option<&'static str>);

impl Tickets for Ticket {
    fn begin(&self, host: &str) -> Result<Box<dyn Negotiation>, TicketError> {
        assert_eq!(host, "127.0.0.1");
        let reason = "no credentials".to_owned();
        let ticket = self.0.ok_or(TicketError { reason, is_transient: false })?;
        Ok(Box::new(Shown(ticket)))
    }
}

struct Shown(&'static str);

impl Negotiation for Shown {
    fn step(&mut self, _: Option<&[u8]>) -> Result<Option<Vec<u8>>, TicketError> {
        Ok(Some(self.0.as_bytes().to_vec()))
    }
}

#[tokio::test]
async fn a_ticket_is_shown_and_its_refusal_told_with_what_to_do() {
    let site = Site::with(|heard| match heard.headers.get("authorization").map(String::as_str) {
        // `good` in base64.
        Some("Negotiate Z29vZA==") => build(),
        _ => Answer::of(401, "text/html", "<h1>Unauthorized</h1>"),
    })
    .await;
    let cancel = async |ticket| site.cancel(Login::Ticket(Kerberos::new(Arc::new(Ticket(ticket))))).await;
    assert_eq!(cancel(Some("good")).await, Ok(()));
    let failed = "Authentication using Kerberos failed. Make sure you have a valid Kerberos ticket.";
    assert_eq!(cancel(Some("bad")).await.unwrap_err().to_string(), failed);
    assert_eq!(cancel(None).await.unwrap_err().to_string(), format!("{failed} (no credentials)"));
    assert_eq!(site.server.heard().len(), 2);
}

#[cfg(not(feature = "gssapi"))]
#[test]
fn a_program_without_kerberos_says_so() {
    let told = Kerberos::of_system().unwrap_err().to_string();
    assert!(told.contains("built without (feature gssapi)"), "{told}");
}
