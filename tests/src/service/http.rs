//! Requests as any program sends them, without a client of ours.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Service;

/// Sends a request as one of the people to a frontend of a number, and returns the status and the body.
///
/// # Errors
/// There is no answer, or none that can be read.
pub fn request(
    service: &Service,
    (person, number): (&str, usize),
    (method, path): (&str, &str),
    body: &Value,
) -> Result<(u16, Value)> {
    let host = service.url(number).trim_start_matches("http://");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} /module-build-service/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Authorization: Bearer token-{person}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(host)?;
    stream.write_all((head + &body).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer without an end of its head")?;
    let status = head.split(' ').nth(1).context("an answer without a status")?.parse()?;
    Ok((status, serde_json::from_str(body).with_context(|| body.to_owned())?))
}
