//! The web server: what of a request is looked at, what goes wrong on purpose, and what goes out.

mod connection;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};

use connection::{Connection, Door};

use super::answer::{Answer, Refusal};
use super::asked::Asked;
use super::faults::Trouble;
use super::seen::Seen;
use super::serve;
use super::shared::Shared;

/// How long a body may be.
const LONGEST_BODY: usize = 64 << 20;

/// Serves on a socket until the future is dropped.
pub(super) async fn serve(listener: tokio::net::TcpListener, pdc: Arc<Shared>) {
    let door = Door::new(listener, Arc::clone(&pdc));
    let router = Router::new().fallback(handle).with_state(pdc);
    let service = router.into_make_service_with_connect_info::<Connection>();
    // It only returns when the socket is gone; there is nobody to tell.
    drop(axum::serve(door, service).await);
}

/// What goes out.
type Out = Response<Body>;

async fn handle(
    State(pdc): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Out {
    let _under_way = pdc.ledger.begin();
    if pdc.is_closed() {
        connection.cut();
        return Out::default();
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LONGEST_BODY).await else {
        connection.cut();
        return Out::default();
    };
    let mut asked = Asked::new(parts, body);
    let number = pdc.ledger.note(seen(&pdc, &asked));
    let path = asked.path_below_root().unwrap_or_default();
    let answer = match pdc.faults.choose(&asked.method, path) {
        None => Some(serve::answer(&pdc, &mut asked)),
        Some(trouble) => troubled(&pdc, &connection, &mut asked, trouble).await,
    };
    let Some(answer) = answer else {
        connection.cut();
        return Out::default();
    };
    pdc.ledger.answered(number, answer.status);
    respond(answer)
}

/// Returns the record of a request.
fn seen(pdc: &Shared, asked: &Asked) -> Seen {
    Seen {
        method: asked.method.clone(),
        path: asked.path.clone(),
        query: asked.query.clone(),
        body: asked.body_or_null(),
        has_credentials: asked.header("authorization").is_some(),
        user: super::auth::holder(pdc, asked),
        comment: asked.header("pdc-change-comment").map(str::to_owned),
        status: None,
    }
}

/// Lets something go wrong. `None`: no more goes out on this connection.
async fn troubled(
    pdc: &Shared,
    connection: &Connection,
    asked: &mut Asked,
    trouble: Trouble,
) -> Option<Answer> {
    match trouble {
        Trouble::Late(delay) => {
            let answer = serve::answer(pdc, asked);
            tokio::time::sleep(delay).await;
            Some(answer)
        }
        Trouble::Hang => std::future::pending().await,
        Trouble::Status(status) => Some(Refusal::detail(status, super::answer::FAULT).into()),
        Trouble::Html(status) => Some(Answer::page(status, "The proxy has not got a good answer.")),
        Trouble::ResetBefore => None,
        Trouble::ResetAfter => {
            drop(serve::answer(pdc, asked));
            None
        }
        Trouble::HalfBody => {
            let answer = serve::answer(pdc, asked);
            let half = answer.body.len() / 2;
            let mut bytes = head(&answer, Some(answer.body.len())).into_bytes();
            bytes.extend_from_slice(&answer.body[..half]);
            // A client that has gone has not got it, as it should be.
            drop(connection.write(&bytes).await);
            None
        }
        Trouble::PageLoop => {
            asked.loops = true;
            Some(serve::answer(pdc, asked))
        }
        Trouble::Words(status, text) => {
            let good = Answer { kind: "application/json", ..Answer::empty(status) };
            Some(Answer { body: text.into_bytes(), ..good })
        }
        Trouble::Endless => {
            let good = Answer { kind: "application/json", ..Answer::empty(200) };
            let mut written = connection.write(format!("{}[", head(&good, None)).as_bytes()).await;
            while written.is_ok() && !pdc.is_closed() {
                written = connection.write(&[b' '; 16 << 10]).await;
            }
            None
        }
    }
}

/// Returns the first lines of an answer; without a length it ends with the connection.
fn head(answer: &Answer, length: Option<usize>) -> String {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\ncontent-type: {}\r\n", status.as_u16(), answer.kind);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match length {
        Some(length) => head.push_str(&format!("content-length: {length}\r\n\r\n")),
        None => head.push_str("connection: close\r\n\r\n"),
    }
    head
}

fn respond(answer: Answer) -> Out {
    let mut out = Response::new(Body::from(Bytes::from(answer.body)));
    *out.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !answer.kind.is_empty() {
        out.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    }
    for (name, value) in answer.headers {
        // A path with what no header can have is not repeated in one.
        if let Ok(value) = HeaderValue::from_str(&value) {
            out.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    out
}
