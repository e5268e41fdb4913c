//! What does a frontend make of requests that mean it harm? It says no or hangs up, keeps its memory, and serves everybody else.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use mbs_store_postgres::cluster::Cluster;
use mbs_tests::served::Served;

use crate::mutation::Random;

mod addresses;
mod bodies;
mod heads;

/// So many requests are sent.
const REQUESTS: u64 = 10_000;

/// So many to a frontend on PostgreSQL, which is asked differently.
const ON_POSTGRESQL: u64 = 2_000;

/// So many are under way at a time.
const AT_ONCE: u64 = 8;

/// After so many of its own each sender asks something harmless.
const HARMLESS_EVERY: usize = 100;

/// So much more memory than at the beginning may be held at any time: each of those at a time may bring a body of 2 MiB, of which
/// a few copies are made on its way into a document.
const MOST_MORE_KIB: u64 = 192 << 10;

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The rules of the frontend; half of `request_within` is for bodies.
const CONFIG: &str = "request_within = 10\n[access]\nno_auth = true\n[building]\nsystem = \"mock\"\n[submission]\n\
    scmurls = [\"https://src.example.test/modules/\"]\nyaml_submit_allowed = true\nmodules_allow_scratch = true\n";

/// A request that means harm.
pub(crate) struct Hostile {
    /// What is wrong with it.
    kind: &'static str,
    /// As it goes over the wire.
    bytes: Vec<u8>,
    /// Whether the sender hangs up after it instead of waiting for an answer.
    leaves: bool,
    /// Whether an answer below 400 is right, too: what clients know to be read leniently.
    may_pass: bool,
}

impl Hostile {
    fn new(kind: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { kind, bytes: bytes.into(), leaves: false, may_pass: false }
    }

    fn that_leaves(self) -> Self {
        Self { leaves: true, ..self }
    }

    fn that_may_pass(self) -> Self {
        Self { may_pass: true, ..self }
    }
}

/// What became of requests: how many of which kind were answered so; `None`: the connection was closed.
type Answers = BTreeMap<(&'static str, Option<u16>), u64>;

/// Makes a request; the same number makes the same.
fn hostile(number: u64) -> Hostile {
    let random = &mut Random::new(number + 1);
    for _ in 0..4 {
        random.below(2);
    }
    match random.below(100) {
        0..24 => bodies::of_wrong_types(random),
        24..34 => bodies::nested(random),
        34..40 => bodies::badly_encoded(random),
        40..46 => bodies::form(random),
        46 => bodies::huge(random),
        47 if random.below(4) == 0 => bodies::slow(random),
        47..60 => heads::path(random),
        60..64 => heads::flood(random),
        64..72 => heads::half(random),
        72..78 => heads::method(random),
        78..86 => heads::control(random),
        86..90 => heads::long_query(random),
        90..94 => heads::many_parameters(random),
        _ => heads::framing(random),
    }
}

/// Sends a request, and returns the status of the answer; `None`: there was none.
fn sent(address: SocketAddr, request: &Hostile) -> Option<u16> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("sockets have timeouts");
    stream.set_write_timeout(Some(PATIENCE)).expect("sockets have timeouts");
    // Who is refused early need not be read to the end.
    drop(stream.write_all(&request.bytes));
    if request.leaves {
        drop(stream.shutdown(std::net::Shutdown::Write));
    }
    status(&mut stream)
}

/// Reads the status of an answer; fails if none comes for long.
fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut head = Vec::new();
    let mut part = [0; 512];
    while head.len() < 12 {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(read) => head.extend(&part[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("no answer: {error}"),
        }
    }
    let head = String::from_utf8_lossy(&head);
    head.strip_prefix("HTTP/1.1 ").or(head.strip_prefix("HTTP/1.0 "))?.get(..3)?.parse().ok()
}

/// Asks for something harmless, and checks the answer.
fn harmless(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("sockets have timeouts");
    let request =
        "GET /module-build-service/2/module-builds/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\"total\":0"), "{answer}");
}

/// Sends a share of the requests; returns what became of them, and which were answered wrongly.
fn send_share(address: SocketAddr, share: u64, requests: u64) -> (Answers, Vec<String>) {
    let (mut answers, mut wrong) = (Answers::new(), Vec::new());
    for (sent_before, number) in (share..requests).step_by(AT_ONCE as usize).enumerate() {
        if sent_before.is_multiple_of(HARMLESS_EVERY) {
            harmless(address);
        }
        let request = hostile(number);
        let status = sent(address, &request);
        let is_right = match status {
            None => true,
            Some(status) => (400..500).contains(&status) || (request.may_pass && status < 400),
        };
        if !is_right {
            let shown = String::from_utf8_lossy(&request.bytes[..request.bytes.len().min(300)]);
            wrong.push(format!("number {number}, {}: {status:?} for {shown:?}\n", request.kind));
        }
        *answers.entry((request.kind, status)).or_default() += 1;
    }
    (answers, wrong)
}

/// Prints past the test harness, which keeps what good tests print to itself.
fn print(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Sends so many requests, and checks what became of them and of the server.
fn assert_harms_nobody(served: &Served, requests: u64) {
    let address = served.address;
    harmless(address);
    let before = served.peak_memory_kib().expect("it runs");
    let senders: Vec<_> =
        (0..AT_ONCE).map(|share| thread::spawn(move || send_share(address, share, requests))).collect();
    let (mut answers, mut wrong) = (Answers::new(), Vec::new());
    for sender in senders {
        let (of_share, wrong_of_share) = sender.join().expect("everybody was served");
        wrong.extend(wrong_of_share);
        for (answer, count) in of_share {
            *answers.entry(answer).or_default() += count;
        }
    }
    harmless(address);
    let after = served.peak_memory_kib().expect("it runs");
    let lines: String = answers
        .iter()
        .map(|((kind, status), count)| {
            let status = status.map_or_else(|| "closed".to_owned(), |status| status.to_string());
            format!("  {kind}: {status} {count}\n")
        })
        .collect();
    print(&format!("hostile requests; peak of memory {before} KiB before, {after} KiB after\n{lines}"));
    assert!(wrong.is_empty(), "{} were answered wrongly: {}", wrong.len(), wrong.concat());
    assert_eq!(answers.values().sum::<u64>(), requests);
    assert!(after < before + MOST_MORE_KIB, "{before} KiB grew to {after} KiB");
    let said = served.said().expect("it says something");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn ten_thousand_hostile_requests_harm_nobody() {
    assert_harms_nobody(&Served::frontend(CONFIG, None).unwrap(), REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_they_harm_nobody_either() {
    let cluster = Cluster::start().await.expect("scripts/test installs PostgreSQL");
    let database = cluster.bare_database().await.expect("the server makes databases");
    assert_harms_nobody(&Served::frontend(CONFIG, Some(&database.url)).unwrap(), ON_POSTGRESQL);
}

#[test]
fn the_same_number_makes_the_same_request() {
    for number in 0..200 {
        assert_eq!(hostile(number).bytes, hostile(number).bytes);
    }
}
