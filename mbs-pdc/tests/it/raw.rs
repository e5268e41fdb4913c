//! Requests over a plain socket: nothing is added to them, and nothing of the answer is smoothed.

use std::collections::BTreeMap;

use mbs_pdc::fake_server::FakePdc;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::recorded::{Request, Response};

/// The tokens of the recordings.
pub(crate) const ADMIN: &str = "Token aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const BOT: &str = "Token bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Describes a request as the client library sends it.
pub(crate) fn request(method: &str, path: &str, token: &str, body: Value) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut headers = BTreeMap::new();
    headers.insert("Accept".to_owned(), "application/json".to_owned());
    headers.insert("Content-Type".to_owned(), "application/json".to_owned());
    if !token.is_empty() {
        headers.insert("Authorization".to_owned(), token.to_owned());
    }
    Request { method: method.to_owned(), path: format!("/rest_api/v1/{path}"), query, headers, body }
}

/// Sends a request and reads its answer. Header names are in lower case.
pub(crate) async fn ask(pdc: &FakePdc, request: &Request) -> Response {
    let heard = hear(pdc, request).await;
    let text = String::from_utf8(heard).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let (status, reason) = lines.next().unwrap()["HTTP/1.1 ".len()..].split_once(' ').unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers: BTreeMap<String, String> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let body = match serde_json::from_str(body) {
        _ if body.is_empty() => Value::Null,
        Ok(body) => body,
        Err(_) => serde_json::json!({ "__text__": body }),
    };
    Response { status: status.parse().unwrap(), reason: reason.to_owned(), headers, body }
}

/// Sends a request and returns what comes until the connection ends, however it does.
pub(crate) async fn hear(pdc: &FakePdc, request: &Request) -> Vec<u8> {
    let mut stream = send(pdc, request).await;
    let mut heard = Vec::new();
    // A reset ends an answer as well as its last byte; what had come is left.
    drop(stream.read_to_end(&mut heard).await);
    heard
}

/// Sends a request.
pub(crate) async fn send(pdc: &FakePdc, request: &Request) -> TcpStream {
    let url = pdc.url();
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&spelled(request)).await.unwrap();
    stream
}

fn spelled(request: &Request) -> Vec<u8> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&request.query);
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    let body = match &request.body {
        Value::Null => String::new(),
        body => body.get("__text__").and_then(Value::as_str).map_or_else(|| body.to_string(), str::to_owned),
    };
    let mut text = format!("{} {}{mark}{query} HTTP/1.1\r\n", request.method, request.path);
    text.push_str("Host: pdc.example.com\r\nConnection: close\r\n");
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    text.into_bytes()
}
