//! A client that sends what it is given: bytes in, status, headers and bytes out.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use mbs_koji::fake_hub::FakeHub;
use mbs_koji::xmlrpc::{Call, Value, decode_response, encode_call};

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// By name in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// A request.
#[derive(Debug, Default)]
pub(crate) struct Letter {
    pub(crate) verb: String,
    /// Path and query.
    pub(crate) place: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Sends a request to a hub's host and port on a connection of its own; `None` if it is closed without an answer.
pub(crate) fn send(host: &str, letter: &Letter) -> Option<Reply> {
    let mut stream = TcpStream::connect(host).expect("the hub listens");
    let mut head =
        format!("{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", letter.verb, letter.place);
    for (name, value) in &letter.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut answer = Vec::new();
    // A connection that was cut may end in an error, while it is written to or read from.
    drop(stream.write_all(&[head.as_bytes(), &letter.body].concat()));
    drop(stream.read_to_end(&mut answer));
    read(&answer)
}

fn read(answer: &[u8]) -> Option<Reply> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Some(Reply { status, headers, body: answer[end + 4..].to_vec() })
}

/// Sends a call with the headers of a session, and returns the answer.
///
/// # Panics
/// There is none, or it is a fault.
pub(crate) fn ask(hub: &FakeHub, session: &[(&str, String)], call: &Call) -> Value {
    let body = encode_call(call).into_bytes();
    let mut headers = vec![("Content-Length".to_owned(), body.len().to_string())];
    headers.extend(session.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let letter = Letter { verb: "POST".into(), place: "/kojihub".into(), headers, body };
    let url = hub.url();
    let host = url.trim_start_matches("http://").trim_end_matches("/kojihub");
    let reply = send(host, &letter).expect("the hub answers");
    decode_response(&reply.body).expect("it is XML-RPC").expect("it is no fault")
}
