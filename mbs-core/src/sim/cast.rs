//! Who plays in a world: names, documents, sources and base modules for the scripts of a scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::scenario::{ComponentScript, ModuleScript, Order, Scenario};
use crate::context::Contexts;
use crate::ident::{Name, Nsvc, Package, Stream, TagName, Weight};
use crate::memory::{MemoryResolver, MemorySourceControl};
use crate::model::{NewBuild, RebuildStrategy};
use crate::modulemd::{ModuleStream, RpmComponent, Xmd};
use crate::policy::Policy;
use crate::resolver::KnownModule;

/// The wall time at which every world begins.
pub(super) const START: &str = "2026-01-01T00:00:00Z";

/// The tag of the base module that every module is built with.
pub(super) const BASE_TAG: &str = "f40-build";

const NAMES: [&str; 20] = [
    "ant", "bat", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "kite", "lynx", "mole", "newt",
    "owl", "pika", "quail", "rat", "seal", "toad",
];

/// Returns the policy of worlds: the usual one, with sources wherever they are. Who has nothing to do asks less often, or a
/// world would consist of idle questions, and what has ended is swept up soon.
pub(super) fn policy() -> Policy {
    Policy {
        rpms_allow_repository: true,
        claim_floor: Duration::from_secs(20),
        publish_floor: Duration::from_secs(30),
        koji_target_delete_time: Duration::from_secs(3_600),
        cleanup_failed_builds_time: Duration::from_secs(86_400),
        ..Policy::default()
    }
}

/// Returns when every world begins.
pub(super) fn start() -> Timestamp {
    START.parse().expect("the start of worlds is a time")
}

/// Returns the place of the first version of a module.
pub(super) fn first_of(scenario: &Scenario, place: usize) -> usize {
    match scenario.modules[place].again {
        Some(earlier) if earlier < place => first_of(scenario, earlier),
        Some(_) | None => place,
    }
}

/// Returns the submission of a module.
pub(super) fn new_build(scenario: &Scenario, place: usize) -> NewBuild {
    let script = &scenario.modules[place];
    let name = module_name(first_of(scenario, place));
    let nsvc: Nsvc = format!("{name}:1:{}:c0ffee00", place + 1).parse().expect("the four parts are valid");
    NewBuild {
        document: Arc::new(document(script, &name)),
        nsvc,
        owner: "mary".into(),
        priority: script.priority,
        scratch: script.scratch,
        scmurl: Some(format!("https://src.example.com/modules/{name}?#{}", "a".repeat(40))),
        commit: None,
        strategy: if script.scratch { RebuildStrategy::All } else { script.strategy },
        reuse_from: None,
        origin: None,
        contexts: Contexts { build: "b".into(), runtime: "r".into(), ..Contexts::default() },
        srpms: BTreeMap::new(),
        given_srpms: Vec::new(),
        base_modules: vec![base_nsvc()],
    }
}

/// Returns the package of a component, by the place of the first version of its module and its own.
pub(super) fn package(module: usize, place: usize) -> Package {
    Package::new(format!("{}-{}", module_name(module), letters(place)))
        .expect("letters and a dash are a package name")
}

fn module_name(place: usize) -> String {
    let name = NAMES[place % NAMES.len()];
    match place / NAMES.len() {
        0 => name.to_owned(),
        round => format!("{name}{round}"),
    }
}

/// Returns `a`, `b`, … `z`, `ab`, `bb`, …
fn letters(mut place: usize) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'a' + u8::try_from(place % 26).unwrap_or(0)));
        place /= 26;
        if place == 0 {
            return text;
        }
    }
}

fn document(script: &ModuleScript, name: &str) -> ModuleStream {
    let mut entry = Xmd::default();
    let base = [("stream", "f40"), ("version", "1"), ("context", "00000000"), ("koji_tag", BASE_TAG)];
    base.into_iter().for_each(|(key, value)| entry.set(key, value.into()));
    let map = |key: &str, value: Xmd| Xmd::Map(vec![(key.to_owned(), value)]);
    let keys: Vec<String> =
        (0..script.components.len()).map(|place| format!("{name}-{}", letters(place))).collect();
    let rpm = |(place, component): (usize, &ComponentScript)| {
        (keys[place].clone(), rpm_component(script.order, place, component, &keys))
    };
    ModuleStream {
        name: Some(name.to_owned()),
        stream: Some("1".into()),
        summary: "A module of the simulation".into(),
        description: "A module of the simulation.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        xmd: map("mbs", map("buildrequires", map("platform", entry))),
        rpms: script.components.iter().enumerate().map(rpm).collect(),
        ..ModuleStream::default()
    }
}

fn rpm_component(order: Order, place: usize, component: &ComponentScript, keys: &[String]) -> RpmComponent {
    let after =
        component.after.iter().filter(|earlier| **earlier < place).map(|earlier| keys[*earlier].clone());
    RpmComponent {
        repository: Some(format!("memory:{}", keys[place])),
        git_ref: Some(branch(component.commit)),
        rationale: "It is simulated.".into(),
        buildonly: component.buildonly,
        buildorder: if order == Order::Batches { i64::from(component.group) } else { 0 },
        buildafter: if order == Order::Graph { after.collect() } else { Default::default() },
        ..RpmComponent::default()
    }
}

fn branch(commit: u8) -> String {
    format!("v{commit}")
}

fn base_nsvc() -> Nsvc {
    "platform:f40:1:00000000".parse().expect("the base module's identity is valid")
}

/// Returns the base module.
pub(super) fn base_tag() -> TagName {
    TagName::new(BASE_TAG).expect("the base tag is valid")
}

/// Returns a resolver that knows the base module.
pub(super) fn resolver() -> MemoryResolver {
    let document = ModuleStream {
        name: Some(Name::new("platform").expect("a word is a name").to_string()),
        stream: Some(Stream::new("f40").expect("a word is a stream").to_string()),
        ..ModuleStream::default()
    };
    let base = KnownModule {
        nsvc: base_nsvc(),
        tag: Some(base_tag()),
        document: Arc::new(document),
        is_ready: true,
    };
    MemoryResolver::new([base]).expect("one module does not conflict with itself")
}

/// Returns the weights of components of which it is known how long their builds take.
///
/// They are what Koji's clients make of an average duration, for one architecture. Source: upstream `get_build_weights`.
pub(super) fn weights(scenario: &Scenario) -> impl Iterator<Item = (Package, Weight)> + '_ {
    let of = |place: usize| {
        let (module, components) = (first_of(scenario, place), &scenario.modules[place].components);
        let expected = components.iter().enumerate().filter_map(|(c, script)| Some((c, script.expected?)));
        expected.map(move |(c, expected)| (package(module, c), weight(expected)))
    };
    (0..scenario.modules.len()).flat_map(of)
}

fn weight(expected: Duration) -> Weight {
    let hours = expected.as_secs_f64() / 3_600.0;
    Weight::new((1.5 + (hours * 0.75).min(4.5)) + 1.5)
}

/// Returns the repositories of all components.
pub(super) fn repositories(scenario: &Scenario) -> BTreeSet<String> {
    let of = |place: usize| {
        let name = module_name(first_of(scenario, place));
        (0..scenario.modules[place].components.len()).map(move |c| format!("memory:{name}-{}", letters(c)))
    };
    (0..scenario.modules.len()).flat_map(of).collect()
}

/// Returns source control with a branch for every commit that a script names.
pub(super) fn source_control(scenario: &Scenario) -> MemorySourceControl {
    let sources = MemorySourceControl::new();
    let mut known = BTreeSet::new();
    for (place, module) in scenario.modules.iter().enumerate() {
        let name = module_name(first_of(scenario, place));
        for (place, component) in module.components.iter().enumerate() {
            let (repository, branch) =
                (format!("memory:{name}-{}", letters(place)), branch(component.commit));
            if known.insert((repository.clone(), branch.clone())) {
                sources.commit(&repository, &branch, start(), &[("a.spec", &branch)]);
            }
        }
    }
    sources
}
