//! Recorded expansions over modules that stand in PDC: the same as over modules in memory, and as recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use mbs_core::context::Contexts;
use mbs_core::engine::expand;
use mbs_core::expansion::{BaseFit, Choices, Expansion};
use mbs_core::memory::MemoryResolver;
use mbs_core::modulemd::{Dependencies, ModuleStream, Xmd};
use mbs_core::policy::Policy;
use mbs_core::resolver::{KnownModule, ModuleResolver};
use mbs_pdc::api::Face;
use serde_json::Value;

use crate::universe::Universe;

/// How many of the usual expansions are as recorded at least; in the others modules take part that PDC does not know.
const AS_RECORDED: usize = 145;

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

/// A recorded question.
struct Case {
    policy: Policy,
    document: ModuleStream,
    default_streams: BTreeMap<mbs_core::ident::Name, mbs_core::ident::Stream>,
    choices: Choices,
    /// Those that a resolver knows: what is being built or has failed is no affair of PDC.
    modules: Vec<KnownModule>,
    has_unfinished: bool,
}

impl Case {
    fn of(input: &Value) -> Self {
        let config = input.get("config").filter(|config| !config.is_null()).cloned();
        let config = config.unwrap_or_else(|| serde_json::json!({}));
        let default_streams =
            input.get("default_streams").map(|streams| serde_json::from_value(streams.clone()).unwrap());
        let is_known = |module: &&Value| matches!(module["state"].as_str(), None | Some("ready" | "garbage"));
        let modules = input["modules"].as_array().unwrap();
        Self {
            policy: serde_json::from_value(config).unwrap(),
            document: ModuleStream {
                name: Some("app".into()),
                dependencies: pairs(input),
                ..ModuleStream::default()
            },
            default_streams: default_streams.unwrap_or_default(),
            choices: if input["raise_if_stream_ambiguous"] == true { Choices::Closed } else { Choices::Open },
            has_unfinished: modules.iter().any(|module| !is_known(&module)),
            modules: modules.iter().filter(is_known).map(known).collect(),
        }
    }

    /// Returns what comes of it, in words: builds with their contexts, dependencies and what they are built with, or the refusal.
    async fn outcome(&self, resolver: &dyn ModuleResolver) -> Result<BTreeMap<String, Vec<String>>, String> {
        let expansion = Expansion {
            document: &self.document,
            default_streams: &self.default_streams,
            choices: self.choices,
            base_fit: BaseFit::Required,
            policy: &self.policy,
        };
        let expansions =
            expand(&expansion, resolver, None, &mut mbs_core::expansion::Universe::default()).await;
        let expanded = expansions.map_err(|refused| refused.to_string())?.expanded;
        let builds = expanded.iter().map(|one| {
            let dependencies = &one.document.dependencies;
            let contexts = Contexts::of(&one.streams(), dependencies, &self.policy);
            let with = one.buildrequires.iter().map(|module| module.nsvc.to_string());
            (contexts.short().to_string(), with.chain([format!("{dependencies:?}")]).collect())
        });
        Ok(builds.collect())
    }
}

#[tokio::test]
async fn every_golden_document_is_expanded_the_same_over_pdc() {
    let mut as_recorded = 0;
    let lines = recorded();
    let is_usual = !lines.is_empty() && std::env::var_os("MBS_LOGIC_GOLDEN").is_none();
    for line in lines {
        let (name, case) = (line["name"].as_str().unwrap(), Case::of(&line["input"]));
        let universe = Universe::empty(Face::Variants).await;
        case.modules.iter().for_each(|module| universe.add(module));
        let remembering = universe.resolver.for_one_expansion().unwrap();
        let over_pdc = case.outcome(&*remembering).await;
        let memory = MemoryResolver::new(case.modules.iter().cloned()).unwrap();
        let in_memory = case.outcome(&memory).now_or_never().unwrap();
        assert_eq!(over_pdc, in_memory, "{name}");
        let of = |one: &Value| one["context"].as_str().unwrap().to_owned();
        let contexts: Option<BTreeSet<String>> =
            line["output"]["expanded"].as_array().map(|all| all.iter().map(of).collect());
        if !case.has_unfinished {
            as_recorded += 1;
            assert_eq!(over_pdc.ok().map(|builds| builds.into_keys().collect()), contexts, "{name}");
        }
    }
    println!("{as_recorded} expansions as recorded");
    assert!(as_recorded >= AS_RECORDED || !is_usual, "{as_recorded} expansions as recorded");
}
