//! The state `init`: default modules.

use super::init_sources::answered;
use super::samples::{document, entry, map, module, submitted};
use super::*;
use crate::ident::Nsvc;
use crate::modulemd::{Dependencies, Xmd};
use crate::plan::DefaultsPlace;
use crate::resolver::KnownModule;
use crate::store::Note;

const REPOSITORY: &str = "https://pagure.io/releng/fedora-module-defaults.git";

fn base() -> KnownModule {
    module("platform:f28:3:00000000", Some("f28-build"), &[("use_default_modules", Xmd::Bool(true))])
}

fn place(branch: &str) -> DefaultsPlace {
    DefaultsPlace { repository: REPOSITORY.into(), branch: branch.into() }
}

/// A build of `zlib:1` on a base, which requires these streams of it.
fn zlib(on: &str, streams: &[&str]) -> KnownModule {
    let buildrequires = map(&[("platform", entry(on, "x"))]);
    let mut zlib = module("zlib:1:5:1", Some("zlib-tag"), &[("buildrequires", buildrequires)]);
    let streams = streams.iter().map(|stream| (*stream).to_owned()).collect();
    let pair =
        Dependencies { requires: [("platform".to_owned(), streams)].into(), ..Dependencies::default() };
    std::sync::Arc::make_mut(&mut zlib.document).dependencies = vec![pair];
    zlib
}

/// An observation in which the branch `f28` names `zlib:1` as default.
fn with_defaults(build: &ModuleBuild, builds: &[KnownModule]) -> Seen {
    let mut seen = answered(build, &[base()]);
    let streams = [(id("zlib"), id("1")), (id("platform"), id("f29"))];
    seen.0.default_streams.insert(place("f28"), Some(streams.into()));
    let older: Nsvc = id("platform:f27:2:00000000");
    let older = KnownModule { nsvc: older, ..base() };
    seen.0.compatible_bases.insert(base().nsvc, vec![base(), older]);
    seen.0.latest.insert(id("zlib:1"), builds.to_vec());
    seen.0.build.tag_arches = Some([(id("f28-build"), None)].into());
    seen.0.build.tag_rpms = Some(BTreeMap::new());
    seen
}

#[test]
fn defaults_are_asked_for_step_by_step() {
    let build = submitted(document(&[]));
    let full = with_defaults(&build, &[]).0;
    let mut seen = answered(&build, &[base()]).0;
    let ask = |seen: &Observation| missing(&build, seen, &Policy::default());
    assert_eq!(ask(&seen).sources.default_streams, [place("f28")].into());
    seen.default_streams = full.default_streams;
    assert_eq!(ask(&seen).modules.compatible_bases, [base().nsvc].into());
    seen.compatible_bases = full.compatible_bases;
    let asked = ask(&seen).modules;
    assert_eq!((asked.latest, asked.latest_bases.len()), ([id("zlib:1")].into(), 2));
}

#[test]
fn rawhide_has_a_second_branch_where_the_first_is_missing() {
    let policy =
        Policy { rawhide_stream: Some(id("f28")), rawhide_branch: "main".into(), ..Policy::default() };
    let build = submitted(document(&[]));
    let mut seen = answered(&build, &[base()]).0;
    seen.default_streams.insert(place("f28"), None);
    assert_eq!(missing(&build, &seen, &policy).sources.default_streams, [place("main")].into());
    assert!(missing(&build, &seen, &Policy::default()).sources.is_empty());
}

#[test]
fn a_default_module_that_fits_joins_the_buildrequires_and_is_inherited() {
    let build = submitted(document(&[]));
    for fitting in [zlib("platform:f28:3:00000000", &["f28"]), zlib("platform:f27:2:00000000", &[])] {
        let plan = step(&build, with_defaults(&build, &[fitting]));
        let stored = plan.build.document().xmd.at(&["mbs", "buildrequires", "zlib", "koji_tag"]);
        assert_eq!(stored.and_then(Xmd::text), Some("zlib-tag"));
        assert_eq!(plan.build.surroundings.inherits, [id("zlib-tag"), id("f28-build")]);
        assert_eq!(plan.build.document().dependencies, build.document().dependencies);
        assert_eq!(plan.notes, []);
    }
}

#[test]
fn a_default_module_that_does_not_fit_is_left_out_with_a_note() {
    let build = submitted(document(&[]));
    let unfit = [
        vec![],
        vec![zlib("platform:f26:1:00000000", &[])],
        vec![zlib("platform:f28:3:00000000", &["f29"])],
        vec![zlib("platform:f28:3:00000000", &["-f28"])],
    ];
    for builds in unfit {
        let plan = step(&build, with_defaults(&build, &builds));
        let note =
            "the default module zlib:1 of platform:f28:3:00000000 is left out: it has no build that fits";
        assert_eq!(plan.notes, [Note::from(note)]);
        assert_eq!(plan.build.document().xmd.at(&["mbs", "buildrequires", "zlib"]), None);
    }
}

#[test]
fn a_module_that_is_buildrequired_in_another_stream_is_no_default() {
    let build = submitted(document(&[]));
    let plan = step(&build, with_defaults(&build, &[zlib("platform:f28:3:00000000", &[])]));
    let base_entry = plan.build.document().xmd.at(&["mbs", "buildrequires", "platform", "stream"]);
    assert_eq!(base_entry.and_then(Xmd::text), Some("f28"));
}

#[test]
fn defaults_out_of_reach_are_tried_again() {
    let build = submitted(document(&[]));
    let seen = answered(&build, &[base()]).trouble("the repository of defaults cannot be read");
    let plan = step(&build, seen);
    assert_eq!((plan.build.state(), plan.build.trouble.is_some()), (State::Init, true));
}

#[test]
fn tags_are_asked_about_once_it_is_certain_whose() {
    let build = submitted(document(&[]));
    let full = with_defaults(&build, &[zlib("platform:f28:3:00000000", &["f28"])]).0;
    let mut seen = Observation { build: Default::default(), ..full.clone() };
    seen.build.tag_arches = full.build.tag_arches;
    let ask = |seen: &Observation| missing(&build, seen, &Policy::default()).build.tag_rpms;
    let latest = std::mem::take(&mut seen.latest);
    assert_eq!(ask(&seen), [].into());
    seen.latest = latest;
    assert!(ask(&seen).contains(&id::<TagName>("zlib-tag")));
}
