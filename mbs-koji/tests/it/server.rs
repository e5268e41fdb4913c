//! A server that plays a script: it takes requests as they come, notes them, and answers each with the next turn.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mbs_core::clock::Clock;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What is done with a request.
#[derive(Debug, Clone)]
pub(crate) enum Turn {
    /// These bytes are the answer. The connection stays open.
    Answer(Vec<u8>),
    /// These bytes are the answer, or a part of it, and the connection is closed.
    Last(Vec<u8>),
    /// The connection is closed without answer.
    Close,
    /// Nothing comes, and the connection stays open.
    Hang,
    /// The answer depends on the request.
    #[cfg(feature = "gssapi")]
    Made(fn(&Taken) -> Vec<u8>),
}

impl Turn {
    /// Answers with XML.
    pub(crate) fn xml(body: &str) -> Self {
        Self::of(200, &[("Content-Type", "text/xml")], body.as_bytes())
    }

    /// Answers with a status, headers and a body; it adds its length.
    pub(crate) fn of(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self::Answer(bytes(status, headers, body))
    }
}

/// Makes an answer of HTTP.
pub(crate) fn bytes(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} As Recorded\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// A request that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Connections are counted from 0.
    pub(crate) connection: usize,
    /// The client showed a certificate.
    pub(crate) has_certificate: bool,
}

impl Taken {
    /// Returns a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the call number, if it came in a header.
    pub(crate) fn callnum(&self) -> Option<i64> {
        self.header("koji-session-callnum").map(|number| number.parse().unwrap())
    }
}

/// The server. It stops when dropped.
pub(crate) struct Server {
    stage: Arc<Stage>,
    pub(crate) address: String,
    task: tokio::task::JoinHandle<()>,
}

struct Stage {
    turns: Mutex<VecDeque<Turn>>,
    taken: Mutex<Vec<Taken>>,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Starts on a free port of the loopback.
    pub(crate) async fn start(turns: impl IntoIterator<Item = Turn>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let stage = Arc::new(Stage { turns: Mutex::default(), taken: Mutex::default(), tls });
        stage.turns.lock().unwrap().extend(turns);
        let task = tokio::spawn(accept(listener, stage.clone()));
        Self { stage, address, task }
    }

    /// Adds turns to the script.
    pub(crate) fn then(&self, turns: impl IntoIterator<Item = Turn>) {
        self.stage.turns.lock().unwrap().extend(turns);
    }

    /// Takes out the requests that came since the last time.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        std::mem::take(&mut *self.stage.taken.lock().unwrap())
    }

    /// Returns how many turns are left, and forgets them.
    pub(crate) fn forget(&self) -> usize {
        std::mem::take(&mut *self.stage.turns.lock().unwrap()).len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, stage: Arc<Stage>) {
    for number in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        let stage = stage.clone();
        tokio::spawn(async move {
            match stage.tls.clone() {
                None => serve(stream, &stage, number, false).await,
                Some(tls) => {
                    // A client that does not trust us goes away here.
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let has_certificate = stream.get_ref().1.peer_certificates().is_some();
                    serve(stream, &stage, number, has_certificate).await;
                }
            }
        });
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    stage: &Stage,
    connection: usize,
    has_certificate: bool,
) {
    while let Some(mut taken) = request(&mut stream).await {
        (taken.connection, taken.has_certificate) = (connection, has_certificate);
        #[cfg(feature = "gssapi")]
        let request = taken.clone();
        stage.taken.lock().unwrap().push(taken);
        let turn = stage.turns.lock().unwrap().pop_front();
        let done = match turn {
            Some(Turn::Answer(bytes)) => stream.write_all(&bytes).await.and(stream.flush().await),
            Some(Turn::Last(bytes)) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            #[cfg(feature = "gssapi")]
            Some(Turn::Made(make)) => stream.write_all(&make(&request)).await.and(stream.flush().await),
            Some(Turn::Hang) => std::future::pending().await,
            Some(Turn::Close) | None => return,
        };
        if done.is_err() {
            return;
        }
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Taken> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut taken =
        Taken { method, target, headers, body: Vec::new(), connection: 0, has_certificate: false };
    let length = match taken.header("content-length") {
        Some(length) => length.parse().unwrap(),
        None => {
            assert_eq!(taken.method, "GET", "a request with a body tells its length");
            0
        }
    };
    taken.body = vec![0; length];
    stream.read_exact(&mut taken.body).await.ok()?;
    Some(taken)
}

/// A clock whose sleepers wake at once; it notes how long they would have slept.
#[derive(Debug, Default)]
pub(crate) struct Skipping(Mutex<(Duration, Vec<Duration>)>);

impl Skipping {
    /// Returns all pauses so far.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.0.lock().unwrap().1.clone()
    }
}

#[async_trait]
impl Clock for Skipping {
    fn reading(&self) -> Duration {
        self.0.lock().unwrap().0
    }

    async fn sleep_until(&self, deadline: Duration) {
        {
            let mut state = self.0.lock().unwrap();
            let pause = deadline.saturating_sub(state.0);
            state.0 = state.0.max(deadline);
            state.1.push(pause);
        }
        tokio::task::yield_now().await;
    }
}
