//! Properties of all answers, against a checker that knows no solver: it tries everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::super::pool::Pool;
use super::super::solve::{Outcome, Problem};
use super::super::{BaseFit, Choices, Expansion, Expansions, Universe, Unresolved};
use crate::engine::{ExpandError, expand};
use crate::ident::{Name, NameStream, Stream};
use crate::memory::MemoryResolver;
use crate::memory::samples::now_or_panic;
use crate::modulemd::{Dependencies, ModuleStream, Xmd};
use crate::policy::Policy;
use crate::resolver::KnownModule;
use crate::stream_version::{Padding, counts_as_xyz, stream_version};
use crate::submission::testing::map;

type Streams = BTreeMap<String, BTreeSet<String>>;

/// Base modules: stream, and the virtual stream that it provides.
const BASES: [(&str, &str); 4] = [("f1", "f"), ("f2", "f"), ("el8.1.0", "el8"), ("el8.2.0", "el8")];

const MODULES: [&str; 3] = ["a", "b", "c"];

/// Streams that look like other things.
const STREAMS: [&str; 3] = ["1.10", "on", "~"];

fn base(place: usize) -> KnownModule {
    let (stream, virtual_stream) = BASES[place];
    let provided = map([("virtual_streams", Xmd::Seq(vec![virtual_stream.into()]))]);
    let document = ModuleStream { xmd: map([("mbs", provided)]), ..ModuleStream::default() };
    let nsvc = format!("platform:{stream}:1:c").parse().unwrap();
    KnownModule { nsvc, tag: None, document: Arc::new(document), is_ready: true }
}

fn subset(of: &'static [&'static str], most: usize) -> impl Strategy<Value = BTreeSet<String>> {
    let negated = prop::bool::weighted(0.2);
    (prop::sample::subsequence(of, 0..=most), negated).prop_map(|(streams, negated)| {
        let sign = if negated { "-" } else { "" };
        streams.into_iter().map(|stream| format!("{sign}{stream}")).collect()
    })
}

/// What is required of base modules and of modules; of each nothing in most cases.
fn requires(base: f64, modules: f64) -> impl Strategy<Value = Streams> {
    let on_base = prop::option::weighted(base, subset(&["f1", "f2", "f", "el8", "el8.1.0", "el8.2.0"], 2));
    let on_module = || prop::option::weighted(modules, subset(&STREAMS, 2));
    (on_base, on_module(), on_module(), on_module()).prop_map(|(on_base, a, b, c)| {
        let on_modules = MODULES.into_iter().zip([a, b, c]);
        let all = std::iter::once(("platform", on_base)).chain(on_modules);
        all.filter_map(|(name, streams)| Some((name.to_owned(), streams?))).collect()
    })
}

prop_compose! {
    fn module()(
        name in prop::sample::select(&MODULES[..]),
        stream in prop::sample::select(&STREAMS[..]),
        version in 1..=3_u64,
        context in 0..2_u8,
        base in 0..BASES.len(),
        pairs in prop::collection::vec(requires(0.7, 0.25), 0..=2),
    ) -> KnownModule {
        let against = map([
            ("stream", BASES[base].0.into()), ("version", "1".into()), ("context", "c".into())
        ]);
        let xmd = map([("mbs", map([("buildrequires", map([("platform", against)]))]))]);
        let dependencies =
            pairs.into_iter().map(|requires| Dependencies { requires, ..Dependencies::default() }).collect();
        let document = ModuleStream { dependencies, xmd, ..ModuleStream::default() };
        let nsvc = format!("{name}:{stream}:{version}:c{context}").parse().unwrap();
        KnownModule { nsvc, tag: None, document: Arc::new(document), is_ready: true }
    }
}

/// Some modules, no identity twice, and all base modules.
fn modules() -> impl Strategy<Value = Vec<KnownModule>> {
    prop::collection::vec(module(), 0..9).prop_map(|modules| {
        let distinct: BTreeMap<_, _> = modules.into_iter().map(|m| (m.nsvc.clone(), m)).collect();
        (0..BASES.len()).map(base).chain(distinct.into_values()).collect()
    })
}

fn stream_number(stream: &str) -> f64 {
    stream_version(stream, Padding::Right, 0.0)
}

/// Says whether streams as written accept a module; `since` is what a base module must not be older than.
fn accepts(module: &KnownModule, written: &BTreeSet<String>, meant: impl Fn(&str) -> bool) -> bool {
    let mut provided = vec![module.nsvc.stream.to_string()];
    provided.extend(module.virtual_streams().into_iter().map(str::to_owned));
    let negated = |stream: &String| written.contains(&format!("-{stream}"));
    if provided.iter().any(negated) {
        return false;
    }
    let positive: Vec<&String> = written.iter().filter(|stream| !stream.starts_with('-')).collect();
    positive.is_empty() || positive.iter().any(|stream| provided.contains(stream) && meant(stream))
}

fn is_base(name: &str) -> bool {
    name == "platform"
}

/// Says whether a choice of one build per module keeps everything that the document and these builds require.
fn keeps_all(chosen: &BTreeMap<&str, &KnownModule>, direct: &Streams) -> bool {
    let direct_holds = |(name, written): (&String, &BTreeSet<String>)| {
        chosen.get(name.as_str()).is_some_and(|module| {
            let ours = module.nsvc.stream.as_str();
            let meant = |stream: &str| {
                !is_base(name) || !counts_as_xyz(stream) || stream_number(stream) == stream_number(ours)
            };
            accepts(module, written, meant)
        })
    };
    let build_holds = |build: &&KnownModule| {
        let pairs = &build.document.dependencies;
        let require_holds = |(name, written): (&String, &BTreeSet<String>)| {
            chosen.get(name.as_str()).is_some_and(|module| {
                let ours = module.nsvc.stream.as_str();
                let meant = |stream: &str| {
                    let since = build.built_with(&module.nsvc.name).unwrap_or(stream);
                    !is_base(name) || !counts_as_xyz(since) || stream_number(ours) >= stream_number(since)
                };
                accepts(module, written, meant)
            })
        };
        pairs.is_empty() || pairs.iter().any(|pair| pair.requires.iter().all(require_holds))
    };
    direct.iter().all(direct_holds) && chosen.values().all(build_holds)
}

/// Every choice of one build, or none, per module.
fn every_choice(modules: &[KnownModule]) -> Vec<BTreeMap<&str, &KnownModule>> {
    let mut choices = vec![BTreeMap::new()];
    for name in MODULES.into_iter().chain(["platform"]) {
        let of_name: Vec<&KnownModule> = modules.iter().filter(|m| m.nsvc.name.as_str() == name).collect();
        let extended = choices.iter().flat_map(|choice| {
            of_name.iter().map(|module| {
                let mut choice = choice.clone();
                choice.insert(name, *module);
                choice
            })
        });
        let extended: Vec<_> = extended.collect();
        choices.extend(extended);
    }
    choices
}

fn streams_of(chosen: &BTreeMap<&str, &KnownModule>, direct: &Streams) -> Vec<NameStream> {
    direct.keys().map(|name| chosen[name.as_str()].nsvc.name_stream()).collect()
}

/// What the solver answers, as choices; `None`: nothing is there for something, or nothing goes together.
fn answers(
    modules: &[KnownModule],
    direct: &Streams,
) -> Result<Option<Vec<BTreeMap<String, KnownModule>>>, TestCaseError> {
    let policy = Policy::default();
    let pool = Pool::new(modules.iter().cloned(), BaseFit::Required, &policy);
    match Problem::new(&pool, direct).solve(1_000).unwrap() {
        Outcome::Solutions(solutions) => {
            let chosen = solutions.into_iter().map(|solution| {
                let build = |(name, place): (Name, usize)| (name.to_string(), pool.module(place).clone());
                solution.builds.into_iter().map(build).collect()
            });
            Ok(Some(chosen.collect()))
        }
        Outcome::Lacking(names) => {
            prop_assert!(names.iter().all(|name| direct.contains_key(name)));
            Ok(None)
        }
        Outcome::Clash(clash) => {
            prop_assert!(!clash.wants.is_empty(), "{clash}");
            Ok(None)
        }
        Outcome::TooMany => Err(TestCaseError::fail("too many")),
    }
}

fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { cases: number, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(5_000))]

    /// Every answer keeps every requirement, none that could be given is missing, and none is given twice.
    #[test]
    fn the_answers_are_exactly_those_of_trying_everything(modules in modules(), direct in requires(0.9, 0.5)) {
        let choices = every_choice(&modules);
        let possible: BTreeSet<Vec<NameStream>> = choices
            .iter()
            .filter(|chosen| keeps_all(chosen, &direct))
            .map(|chosen| streams_of(chosen, &direct))
            .collect();
        let answers = answers(&modules, &direct)?.unwrap_or_default();
        let mut given = BTreeSet::new();
        for answer in &answers {
            let chosen: BTreeMap<&str, &KnownModule> =
                answer.iter().map(|(name, module)| (name.as_str(), module)).collect();
            prop_assert!(keeps_all(&chosen, &direct), "{:?}", chosen.values().map(|m| &m.nsvc).collect::<Vec<_>>());
            prop_assert!(given.insert(streams_of(&chosen, &direct)));
        }
        prop_assert_eq!(given, possible);
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn the_order_of_modules_does_not_matter(
        (modules, shuffled) in modules().prop_flat_map(|m| (Just(m.clone()), Just(m).prop_shuffle())),
        direct in requires(0.9, 0.5),
    ) {
        prop_assert_eq!(answers(&modules, &direct)?, answers(&shuffled, &direct)?);
    }

    /// One that is taken away was not in the way: the choices of streams of answers that did not take it are still there.
    #[test]
    fn without_a_build_the_answers_that_did_not_take_it_are_left(modules in modules(), direct in requires(0.9, 0.5), gone in any::<prop::sample::Index>()) {
        let Some(before) = answers(&modules, &direct)? else { return Ok(()) };
        let gone = &modules[gone.index(modules.len())].nsvc;
        let streams = |answer: &BTreeMap<String, KnownModule>| -> Vec<NameStream> {
            direct.keys().map(|name| answer[name].nsvc.name_stream()).collect()
        };
        let left: Vec<KnownModule> = modules.iter().filter(|module| module.nsvc != *gone).cloned().collect();
        let after = answers(&left, &direct)?.unwrap_or_default();
        for answer in before.iter().filter(|answer| answer.values().all(|module| module.nsvc != *gone)) {
            let same = after.iter().find(|other| streams(other) == streams(answer));
            prop_assert!(same.is_some());
        }
    }

    /// What a clash names of the document is enough to have no way.
    #[test]
    fn what_a_clash_names_cannot_be_had_together(modules in modules(), direct in requires(0.9, 0.6)) {
        let policy = Policy::default();
        let pool = Pool::new(modules.iter().cloned(), BaseFit::Required, &policy);
        if let Outcome::Clash(clash) = Problem::new(&pool, &direct).solve(1_000).unwrap() {
            let named = |want: &super::super::Want| want.what[0].split([':', ' ']).next().unwrap().to_owned();
            let of_document: Vec<String> = clash.wants.iter().filter(|w| w.by.is_none()).map(named).collect();
            prop_assert!(!of_document.is_empty());
            let clashing = direct.iter().filter(|(name, _)| of_document.contains(name));
            let clashing: Streams = clashing.map(|(name, streams)| (name.clone(), streams.clone())).collect();
            prop_assert!(!every_choice(&modules).iter().any(|chosen| keeps_all(chosen, &clashing)), "{clash}");
        }
    }
}

/// Expands `app` over some modules.
fn expanded(modules: &[KnownModule], pairs: &[(Streams, Streams)]) -> Result<Expansions, Unresolved> {
    let pair = |(buildrequires, requires): &(Streams, Streams)| Dependencies {
        buildrequires: buildrequires.clone(),
        requires: requires.clone(),
    };
    let document = ModuleStream { dependencies: pairs.iter().map(pair).collect(), ..ModuleStream::default() };
    let policy = Policy { allow_only_compatible_base_modules: false, ..Policy::default() };
    let asked = Expansion {
        document: &document,
        default_streams: &BTreeMap::<Name, Stream>::new(),
        choices: Choices::Open,
        base_fit: BaseFit::Required,
        policy: &policy,
    };
    let resolver = MemoryResolver::new(modules.iter().cloned()).unwrap();
    match now_or_panic(expand(&asked, &resolver, None, &mut Universe::default())) {
        Ok(expansions) => Ok(expansions),
        Err(ExpandError::Unresolved(why)) => Err(why),
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn a_module_that_nothing_leads_to_changes_nothing(
        modules in modules(),
        pairs in prop::collection::vec((requires(0.9, 0.4), requires(0.5, 0.3)), 1..3),
        other in module(),
    ) {
        let mut unrelated = other;
        unrelated.nsvc.name = Name::new("unrelated").unwrap();
        let more: Vec<KnownModule> = std::iter::once(unrelated).chain(modules.clone()).collect();
        prop_assert_eq!(expanded(&modules, &pairs), expanded(&more, &pairs));
    }
}
