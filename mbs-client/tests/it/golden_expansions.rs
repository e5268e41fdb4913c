//! Recorded expansions over modules of a service: the same as over modules in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mbs_core::engine::expand;
use mbs_core::expansion::{BaseFit, Choices, Expansion, Universe as Known};
use mbs_core::memory::MemoryResolver;
use mbs_core::modulemd::{Dependencies, ModuleStream, Xmd};
use mbs_core::policy::Policy;
use mbs_core::resolver::{KnownModule, ModuleResolver};
use serde_json::Value;

use crate::universe::Universe;

type Streams = BTreeMap<String, BTreeSet<String>>;

/// Reads the recorded expansions from the folder that `MBS_LOGIC_GOLDEN` names, else from the reference beside the project.
/// Empty if they are not there; beside the project that is no failure unless `MBS_REFERENCE_REQUIRED` is set.
fn recorded() -> Vec<Value> {
    let named = std::env::var_os("MBS_LOGIC_GOLDEN").map(PathBuf::from);
    let is_required = named.is_none() && std::env::var_os("MBS_REFERENCE_REQUIRED").is_some();
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/logic-golden");
    let path = named.unwrap_or_else(beside).join("expand.jsonl");
    match std::fs::read_to_string(&path) {
        Ok(text) => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        Err(error) if !is_required => {
            println!("not checked, {} cannot be read: {error}", path.display());
            Vec::new()
        }
        Err(error) => panic!("{} cannot be read: {error}", path.display()),
    }
}

fn section(value: Option<&Value>) -> Streams {
    value.map(|value| serde_json::from_value(value.clone()).unwrap()).unwrap_or_default()
}

fn pairs(value: &Value) -> Vec<Dependencies> {
    let pair = |pair: &Value| Dependencies {
        buildrequires: section(pair.get("buildrequires")),
        requires: section(pair.get("requires")),
    };
    value["dependencies"].as_array().into_iter().flatten().map(pair).collect()
}

fn known(value: &Value) -> KnownModule {
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
    let mut document = ModuleStream { dependencies: pairs(value), ..ModuleStream::default() };
    document.xmd.set("mbs", mbs);
    let is_ready = value["state"].as_str().is_none_or(|state| state == "ready");
    let nsvc = value["nsvc"].as_str().unwrap().parse().unwrap();
    KnownModule { nsvc, tag: None, document: Arc::new(document), is_ready }
}

/// Returns what comes of a recorded question, in words: builds with what they are built with, or the refusal.
async fn outcome(input: &Value, resolver: &dyn ModuleResolver) -> Result<BTreeSet<Vec<String>>, String> {
    let config = input.get("config").filter(|config| !config.is_null()).cloned();
    let policy: Policy = serde_json::from_value(config.unwrap_or_else(|| serde_json::json!({}))).unwrap();
    let document =
        ModuleStream { name: Some("app".into()), dependencies: pairs(input), ..ModuleStream::default() };
    let default_streams =
        input.get("default_streams").map(|streams| serde_json::from_value(streams.clone()).unwrap());
    let expansion = Expansion {
        document: &document,
        default_streams: &default_streams.unwrap_or_default(),
        choices: if input["raise_if_stream_ambiguous"] == true { Choices::Closed } else { Choices::Open },
        base_fit: BaseFit::Required,
        policy: &policy,
    };
    let expansions = expand(&expansion, resolver, None, &mut Known::default()).await;
    let expanded = expansions.map_err(|refused| refused.to_string())?.expanded;
    let builds = expanded.iter().map(|one| {
        let with = one.buildrequires.iter().map(|module| module.nsvc.to_string());
        with.chain([format!("{:?}", one.document.dependencies)]).collect()
    });
    Ok(builds.collect())
}

#[tokio::test]
async fn every_golden_document_is_expanded_the_same_over_a_service() {
    let (mut compared, mut requests) = (0, 0);
    for line in recorded() {
        let (name, input) = (line["name"].as_str().unwrap(), &line["input"]);
        let is_known = |module: &&Value| matches!(module["state"].as_str(), None | Some("ready" | "garbage"));
        let modules: Vec<KnownModule> =
            input["modules"].as_array().unwrap().iter().filter(is_known).map(known).collect();
        let universe = Universe::empty().await;
        modules.iter().for_each(|module| universe.add(module.clone()));
        let remembering = universe.resolver.for_one_expansion().unwrap();
        let over_rest = outcome(input, &*remembering).await;
        let in_memory = outcome(input, &MemoryResolver::new(modules).unwrap()).await;
        assert_eq!(over_rest, in_memory, "{name}");
        compared += 1;
        requests += universe.server.heard().len();
    }
    println!("{compared} expansions compared, {requests} requests");
}
