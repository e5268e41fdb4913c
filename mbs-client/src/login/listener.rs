//! Who waits for a person's browser to bring the provider's answer: on the loopback interface, once.
//!
//! A browser asks for other things as well, and so may anybody on this machine: only a request with the state that we gave the
//! provider counts.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use mbs_http::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::LoginError;
use crate::client::told;

/// As much of a request is looked at.
const HEAD_BYTES: usize = 8 << 10;
/// Nobody is listened to for longer.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// Where the browser comes back to.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    port: u16,
}

/// What a request says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// The person agreed.
    Code(Secret),
    /// The provider says no.
    No(String),
    /// It is about something else.
    Other,
}

impl Listener {
    /// Begins to listen; port 0 takes a free one.
    ///
    /// # Errors
    /// `Unable`: the port is taken.
    pub(super) async fn open(port: u16) -> Result<Self, LoginError> {
        let taken = |error: io::Error| {
            LoginError::unable(format!(
                "the browser cannot come back to port {port}: {error}; is another login under way?"
            ))
        };
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(taken)?;
        let port = socket.local_addr().map_err(taken)?.port();
        Ok(Self { socket, port })
    }

    /// Returns the address that the browser is sent back to.
    pub(super) fn address(&self) -> String {
        format!("http://localhost:{}/", self.port)
    }

    /// Waits for the provider's answer.
    ///
    /// # Errors
    /// `Denied`: the person or the provider says no. `Unable`: nobody can come any more.
    pub(super) async fn code(self, state: &str) -> Result<Secret, LoginError> {
        loop {
            let accepted = self.socket.accept().await;
            let (mut stream, _) = accepted
                .map_err(|error| LoginError::unable(format!("the browser cannot come back: {error}")))?;
            let Ok(Some(target)) = timeout(HEAD_TIME, target(&mut stream)).await else { continue };
            let said = said(&target, state);
            // That the browser does not hear the answer changes nothing.
            drop(timeout(HEAD_TIME, answer(&mut stream, &said)).await);
            match said {
                Said::Code(code) => return Ok(code),
                Said::No(why) => {
                    return Err(LoginError::denied(format!("the identity provider says no: {}", told(&why))));
                }
                Said::Other => {}
            }
        }
    }
}

/// Reads where a request goes; `None`: it is none.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut part) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut part).await.ok()?;
        head.extend_from_slice(&part[..read]);
        if read == 0 || head.len() > HEAD_BYTES {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut words = head.lines().next()?.split(' ');
    if words.next() == Some("GET") { words.next().map(str::to_owned) } else { None }
}

fn said(target: &str, state: &str) -> Said {
    let Some(query) = target.strip_prefix("/?") else { return Said::Other };
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let value = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    if value("state").map(String::as_str) != Some(state) {
        return Said::Other;
    }
    match (value("code"), value("error_description").or(value("error"))) {
        (Some(code), None) => Said::Code(Secret::new(code.as_str())),
        (_, Some(why)) => Said::No(why.clone()),
        (None, None) => Said::Other,
    }
}

async fn answer(stream: &mut TcpStream, said: &Said) -> io::Result<()> {
    let (status, words) = match said {
        Said::Code(_) => ("200 OK", "You can close this window and go back to the terminal."),
        Said::No(_) => ("200 OK", "The login was refused. You can close this window."),
        Said::Other => ("404 Not Found", "There is nothing here."),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{words}",
        words.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_with_our_state_counts() {
        let code = |code: &str| Said::Code(Secret::new(code));
        assert_eq!(said("/?code=a%2Bb&state=s", "s"), code("a+b"));
        assert_eq!(
            said("/?state=s&error=access_denied&error_description=No+way", "s"),
            Said::No("No way".into())
        );
        for other in ["/?code=a", "/?code=a&state=x", "/favicon.ico", "/x?code=a&state=s", "/?state=s", "/"] {
            assert_eq!(said(other, "s"), Said::Other, "{other}");
        }
    }

    #[tokio::test]
    async fn a_browser_that_asks_for_other_things_first_is_waited_for() {
        let listener = Listener::open(0).await.unwrap();
        let port = listener.port;
        let ask = async move |request: &str| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            drop(stream.read_to_string(&mut answer).await);
            answer
        };
        let waiting = tokio::spawn(async move { listener.code("s").await });
        assert!(ask("GET /favicon.ico HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404 "));
        let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(HEAD_BYTES));
        assert_eq!(ask(&long).await, "");
        assert!(ask("GET /?code=c&state=s HTTP/1.1\r\nHost: x\r\n\r\n").await.contains("close this window"));
        assert_eq!(waiting.await.unwrap(), Ok(Secret::new("c")));
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_told() {
        let first = Listener::open(0).await.unwrap();
        let told = Listener::open(first.port).await.unwrap_err().to_string();
        assert!(told.contains("is another login under way?"), "{told}");
    }
}
