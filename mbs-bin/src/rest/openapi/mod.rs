//! The description of the interface: for programs as an OpenAPI document, for people as a page made from it.
//!
//! The document lies in the tree as version 2 of the interface has it. What differs from that in an answer, the addresses and
//! what the first version answers to a submission, is put in here. Tests hold it to the addresses that are served, the
//! parameters that are read, and the answers that are given.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::Frontend;
use super::answer::{Answer, body, found};
use super::request::Seen;
use super::route::ROOT;

mod page;
#[cfg(test)]
mod shape;
#[cfg(test)]
mod tests;

/// The document as it lies in the tree.
static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("openapi.json")).expect("a test reads the description that is built in")
});

/// What keeps a page from loading or running anything.
const NOTHING_ELSE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Returns the document for a version of the interface; `prefix` is what a proxy puts before every path.
fn description(version: u64, prefix: &str) -> Value {
    let mut document = DESCRIPTION.clone();
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document["servers"] = json!([{"url": if prefix.is_empty() { "/" } else { prefix }}]);
    if version == 1 {
        let paths = document["paths"].as_object_mut().map(std::mem::take).unwrap_or_default();
        let (second, first) = (format!("{ROOT}/2/"), format!("{ROOT}/1/"));
        document["paths"] = paths.into_iter().map(|(path, at)| (path.replace(&second, &first), at)).collect();
        document["components"]["schemas"]["Submitted"] =
            json!({"$ref": "#/components/schemas/ExtendedModuleBuild"});
    }
    document
}

impl Frontend {
    pub(super) fn description(seen: &Seen) -> Answer {
        found(&description(seen.version, &seen.origin.path("")))
    }

    pub(super) fn page(seen: &Seen) -> Answer {
        let page = page::of(&description(2, &seen.origin.path("")));
        let mut answer = body(StatusCode::OK, "text/html; charset=utf-8", page);
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING_ELSE));
        answer
    }
}
