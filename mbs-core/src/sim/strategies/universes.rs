//! Universes: all the modules that there are, for resolvers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;

use super::documents::names;
use crate::ident::{Name, Nsvc};
use crate::modulemd::{Dependencies, ModuleStream, Xmd};
use crate::naming;
use crate::resolver::KnownModule;

/// Streams of base modules, and the virtual stream that each belongs to.
const BASES: [(&str, &str); 4] =
    [("f39", "fedora"), ("f40", "fedora"), ("f41", "fedora"), ("el9.4.0", "el9")];

/// A module of some streams, before it is known against which bases it is built.
#[derive(Debug, Clone)]
struct Draft {
    /// Per stream its builds.
    streams: Vec<Vec<BuildDraft>>,
    /// What it requires at run time: a module with an earlier place, in one stream of it or in all.
    requires: Vec<(Index, Option<Index>)>,
}

/// One build: a later version, or another context.
#[derive(Debug, Clone)]
struct BuildDraft {
    base: Index,
    is_ready: bool,
}

/// Makes the modules that there are: base modules with virtual streams, and up to so many modules in up to three streams,
/// each with builds of up to two versions in up to two contexts. Each was built against one of the base modules, which its
/// document says, and requires it and modules that come before it at run time, in streams that exist. Some builds are retired.
///
/// The base modules come first. [`MemoryResolver`](crate::memory::MemoryResolver) takes all of it.
pub fn universes(most: usize) -> impl Strategy<Value = Vec<KnownModule>> {
    let bases = prop::sample::subsequence(&BASES[..], 1..=BASES.len());
    (bases, prop::collection::btree_map(names(), drafts(), 0..=most)).prop_map(|(bases, drafts)| {
        let bases: Vec<KnownModule> =
            bases.into_iter().map(|(stream, virtual_stream)| base(stream, virtual_stream)).collect();
        let mut earlier: Vec<(String, usize)> = Vec::new();
        let mut modules = bases.clone();
        for (name, draft) in drafts {
            modules.extend(draft.builds(&name, &bases, &earlier));
            earlier.push((name, draft.streams.len()));
        }
        modules
    })
}

fn drafts() -> impl Strategy<Value = Draft> {
    let build = (any::<Index>(), prop::bool::weighted(0.9))
        .prop_map(|(base, is_ready)| BuildDraft { base, is_ready });
    let streams = prop::collection::vec(prop::collection::vec(build, 1..=4), 1..=3);
    let requires = prop::collection::vec((any::<Index>(), prop::option::of(any::<Index>())), 0..3);
    (streams, requires).prop_map(|(streams, requires)| Draft { streams, requires })
}

impl Draft {
    fn builds(&self, name: &str, bases: &[KnownModule], earlier: &[(String, usize)]) -> Vec<KnownModule> {
        let requires = self.requires(earlier);
        let mut builds = Vec::new();
        for (stream, drafts) in self.streams.iter().enumerate() {
            for (place, draft) in drafts.iter().enumerate() {
                let base = &bases[draft.base.index(bases.len())];
                let nsvc = format!("{name}:{}:{}:c{}", stream_name(stream), place / 2 + 1, place % 2);
                let built = built(nsvc.parse().expect("its parts are valid"), base, &requires);
                builds.push(KnownModule { is_ready: draft.is_ready, ..built });
            }
        }
        builds
    }

    fn requires(&self, earlier: &[(String, usize)]) -> BTreeMap<String, BTreeSet<String>> {
        let required = self.requires.iter().filter(|_| !earlier.is_empty());
        let written = required.map(|(module, stream)| {
            let (name, streams) = &earlier[module.index(earlier.len())];
            let stream = stream.as_ref().map(|stream| stream_name(stream.index(*streams)));
            (name.clone(), stream.into_iter().collect())
        });
        written.collect()
    }
}

fn stream_name(place: usize) -> String {
    format!("{}.10", place + 1)
}

fn base(stream: &str, virtual_stream: &str) -> KnownModule {
    let mut mbs = Xmd::default();
    mbs.set("virtual_streams", Xmd::Seq(vec![virtual_stream.into()]));
    mbs.set("koji_tag", format!("{stream}-build").as_str().into());
    let nsvc: Nsvc = format!("platform:{stream}:1:00000000").parse().expect("its parts are valid");
    let tag = format!("{stream}-build").parse().expect("a stream and a suffix are a tag");
    KnownModule { tag: Some(tag), ..known(nsvc, mbs, Dependencies::default()) }
}

fn built(nsvc: Nsvc, base: &KnownModule, requires: &BTreeMap<String, BTreeSet<String>>) -> KnownModule {
    let mut against = Xmd::default();
    against.set("stream", base.nsvc.stream.as_str().into());
    against.set("version", base.nsvc.version.to_string().as_str().into());
    against.set("context", base.nsvc.context.as_str().into());
    let name: &Name = &base.nsvc.name;
    let (mut mbs, mut buildrequires) = (Xmd::default(), Xmd::default());
    buildrequires.set(name.as_str(), against);
    mbs.set("buildrequires", buildrequires);
    let on_base = (name.to_string(), BTreeSet::from([base.nsvc.stream.to_string()]));
    let pair = Dependencies {
        buildrequires: [on_base.clone()].into(),
        requires: requires.clone().into_iter().chain([on_base]).collect(),
    };
    KnownModule { tag: Some(naming::tag_names(&nsvc, None).tag), ..known(nsvc, mbs, pair) }
}

fn known(nsvc: Nsvc, mbs: Xmd, pair: Dependencies) -> KnownModule {
    let mut xmd = Xmd::default();
    xmd.set("mbs", mbs);
    let document = ModuleStream {
        name: Some(nsvc.name.to_string()),
        stream: Some(nsvc.stream.to_string()),
        version: Some(nsvc.version.0),
        context: Some(nsvc.context.to_string()),
        summary: "A module of a universe".into(),
        module_licenses: ["MIT".to_owned()].into(),
        xmd,
        dependencies: if pair == Dependencies::default() { Vec::new() } else { vec![pair] },
        ..ModuleStream::default()
    };
    KnownModule { nsvc, tag: None, document: Arc::new(document), is_ready: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryResolver;
    use crate::memory::samples::now_or_panic;
    use crate::resolver::{Against, ModuleResolver, Retired};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_resolver_takes_a_universe_and_finds_all_of_it(universe in universes(6)) {
            let resolver = MemoryResolver::new(universe.clone());
            prop_assert!(resolver.is_ok(), "{:?}", resolver);
            let nsvcs: Vec<Nsvc> = universe.iter().map(|module| module.nsvc.clone()).collect();
            let found = now_or_panic(resolver.unwrap().builds(&nsvcs)).unwrap();
            prop_assert_eq!(found.len(), universe.len());
            let is_storable = |module: &KnownModule| module.document.check_storable().is_ok();
            prop_assert!(universe.iter().all(is_storable));
        }

        #[test]
        fn what_is_required_at_run_time_exists(universe in universes(6)) {
            let exists = |name: &str, stream: Option<&String>| universe.iter().any(|module| {
                module.nsvc.name.as_str() == name && stream.is_none_or(|stream| module.nsvc.stream.as_str() == stream)
            });
            let required = universe.iter().flat_map(|module| &module.document.dependencies);
            for (name, streams) in required.flat_map(|pair| &pair.requires) {
                prop_assert!(exists(name, streams.first()), "{} {:?}", name, streams);
            }
        }

        #[test]
        fn every_build_is_found_against_its_base(universe in universes(6)) {
            let resolver = MemoryResolver::new(universe.clone()).unwrap();
            let bases = now_or_panic(resolver.compatible_bases(&[universe[0].nsvc.clone()], Retired::Excluded)).unwrap();
            prop_assert!(bases[&universe[0].nsvc].contains(&universe[0]));
            for module in universe.iter().filter(|module| module.is_ready && module.nsvc.name.as_str() != "platform") {
                let base = module.document.dependencies[0].requires["platform"].first().unwrap();
                let base = universe.iter().find(|known| known.nsvc.stream.as_str() == base).unwrap();
                let asked = module.nsvc.name_stream();
                let against = Against::FirstOf(vec![vec![base.nsvc.clone()]]);
                let latest = resolver.latest(std::slice::from_ref(&asked), &against);
                prop_assert!(now_or_panic(latest).unwrap().contains_key(&asked));
            }
        }
    }
}
