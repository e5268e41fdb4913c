//! How long an expansion takes whose modules stand in PDC: 1,000 modules on a server on loopback, each in three versions and two
//! contexts; what is built requires ten of them, and these run with forty more, four levels deep.

#![expect(clippy::print_stdout, reason = "a measurement shows its figures")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use mbs_core::engine::expand;
use mbs_core::expansion::{BaseFit, Choices, Expansion, Universe};
use mbs_core::memory::ManualClock;
use mbs_core::modulemd::{Dependencies, ModuleStream, Xmd};
use mbs_core::policy::Policy;
use mbs_core::resolver::ModuleResolver;
use mbs_pdc::api::{Entries, Face};
use mbs_pdc::client::Pdc;
use mbs_pdc::fake_server::{FakePdc, NewRow, Setup};
use mbs_pdc::resolver::PdcResolver;
use mbs_pdc::server::{Login, Server};

const MODULES: usize = 1000;
const DIRECT: usize = 10;
const LEVELS: usize = 5;

type Streams = BTreeMap<String, BTreeSet<String>>;

fn streams(names: impl IntoIterator<Item = (String, &'static str)>) -> Streams {
    names.into_iter().map(|(name, stream)| (name, BTreeSet::from([stream.to_owned()]))).collect()
}

/// The document of module `number`: it runs with module `number + DIRECT` while that takes part.
fn document(number: usize) -> String {
    let mut requires = vec![("platform".to_owned(), "f28")];
    if number + DIRECT < DIRECT * LEVELS {
        requires.push((format!("m{}", number + DIRECT), "1"));
    }
    let mut against = Xmd::default();
    for (key, text) in [("stream", "f28"), ("version", "1"), ("context", "00000000")] {
        against.set(key, text.into());
    }
    let (mut buildrequires, mut mbs) = (Xmd::default(), Xmd::default());
    buildrequires.set("platform", against);
    mbs.set("buildrequires", buildrequires);
    let mut document = ModuleStream {
        summary: "A module".into(),
        description: "Of a benchmark.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        dependencies: vec![Dependencies { buildrequires: Streams::new(), requires: streams(requires) }],
        ..ModuleStream::default()
    };
    document.xmd.set("mbs", mbs);
    document.to_yaml()
}

fn plant(pdc: &FakePdc) {
    let platform = ModuleStream {
        summary: "A platform".into(),
        description: "Of a benchmark.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        ..ModuleStream::default()
    };
    let platform = platform.to_yaml();
    pdc.plant(NewRow { active: true, modulemd: platform, ..NewRow::new("platform", "f28", "1") });
    for number in 0..MODULES {
        let modulemd = document(number);
        for (version, context) in [("1", "a"), ("2", "a"), ("3", "a"), ("3", "b")] {
            let row = NewRow::new(&format!("m{number}"), "1", version).in_context(context);
            pdc.plant(NewRow { active: true, modulemd: modulemd.clone(), ..row });
        }
    }
}

async fn expand_over(resolver: &PdcResolver) -> usize {
    let direct = (0..DIRECT).map(|number| (format!("m{number}"), "1"));
    let buildrequires = streams(direct.chain([("platform".to_owned(), "f28")]));
    let document = ModuleStream {
        dependencies: vec![Dependencies { buildrequires, requires: Streams::new() }],
        ..ModuleStream::default()
    };
    let (policy, default_streams) = (Policy::default(), BTreeMap::new());
    let expansion = Expansion {
        document: &document,
        default_streams: &default_streams,
        choices: Choices::Open,
        base_fit: BaseFit::Required,
        policy: &policy,
    };
    let resolver = resolver.for_one_expansion().expect("PDC's resolver remembers");
    let expanded = expand(&expansion, &*resolver, None, &mut Universe::default()).await;
    expanded.expect("it can be built").expanded.len()
}

fn expansion(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let pdc = runtime.block_on(FakePdc::start(Setup::default())).expect("there is a free port");
    plant(&pdc);
    let server = Server::new(pdc.url(), Login::Anonymous);
    let client = Pdc::new(&server, Arc::new(ManualClock::new())).expect("the address is one");
    let resolver = PdcResolver::new(Entries::new(client, Face::Variants));
    assert_eq!(runtime.block_on(expand_over(&resolver)), 1);
    println!("{} requests for {} modules of {MODULES}", pdc.requests().len(), DIRECT * LEVELS);
    let mut group = criterion.benchmark_group("pdc");
    group.sample_size(20);
    group.bench_function("expansion", |bencher| bencher.iter(|| runtime.block_on(expand_over(&resolver))));
    group.finish();
}

criterion_group!(benches, expansion);
criterion_main!(benches);
