//! What a client sees of its connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use mbs_tests::served::Served;

const OPEN: &str = "[access]\nno_auth = true\n[building]\nsystem = \"mock\"\n[submission]\nscmurls = [\"https://none.invalid/\"]\n";

/// The head of a request that is redirected, as the original `mbs-build` sends it.
const HEAD: &str =
    "PATCH /module-build-service/1/module-builds//7 HTTP/1.1\r\nHost: mbs\r\nContent-Length: 2\r\n\r\n";

#[test]
fn a_redirect_waits_for_what_comes_with_the_request() {
    let served = Served::frontend(OPEN, None).unwrap();
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.write_all(HEAD.as_bytes()).unwrap();
    // The body comes on its own, and the next request on the same connection.
    stream.write_all(b"{}").unwrap();
    stream
        .write_all(b"GET /module-build-service/1/about/ HTTP/1.1\r\nHost: mbs\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert!(answers.starts_with("HTTP/1.1 308 ") && answers.contains("HTTP/1.1 200 OK\r\n"), "{answers}");
}

#[test]
fn a_redirect_says_so_when_it_ends_the_connection() {
    let served = Served::frontend(OPEN, None).unwrap();
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.write_all(HEAD.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 308 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
}
