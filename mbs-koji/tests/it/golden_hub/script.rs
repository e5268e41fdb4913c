//! A recording as steps, and what it tells about things before they are needed: names, first rows, users.

use std::collections::BTreeMap;

use mbs_koji::xmlrpc::{Call, Fault, FaultCode, Struct, Value, decode_call};
use serde_json::Value as Json;

use super::kinds::{self, Kind};
use crate::recorded::{Recording, answer, text};

/// One call of a recording, those of multicalls each by itself.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) call: Call,
    pub(super) answer: Result<Value, Fault>,
}

impl Step {
    pub(super) fn method(&self) -> &str {
        self.call.method()
    }

    /// Returns an argument by place or by name.
    pub(super) fn argument(&self, place: usize, name: &str) -> Option<&Value> {
        let by_name = || self.call.keywords().and_then(|keywords| keywords.member(name));
        self.call.arguments().get(place).or_else(by_name).filter(|value| !value.is_nil())
    }

    /// Returns all rows of the answer, outer ones first.
    pub(super) fn rows(&self) -> Vec<&Struct> {
        let mut rows = Vec::new();
        if let Ok(answer) = &self.answer {
            collect(answer, &mut rows);
        }
        rows
    }
}

fn collect<'v>(value: &'v Value, rows: &mut Vec<&'v Struct>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, rows)),
        Value::Struct(members) => {
            rows.push(members);
            members.iter().for_each(|(_, value)| collect(value, rows));
        }
        _ => {}
    }
}

/// Returns the steps of an exchange; none if nothing was answered or the request could not be read.
pub(super) fn steps(exchange: &Json) -> Vec<Step> {
    let Some(call) = text(exchange, "request_xml").and_then(|xml| decode_call(xml.as_bytes()).ok()) else {
        return Vec::new();
    };
    let answer = answer(exchange).unwrap_or(Ok(Value::Nil));
    let mut steps = Vec::new();
    split(Step { call, answer }, &mut steps);
    steps
}

fn split(step: Step, steps: &mut Vec<Step>) {
    let calls = step.call.arguments().first().and_then(Value::as_array);
    let (true, Some(calls), Ok(Value::Array(answers))) =
        (matches!(step.method(), "multiCall" | "system.multicall"), calls, &step.answer)
    else {
        return steps.push(step);
    };
    for (call, answer) in calls.iter().zip(answers) {
        let (Some(Value::String(method)), Some(Value::Array(params))) =
            (call.member("methodName"), call.member("params"))
        else {
            continue;
        };
        let call = Call::from_params(&**method, params.clone());
        let answer = match answer {
            Value::Array(result) => Ok(result.first().cloned().unwrap_or(Value::Nil)),
            fault => {
                let code = fault.member("faultCode").and_then(Value::as_int).unwrap_or(1);
                let text = fault.member("faultString").and_then(Value::as_str).unwrap_or_default();
                Err(Fault::new(FaultCode::of(code), text))
            }
        };
        split(Step { call, answer }, steps);
    }
}

/// What a whole recording tells.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// The steps of each exchange.
    pub(super) exchanges: Vec<Vec<Step>>,
    pub(super) names: BTreeMap<(Kind, String), i64>,
    /// The first full row of each thing.
    pub(super) rows: BTreeMap<(Kind, i64), Struct>,
    /// Tasks' results.
    pub(super) results: BTreeMap<i64, Result<Value, Fault>>,
}

impl Script {
    pub(super) fn of(recording: &Recording) -> Self {
        let mut script = Self { exchanges: recording.entries.iter().map(steps).collect(), ..Self::default() };
        let steps: Vec<Step> = script.exchanges.iter().flatten().cloned().collect();
        for step in &steps {
            for row in step.rows() {
                script.note(row);
            }
            script.note_answer(step);
        }
        script
    }

    fn note(&mut self, row: &Struct) {
        for (id, name, kind) in [
            ("tag_id", "tag_name", Kind::Tag),
            ("build_tag", "build_tag_name", Kind::Tag),
            ("dest_tag", "dest_tag_name", Kind::Tag),
            ("parent_id", "name", Kind::Tag),
            ("package_id", "package_name", Kind::Package),
            ("owner_id", "owner_name", Kind::User),
            ("owner", "owner_name", Kind::User),
            ("group_id", "name", Kind::Group),
            ("external_repo_id", "external_repo_name", Kind::External),
        ] {
            self.name(kind, row.member(id), row.member(name));
        }
        let Some(kind) = kinds::shape(row) else { return };
        let id = row.member("id").or(row.member("build_id"));
        if kind == Kind::Build {
            self.name(kind, id, row.member("nvr"));
        } else {
            self.name(kind, id, row.member("name"));
        }
        let Some(id) = id.and_then(Value::as_int) else { return };
        let is_fuller = |known: &Struct| known.len() < row.len();
        let is_missing = self.rows.get(&(kind, id)).is_none_or(is_fuller);
        match kind {
            Kind::Build => self.add_members(id, row),
            Kind::Task => _ = self.rows.entry((kind, id)).or_insert_with(|| row.clone()),
            _ if is_missing => _ = self.rows.insert((kind, id), row.clone()),
            _ => {}
        }
    }

    /// Adds what earlier rows of a build did not say.
    fn add_members(&mut self, build: i64, row: &Struct) {
        let known = self.rows.entry((Kind::Build, build)).or_default();
        for (name, value) in row.iter() {
            if known.member(name).is_none() && !matches!(name, "tag_id" | "tag_name" | "create_event") {
                known.insert(name, value.clone());
            }
        }
    }

    fn name(&mut self, kind: Kind, id: Option<&Value>, name: Option<&Value>) {
        if let (Some(Value::Int(id)), Some(Value::String(name))) = (id, name) {
            self.names.entry((kind, name.to_string())).or_insert(*id);
        }
    }

    fn note_answer(&mut self, step: &Step) {
        let name = step.call.arguments().first();
        match (step.method(), &step.answer, name) {
            ("createTag", Ok(id), name) => self.name(Kind::Tag, Some(id), name),
            ("getTagGroups", Ok(Value::Array(groups)), name) => {
                let tag = groups.first().and_then(|group| group.member("tag_id")).cloned();
                self.name(Kind::Tag, tag.as_ref(), name);
            }
            ("getPackageID", Ok(id), name) => self.name(Kind::Package, Some(id), name),
            ("login", Ok(answer), name) => self.name(Kind::User, owner_of(answer).as_ref(), name),
            ("getTaskResult", answer, Some(Value::Int(task))) => {
                drop(self.results.insert(*task, answer.clone()));
            }
            _ => {}
        }
    }

    /// Returns the recorded id of what a value names.
    pub(super) fn id(&self, kind: Kind, value: &Value) -> Option<i64> {
        match value {
            Value::Int(id) => Some(*id),
            Value::String(name) => self.names.get(&(kind, name.to_string())).copied(),
            _ => None,
        }
    }

    /// Returns the name of a recorded id.
    pub(super) fn name_of(&self, kind: Kind, id: i64) -> Option<&str> {
        self.names
            .iter()
            .find(|((of, _), known)| *of == kind && **known == id)
            .map(|((_, name), _)| name.as_str())
    }

    /// Returns all rows that come from an exchange on.
    pub(super) fn rows_from(&self, exchange: usize) -> impl Iterator<Item = &Struct> {
        self.exchanges[exchange..].iter().flatten().flat_map(Step::rows)
    }
}

/// Returns the files that were uploaded in one piece, by path, and all contents.
pub(super) fn uploads(exchanges: &[Json]) -> BTreeMap<String, Vec<u8>> {
    use base64::Engine as _;
    let uploads = exchanges.iter().filter_map(|exchange| {
        let field = |name: &str| {
            Some(exchange["query"][name].as_str().or(exchange["query"][name][0].as_str())?.to_owned())
        };
        let bytes = text(exchange, "request_body_base64")?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(bytes).expect("it is base64");
        Some((format!("{}/{}", field("filepath")?, field("filename")?), bytes))
    });
    uploads.collect()
}

/// Returns the user that a session's key names: keys begin with its id.
fn owner_of(login: &Value) -> Option<Value> {
    user_of_key(login.member("session-key")?.as_str()?).map(Value::from)
}

/// Returns the user a session's key begins with.
pub(super) fn user_of_key(key: &str) -> Option<i64> {
    key.split('-').next()?.parse().ok()
}
