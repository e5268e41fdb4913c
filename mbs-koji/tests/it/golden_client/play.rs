//! Plays pieces of recorded traffic with the client, against a server that answers as recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mbs_core::clock::Clock;
use mbs_koji::hub::{CALLS_PER_REQUEST, Hub, HubError, Negotiation, Pass, Session, TicketError, Tickets};
use mbs_koji::profile::{Login, Profile, Secret};
use mbs_koji::xmlrpc::{Call, Value, decode_call};
use serde_json::Value as Json;

use super::pieces::{By, Piece, seat};
use crate::certificates::Certificates;
use crate::recorded::{answer, text, value};
use crate::server::{Server, Skipping, Taken, Turn, bytes};

/// A server without and one with TLS.
pub(crate) struct Theatre<'c> {
    certificates: &'c Certificates,
    plain: Server,
    secret: Server,
}

impl<'c> Theatre<'c> {
    pub(crate) async fn open(certificates: &'c Certificates) -> Self {
        let plain = Server::start([], None).await;
        let secret = Server::start([], Some(certificates.acceptor())).await;
        Self { certificates, plain, secret }
    }

    /// Plays a piece and compares what went out and what came.
    pub(crate) async fn play(&self, piece: &Piece<'_>, place: &str) {
        let run = piece.exchanges();
        match piece {
            Piece::Read { .. } => {
                let hub = self.hub(run, Login::Anonymous);
                let came = hub.read(&call(run[0])).await;
                self.compare(&self.plain, run, &came, place);
            }
            Piece::Call { .. } => {
                let hub = self.hub(run, Login::Anonymous);
                let came = call_in_session(&hub, run[0]).await;
                self.compare(&self.plain, run, &came, place);
            }
            Piece::Upload { .. } => {
                let hub = self.hub(run, Login::Anonymous);
                let came = upload(&hub, run).await;
                self.compare_upload(run, came, place);
            }
            Piece::Login { by, .. } => {
                let tickets = Arc::new(RecordedTickets::of(run));
                let hub = self.hub_with(run, self.login(run[0], *by), tickets.clone());
                let came = Session::log_in(&hub).await;
                let has_proof = came.is_ok() && tickets.proof.is_some();
                assert_eq!(tickets.has_checked.load(Relaxed), has_proof, "{place}: the hub's proof");
                self.compare_login(run, *by, came, place);
            }
            Piece::Renewal { by, .. } => {
                let hub = self.hub(run, self.login(run[1], *by));
                let came = session(&hub, run[0]).renewing().call(&call(run[0])).await;
                self.compare(self.server(*by), run, &came, place);
            }
            Piece::Foreign { .. } => unreachable!("it is nothing to play"),
        }
    }

    fn server(&self, by: By) -> &Server {
        if by == By::Password { &self.plain } else { &self.secret }
    }

    /// Makes a client for a run, with the answers to it on the way.
    fn hub(&self, run: &[&Json], login: Login) -> Hub {
        self.hub_with(run, login, Arc::new(RecordedTickets::of(run)))
    }

    fn hub_with(&self, run: &[&Json], login: Login, tickets: Arc<RecordedTickets>) -> Hub {
        let is_plain = matches!(login, Login::Anonymous | Login::Password { .. });
        let server = if is_plain { &self.plain } else { &self.secret };
        server.then(run.iter().map(|exchange| turn(exchange)));
        // The repeat at once, which no recording may end without.
        server.then([Turn::Close]);

        let path = text(run[0], "path").expect("a request has a path").trim_end_matches("/ssllogin");
        let mut profile = Profile::new("golden", format!("{}{path}", server.address), login);
        profile.serverca = Some(self.certificates.authority());
        profile.retry.max_retries = retries(run);
        profile.retry.offline_retry = run.len() > 1;
        profile.upload_blocksize = run.iter().map(|exchange| part_length(exchange)).max().unwrap_or(0).max(1);
        profile.proxyuser = run
            .iter()
            .find_map(|exchange| exchange["params"].as_array()?.last()?["proxyuser"].as_str())
            .map(str::to_owned);
        let clock: Arc<dyn Clock> = Arc::new(Skipping::default());
        Hub::with_tickets(&profile, clock, tickets).unwrap()
    }

    fn login(&self, exchange: &Json, by: By) -> Login {
        match by {
            By::Certificate => Login::Certificate { cert: self.certificates.client() },
            By::Ticket => Login::Kerberos { principal: None, keytab: None },
            By::Password => {
                let text =
                    |at: usize| exchange["params"][at].as_str().expect("it is a password login").to_owned();
                Login::Password { user: text(0), password: Secret::new(text(1)) }
            }
        }
    }

    fn compare(&self, server: &Server, run: &[&Json], came: &Result<Value, HubError>, place: &str) {
        compare_requests(server, run, place);
        let last = run[run.len() - 1];
        let is_as_recorded = match answer(last) {
            Some(Ok(value)) => *came == Ok(value),
            Some(Err(fault)) => match came {
                Err(HubError::Fault(came)) => *came == fault,
                Err(HubError::Done { method }) => fault.code.number() == 1009 && last["method"] == **method,
                Err(HubError::Offline { reason }) => fault.code.number() == 1014 && *reason == fault.text,
                Err(HubError::Login { reason, .. }) => *reason == fault.text,
                _ => false,
            },
            None => match last["http_status"].as_u64() {
                None | Some(408 | 429 | 500..) => matches!(came, Err(HubError::Unreachable { .. })),
                Some(401) => matches!(came, Err(HubError::Login { .. })),
                Some(200) => matches!(came, Err(HubError::Protocol { .. })),
                Some(_) => matches!(came, Err(HubError::Configuration { .. })),
            },
        };
        assert!(is_as_recorded, "{place}: {came:?}");
    }

    fn compare_upload(&self, run: &[&Json], came: Result<(), HubError>, place: &str) {
        let last = run[run.len() - 1];
        let came = match answer(last) {
            Some(Ok(value)) => came.map(|()| value),
            _ => came.map(|()| Value::Nil),
        };
        self.compare(&self.plain, run, &came, place);
    }

    fn compare_login(&self, run: &[&Json], by: By, came: Result<Session, HubError>, place: &str) {
        let server = self.server(by);
        let last = run[run.len() - 1];
        let came = came.map(|session| {
            let Some(Ok(recorded)) = answer(last) else { panic!("{place}: {session:?}") };
            let key = recorded.member("session-key").and_then(Value::as_str).unwrap();
            let mut pass =
                Pass::new(recorded.member("session-id").and_then(Value::as_int).unwrap(), Secret::new(key))
                    .unwrap();
            if recorded.member("header-auth").and_then(Value::as_bool) != Some(true) {
                pass = pass.in_address();
            }
            assert_eq!(*session.pass(), pass, "{place}");
            recorded
        });
        self.compare(server, run, &came, place);
    }
}

fn compare_requests(server: &Server, run: &[&Json], place: &str) {
    let mut taken = server.taken();
    server.forget();
    if run[run.len() - 1]["http_status"].is_null() {
        // The client tries once more than the recording has.
        taken.truncate(run.len());
    }
    assert_eq!(taken.len(), run.len(), "{place}: {taken:?}");
    for (taken, recorded) in taken.iter().zip(run) {
        compare_request(taken, recorded, place);
    }
}

fn compare_request(taken: &Taken, recorded: &Json, place: &str) {
    assert_eq!(taken.method, recorded["http_method"].as_str().unwrap(), "{place}");
    let path = text(recorded, "path").unwrap();
    let target = text(recorded, "query_raw").map_or(path.to_owned(), |query| format!("{path}?{query}"));
    assert_eq!(taken.target, target, "{place}");
    let headers = &recorded["http_request_headers"];
    for name in [
        "User-Agent",
        "Content-Type",
        "Koji-Session-Id",
        "Koji-Session-Key",
        "Koji-Session-Callnum",
        "Authorization",
    ] {
        assert_eq!(taken.header(name), text(headers, name), "{place}: {name}");
    }
    let length: usize = taken.header("content-length").unwrap().parse().unwrap();
    assert_eq!(length, taken.body.len(), "{place}");
    assert_eq!(taken.header("transfer-encoding"), None, "{place}");
    let shows_certificate = recorded.get("client_cert_subject").is_some() && path.ends_with("/ssllogin");
    assert!(taken.has_certificate || !shows_certificate, "{place}");
    match text(recorded, "request_xml") {
        Some(xml) => assert_eq!(decode_call(&taken.body), decode_call(xml.as_bytes()), "{place}"),
        None => assert!(taken.body == body(recorded), "{place}: another body"),
    }
}

/// Returns how many further attempts the recorded client had, beside the one at once after a closed connection.
fn retries(run: &[&Json]) -> u32 {
    let failed = &run[..run.len() - 1];
    let waited =
        failed.iter().filter(|exchange| exchange.get("fault").is_none() && exchange.get("result").is_none());
    let was_lost = failed.iter().any(|exchange| exchange["http_status"].is_null());
    u32::try_from(waited.count()).unwrap() - u32::from(was_lost)
}

/// Makes the recorded answer.
fn turn(exchange: &Json) -> Turn {
    let Some(status) = exchange["http_status"].as_u64() else { return Turn::Close };
    let headers = exchange["http_response_headers"].as_object().expect("an answer has headers");
    // The length is that of the body, in which names were replaced; a recorded body is not packed.
    let is_kept = |name: &str| {
        !name.eq_ignore_ascii_case("Content-Length") && !name.eq_ignore_ascii_case("Content-Encoding")
    };
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .filter(|(name, _)| is_kept(name))
        .map(|(name, value)| (name.as_str(), value.as_str().expect("a header is a text")))
        .collect();
    let body = text(exchange, "response_xml").or(text(exchange, "response_text")).unwrap_or_default();
    let bytes = bytes(u16::try_from(status).unwrap(), &headers, body.as_bytes());
    let is_last = headers.iter().any(|(name, value)| *name == "Connection" && *value == "close");
    if is_last { Turn::Last(bytes) } else { Turn::Answer(bytes) }
}

fn call(exchange: &Json) -> Call {
    let params = exchange["params"].as_array().expect("it is a call").iter().map(value).collect();
    Call::from_params(text(exchange, "method").expect("a call has a method"), params)
}

fn session(hub: &Hub, exchange: &Json) -> Session {
    let seat = seat(exchange).expect("it is in a session");
    let pass = Pass::new(seat.id, seat.key).unwrap();
    let pass = if seat.is_in_address { pass.in_address() } else { pass };
    Session::resume(hub, pass, seat.callnum)
}

/// Makes a recorded call by the method that stands for it, if there is one, and returns what came as the hub said it.
async fn call_in_session(hub: &Hub, exchange: &Json) -> Result<Value, HubError> {
    let mut session = session(hub, exchange);
    let call = call(exchange);
    let keyword = |name: &str| call.keywords().filter(|_| call.arguments().is_empty())?.member(name).cloned();
    let is_bare = call.params().is_empty();
    match call.method() {
        "exclusiveSession" if keyword("force") == Some(false.into()) => {
            session.lock().await.map(|()| Value::Nil)
        }
        "exclusiveSession" if keyword("force") == Some(true.into()) => {
            session.lock_by_force().await.map(|()| Value::Nil)
        }
        "sharedSession" if is_bare => session.unlock().await.map(|()| Value::Nil),
        "logout" if keyword("session_id") == Some(Value::Nil) => session.log_out().await.map(|()| Value::Nil),
        "subsession" if is_bare => {
            let begun = session.subsession().await?;
            let Some(Ok(recorded)) = answer(exchange) else { panic!("{begun:?}") };
            assert_eq!(recorded.member("session-id"), Some(&begun.pass().id().into()));
            Ok(recorded)
        }
        "multiCall" => match rows(exchange) {
            None => session.call(&call).await,
            Some(calls) => {
                let came = session.call_all(&calls).await?;
                let Some(Ok(Value::Array(recorded))) = answer(exchange) else { panic!("{came:?}") };
                for (came, recorded) in came.iter().zip(&recorded) {
                    match came {
                        Ok(value) => assert_eq!(recorded.as_array(), Some(std::slice::from_ref(value))),
                        Err(fault) => {
                            assert_eq!(recorded.member("faultCode"), Some(&fault.code.number().into()));
                            assert_eq!(recorded.member("faultString"), Some(&Value::from(&fault.text)));
                        }
                    }
                }
                assert_eq!(came.len(), recorded.len());
                Ok(Value::Array(recorded))
            }
        },
        _ => session.call(&call).await,
    }
}

/// Returns the calls in a multicall, if it is one as ours are.
fn rows(exchange: &Json) -> Option<Vec<Call>> {
    let [rows] = exchange["params"].as_array()?.as_slice() else { return None };
    let rows = rows.as_array().filter(|rows| (1..=CALLS_PER_REQUEST).contains(&rows.len()))?;
    let row = |row: &Json| {
        let params = row.get("params")?.as_array()?.iter().map(value).collect();
        row.as_object().filter(|members| members.len() == 2)?;
        Some(Call::from_params(row["methodName"].as_str()?, params))
    };
    rows.iter().map(row).collect()
}

async fn upload(hub: &Hub, run: &[&Json]) -> Result<(), HubError> {
    let text = |at: usize| run[0]["params"][at].as_str().expect("it is a look at an upload");
    let mut content = Vec::new();
    for part in run.iter().filter(|exchange| exchange["method"] == "rawUpload") {
        let offset: usize = part["query"]["offset"].as_str().unwrap().parse().unwrap();
        content.truncate(offset);
        content.extend(body(part));
    }
    session(hub, run[0]).upload(text(0), text(1), &content).await
}

fn part_length(exchange: &Json) -> usize {
    if exchange["method"] == "rawUpload" { body(exchange).len() } else { 0 }
}

/// Returns the recorded bytes of a part of a file.
pub(crate) fn body(exchange: &Json) -> Vec<u8> {
    STANDARD.decode(text(exchange, "request_body_base64").unwrap_or_default()).expect("it is base64")
}

/// Has the token that was recorded, and knows the proof.
#[derive(Debug)]
struct RecordedTickets {
    token: Option<Vec<u8>>,
    proof: Option<Vec<u8>>,
    has_checked: Arc<AtomicBool>,
}

impl RecordedTickets {
    fn of(run: &[&Json]) -> Self {
        let decoded = |member: &str, name: &str| {
            let last = run[run.len() - 1];
            let text = text(last.get(member)?, name)?.strip_prefix("Negotiate ")?;
            Some(STANDARD.decode(text).expect("it is base64"))
        };
        let token = decoded("http_request_headers", "Authorization");
        let proof = decoded("http_response_headers", "WWW-Authenticate");
        Self { token, proof, has_checked: Arc::default() }
    }
}

impl Tickets for RecordedTickets {
    fn begin(&self, host: &str) -> Result<Box<dyn Negotiation>, TicketError> {
        assert_eq!(host, "127.0.0.1");
        let Some(token) = self.token.clone() else {
            return Err(TicketError { reason: "no ticket was recorded".to_owned(), is_transient: false });
        };
        let (proof, has_checked) = (self.proof.clone(), self.has_checked.clone());
        Ok(Box::new(RecordedTicket { token: Some(token), proof, has_checked }))
    }
}

struct RecordedTicket {
    token: Option<Vec<u8>>,
    proof: Option<Vec<u8>>,
    has_checked: Arc<AtomicBool>,
}

impl Negotiation for RecordedTicket {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Option<Vec<u8>>, TicketError> {
        let Some(proof) = token else { return Ok(self.token.take()) };
        assert_eq!(Some(proof), self.proof.as_deref());
        self.has_checked.store(true, Relaxed);
        Ok(None)
    }
}
