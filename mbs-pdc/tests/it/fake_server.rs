//! What the fake server does that the recordings do not show.

mod reading;
mod trouble;
mod writing;

use mbs_pdc::fake_server::{FakePdc, Flavour, Row, Setup};
use serde_json::{Value, json};

use crate::raw::{BOT, ask, request};
use crate::recorded::Response;

async fn start() -> FakePdc {
    FakePdc::start(Setup::default()).await.unwrap()
}

async fn started_as(flavour: Flavour) -> FakePdc {
    FakePdc::start(Setup { flavour, ..Setup::default() }).await.unwrap()
}

async fn get(pdc: &FakePdc, path: &str) -> Response {
    ask(pdc, &request("GET", path, "", Value::Null)).await
}

async fn write(pdc: &FakePdc, method: &str, path: &str, body: Value) -> Response {
    ask(pdc, &request(method, path, BOT, body)).await
}

/// Returns the body of a module that `modules` takes.
fn module(name: &str, version: &str) -> Value {
    json!({
        "name": name,
        "stream": "s",
        "version": version,
        "context": "00000000",
        "koji_tag": "NA",
        "modulemd": "document: modulemd\n",
    })
}

fn variant(name: &str, version: &str) -> Value {
    json!({
        "variant_id": name,
        "variant_uid": format!("{name}-s-{version}"),
        "variant_name": name,
        "variant_type": "module",
        "variant_version": "s",
        "variant_release": version,
        "koji_tag": "NA",
        "modulemd": "document: modulemd\n",
    })
}

fn uids(pdc: &FakePdc) -> Vec<String> {
    pdc.rows().into_iter().map(|row| row.uid).collect()
}

fn row(pdc: &FakePdc, uid: &str) -> Row {
    pdc.rows().into_iter().find(|row| row.uid == uid).unwrap()
}
