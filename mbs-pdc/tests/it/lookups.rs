//! What lookups cost and bear: requests by the name:streams that take part, each asked once in an expansion, whatever else is
//! on the server and however broken some of it is.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use mbs_core::engine::answer;
use mbs_core::expansion::{BaseFit, Choices, Expansion, Step, Universe as Known};
use mbs_core::ident::{Name, NameStream, Nsvc};
use mbs_core::modulemd::{Dependencies, ModuleStream, Xmd};
use mbs_core::policy::Policy;
use mbs_core::resolver::{Against, Chain, KnownModule, ModuleResolver, Retired};
use mbs_pdc::api::Face;
use mbs_pdc::fake_server::NewRow;

use crate::universe::{Universe, row};

fn pair(buildrequires: &[(&str, &[&str])], requires: &[(&str, &[&str])]) -> Dependencies {
    let section = |all: &[(&str, &[&str])]| {
        let streams = |streams: &[&str]| streams.iter().map(|stream| (*stream).to_owned()).collect();
        all.iter().map(|(name, of)| ((*name).to_owned(), streams(of))).collect::<BTreeMap<_, BTreeSet<_>>>()
    };
    Dependencies { buildrequires: section(buildrequires), requires: section(requires) }
}

/// A module that runs with others, built on `platform:f28`.
fn known(nsvc: &str, requires: &[(&str, &[&str])]) -> KnownModule {
    let mut against = Xmd::default();
    for (key, text) in [("stream", "f28"), ("version", "1"), ("context", "c")] {
        against.set(key, text.into());
    }
    let mut buildrequires = Xmd::default();
    buildrequires.set("platform", against);
    let mut mbs = Xmd::default();
    mbs.set("buildrequires", buildrequires);
    let is_base = nsvc.starts_with("platform:");
    let mut all = requires.to_vec();
    all.push(("platform", &["f28"]));
    let dependencies = if is_base { Vec::new() } else { vec![pair(&[], &all)] };
    let mut document = ModuleStream { dependencies, ..ModuleStream::default() };
    document.xmd.set("mbs", mbs);
    KnownModule { nsvc: nsvc.parse().unwrap(), tag: None, document: Arc::new(document), is_ready: true }
}

/// Modules `m0` to `m<depth>`, each of which runs with the next, in two contexts and three versions, and others.
async fn chain(depth: usize, others: usize) -> Universe {
    let universe = Universe::empty(Face::Variants).await;
    universe.add(&known("platform:f28:1:c", &[]));
    for number in 0..=depth {
        let next = format!("m{}", number + 1);
        let requires: &[(&str, &[&str])] = if number < depth { &[(&next, &["1"])] } else { &[] };
        for (version, context) in [(1, "a"), (2, "a"), (10, "a"), (10, "b")] {
            universe.add(&known(&format!("m{number}:1:{version}:{context}"), requires));
        }
    }
    (0..others).for_each(|number| universe.add(&known(&format!("other{number}:1:1:c"), &[])));
    universe
}

/// Expands what buildrequires `m0`; returns how many rounds of requests and how many requests that took.
async fn cost(universe: &Universe) -> (usize, usize) {
    let resolver = universe.resolver.for_one_expansion().unwrap();
    let document = ModuleStream {
        dependencies: vec![pair(&[("platform", &["f28"]), ("m0", &["1"])], &[])],
        ..ModuleStream::default()
    };
    let (policy, default_streams, mut learnt) = (Policy::default(), BTreeMap::new(), Known::default());
    let expansion = Expansion {
        document: &document,
        default_streams: &default_streams,
        choices: Choices::Open,
        base_fit: BaseFit::Required,
        policy: &policy,
    };
    let mut rounds = 0;
    loop {
        let before = universe.pdc.requests().len();
        match expansion.step(&learnt).unwrap() {
            Step::Done(expansions) => {
                assert_eq!(expansions.expanded.len(), 1);
                return (rounds, before);
            }
            Step::Need(questions) => {
                let answers = answer(&questions, &*resolver, None).await.unwrap();
                learnt.learn(questions, answers);
                rounds += usize::from(universe.pdc.requests().len() > before);
            }
        }
    }
}

#[tokio::test]
async fn rounds_go_with_the_depth_and_requests_with_the_streams_that_take_part() {
    for depth in [0, 1, 5, 12] {
        let (rounds, requests) = cost(&chain(depth, 0).await).await;
        println!("depth {depth}: {rounds} rounds, {requests} requests");
        assert_eq!(rounds, depth + 3, "the base, what is compatible with it, and a round for each level");
        // All of the base module, and its latest; then each name:stream once.
        assert_eq!(requests, depth + 3);
    }
}

#[tokio::test]
async fn what_else_is_on_the_server_costs_nothing() {
    assert_eq!(cost(&chain(3, 0).await).await, cost(&chain(3, 1000).await).await);
}

#[tokio::test]
async fn an_expansion_asks_nothing_twice_and_what_it_knows_in_broader_terms_not_at_all() {
    let universe = chain(1, 0).await;
    let resolver = universe.resolver.for_one_expansion().unwrap();
    let (names, streams): ([Name; 1], [NameStream; 1]) = (["m0".parse().unwrap()], ["m0:1".parse().unwrap()]);
    let builds: [Nsvc; 2] = ["m0:1:10:a".parse().unwrap(), "m0:1:2:a".parse().unwrap()];
    for _ in 0..2 {
        assert_eq!(resolver.streams(&names).await.unwrap().len(), 1);
        assert_eq!(resolver.latest(&streams, &Against::Anything).await.unwrap()[&streams[0]].len(), 2);
        assert_eq!(resolver.builds(&builds).await.unwrap().len(), 2);
    }
    assert_eq!(universe.pdc.requests().len(), 1, "{:#?}", universe.pdc.requests());
    // One that is withdrawn is none of the active ones: it is asked for.
    universe.add(&KnownModule { is_ready: false, ..known("m0:1:10:c", &[]) });
    let builds: [Nsvc; 2] = ["m0:1:10:a".parse().unwrap(), "m0:1:10:c".parse().unwrap()];
    assert_eq!(resolver.builds(&builds).await.unwrap().len(), 2);
    // Whoever remembers goes on remembering.
    let again = resolver.for_one_expansion().unwrap();
    let before = universe.pdc.requests().len();
    assert_eq!(again.streams(&names).await.unwrap().len(), 1);
    assert_eq!(universe.pdc.requests().len(), before);
    // Outside an expansion, what is found is what is there.
    universe.pdc.set_active("m0:1:10:a", false);
    universe.pdc.set_active("m0:1:10:b", false);
    let latest = universe.resolver.latest(&streams, &Against::Anything).await.unwrap();
    assert_eq!(latest[&streams[0]][0].nsvc.version.0, 2);
    assert_eq!(resolver.latest(&streams, &Against::Anything).await.unwrap()[&streams[0]].len(), 2);
}

#[tokio::test]
async fn base_modules_and_those_that_provide_a_stream_are_one_question() {
    let universe = chain(0, 0).await;
    let resolver = universe.resolver.for_one_expansion().unwrap();
    let base: [Nsvc; 1] = ["platform:f28:1:c".parse().unwrap()];
    let stream: [NameStream; 1] = ["platform:f".parse().unwrap()];
    let (bases, providers) =
        tokio::join!(resolver.compatible_bases(&base, Retired::Included), resolver.providers(&stream));
    assert_eq!((bases.unwrap().len(), providers.unwrap().len()), (1, 0));
    assert_eq!(universe.pdc.requests().len(), 1);
}

/// What is logged while it lives.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_broken_entry_is_told_with_its_uid_and_the_version_before_it_counts() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let universe = Universe::empty(Face::Variants).await;
    universe.add(&known("m:1:9:a", &[]));
    let whole = row(&known("m:1:10:a", &[]));
    let broken = [
        NewRow { uid: "no-document".into(), modulemd: String::new(), ..whole.clone() },
        NewRow { uid: "no-yaml".into(), context: "b".into(), modulemd: "{".into(), ..whole.clone() },
        NewRow { uid: "no-version".into(), version: "ten".into(), ..whole.clone() },
        NewRow { uid: "another-case".into(), name: "M".into(), version: "11".into(), ..whole },
    ];
    broken.into_iter().for_each(|row| universe.pdc.plant(row));
    let resolver = universe.resolver.for_one_expansion().unwrap();
    let (names, streams): ([Name; 1], [NameStream; 1]) = (["m".parse().unwrap()], ["m:1".parse().unwrap()]);
    for _ in 0..2 {
        let latest = resolver.latest(&streams, &Against::Anything).await.unwrap();
        let found: Vec<String> = latest.values().flatten().map(|module| module.nsvc.to_string()).collect();
        assert_eq!(found, ["m:1:9:a"]);
    }
    assert_eq!(resolver.streams(&names).await.unwrap().values().flatten().count(), 1);
    let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // Each question that shows it has it told once.
    for (uid, why) in [
        ("no-document", "it has no document"),
        ("no-yaml", "its document cannot be read"),
        ("no-version", "its version \"ten\" is no number"),
    ] {
        let lines: Vec<&str> = told.lines().filter(|line| line.contains(uid)).collect();
        assert!((1..=2).contains(&lines.len()) && lines[0].contains(why), "{told}");
    }
}

#[tokio::test]
async fn a_store_before_pdc_answers_alone_for_the_streams_it_has() {
    let universe = Universe::empty(Face::Modules).await;
    for nsvc in ["m:1:9:a", "n:1:1:a"] {
        universe.add(&known(nsvc, &[]));
    }
    let store = mbs_core::memory::MemoryResolver::new([known("m:1:8:a", &[])]).unwrap();
    let sources: Vec<(String, Arc<dyn ModuleResolver>)> =
        vec![("store".into(), Arc::new(store)), ("PDC".into(), Arc::new(universe.resolver.clone()))];
    let chain = Chain::new(sources);
    let wanted: [NameStream; 2] = ["m:1".parse().unwrap(), "n:1".parse().unwrap()];
    let latest = chain.latest(&wanted, &Against::Anything).await.unwrap();
    let found: Vec<Nsvc> = latest.values().flatten().map(|module| module.nsvc.clone()).collect();
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["m:1:8:a", "n:1:1:a"]);
    assert_eq!(universe.pdc.requests().len(), 1, "what the store has is not asked for");
    let sources: Vec<String> = chain.sources_of(&found).await.unwrap().into_values().collect();
    assert_eq!(sources, ["store", "PDC"]);
}
