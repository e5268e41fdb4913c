//! A server that notes what comes and answers as it is told to, byte for byte.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::Url;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    pub(crate) method: String,
    /// The path, as it was spelled.
    pub(crate) path: String,
    /// The query, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// By name in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Heard {
    /// Returns the body; `Null` if there is none.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() { Value::Null } else { serde_json::from_slice(&self.body).unwrap() }
    }

    /// Returns a value of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rfind(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// The server. It stops when dropped.
pub(crate) struct Server {
    heard: Arc<Mutex<Vec<Heard>>>,
    /// The root of its API, with a slash at its end.
    pub(crate) root: String,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts on a free port of the loopback. It answers with what it is given; nothing: the connection is closed.
    pub(crate) async fn start(answer: impl Fn(&Heard) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::over(None, answer).await
    }

    /// Starts a server over TLS.
    pub(crate) async fn start_tls(
        tls: TlsAcceptor,
        answer: impl Fn(&Heard) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::over(Some(tls), answer).await
    }

    async fn over(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&Heard) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let root = format!("{scheme}://{}/rest_api/v1/", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let (noted, answer) = (Arc::clone(&heard), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, answer, tls) = (Arc::clone(&noted), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &noted, &*answer).await,
                        // A client that does not trust us goes away here.
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            serve(stream, &noted, &*answer).await;
                        }
                    }
                });
            }
        });
        Self { heard, root, task }
    }

    /// Starts a server that answers with these, one after another, and then with none.
    pub(crate) async fn playing(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect::<std::collections::VecDeque<_>>());
        Self::start(move |_| answers.lock().unwrap().pop_front().unwrap_or_default()).await
    }

    /// Returns what has come.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    noted: &Mutex<Vec<Heard>>,
    answer: &(dyn Fn(&Heard) -> Vec<u8> + Sync),
) {
    while let Some(heard) = request(&mut stream).await {
        noted.lock().unwrap().push(heard.clone());
        let bytes = answer(&heard);
        if bytes.is_empty() || stream.write_all(&bytes).await.and(stream.flush().await).is_err() {
            return;
        }
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Heard> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?);
    let url = Url::parse("http://pdc/").unwrap().join(target).unwrap();
    let headers = lines.map(|line| line.split_once(':').unwrap());
    let headers: BTreeMap<String, String> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    let path = target.split('?').next()?.to_owned();
    Some(Heard { method, path, query: url.query_pairs().into_owned().collect(), headers, body })
}

/// Makes an answer of HTTP.
pub(crate) fn bytes(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} As Told\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if status != 204 {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// Makes an answer of JSON.
pub(crate) fn json(status: u16, body: &str) -> Vec<u8> {
    bytes(status, &[("Content-Type", "application/json")], body)
}
