//! Which base modules count, by cases in the tree: compatible ones, retired ones, major versions, and how many ways are allowed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{BaseFit, Choices, Expansion, Expansions, Universe, Unresolved};
use crate::engine::{ExpandError, expand};
use crate::memory::MemoryResolver;
use crate::memory::samples::now_or_panic;
use crate::modulemd::{Dependencies, ModuleStream, Xmd};
use crate::policy::Policy;
use crate::resolver::KnownModule;
use crate::submission::testing::{map, pair};

fn module(nsvc: &str, mbs: Xmd, dependencies: Vec<Dependencies>) -> KnownModule {
    let document = ModuleStream { dependencies, xmd: map([("mbs", mbs)]), ..ModuleStream::default() };
    KnownModule { nsvc: nsvc.parse().unwrap(), tag: None, document: Arc::new(document), is_ready: true }
}

fn base(stream: &str, virtual_stream: &str) -> KnownModule {
    let provided = Xmd::Seq(vec![virtual_stream.into()]);
    module(&format!("platform:{stream}:1:c"), map([("virtual_streams", provided)]), vec![])
}

/// A build against a base stream that runs on these.
fn built(nsvc: &str, on: &str, runs_on: &[&str]) -> KnownModule {
    let against = map([("stream", on.into()), ("version", "1".into()), ("context", "c".into())]);
    let buildrequires = map([("platform", against)]);
    module(nsvc, map([("buildrequires", buildrequires)]), vec![pair(&[], &[("platform", runs_on)])])
}

fn distribution() -> Vec<KnownModule> {
    vec![
        base("el8.0.0", "el8"),
        base("el8.1.0", "el8"),
        base("el8.2.0", "el8"),
        base("el9.0.0", "el9"),
        built("gtk:1:1:a", "el8.0.0", &["el8"]),
        built("gtk:1:5:b", "el8.1.0", &["el8"]),
        built("gtk:1:9:c", "el8.2.0", &["el8"]),
        built("gtk:1:7:d", "el9.0.0", &["el9"]),
        built("only-old:1:1:a", "el8.0.0", &["el8"]),
    ]
}

fn expanded(
    modules: Vec<KnownModule>,
    buildrequires: &[(&str, &[&str])],
    policy: &Policy,
) -> Result<Expansions, Unresolved> {
    let resolver = MemoryResolver::default();
    for module in modules {
        let (nsvc, is_ready) = (module.nsvc.clone(), module.is_ready);
        resolver.add(KnownModule { is_ready: true, ..module }).unwrap();
        if !is_ready {
            resolver.retire(&nsvc).unwrap();
        }
    }
    let document = ModuleStream { dependencies: vec![pair(buildrequires, &[])], ..ModuleStream::default() };
    let (choices, base_fit, default_streams) = (Choices::Open, BaseFit::Required, &BTreeMap::new());
    let asked = Expansion { document: &document, default_streams, choices, base_fit, policy };
    match now_or_panic(expand(&asked, &resolver, None, &mut Universe::default())) {
        Ok(expansions) => Ok(expansions),
        Err(ExpandError::Unresolved(why)) => Err(why),
        Err(other) => panic!("{other}"),
    }
}

/// What `gtk:1` is on a platform, or what is wrong.
fn gtk_on(platform: &str, modules: Vec<KnownModule>, policy: &Policy) -> String {
    match expanded(modules, &[("platform", &[platform]), ("gtk", &["1"])], policy) {
        Ok(expansions) => {
            let all = expansions.expanded.iter().flat_map(|one| &one.buildrequires);
            let gtk = all.filter(|module| module.nsvc.name.as_str() == "gtk");
            gtk.map(|module| module.nsvc.to_string()).collect::<Vec<_>>().join(" ")
        }
        Err(why) => why.to_string(),
    }
}

#[test]
fn the_build_on_the_newest_base_not_newer_than_ours_is_taken() {
    let on = |platform: &str| gtk_on(platform, distribution(), &Policy::default());
    assert_eq!(on("el8.2.0"), "gtk:1:9:c");
    assert_eq!(on("el8.1.0"), "gtk:1:5:b");
    assert_eq!(on("el9.0.0"), "gtk:1:7:d");
    let without: Vec<_> = distribution().into_iter().filter(|m| m.nsvc.version.0 != 9).collect();
    assert_eq!(gtk_on("el8.2.0", without, &Policy::default()), "gtk:1:5:b", "from the base before it");
}

#[test]
fn what_was_built_for_a_newer_base_does_not_run_on_ours() {
    let only_new: Vec<_> =
        distribution().into_iter().filter(|m| m.nsvc.version.0 != 5 && m.nsvc.version.0 != 7).collect();
    assert_eq!(gtk_on("el8.1.0", only_new.clone(), &Policy::default()), "gtk:1:1:a");
    let any = Policy { allow_only_compatible_base_modules: false, ..Policy::default() };
    let clash = gtk_on("el8.1.0", only_new, &any);
    assert!(clash.contains("gtk:1 (built for platform:el8.2.0) requires platform:el8"), "{clash}");
}

#[test]
fn a_base_of_another_form_cannot_be_compatible_with_others() {
    let fedora = vec![base("f28", "fedora"), built("gtk:1:1:a", "f28", &["f28"])];
    assert_eq!(
        gtk_on("f28", fedora.clone(), &Policy::default()),
        "Cannot get compatible base modules, because stream of resolved base module platform:f28 is not in x.y.z format."
    );
    let any = Policy { allow_only_compatible_base_modules: false, ..Policy::default() };
    assert_eq!(gtk_on("f28", fedora, &any), "gtk:1:1:a");
}

#[test]
fn a_retired_base_finds_candidates_where_any_compatible_one_counts() {
    let retired = |module: KnownModule| {
        let is_ready = module.nsvc.stream.as_str() != "el8.0.0";
        KnownModule { is_ready, ..module }
    };
    let modules: Vec<_> = distribution().into_iter().map(retired).collect();
    let direct: &[(&str, &[&str])] = &[("platform", &["el8.2.0"]), ("only-old", &["1"])];
    let strict = expanded(modules.clone(), direct, &Policy::default()).unwrap_err();
    assert_eq!(strict.to_string(), "Cannot find any module builds for only-old:1");
    let any = Policy { allow_only_compatible_base_modules: false, ..Policy::default() };
    let expansions = expanded(modules, direct, &any).unwrap();
    assert_eq!(expansions.expanded.len(), 1);
    assert!(!expansions.considered.iter().any(|nsvc| nsvc.stream.as_str() == "el8.0.0"), "it is not chosen");
}

#[test]
fn a_suffix_makes_a_base_stream_newer() {
    let z = vec![
        base("el8.2.0", "el8"),
        base("el8.2.0.z", "el8"),
        built("gtk:1:1:a", "el8.2.0", &["el8"]),
        built("gtk:1:2:b", "el8.2.0.z", &["el8"]),
    ];
    let suffixes = crate::stream_version::StreamSuffixes::new([(r"el\d+\.\d+\.\d+\.z", 0.1)]).unwrap();
    let policy = Policy { stream_suffixes: suffixes, ..Policy::default() };
    assert_eq!(gtk_on("el8.2.0.z", z.clone(), &policy), "gtk:1:2:b");
    assert_eq!(gtk_on("el8.2.0", z, &policy), "gtk:1:1:a");
}

#[test]
fn base_streams_without_a_number_do_not_hide_each_other() {
    let module = |nsvc: &str| module(nsvc, map([]), vec![]);
    let modules = vec![
        module("platform:eln:1:c"),
        module("platform:rawhide:1:c"),
        built("gtk:1:1:a", "eln", &["eln"]),
        built("gtk:1:2:b", "rawhide", &["rawhide"]),
    ];
    let direct: &[(&str, &[&str])] = &[("platform", &[]), ("gtk", &["1"])];
    assert_eq!(expanded(modules, direct, &Policy::default()).unwrap().expanded.len(), 2);
}

#[test]
fn more_ways_than_are_allowed_are_refused() {
    let direct: &[(&str, &[&str])] = &[("platform", &["el8.2.0", "el8.1.0", "el8.0.0"])];
    let with =
        |most_contexts| expanded(distribution(), direct, &Policy { most_contexts, ..Policy::default() });
    assert_eq!(with(3).unwrap().expanded.len(), 3);
    assert_eq!(
        with(2).unwrap_err().to_string(),
        "The dependencies of the module can be met in more than 2 ways; name fewer streams in the buildrequires"
    );
}

#[test]
fn what_a_build_requires_that_cannot_be_read_is_told_with_the_build() {
    let odd = module(
        "gtk:2:1:a",
        distribution()[4].document.xmd.value("mbs").unwrap().clone(),
        vec![pair(&[], &[("x", &["a b"])])],
    );
    let modules = distribution().into_iter().chain([odd]).collect();
    let direct: &[(&str, &[&str])] = &[("platform", &["el8.0.0"]), ("gtk", &["2"])];
    let why = expanded(modules, direct, &Policy::default()).unwrap_err().to_string();
    assert!(why.starts_with("what gtk:2:1:a requires at run time cannot be used: "), "{why}");
}
