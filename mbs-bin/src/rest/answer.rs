//! What goes out: status, headers, body.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use super::json;
use super::problem::Problem;

/// An answer.
pub(crate) type Answer = Response<Body>;

/// Answers with JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    body(status, "application/json", json::written(value))
}

/// Answers a reading request with JSON; any page of the web may show it.
pub(crate) fn found(value: &impl Serialize) -> Answer {
    open(json(StatusCode::OK, value))
}

/// Lets any page of the web read an answer.
pub(crate) fn open(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer
}

/// Answers with a body of some type.
pub(crate) fn body(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// Says which methods an address takes.
pub(crate) fn options(allow: &'static str) -> Answer {
    let mut answer = body(StatusCode::OK, "text/html; charset=utf-8", Body::empty());
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    answer
}

/// Sends a client to another address, with the same method and body.
pub(crate) fn moved(url: &str) -> Answer {
    let problem = Problem::new(StatusCode::PERMANENT_REDIRECT, format!("The address is {url}"));
    let mut answer = json(problem.status, &problem.body());
    match HeaderValue::from_str(url) {
        Ok(location) => drop(answer.headers_mut().insert(header::LOCATION, location)),
        // What no header can hold is no address of ours either.
        Err(_) => return Problem::missing("There is no such address.").into(),
    }
    answer
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let mut answer = json(problem.status, &problem.body());
        if let Some(allow) = problem.allow {
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if problem.status == StatusCode::SERVICE_UNAVAILABLE {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        answer
    }
}
