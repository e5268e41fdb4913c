//! What the original service computed, vector by vector.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::super::pool::Pool;
use super::super::solve::{Outcome, Problem};
use super::super::{BaseFit, Choices, Expanded, Expansion, Expansions, Universe, streams};
use super::Known;
use crate::context::Contexts;
use crate::engine::{ExpandError, expand};
use crate::ident::{Name, Stream};
use crate::memory::samples::now_or_panic;
use crate::model::State;
use crate::modulemd::{Dependencies, ModuleStream, Xmd};
use crate::policy::Policy;
use crate::resolver::KnownModule;
use crate::tests::reference::{configured, golden, text};

type Streams = BTreeMap<String, BTreeSet<String>>;

fn section(value: Option<&Value>) -> Streams {
    value.map(|value| serde_json::from_value(value.clone()).unwrap()).unwrap_or_default()
}

pub(super) fn pairs(value: Option<&Value>) -> Vec<Dependencies> {
    let pairs = value.and_then(Value::as_array).into_iter().flatten();
    let pair = |pair: &Value| Dependencies {
        buildrequires: section(pair.get("buildrequires")),
        requires: section(pair.get("requires")),
    };
    pairs.map(pair).collect()
}

pub(super) fn known(value: &Value) -> KnownModule {
    let mut mbs = Xmd::default();
    if let Some(virtual_streams) = value["virtual_streams"].as_array() {
        let texts = virtual_streams.iter().map(|one| Xmd::from(one.as_str().unwrap()));
        mbs.set("virtual_streams", Xmd::Seq(texts.collect()));
    }
    let mut buildrequires = Xmd::default();
    for (name, entry) in value["xmd_buildrequires"].as_object().into_iter().flatten() {
        let mut written = Xmd::default();
        for (key, text) in entry.as_object().unwrap() {
            written.set(key, text.as_str().unwrap().into());
        }
        buildrequires.set(name, written);
    }
    mbs.set("buildrequires", buildrequires);
    let mut document = ModuleStream { dependencies: pairs(value.get("dependencies")), ..Default::default() };
    document.xmd.set("mbs", mbs);
    let nsvc = text(value, "/nsvc").parse().unwrap();
    let is_ready = value["state"].as_str().is_none_or(|state| state == "ready");
    KnownModule { nsvc, tag: None, document: Arc::new(document), is_ready }
}

/// Returns what of a combination the pair buildrequires that it is for: the place of the pair, and name:streams.
fn streams_of_pair(input: &Value, chosen: &[String]) -> (usize, BTreeSet<String>) {
    let app = chosen.iter().find_map(|nsvc| nsvc.strip_prefix("app:1:0:")?.strip_suffix(":src"));
    let index = app.unwrap().parse::<usize>().unwrap();
    let pair = &pairs(input.get("dependencies"))[index];
    let is_direct = |nsvc: &&String| pair.buildrequires.contains_key(nsvc.split(':').next().unwrap());
    let name_stream = |nsvc: &String| nsvc.split(':').take(2).collect::<Vec<_>>().join(":");
    (index, chosen.iter().filter(is_direct).map(name_stream).collect())
}

/// Returns the combinations, or nothing if the solver alone must refuse.
fn combinations(input: &Value) -> Option<BTreeSet<Vec<String>>> {
    let policy = configured(input);
    let modules = input["modules"].as_array().unwrap().iter().map(known);
    let pool = Pool::new(modules, BaseFit::Required, &policy);
    let mut all = BTreeSet::new();
    for (number, pair) in pairs(input.get("dependencies")).iter().enumerate() {
        let problem = Problem::new(&pool, &pair.buildrequires);
        match problem.solve(1_000).unwrap() {
            Outcome::Solutions(solutions) => all.extend(solutions.into_iter().map(|solution| {
                let nsvc = |place| format!("{}:x86_64", pool.module(place).nsvc);
                let mut chosen: Vec<String> = solution.builds.into_values().map(nsvc).collect();
                chosen.push(format!("app:1:0:{number}:src"));
                chosen.sort();
                chosen
            })),
            Outcome::Lacking(_) => {}
            Outcome::Clash(clash) => {
                println!("    {clash}");
                return None;
            }
            Outcome::TooMany => panic!("too many"),
        }
    }
    Some(all)
}

#[test]
fn every_golden_problem_is_solved_the_same() {
    let mut wrong = Vec::new();
    for line in &golden("resolve.jsonl").unwrap_or_default() {
        println!("{} {}", text(line, "/name"), line["output"]);
        let found = combinations(&line["input"]);
        let recorded: Option<BTreeSet<Vec<String>>> =
            line["output"].get("combinations").map(|combinations| {
                let sorted = |one: &Value| {
                    let mut one: Vec<String> = serde_json::from_value(one.clone()).unwrap();
                    one.sort();
                    one
                };
                combinations.as_array().unwrap().iter().map(sorted).collect()
            });
        let is_free = line["order_sensitive"] == true;
        // Of equally good builds the original took any; the choices of streams are the same all the same.
        let streams = |all: &Option<BTreeSet<Vec<String>>>| {
            let of = |chosen: &Vec<String>| streams_of_pair(&line["input"], chosen);
            all.as_ref().map(|all| all.iter().map(of).collect::<BTreeSet<_>>())
        };
        let is_wrong = if is_free { streams(&found) != streams(&recorded) } else { found != recorded };
        if is_wrong {
            println!("    found {found:?}");
            wrong.push(text(line, "/name").to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A recorded expansion.
struct Case {
    policy: Policy,
    document: ModuleStream,
    default_streams: BTreeMap<Name, Stream>,
    choices: Choices,
    known: Known,
}

impl Case {
    fn of(input: &Value) -> Self {
        let default_streams =
            input.get("default_streams").map(|streams| serde_json::from_value(streams.clone()).unwrap());
        let is_closed = input["raise_if_stream_ambiguous"] == true;
        let dependencies = pairs(input.get("dependencies"));
        let modules = input["modules"].as_array().unwrap();
        let state = |module: &Value| match module["state"].as_str() {
            None => State::Ready,
            Some(name) => *State::ALL.iter().find(|state| state.name() == name).unwrap(),
        };
        Self {
            policy: configured(input),
            document: ModuleStream { name: Some("app".into()), dependencies, ..ModuleStream::default() },
            default_streams: default_streams.unwrap_or_default(),
            choices: if is_closed { Choices::Closed } else { Choices::Open },
            known: Known::new(modules.iter().map(|module| (known(module), state(module)))),
        }
    }

    fn expansion(&self) -> Expansion<'_> {
        Expansion {
            document: &self.document,
            default_streams: &self.default_streams,
            choices: self.choices,
            base_fit: BaseFit::Required,
            policy: &self.policy,
        }
    }

    fn expand(&self) -> Result<Expansions, ExpandError> {
        let universe = &mut Universe::default();
        now_or_panic(expand(&self.expansion(), &self.known.resolver, Some(&self.known.store), universe))
    }

    /// Returns the streams that each distinct pair means.
    fn meant(&self) -> Option<Value> {
        let mut universe = Universe::default();
        let meant = loop {
            match streams::open(&self.expansion(), &universe).ok()? {
                Ok(pairs) => break pairs,
                Err(names) => self.known.tell_streams(&mut universe, names),
            }
        };
        let pair = |pair: &streams::Pair| serde_json::json!({ "buildrequires": pair.buildrequires, "requires": pair.requires });
        Some(meant.iter().map(pair).collect())
    }

    /// Returns what the original recorded of a build, in its form.
    fn recorded(&self, expanded: &Expanded) -> Value {
        let dependencies: Vec<Value> = expanded
            .document
            .dependencies
            .iter()
            .map(|pair| serde_json::json!({ "buildrequires": pair.buildrequires, "requires": pair.requires }))
            .collect();
        let entry = |module: &KnownModule| {
            let nsvc = &module.nsvc;
            let entry = serde_json::json!({
                "stream": nsvc.stream, "version": nsvc.version.to_string(), "context": nsvc.context
            });
            (nsvc.name.to_string(), entry)
        };
        let buildrequires: BTreeMap<String, Value> = expanded.buildrequires.iter().map(entry).collect();
        let contexts = Contexts::of(&expanded.streams(), &expanded.document.dependencies, &self.policy);
        serde_json::json!({
            "context": contexts.short(),
            "dependencies": dependencies,
            "xmd_buildrequires": buildrequires,
            "build_context": contexts.build,
            "runtime_context": contexts.runtime,
            "build_context_no_bms": contexts.build_without_base,
        })
    }
}

fn sorted(values: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut texts: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    texts.sort();
    texts
}

/// Sorts what are sets in a recorded line.
fn in_order(value: &Value) -> Value {
    match value {
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let texts: BTreeSet<&str> = items.iter().filter_map(Value::as_str).collect();
            texts.into_iter().map(Value::from).collect()
        }
        Value::Array(items) => items.iter().map(in_order).collect(),
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), in_order(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_golden_document_is_expanded_the_same() {
    let mut wrong = Vec::new();
    for line in &golden("expand.jsonl").unwrap_or_default() {
        let case = Case::of(&line["input"]);
        let (name, output) = (text(line, "/name"), in_order(&line["output"]));
        let is_free = line["order_sensitive"] == true;
        let problem = match (case.expand(), output["expanded"].as_array()) {
            (Err(refused), None) => {
                println!("{name}: {refused}\n    {}", output["message"]);
                None
            }
            (Err(refused), Some(_)) => Some(format!("refused: {refused}")),
            (Ok(_), None) => Some("not refused".to_owned()),
            // Of equally good builds the original took any; streams, and so contexts and dependencies, are the same.
            (Ok(ours), Some(theirs)) if is_free => {
                let without_builds = |mut one: Value| {
                    one.as_object_mut().unwrap().remove("xmd_buildrequires");
                    one
                };
                let ours = sorted(ours.expanded.iter().map(|one| without_builds(case.recorded(one))));
                let theirs = sorted(theirs.iter().cloned().map(without_builds));
                (ours != theirs).then(|| format!("found {ours:#?}"))
            }
            (Ok(ours), Some(theirs)) => {
                let found = sorted(ours.expanded.iter().map(|one| case.recorded(one)));
                let considered = serde_json::to_value(&ours.considered).unwrap();
                if found != sorted(theirs.iter().cloned()) {
                    Some(format!("found {found:#?}"))
                } else {
                    (considered != output["considered"]).then(|| format!("considered {considered}"))
                }
            }
        };
        let meant = case.meant().map(|meant| sorted(meant.as_array().unwrap().iter().cloned()));
        let recorded = output["expanded_dependencies"].as_array().map(|all| sorted(all.iter().cloned()));
        let problem = problem.or_else(|| (meant != recorded).then(|| format!("the streams {meant:?}")));
        if let Some(problem) = problem {
            println!("{name} WRONG: {problem}\n    recorded {output}");
            wrong.push(name.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{} of them: {wrong:?}", wrong.len());
}
