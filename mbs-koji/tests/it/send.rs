//! A client that sends what it is given: bytes in, status, headers and bytes out.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

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
