//! The web server: what of a request is looked at before the hub, and what of the hub's answer goes out.
//!
//! A real hub has a web server in front that checks certificates and Negotiate. Here a client says itself what that would
//! have found, in headers that only the fake knows:
//!
//! | header | stands for |
//! | --- | --- |
//! | `Fake-Client-Verify` | whether the certificate was checked: `SUCCESS`, `NONE` (TLS without one); missing: no TLS |
//! | `Fake-Client-Subject` | the certificate's subject, `CN=mbs,OU=…` |
//! | `Fake-Principal` | the principal that Negotiate proved |

mod claim;
mod connection;
mod raw_upload;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

pub(crate) use claim::Asked;
use connection::{Connection, Door};

use super::context::Client;
use super::faults::Trouble;
use super::shared::Shared;
use super::state::Answer;
use crate::xmlrpc::{Call, DecodeError, Fault, FaultCode, Value, decode_call, encode_response};

/// How long the body of a raw upload may be, and what is read of any request.
const LONGEST_UPLOAD: usize = 64 << 20;
const UNAUTHORIZED: &str =
    "<html><head>\n<title>401 Unauthorized</title>\n</head><body>\n<h1>Unauthorized</h1>\n</body></html>\n";

/// Serves a hub on a socket until the future is dropped.
pub(crate) async fn serve(listener: tokio::net::TcpListener, hub: Arc<Shared>) {
    let door = Door::new(listener, Arc::clone(&hub));
    let router = Router::new().fallback(handle).with_state(hub);
    let service = router.into_make_service_with_connect_info::<Connection>();
    // It only returns when the socket is gone; there is nobody to tell.
    drop(axum::serve(door, service).await);
}

/// What goes out.
type Out = Response<Body>;

async fn handle(
    State(hub): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Out {
    hub.count_request();
    if hub.faults.is_down() {
        connection.cut();
        return Out::default();
    }
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        let text = "Method Not Allowed\nThis is an XML-RPC server. Only POST requests are accepted.\n";
        let mut out = plain(StatusCode::METHOD_NOT_ALLOWED, text);
        out.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return out;
    }
    if !parts.headers.contains_key(header::CONTENT_LENGTH) {
        return plain(StatusCode::LENGTH_REQUIRED, "Length Required\n");
    }
    let asked = Asked {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
    };
    let limit = if asked.is_upload() { LONGEST_UPLOAD } else { hub.config.setup.request_limit };
    // What is too long is read all the same: a client that still writes would not see the answer.
    match axum::body::to_bytes(body, LONGEST_UPLOAD).await {
        Ok(body) if body.len() <= limit => answer(&hub, &connection, &asked, &body).await,
        _ => bad_request(&hub, "Request too long"),
    }
}

async fn answer(hub: &Shared, connection: &Connection, asked: &Asked, body: &Bytes) -> Out {
    if asked.is_upload() {
        return troubled(hub, (connection, asked), &["rawUpload"], || hub.raw_upload(asked, body)).await;
    }
    let client = asked.client();
    let asks = hub.config.setup.asks_for_negotiate && asked.path.ends_with("/ssllogin");
    if asks && client.principal.is_none() {
        let mut out = respond(StatusCode::UNAUTHORIZED, "text/html; charset=iso-8859-1", UNAUTHORIZED.into());
        out.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Negotiate"));
        return out;
    }
    if body.is_empty() {
        return bad_request(hub, "no element found: line 1, column 0");
    }
    let call = match decode_call(body) {
        Ok(call) => call,
        Err(DecodeError::IntegerTooLarge { .. }) => {
            let text = "<class 'OverflowError'>: long int exceeds XML-RPC limits";
            return xml(hub, &Err(Fault::new(FaultCode::Exception, text)));
        }
        Err(DecodeError::Malformed { what, .. }) => return bad_request(hub, &what),
    };
    let methods = methods(&call);
    troubled(hub, (connection, asked), &methods, || hub.call(asked, &call)).await
}

/// Returns the methods of a call, those inside a multicall too.
fn methods(call: &Call) -> Vec<&str> {
    let mut methods = vec![call.method()];
    if matches!(call.method(), "multiCall" | "system.multicall") {
        let inner = call.arguments().first().and_then(Value::as_array).unwrap_or_default();
        methods.extend(inner.iter().filter_map(|call| call.member("methodName")?.as_str()));
    }
    methods
}

/// Does what was asked, unless something goes wrong on purpose.
async fn troubled(
    hub: &Shared,
    (connection, asked): (&Connection, &Asked),
    methods: &[&str],
    act: impl FnOnce() -> Answer,
) -> Out {
    match hub.faults.choose(methods) {
        None => xml(hub, &act()),
        Some(Trouble::Late(delay)) => {
            let answer = act();
            hub.sleep(delay).await;
            xml(hub, &answer)
        }
        Some(Trouble::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            respond(status, "text/html", format!("<html><body><h1>{status}</h1></body></html>\n").into())
        }
        Some(Trouble::ResetBefore) => {
            connection.cut();
            Out::default()
        }
        Some(Trouble::ResetAfter) => {
            drop(act());
            connection.cut();
            Out::default()
        }
        Some(Trouble::Offline) => xml(hub, &Err(Fault::new(FaultCode::ServerOffline, "temporary outage"))),
        Some(Trouble::ExpiredSession) => {
            hub.expire_session_of(asked);
            xml(hub, &act())
        }
    }
}

fn xml(hub: &Shared, answer: &Answer) -> Out {
    let body = encode_response(answer.as_ref());
    with_version(hub, respond(StatusCode::OK, "text/xml", body.into()))
}

fn bad_request(hub: &Shared, what: &str) -> Out {
    with_version(hub, plain(StatusCode::BAD_REQUEST, &format!("Invalid request: {what}\n")))
}

fn plain(status: StatusCode, text: &str) -> Out {
    respond(status, "text/plain", text.to_owned().into())
}

fn respond(status: StatusCode, kind: &'static str, body: Body) -> Out {
    let mut out = Out::new(body);
    *out.status_mut() = status;
    out.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    out
}

fn with_version(hub: &Shared, mut out: Out) -> Out {
    if hub.config.is_recent()
        && let Ok(version) = HeaderValue::from_str(&hub.config.setup.version)
    {
        out.headers_mut().insert("koji-version", version);
    }
    out
}

impl Asked {
    /// Says whether it is a raw upload.
    fn is_upload(&self) -> bool {
        self.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/octet-stream")
    }

    /// Returns what the web server in front would say of the client.
    pub(crate) fn client(&self) -> Client {
        Client {
            verified: text(&self.headers, "fake-client-verify"),
            subject: text(&self.headers, "fake-client-subject"),
            principal: text(&self.headers, "fake-principal"),
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
