//! Connections: how requests come in, and how they are kept from costing more than they should.
//!
//! The head of a request has a bound in size, number and time, a connection that idles is closed, and so many are open at a
//! time; more wait outside. When told to stop, the server takes nothing new and finishes what is under way.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

use super::answer::Answer;
use super::leftover::lend;
use super::problem::Problem;
use super::{Frontend, harden};

/// So long the head of a request may take; a connection without a request is closed after it.
const HEAD_WITHIN: Duration = Duration::from_secs(20);

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 << 10;

/// Most headers of a request.
const MOST_HEADERS: usize = 100;

/// Most connections at a time.
const MOST_CONNECTIONS: usize = 1_000;

/// So long requests under way may take to end when the server is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Where requests come in.
#[derive(Debug)]
pub enum Door {
    /// At a port.
    Tcp(TcpListener),
    /// At a socket of this machine.
    Unix(UnixListener),
}

/// A connection.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

impl Door {
    /// Waits for a connection; with who is at its other end, unless that is at a socket of this machine.
    async fn accept(&self) -> io::Result<(Box<dyn Wire>, Option<IpAddr>)> {
        match self {
            Door::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                // Answers are small; one that waits for more to come costs tens of milliseconds.
                drop(stream.set_nodelay(true));
                Ok((Box::new(stream), Some(from.ip())))
            }
            Door::Unix(listener) => Ok((Box::new(listener.accept().await?.0), None)),
        }
    }
}

/// Serves at a door until `stop` says so, and then finishes what is under way.
pub async fn serve(frontend: Arc<Frontend>, door: Door, stop: impl Future<Output = ()>) {
    let turns = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let turn = Arc::clone(&turns).acquire_owned().await;
            (turn, door.accept().await)
        };
        let (turn, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let (wire, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, for instance: it passes, and spinning does not help.
                tracing::warn!(%error, "a connection cannot be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let shared = Arc::clone(&frontend);
        let service = service_fn(move |request: Request<Incoming>| {
            let frontend = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answered(&frontend, request, peer).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .max_buf_size(LARGEST_HEAD)
            .max_headers(MOST_HEADERS)
            .serve_connection(TokioIo::new(wire), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _turn = turn;
            // What a client does wrong on the wire is its own affair.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended badly");
            }
        });
    }
    frontend.stop();
    drop(tokio::time::timeout(STOP_WITHIN, graceful.shutdown()).await);
}

async fn answered(frontend: &Frontend, request: Request<Incoming>, peer: Option<IpAddr>) -> Answer {
    let (parts, body) = request.into_parts();
    let (body, left) = lend(body);
    let request = Request::from_parts(parts, Body::new(body));
    let mut answer = match is_head_too_large(&request) {
        true => head_too_large().into(),
        false => frontend.answer(request, peer).await,
    };
    if !left.read_away().await {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    harden(answer)
}

/// Says whether the head of a request is larger than it may be: what comes in one piece may pass the bound of its connection.
fn is_head_too_large<B>(request: &Request<B>) -> bool {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    let lengths = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    address + lengths.sum::<usize>() > LARGEST_HEAD
}

fn head_too_large() -> Problem {
    let told = format!("The head of the request is longer than {LARGEST_HEAD} bytes");
    Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_a_bound_in_whatever_pieces_it_comes() {
        let is_too_large = |path: usize, header: usize| {
            let request = Request::get(format!("/{}", "p".repeat(path))).header("x", "v".repeat(header));
            is_head_too_large(&request.body(()).unwrap())
        };
        assert!(!is_too_large(30_000, 30_000));
        assert!(is_too_large(0, LARGEST_HEAD) && is_too_large(60_000, 10_000));
    }
}
