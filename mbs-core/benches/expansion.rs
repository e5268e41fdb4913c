//! What expanding a document costs: 12 buildrequires with five streams each, of which few go together, among ever more builds.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use mbs_core::engine::expand;
use mbs_core::expansion::{BaseFit, Choices, Expansion, Expansions, Universe};
use mbs_core::memory::MemoryResolver;
use mbs_core::modulemd::{Dependencies, ModuleStream, Xmd};
use mbs_core::policy::Policy;
use mbs_core::resolver::KnownModule;

const BUILDREQUIRES: usize = 12;
const STREAMS: usize = 5;

type Streams = BTreeMap<String, BTreeSet<String>>;

fn map(entries: Vec<(&str, Xmd)>) -> Xmd {
    Xmd::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn streams(all: &[(String, Vec<String>)]) -> Streams {
    all.iter().map(|(name, streams)| (name.clone(), streams.iter().cloned().collect())).collect()
}

fn module(nsvc: &str, requires: Streams) -> KnownModule {
    let against = map(vec![("stream", "f28".into()), ("version", "1".into()), ("context", "c".into())]);
    let xmd = map(vec![("mbs", map(vec![("buildrequires", map(vec![("platform", against)]))]))]);
    let dependencies =
        if requires.is_empty() { vec![] } else { vec![Dependencies { requires, ..Dependencies::default() }] };
    let document = ModuleStream { dependencies, xmd, ..ModuleStream::default() };
    let nsvc = nsvc.parse().expect("the name is valid");
    KnownModule { nsvc, tag: None, document: Arc::new(document), is_ready: true }
}

/// The base module, and about so many builds: of each module five streams, in as many contexts as it takes; stream `s` of
/// each goes together with stream `s` of the next module only, and each context with one stream of `common`.
fn universe(builds: usize, modules: usize) -> Vec<KnownModule> {
    let contexts = (builds / (modules * STREAMS)).max(1);
    let mut all = vec![module("platform:f28:1:c", Streams::new())];
    let common = contexts.min(40);
    all.extend((0..common).map(|n| module(&format!("common:{n}:1:c"), Streams::new())));
    for number in 0..modules {
        for stream in 0..STREAMS {
            let next = (format!("m{:02}", (number + 1) % modules), vec![stream.to_string()]);
            for context in 0..contexts {
                let common = ("common".to_owned(), vec![(context % common).to_string()]);
                let base = ("platform".to_owned(), vec!["f28".to_owned()]);
                let requires = streams(&[next.clone(), common, base]);
                all.push(module(&format!("m{number:02}:{stream}:1:c{context}"), requires));
            }
        }
    }
    all
}

/// Buildrequires all of it: `open` modules in every stream, the others in the first.
fn document(modules: usize, open: usize) -> ModuleStream {
    let every: Vec<String> = (0..STREAMS).map(|stream| stream.to_string()).collect();
    let mut all = vec![("platform".to_owned(), vec!["f28".to_owned()])];
    for number in 0..modules {
        let streams = if number < open { every.clone() } else { vec!["0".to_owned()] };
        all.push((format!("m{number:02}"), streams));
    }
    let pair = Dependencies { buildrequires: streams(&all), requires: Streams::new() };
    ModuleStream { dependencies: vec![pair], ..ModuleStream::default() }
}

fn expanded(document: &ModuleStream, resolver: &MemoryResolver, policy: &Policy) -> Expansions {
    let asked = Expansion {
        document,
        default_streams: &BTreeMap::new(),
        choices: Choices::Open,
        base_fit: BaseFit::Required,
        policy,
    };
    let mut universe = Universe::default();
    let expanded = expand(&asked, resolver, None, &mut universe).now_or_never();
    expanded.expect("memory answers at once").expect("the document can be expanded")
}

fn expansion(criterion: &mut Criterion) {
    let policy = Policy::default();
    let mut group = criterion.benchmark_group("12 buildrequires with 5 streams each");
    for builds in [10, 100, 1_000, 10_000] {
        let modules = BUILDREQUIRES.min(builds / STREAMS);
        let all = universe(builds, modules);
        let number = all.len();
        let resolver = MemoryResolver::new(all).expect("no identity is there twice");
        for (open, answers) in [(modules, STREAMS), (0, 1)] {
            let document = document(modules, open);
            assert_eq!(expanded(&document, &resolver, &policy).expanded.len(), answers);
            group.bench_function(format!("{number} builds, {answers} answers"), |bencher| {
                bencher.iter(|| black_box(expanded(&document, &resolver, &policy)));
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = expansion
}
criterion_main!(benches);
