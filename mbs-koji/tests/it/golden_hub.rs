//! Does the fake hub answer recorded requests as the recorded hub did?
//!
//! The state a recording begins in is learnt from the recording itself, each piece just before the first answer that needs it
//! ([`learn`]); what the recorded hub did by itself is done when an answer shows it ([`drive`]). All else our hub has to find
//! by itself: a row that a recorded call made is never planted.

mod book;
mod compare;
mod drive;
mod kinds;
mod learn;
mod made;
mod script;
mod world;

use mbs_koji::fake_hub::{Rule, Trouble};
use mbs_koji::xmlrpc::{Call, FaultCode, Value, decode_call, decode_response, encode_call};
use serde_json::Value as Json;

use book::Book;
use compare::Comparison;
use kinds::Kind;
use script::{Script, Step, user_of_key};

use world::World;

use crate::recorded::{Recording, answer, text, traffic};
use crate::send::{Letter, Reply, send};

#[test]
fn golden_requests_are_answered_by_the_fake_hub_as_they_were() {
    let mut wrong = Vec::new();
    for recording in traffic() {
        wrong.extend(replay(&recording).into_iter().map(|what| format!("{} {what}", recording.name)));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn golden_answers_that_were_tampered_with_are_noticed() {
    for mut recording in traffic() {
        let texts =
            recording.entries.iter_mut().filter_map(|exchange| exchange.pointer_mut("/fault/faultString"));
        let Some(text) = texts.into_iter().next() else { continue };
        *text = format!("{} or not", text.as_str().expect("it is a text")).into();
        assert!(!replay(&recording).is_empty(), "{}", recording.name);
    }
}

/// Replays a recording and returns what differs.
fn replay(recording: &Recording) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("threads can be had");
    let exchanges = &recording.entries;
    let mut world = runtime.block_on(World::of(exchanges, Script::of(recording)));
    let mut wrong = Vec::new();
    for (at, exchange) in exchanges.iter().enumerate() {
        let steps = world.script.exchanges[at].clone();
        learn_session(&mut world, exchange);
        for step in &steps {
            world.learn_before(step, at);
            world.drive(step, at);
            world.note_made(step);
        }
        if let Err(what) = ask(&mut world, exchanges, (at, exchange)) {
            wrong.push(format!("{at} {}: {what}", text(exchange, "method").unwrap_or("?")));
        }
    }
    wrong
}

/// Opens a session that the recording did not see begin.
fn learn_session(world: &mut World, exchange: &Json) {
    let headers = &exchange["http_request_headers"];
    let member = |name: &str| headers[name].as_str().map(str::to_owned);
    world.caller = member("Koji-Session-Key").and_then(|key| user_of_key(&key)).unwrap_or_default();
    let (Some(id), Some(key)) = (member("Koji-Session-Id"), member("Koji-Session-Key")) else { return };
    let Ok(id) = id.parse::<i64>() else { return };
    let is_refused = exchange["fault"]["faultCode"] == FaultCode::AuthError.number()
        && exchange["fault"]["faultString"] == "Invalid session or bad credentials";
    if is_refused || world.book.is_paired(Kind::Session, id) || !world.learn(format!("Session {id}")) {
        return;
    }
    let row = [("id", Value::from(id)), ("key", key.as_str().into()), ("user_id", user_of_key(&key).into())];
    world.hub.plant_row(mbs_koji::fake_hub::RowKind::Session, &row.into());
}

/// Sends a recorded request and compares the answers.
fn ask(world: &mut World, exchanges: &[Json], (at, exchange): (usize, &Json)) -> Result<(), String> {
    let is_lost = exchange["transport_error"].is_string();
    let is_offline = exchange["fault"]["faultCode"] == FaultCode::ServerOffline.number();
    world.hub.faults().clear();
    if is_lost {
        world.hub.faults().add(Rule::always(Trouble::ResetAfter).times(1));
    } else if exchange["fault"]["faultCode"] == FaultCode::AuthExpired.number() {
        world.hub.faults().add(Rule::always(Trouble::ExpiredSession).times(1));
    } else if is_offline {
        world.hub.faults().add(Rule::always(Trouble::Offline).times(1));
    }
    let letter = letter(world, exchanges, exchange);
    let reply = send(&world.host(), &letter);
    match reply {
        None if is_lost => Ok(()),
        None => Err("no answer".into()),
        Some(_) if is_lost => Err(format!("an answer, though that of {at} was lost")),
        Some(reply) => compare_reply(world, exchange, &reply),
    }
}

fn letter(world: &World, exchanges: &[Json], exchange: &Json) -> Letter {
    let body = body(&world.book, exchange);
    let query = text(exchange, "query_raw").filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?{}", query_of_ours(&world.book, query))).unwrap_or_default();
    let path = text(exchange, "path").unwrap_or("/kojihub");
    let mut headers = vec![("Content-Length".to_owned(), body.len().to_string())];
    let recorded = exchange["http_request_headers"].as_object().into_iter().flatten();
    for (name, value) in recorded {
        let value = value.as_str().unwrap_or_default();
        match name.to_lowercase().as_str() {
            "host" | "content-length" | "connection" | "accept-encoding" | "accept" => {}
            "koji-session-id" => {
                let ours = value
                    .parse()
                    .map_or_else(|_| value.to_owned(), |id| world.book.ours(Kind::Session, id).to_string());
                headers.push((name.clone(), ours));
            }
            "koji-session-key" => headers.push((name.clone(), world.book.our_text(value).to_owned())),
            _ => headers.push((name.clone(), value.to_owned())),
        }
    }
    headers.extend(front(world, exchanges, exchange));
    Letter {
        verb: text(exchange, "http_method").unwrap_or("POST").into(),
        place: format!("{path}{query}"),
        headers,
        body,
    }
}

fn body(book: &Book, exchange: &Json) -> Vec<u8> {
    use base64::Engine as _;
    if let Some(bytes) = text(exchange, "request_body_base64") {
        return base64::engine::general_purpose::STANDARD.decode(bytes).expect("it is base64");
    }
    let xml = text(exchange, "request_xml").unwrap_or_default();
    let Ok(call) = decode_call(xml.as_bytes()) else { return xml.as_bytes().to_vec() };
    let ours: Call = book.translated(&call);
    // Byte for byte, unless an id in it is another one here.
    if ours == call { xml.as_bytes().to_vec() } else { encode_call(&ours).into_bytes() }
}

fn query_of_ours(book: &Book, query: &str) -> String {
    let field = |field: &str| match field.split_once('=') {
        Some(("session-id", id)) => {
            let ours =
                id.parse().map_or_else(|_| id.to_owned(), |id| book.ours(Kind::Session, id).to_string());
            format!("session-id={ours}")
        }
        Some(("session-key", key)) => format!("session-key={}", book.our_text(key)),
        _ => field.to_owned(),
    };
    query.split('&').map(field).collect::<Vec<_>>().join("&")
}

/// Returns what the web server in front of the hub found out about the client.
fn front(world: &World, exchanges: &[Json], exchange: &Json) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    match (text(exchange, "client_cert_subject"), text(exchange, "scheme")) {
        (Some(name), _) => {
            headers.push(("Fake-Client-Verify".into(), "SUCCESS".into()));
            let suffix = world::subject_suffix(exchanges);
            headers.push(("Fake-Client-Subject".into(), format!("CN={name}{suffix}")));
        }
        (None, Some("https")) => headers.push(("Fake-Client-Verify".into(), "NONE".into())),
        _ => {}
    }
    let is_proved =
        exchange["http_request_headers"]["Authorization"].is_string() && exchange["http_status"] == 200;
    let key = exchange["result"]["session-key"].as_str();
    if let (true, Some(user)) = (is_proved, key.and_then(user_of_key)) {
        let row = world.script.rows.get(&(Kind::User, user));
        let principal = row.and_then(|row| row.member("krb_principals")?.as_array()?.first()?.as_str());
        let named = || world.script.name_of(Kind::User, user).map(|name| format!("{name}@TEST"));
        headers
            .extend(principal.map(str::to_owned).or_else(named).map(|name| ("Fake-Principal".into(), name)));
    }
    headers
}

fn compare_reply(world: &mut World, exchange: &Json, reply: &Reply) -> Result<(), String> {
    let status = exchange["http_status"].as_u64().unwrap_or_default();
    if u64::from(reply.status) != status {
        return Err(format!("status {status} was recorded, ours is {}", reply.status));
    }
    let recorded_headers = &exchange["http_response_headers"];
    for name in ["Content-Type", "Allow", "Koji-Version"] {
        let ours = reply.headers.get(&name.to_lowercase()).map(String::as_str);
        let recorded = recorded_headers[name].as_str();
        if recorded.is_some() && recorded != ours {
            return Err(format!("header {name}: {recorded:?} was recorded, ours is {ours:?}"));
        }
    }
    let Some(recorded) = answer(exchange) else { return Ok(()) };
    let ours = decode_response(&reply.body).map_err(|error| error.to_string())?;
    let method = text(exchange, "method").unwrap_or_default().to_owned();
    compare_answers(world, (&method, script::steps(exchange)), (recorded, ours))
}

type Answer = Result<Value, mbs_koji::xmlrpc::Fault>;

fn compare_answers(
    world: &mut World,
    (method, steps): (&str, Vec<Step>),
    (recorded, ours): (Answer, Answer),
) -> Result<(), String> {
    let is_multicall = matches!(method, "multiCall" | "system.multicall");
    let mut comparison = Comparison { book: &mut world.book, method: method.to_owned() };
    match (recorded, ours) {
        (Ok(Value::Array(recorded)), Ok(Value::Array(ours)))
            if is_multicall && recorded.len() == ours.len() && steps.len() == ours.len() =>
        {
            for ((a, b), step) in recorded.iter().zip(&ours).zip(&steps) {
                comparison.method = step.method().to_owned();
                match (a, b) {
                    (Value::Array(a), Value::Array(b)) if a.len() == 1 && b.len() == 1 => {
                        comparison.answers(&a[0], &b[0])?;
                    }
                    (a, b) => comparison.values(step.method(), a, b)?,
                }
            }
            Ok(())
        }
        (Ok(recorded), Ok(ours)) => comparison.answers(&recorded, &ours),
        (Err(recorded), Err(ours)) if recorded.code == ours.code => {
            comparison.texts("fault", &recorded.text, &ours.text)
        }
        (recorded, ours) => Err(format!("recorded {recorded:?}, ours {ours:?}")),
    }
}
