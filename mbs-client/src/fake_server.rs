//! A server for tests: it notes what comes, and answers as it is told to. It knows nothing of modules, and judges nothing.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// No request of ours is longer, in bytes.
const LONGEST_BYTES: usize = 16 << 20;

/// A request as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Its method.
    pub method: String,
    /// Path and query, as they were spelled.
    pub target: String,
    /// By name in small letters.
    pub headers: BTreeMap<String, String>,
    /// What was sent.
    pub body: Vec<u8>,
}

impl Heard {
    /// Returns the path, as it was spelled.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the query, decoded.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// Returns the values of a parameter of the query.
    pub fn values(&self, name: &str) -> Vec<String> {
        self.query().into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
    }

    /// Returns what was sent; null if it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status; 0: the connection is closed without any.
    pub status: u16,
    /// Headers beside the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the end of the connection ends it, and not a length that was announced.
    pub ends_with_connection: bool,
}

impl Answer {
    /// Answers with JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", &body.to_string())
    }

    /// Answers with a text of a kind.
    pub fn of(status: u16, kind: &str, body: &str) -> Self {
        let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec(), ends_with_connection: false }
    }

    /// Answers with a text of which nobody knows where it ends before it does.
    pub fn streamed(kind: &str, body: &str) -> Self {
        Self { ends_with_connection: true, ..Self::of(200, kind, body) }
    }

    /// Says nothing.
    pub fn nothing() -> Self {
        Self { status: 0, headers: Vec::new(), body: Vec::new(), ends_with_connection: true }
    }

    /// Says no, as the service does.
    pub fn refusal(status: u16, error: &str, message: &str) -> Self {
        Self::json(status, &serde_json::json!({"status": status, "error": error, "message": message}))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} As Told\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match self.ends_with_connection {
            true => head.push_str("Connection: close\r\n"),
            false => head.push_str(&format!("Content-Length: {}\r\n", self.body.len())),
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

type Answering = dyn Fn(&Heard) -> Answer + Send + Sync;

/// The server. It stops when dropped.
#[derive(Debug)]
pub struct FakeServer {
    heard: Arc<Mutex<Vec<Heard>>>,
    url: String,
    task: JoinHandle<()>,
}

impl FakeServer {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    /// There is none.
    pub async fn start(answer: impl Fn(&Heard) -> Answer + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let (noted, answer): (_, Arc<Answering>) = (Arc::clone(&heard), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, &noted, &*answer).await });
            }
        });
        Ok(Self { heard, url, task })
    }

    /// Starts a server that answers with these, one after another, and then with nothing.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub async fn playing(answers: impl IntoIterator<Item = Answer>) -> io::Result<Self> {
        let answers: Mutex<VecDeque<Answer>> = Mutex::new(answers.into_iter().collect());
        let next = move || answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        Self::start(move |_| next().unwrap_or_else(Answer::nothing)).await
    }

    /// Returns its address, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns what has come.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns what has come as lines: `GET /path?query`.
    pub fn lines(&self) -> Vec<String> {
        self.heard().iter().map(|heard| format!("{} {}", heard.method, heard.target)).collect()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, noted: &Mutex<Vec<Heard>>, answer: &Answering) {
    while let Some(heard) = request(&mut stream).await {
        noted.lock().unwrap_or_else(PoisonError::into_inner).push(heard.clone());
        let told = answer(&heard);
        if told.status == 0 || stream.write_all(&told.bytes()).await.is_err() || told.ends_with_connection {
            return;
        }
    }
}

async fn request(stream: &mut TcpStream) -> Option<Heard> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
        if head.len() > LONGEST_BYTES {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers: BTreeMap<String, String> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let length = headers.get("content-length").map_or(Some(0), |length| length.parse().ok())?;
    let mut body = vec![0; Some(length).filter(|length| *length <= LONGEST_BYTES)?];
    stream.read_exact(&mut body).await.ok()?;
    Some(Heard { method, target, headers, body })
}
