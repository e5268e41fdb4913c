//! Is everything understood that the original answered, and sent as it was asked?

use std::collections::BTreeMap;

use mbs_client::api::{
    About, ComponentBuild, ComponentFilter, Filter, Form, MessagesOf, ModuleBuild, RebuildStrategyRow,
    Source, Submission,
};
use mbs_client::client::{Client, ClientError, Method, Page, Request};
use mbs_client::fake_server::{Answer, FakeServer};
use mbs_client::login::Login;
use mbs_client::server::{ApiVersion, Server};
use mbs_core::ident::{BuildId, ComponentId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client;
use crate::recorded::{Case, cases};

const SERVICE: &str = "/module-build-service/";

/// What of a recorded answer is not in what was read; null and missing are the same.
fn lost(recorded: &Value, read: &Value, place: &str, all: &mut Vec<String>) {
    match (recorded, read) {
        (Value::Object(members), Value::Object(own)) => {
            for (key, value) in members {
                lost(value, own.get(key).unwrap_or(&Value::Null), &format!("{place}/{key}"), all);
            }
        }
        (Value::Array(items), Value::Array(own)) if items.len() == own.len() => {
            for (at, (item, own)) in items.iter().zip(own).enumerate() {
                lost(item, own, &format!("{place}/{at}"), all);
            }
        }
        _ if recorded == read => {}
        _ => all.push(format!("{place}: {recorded} was read as {read}")),
    }
}

/// What can hold members that are not known here.
trait Open {
    /// Returns them, of all that is inside.
    fn unknown(&self) -> Vec<String>;
}

fn keys(others: &serde_json::Map<String, Value>) -> Vec<String> {
    others.keys().cloned().collect()
}

impl Open for About {
    fn unknown(&self) -> Vec<String> {
        keys(&self.others)
    }
}

impl Open for ModuleBuild {
    fn unknown(&self) -> Vec<String> {
        let of_buildroot = self.buildrequires.values().flat_map(|module| keys(&module.others));
        // What is filtered out of a buildroot is nobody's affair but the service's.
        let of_buildroot = of_buildroot.filter(|key| key != "filtered_rpms");
        keys(&self.others).into_iter().chain(of_buildroot).collect()
    }
}

impl Open for ComponentBuild {
    fn unknown(&self) -> Vec<String> {
        keys(&self.others)
    }
}

impl Open for Strategies {
    fn unknown(&self) -> Vec<String> {
        self.items.iter().flat_map(|row| keys(&row.others)).collect()
    }
}

impl Open for Messages {
    fn unknown(&self) -> Vec<String> {
        self.messages.iter().flat_map(|message| keys(&message.others)).collect()
    }
}

impl<T: Open> Open for Page<T> {
    fn unknown(&self) -> Vec<String> {
        self.items.iter().flat_map(Open::unknown).collect()
    }
}

impl<T: Open> Open for Vec<T> {
    fn unknown(&self) -> Vec<String> {
        self.iter().flat_map(Open::unknown).collect()
    }
}

impl Open for BTreeMap<String, String> {
    fn unknown(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Reads an answer as what it should be, and returns what got lost, or is not known here.
fn kept<T: DeserializeOwned + Serialize + Open>(case: &Case) -> Vec<String> {
    let read: T = serde_json::from_value(case.response_body.clone())
        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let mut all: Vec<String> =
        read.unknown().iter().map(|key| format!("{}: {key} is unknown", case.name)).collect();
    lost(&case.response_body, &serde_json::to_value(read).unwrap(), &case.name, &mut all);
    all
}

#[derive(serde::Deserialize, Serialize)]
struct Strategies {
    items: Vec<RebuildStrategyRow>,
}

#[derive(serde::Deserialize, Serialize)]
struct Messages {
    messages: Vec<mbs_client::api::Message>,
}

/// Returns what the answer to a request is, and what of it got lost.
fn read_as(case: &Case, path: &[&str]) -> (&'static str, Vec<String>) {
    match path {
        ["about", ""] => ("about", kept::<About>(case)),
        ["rebuild-strategies", ""] => ("strategies", kept::<Strategies>(case)),
        ["module-builds", ""] => ("module builds", kept::<Page<ModuleBuild>>(case)),
        ["component-builds", ""] => ("component builds", kept::<Page<ComponentBuild>>(case)),
        ["module-builds", _] => ("module build", kept::<ModuleBuild>(case)),
        ["component-builds", _] => ("component build", kept::<ComponentBuild>(case)),
        ["final-modulemd", _] => ("final modulemd", kept::<BTreeMap<String, String>>(case)),
        [_, _, "messages"] => {
            let page: Page<mbs_client::api::Message> =
                serde_json::from_value(case.response_body.clone()).unwrap();
            assert_eq!(json!(page.meta), case.response_body["meta"], "{}", case.name);
            let mut messages = case.clone();
            messages.response_body.as_object_mut().unwrap().remove("meta");
            ("messages", kept::<Messages>(&messages))
        }
        _ => panic!("{}: nothing of ours is at {path:?}", case.name),
    }
}

fn parts(case: &Case) -> Vec<&str> {
    let path = case.path.split('?').next().unwrap().strip_prefix(SERVICE).unwrap();
    path.split('/').skip(1).collect()
}

#[test]
fn everything_that_reads_were_answered_with_is_read_and_nothing_of_it_is_lost() {
    let (mut read, mut all_lost) = (BTreeMap::<&str, usize>::new(), Vec::new());
    let cases = cases();
    for case in cases.iter().filter(|case| case.method == "GET" && case.status == 200 && case.is_json()) {
        let (what, lost) = read_as(case, &parts(case));
        *read.entry(what).or_default() += 1;
        all_lost.extend(lost);
    }
    println!("read {read:?}");
    assert!(all_lost.is_empty(), "{}", all_lost.join("\n"));
    assert!(cases.is_empty() || (read.len() == 8 && read.values().sum::<usize>() >= 137), "{read:?}");
}

#[test]
fn what_submissions_were_answered_with_is_read() {
    let cases = cases();
    let made: Vec<&Case> = cases.iter().filter(|case| case.status == 201).collect();
    let mut all_lost = Vec::new();
    for case in &made {
        all_lost.extend(match case.response_body {
            Value::Array(_) => kept::<Vec<ModuleBuild>>(case),
            _ => kept::<ModuleBuild>(case),
        });
    }
    assert!(all_lost.is_empty(), "{}", all_lost.join("\n"));
    assert!(cases.is_empty() || made.len() >= 37, "{}", made.len());
}

/// Starts a server that gives the recorded answer.
async fn playing(case: &Case) -> FakeServer {
    let body = match &case.response_body {
        Value::String(text) if !case.is_json() => text.clone(),
        body => body.to_string(),
    };
    let kind = case.response_headers.get("content-type").cloned().unwrap_or_default();
    let answer = Answer::of(case.status, &kind, &body);
    FakeServer::start(move |_| answer.clone()).await.unwrap()
}

/// Every refusal is told as the service words it, whoever asked; a crash of the original's is no refusal.
#[tokio::test]
async fn every_refusal_is_told_in_the_services_words() {
    let (mut told, mut pages) = (0, 0);
    for case in cases().iter().filter(|case| (400..500).contains(&case.status)) {
        let server = playing(case).await;
        let (client, method) = match case.method.as_str() {
            "GET" => (client(&server), Method::Get),
            "POST" => (client(&server), Method::Post),
            _ => continue,
        };
        let request = Request::new(method, parts(case)).body(json!({}));
        let outcome = match method {
            Method::Get => client.read::<Value>(&request).await,
            _ => client.write(&request).await,
        };
        let Err(ClientError::Refused { status, error, message, .. }) = &outcome else {
            panic!("{}: {outcome:?}", case.name);
        };
        assert_eq!(*status, case.status, "{}", case.name);
        if case.is_json() {
            let spoken = (&case.response_body["error"], &case.response_body["message"]);
            assert_eq!((&json!(error), &json!(message)), spoken, "{}", case.name);
            told += 1;
        } else {
            assert!(message.contains("HTTP 4"), "{}: {message}", case.name);
            pages += 1;
        }
        assert_eq!(server.heard().len(), 1, "{}: it is asked once", case.name);
    }
    println!("{told} refusals, {pages} pages");
    assert!((told == 0 && pages == 0) || (told >= 60 && pages >= 5), "{told} {pages}");
}

/// Asks one recorded question through the client's nouns.
async fn ask(client: &Client, case: &Case) -> Result<(), ClientError> {
    let number = |text: &str| text.parse().unwrap();
    match parts(case)[..] {
        ["about", ""] => drop(client.about().await?),
        ["rebuild-strategies", ""] => drop(client.rebuild_strategies().await?),
        ["monitor", "metrics"] => assert!(client.metrics().await?.starts_with("# HELP ")),
        ["module-builds", ""] => {
            drop(client.module_builds(&Filter::default(), Form::Standard).next().await?);
        }
        ["component-builds", ""] => {
            drop(client.component_builds(&ComponentFilter::default(), Form::Standard).next().await?);
        }
        ["module-builds", id] => drop(client.module_build(BuildId(number(id)), Form::Extended).await?),
        ["component-builds", id] => {
            drop(client.component_build(ComponentId(number(id)), Form::Extended).await?);
        }
        ["final-modulemd", id] => drop(client.final_modulemd(BuildId(number(id))).await?),
        ["module-builds", id, "messages"] => {
            drop(client.messages(MessagesOf::Module(BuildId(number(id)))).next().await?);
        }
        ["component-builds", id, "messages"] => {
            drop(client.messages(MessagesOf::Component(ComponentId(number(id)))).next().await?);
        }
        ref path => panic!("{}: nothing of ours asks for {path:?}", case.name),
    }
    Ok(())
}

#[tokio::test]
async fn every_noun_asks_where_the_original_answers() {
    let mut asked = 0;
    for case in cases().iter().filter(|case| case.method == "GET" && case.status == 200) {
        let server = playing(case).await;
        let version = case.path.strip_prefix(SERVICE).unwrap().split('/').next().unwrap();
        let version = if version == "2" { ApiVersion::Two } else { ApiVersion::One };
        let settings = Server { version: Some(version), ..Server::new(server.url()) };
        let client = Client::new(settings, Login::Anonymous).unwrap();
        ask(&client, case).await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let path = case.path.split('?').next().unwrap();
        // Metrics are served below any number.
        let path = path.replace("/9/", "/1/");
        assert_eq!(server.heard()[0].path(), path, "{}", case.name);
        asked += 1;
    }
    println!("asked {asked}");
}

/// Returns the submission that was recorded; `None`: it is none that a well-meaning client sends.
fn submission(body: &Value) -> Option<Submission> {
    let mut rest = body.as_object()?.clone();
    let mut text = |key: &str| match rest.get(key)? {
        Value::String(text) => {
            let text = text.clone();
            rest.remove(key);
            Some(text)
        }
        _ => None,
    };
    let source = match text("modulemd") {
        Some(document) => {
            Source::Document { text: document, name: text("module_name"), stream: text("module_stream") }
        }
        None => Source::Git { scmurl: text("scmurl")?, branch: text("branch")? },
    };
    let mut submission = Submission {
        source,
        rebuild_strategy: text("rebuild_strategy"),
        side_tag: text("side_tag"),
        ..Submission::default()
    };
    for (key, value) in rest {
        match (key.as_str(), &value) {
            ("scratch", Value::Bool(true)) => submission.scratch = true,
            ("srpms", Value::Array(_)) => submission.srpms = serde_json::from_value(value).ok()?,
            ("buildrequire_overrides", _) => {
                submission.buildrequire_overrides = serde_json::from_value(value).ok()?;
            }
            ("require_overrides", _) => submission.require_overrides = serde_json::from_value(value).ok()?,
            ("rpm_component_ref_overrides", _) => {
                submission.rpm_component_ref_overrides = serde_json::from_value(value).ok()?;
            }
            ("reuse_components_from", Value::Number(id)) => {
                submission.reuse_components_from = Some(id.to_string());
            }
            ("reuse_components_from", Value::String(nsvc)) => {
                submission.reuse_components_from = Some(nsvc.clone());
            }
            (_, Value::String(text)) => submission.options.push((key, text.clone())),
            _ => return None,
        }
    }
    Some(submission)
}

#[tokio::test]
async fn submissions_go_out_as_recorded() {
    let (mut sent, mut left_out) = (0, Vec::new());
    for case in cases().iter().filter(|case| case.method == "POST" && case.status == 201) {
        let body: Value = serde_json::from_str(case.request_body.as_deref().unwrap()).unwrap_or_default();
        let Some(submission) = submission(&body) else {
            left_out.push(format!("{}: {body}", case.name));
            continue;
        };
        let server = playing(case).await;
        let client = Client::new(
            Server::new(format!("{}{}", server.url(), case.path.split("module-builds").next().unwrap())),
            Login::Anonymous,
        );
        let builds = client.unwrap().submit(&submission).await.unwrap();
        let wanted = case.response_body.as_array().map_or(1, Vec::len);
        assert_eq!(builds.len(), wanted, "{}", case.name);
        let heard = &server.heard()[0];
        assert_eq!(
            (heard.path(), heard.json()),
            (case.path.split('?').next().unwrap(), body),
            "{}",
            case.name
        );
        assert_eq!(heard.headers["content-type"], "application/json");
        sent += 1;
    }
    println!("sent {sent}, left out {left_out:#?}");
    assert!(sent >= 35 || (sent == 0 && left_out.is_empty()), "{sent} {left_out:#?}");
}
