//! What an expansion asks: a few rounds and one for each level of runtime requires, however many modules there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{BaseFit, Choices, Expansion, Questions, Step, Universe};
use crate::engine::{answer, expand};
use crate::memory::MemoryResolver;
use crate::memory::samples::now_or_panic;
use crate::modulemd::ModuleStream;
use crate::policy::Policy;
use crate::resolver::KnownModule;
use crate::submission::testing::{map, pair};

fn known(nsvc: &str, requires: &[(&str, &[&str])]) -> KnownModule {
    let against = map([("stream", "f28".into()), ("version", "1".into()), ("context", "c".into())]);
    let xmd = map([("mbs", map([("buildrequires", map([("platform", against)]))]))]);
    let mut all: Vec<(&str, &[&str])> = requires.to_vec();
    all.push(("platform", &["f28"]));
    let dependencies = if nsvc.starts_with("platform:") { vec![] } else { vec![pair(&[], &all)] };
    let document = ModuleStream { dependencies, xmd, ..ModuleStream::default() };
    KnownModule { nsvc: nsvc.parse().unwrap(), tag: None, document: Arc::new(document), is_ready: true }
}

/// Modules `m0` to `m<depth>`, each of which requires the next, in so many contexts, and others that nothing leads to.
fn chain(depth: usize, contexts: usize, others: usize) -> Vec<KnownModule> {
    let mut modules = vec![known("platform:f28:1:c", &[])];
    for number in 0..=depth {
        let next = format!("m{}", number + 1);
        let requires: &[(&str, &[&str])] = if number < depth { &[(&next, &["1"])] } else { &[] };
        modules.extend((0..contexts).map(|context| known(&format!("m{number}:1:1:c{context}"), requires)));
    }
    modules.extend((0..others).map(|number| known(&format!("other{number}:1:1:c"), &[])));
    modules
}

/// Returns how many calls of a resolver an expansion of what buildrequires `m0` makes.
fn calls(modules: Vec<KnownModule>, stream: &[&str]) -> usize {
    let resolver = MemoryResolver::new(modules).unwrap();
    let dependencies = vec![pair(&[("platform", stream), ("m0", &["1"])], &[])];
    let document = ModuleStream { dependencies, ..ModuleStream::default() };
    let (policy, default_streams, mut universe) = (Policy::default(), BTreeMap::new(), Universe::default());
    let (choices, base_fit) = (Choices::Open, BaseFit::Required);
    let asked = Expansion {
        document: &document,
        default_streams: &default_streams,
        choices,
        base_fit,
        policy: &policy,
    };
    let mut calls = 0;
    loop {
        match asked.step(&universe).unwrap() {
            Step::Done(expansions) => {
                assert_eq!(expansions.expanded.len(), 1);
                return calls;
            }
            Step::Need(questions) => {
                calls += of_resolver(&questions);
                let answers = now_or_panic(answer(&questions, &resolver, None)).unwrap();
                universe.learn(questions, answers);
            }
        }
    }
}

/// The calls that [`answer`] makes for a round of questions.
fn of_resolver(questions: &Questions) -> usize {
    let one = |is_empty: bool| usize::from(!is_empty);
    one(questions.streams.is_empty())
        + questions.latest.len()
        + one(questions.compatible.is_empty())
        + questions.tagged.len()
        + one(questions.providers.is_empty())
}

#[test]
fn a_level_of_runtime_requires_is_one_call() {
    for depth in [0, 1, 5, 20] {
        assert_eq!(
            calls(chain(depth, 1, 0), &["f28"]),
            depth + 3,
            "base, compatible bases, and a call a level"
        );
    }
}

#[test]
fn neither_contexts_nor_other_modules_cost_a_call() {
    assert_eq!(calls(chain(3, 1, 0), &["f28"]), calls(chain(3, 8, 500), &["f28"]));
}

/// Behaviour, section 4, "Modules from a Koji tag": what is built on such a base is what is tagged there, and nothing else; in each
/// tag the highest version counts.
#[test]
fn on_a_base_with_a_tag_the_candidates_are_those_in_it() {
    let base = |nsvc: &str, tag: &str| {
        let mbs = map([("koji_tag_with_modules", tag.into())]);
        let document = ModuleStream { xmd: map([("mbs", mbs)]), ..ModuleStream::default() };
        KnownModule { document: Arc::new(document), ..known(nsvc, &[]) }
    };
    let bases = [base("platform:f28:1:c", "f28-modular"), base("platform:f29:1:c", "f29-modular")];
    let builds = ["m0:1:9:untagged", "m0:1:8:a", "m0:1:8:b", "m0:1:7:older", "m0:1:10:f29"];
    let builds = builds.map(|nsvc| known(nsvc, &[]));
    let resolver = MemoryResolver::new(bases.into_iter().chain(builds)).unwrap();
    for (tag, nsvc) in [
        ("f28-modular", "m0:1:8:a"),
        ("f28-modular", "m0:1:8:b"),
        ("f28-modular", "m0:1:7:older"),
        ("f29-modular", "m0:1:10:f29"),
    ] {
        resolver.tag(&tag.parse().unwrap(), &nsvc.parse().unwrap()).unwrap();
    }
    let considered = |platforms: &[&str]| {
        let dependencies = vec![pair(&[("platform", platforms), ("m0", &["1"])], &[])];
        let document = ModuleStream { dependencies, ..ModuleStream::default() };
        let (policy, default_streams, mut universe) =
            (Policy::default(), BTreeMap::new(), Universe::default());
        let (choices, base_fit) = (Choices::Open, BaseFit::Required);
        let default_streams = &default_streams;
        let asked = Expansion { document: &document, default_streams, choices, base_fit, policy: &policy };
        let expansions = now_or_panic(expand(&asked, &resolver, None, &mut universe)).unwrap();
        expansions.considered.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(considered(&["f28"]), ["m0:1:8:a", "m0:1:8:b", "platform:f28:1:c"]);
    let both = ["m0:1:10:f29", "m0:1:8:a", "m0:1:8:b", "platform:f28:1:c", "platform:f29:1:c"];
    let mut found = considered(&["f28", "f29"]);
    found.sort();
    assert_eq!(found, both);
}

#[test]
fn an_open_list_costs_one_call_more() {
    assert_eq!(calls(chain(3, 1, 0), &[]), calls(chain(3, 1, 0), &["f28"]) + 1);
}
