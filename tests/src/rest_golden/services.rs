//! What the recorded service talked to: a Koji hub and an identity provider that answer from a file.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, header};
use axum::routing::{get, post};
use mbs_koji::xmlrpc::{Call, Fault, FaultCode, Struct, Value, decode_call, encode_response};
use serde_json::Value as Json;
use tokio::net::TcpListener;

/// Serves until dropped, and returns the address; `answers` is the content of the file.
pub(crate) async fn start(answers: Json) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/kojihub", post(hub))
        .route("/introspect", post(introspect))
        .route("/userinfo", get(userinfo))
        .with_state(Arc::new(answers));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn hub(State(answers): State<Arc<Json>>, body: Bytes) -> Response<Body> {
    let answered = match decode_call(&body) {
        Ok(call) => answer(&answers["koji"], &call),
        Err(error) => Err(Fault::new(FaultCode::of(1), error.to_string())),
    };
    let mut response = Response::new(Body::from(encode_response(answered.as_ref())));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/xml"));
    response
}

fn answer(koji: &Json, call: &Call) -> Result<Value, Fault> {
    let first = call.arguments().first();
    match call.method() {
        "multiCall" => {
            let calls = first.and_then(Value::as_array).unwrap_or_default();
            Ok(Value::Array(calls.iter().map(|one| wrapped(koji, one)).collect()))
        }
        "listTaggedRPMS" => {
            let tag = first.and_then(Value::as_str).unwrap_or_default();
            let listed = koji["listTaggedRPMS"].get(tag);
            listed.map(value).ok_or_else(|| Fault::new(FaultCode::of(1000), format!("No such tag: {tag}")))
        }
        "getRPMHeaders" => {
            let id = call.keywords().and_then(|keywords| keywords.member("rpmID")).and_then(Value::as_int);
            Ok(looked_up(koji, "getRPMHeaders", &id.unwrap_or_default().to_string()))
        }
        method => {
            // Some calls name their one argument.
            let named =
                || call.keywords().and_then(|keywords| keywords.iter().next()).map(|(_, value)| value);
            let key = match first.or_else(named) {
                Some(Value::Int(id)) => id.to_string(),
                other => other.and_then(Value::as_str).unwrap_or_default().to_owned(),
            };
            Ok(looked_up(koji, method, &key))
        }
    }
}

fn looked_up(koji: &Json, method: &str, key: &str) -> Value {
    koji.get(method).and_then(|by_key| by_key.get(key)).map_or(Value::Nil, value)
}

/// Answers one of several calls, as hubs do: a list of one answer, or a fault.
fn wrapped(koji: &Json, one: &Value) -> Value {
    let method = one.member("methodName").and_then(Value::as_str).unwrap_or_default();
    let params = one.member("params").and_then(Value::as_array).unwrap_or_default();
    match answer(koji, &Call::from_params(method, params.to_vec())) {
        Ok(answer) => Value::Array(vec![answer]),
        Err(fault) => Value::Struct(Struct::from([
            ("faultCode", Value::from(fault.code.number())),
            ("faultString", Value::from(fault.text.as_str())),
        ])),
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(is) => Value::from(*is),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Double(number.as_f64().unwrap_or_default()), Value::Int)
        }
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => Value::Array(list.iter().map(value).collect()),
        Json::Object(members) => {
            let member = |(name, member): (&String, &Json)| (name.as_str().into(), value(member));
            Value::Struct(members.iter().map(member).collect())
        }
    }
}

async fn introspect(State(answers): State<Arc<Json>>, body: Bytes) -> String {
    let form = form_urlencoded::parse(&body).find(|(name, _)| name == "token");
    let token = form.map(|(_, token)| token.into_owned()).unwrap_or_default();
    let known = answers["oidc"]["introspect"].get(&token);
    known.map_or_else(|| r#"{"active": false}"#.to_owned(), Json::to_string)
}

async fn userinfo(State(answers): State<Arc<Json>>, headers: HeaderMap) -> String {
    let token = headers.get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let token = token.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
    answers["oidc"]["userinfo"].get(token).map_or_else(|| "{}".to_owned(), Json::to_string)
}
