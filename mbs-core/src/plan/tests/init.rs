//! The state `init`: architectures, surroundings, what is recorded, what is refused.

use std::sync::Arc;

use super::init_sources::{answered, commit_of};
use super::samples::{component, document, entry, list, map, module, rpm, set_mbs, submitted};
use super::*;
use crate::build_system::BuildAnswers;
use crate::model::Failure;
use crate::modulemd::{ModuleStream, Profile};
use crate::plan::Why;
use crate::resolver::KnownModule;
use crate::store::Note;

/// Says what the buildrequired modules are.
fn requiring(document: &mut ModuleStream, modules: &[&KnownModule]) {
    let of = |module: &&KnownModule| {
        let tag = module.tag.as_ref().map_or("", |tag| tag.as_str());
        (module.nsvc.name.to_string(), entry(&module.nsvc.to_string(), tag))
    };
    set_mbs(document, "buildrequires", crate::modulemd::Xmd::Map(modules.iter().map(of).collect()));
}

/// Leaves `init` with these modules; the tags `f28-build` and `product` have architectures of their own.
fn arches_with(policy: &Policy, modules: &[KnownModule], change: impl Fn(&mut ModuleStream)) -> Vec<String> {
    let mut document = document(&[]);
    requiring(&mut document, &modules.iter().collect::<Vec<_>>());
    change(&mut document);
    let build = submitted(document);
    let mut seen = answered(&build, modules);
    seen.0.build.tag_arches = Some(
        [("f28-build", Some(vec![id("s390x"), id("aarch64")])), ("product", Some(vec![id("ppc64le")]))]
            .map(|(tag, arches)| (id(tag), arches))
            .into(),
    );
    let plan = step_by(policy, &build, seen, at(9, 0));
    assert_eq!(plan.build.state(), State::Wait, "{:?}", plan.build.life.reason());
    plan.build.arches.iter().map(ToString::to_string).collect()
}

#[test]
fn architectures_come_from_the_first_place_that_says_any() {
    let base = || module("platform:f28:3:00000000", Some("f28-build"), &[]);
    let product = || module("product:1:1:00000000", Some("product"), &[]);
    let own = |document: &mut ModuleStream| set_mbs(document, "koji_tag_arches", list(&["i686"]));
    let mut policy = Policy { allowed_privileged_module_names: vec![id("product")], ..Policy::default() };
    assert_eq!(arches_with(&policy, &[], |_| {}), ["x86_64"]);
    assert_eq!(arches_with(&policy, &[base()], |_| {}), ["aarch64", "s390x"]);
    assert_eq!(arches_with(&policy, &[base(), product()], |_| {}), ["ppc64le"]);
    assert_eq!(arches_with(&policy, &[base(), product()], own), ["i686"]);
    policy.base_module_arches.insert("platform:f28".into(), vec![id("riscv64")]);
    assert_eq!(arches_with(&policy, &[base(), product()], own), ["riscv64"]);
}

#[test]
fn architectures_of_the_document_take_their_place_and_odd_ones_are_noted() {
    let mut document = document(&[]);
    document.buildopts.arches = ["s390x".to_owned()].into();
    let build = submitted(document);
    let plan = step(&build, answered(&build, &[module("platform:f28:3:00000000", Some("f28-build"), &[])]));
    assert_eq!(plan.build.arches, [id("s390x")]);
    let note = "buildopts.arches names s390x; without it the build would have only x86_64";
    assert_eq!(plan.notes, [Note::from(note)]);
}

#[test]
fn only_tags_that_may_decide_are_asked_for_their_architectures() {
    let build = submitted(document(&[]));
    let base = module("platform:f28:3:00000000", Some("f28-build"), &[]);
    let mut seen = answered(&build, &[base]);
    let asked = missing(&build, &seen.0, &Policy::default()).build;
    assert_eq!((asked.tag_arches, asked.tag_rpms.len()), ([id("f28-build")].into(), 0));
    seen.0.build.tag_arches = Some([(id("f28-build"), None)].into());
    assert!(missing(&build, &seen.0, &Policy::default()).is_empty());
}

#[test]
fn the_first_round_asks_for_modules_refs_and_weights() {
    let build = submitted(document(&[("liba", rpm(0))]));
    let asked = missing(&build, &Observation::default(), &Policy::default());
    assert_eq!(asked.modules.builds, [id("platform:f28:3:00000000")].into());
    assert_eq!((asked.sources.refs.len(), asked.build.weights), (1, [id("liba")].into()));
}

#[test]
fn weights_are_recorded_and_unknown_ones_count_as_one_and_a_half() {
    let build = submitted(document(&[("liba", rpm(0)), ("libb", rpm(0))]));
    let mut seen = answered(&build, &[module("platform:f28:3:00000000", None, &[])]);
    let weight = crate::ident::Weight::new(7.5);
    seen.0.build.weights = Some([(id("liba"), weight)].into());
    let plan = step(&build, seen);
    assert_eq!(component_after(&plan, "liba").weight, weight);
    assert_eq!(component_after(&plan, "libb").weight.cost(), 1.5);
}

#[test]
fn later_states_learn_groups_inheritance_and_dist_mark() {
    let with_profile = |nsvc: &str, tag, rpms: &[&str]| {
        let mut module = module(nsvc, tag, &[]);
        let rpms = rpms.iter().map(|rpm| (*rpm).to_owned()).collect();
        let profile = Profile { rpms, ..Profile::default() };
        Arc::make_mut(&mut module.document).profiles.insert("buildroot".into(), profile);
        module
    };
    let base = with_profile("platform:f28:3:00000000", Some("f28-build"), &["make", "gcc"]);
    let modules =
        [with_profile("zlib:1:1:1", Some("zlib"), &["make"]), base, module("meta:1:1:1", None, &[])];
    let mut document = document(&[]);
    requiring(&mut document, &modules.iter().collect::<Vec<_>>());
    let build = submitted(document);
    let mut seen = answered(&build, &modules);
    seen.0.build.tag_rpms = Some(BTreeMap::new());
    let surroundings = step(&build, seen).build.surroundings;
    assert_eq!(surroundings.inherits, [id("zlib"), id("f28-build")]);
    assert_eq!(surroundings.build_group, ["gcc", "make"]);
    assert_eq!(surroundings.dist_marking.as_deref(), Some("f28"));
}

/// Plans with one base module that says this of side tags.
fn with_side_tag(mbs: &[(&str, crate::modulemd::Xmd)]) -> Plan {
    let mut document = document(&[]);
    set_mbs(&mut document, "side_tag", "f28-side-9".into());
    let build = submitted(document);
    step(&build, answered(&build, &[module("platform:f28:3:00000000", Some("f28-build"), mbs)]))
}

#[test]
fn a_side_tag_takes_the_place_of_the_bases_tag() {
    let plan = with_side_tag(&[("koji_side_tag_format", "{side_tag}-build".into())]);
    assert_eq!(plan.build.surroundings.inherits, [id("f28-side-9-build")]);
}

#[test]
fn a_side_tag_without_a_base_that_knows_them_is_refused() {
    let reason =
        "The side tag f28-side-9 was asked for, but no buildrequired base module has a koji_side_tag_format.";
    assert_fails(&with_side_tag(&[]), reason, Failure::User);
}

#[test]
fn a_buildrequired_module_that_was_retired_or_is_lost_is_refused() {
    let build = submitted(document(&[]));
    let mut base = module("platform:f28:3:00000000", Some("f28-build"), &[]);
    base.is_ready = false;
    let plan = step(&build, answered(&build, &[base]));
    let reason = "The buildrequired module platform:f28:3:00000000 is no longer ready.";
    assert_fails(&plan, reason, Failure::User);
    let plan = step(&build, answered(&build, &[]));
    assert_fails(
        &plan,
        "The buildrequired module platform:f28:3:00000000 is not known any more.",
        Failure::User,
    );
}

#[test]
fn filtered_rpms_and_collisions_are_recorded() {
    let base = module("platform:f28:3:00000000", Some("f28-build"), &[]);
    let mut zlib = module("zlib:1:1:1", Some("zlib"), &[]);
    Arc::make_mut(&mut zlib.document).filter = ["zlib-tests".to_owned()].into();
    let mut document = document(&[]);
    requiring(&mut document, &[&base, &zlib]);
    let build = submitted(document);
    let mut seen = answered(&build, &[base, zlib]);
    seen.0.build.tag_arches = Some([(id("f28-build"), None)].into());
    let asked = missing(&build, &seen.0, &Policy::default()).build;
    assert_eq!((asked.tag_rpms, asked.arches), ([id("f28-build"), id("zlib")].into(), [id("x86_64")].into()));
    let rpms = |rpms: &[&str]| rpms.iter().map(|rpm| id(rpm)).collect();
    let of_zlib = rpms(&["zlib-0:2-1.x86_64", "zlib-tests-0:2-1.x86_64"]);
    let of_base = rpms(&["zlib-0:1-1.x86_64", "bash-0:5-1.x86_64"]);
    seen.0.build.absorb(BuildAnswers {
        tag_rpms: Some([(id("zlib"), of_zlib), (id("f28-build"), of_base)].into()),
        ..BuildAnswers::default()
    });
    let recorded = step(&build, seen).build;
    let xmd = &recorded.document().xmd;
    let texts = |path: &[&str]| xmd.at(path).map(crate::modulemd::Xmd::texts).unwrap_or_default();
    assert_eq!(texts(&["mbs", "buildrequires", "zlib", "filtered_rpms"]), ["zlib-tests-0:2-1"]);
    assert_eq!(texts(&["mbs", "ursine_rpms"]), ["zlib-0:1-1.x86_64"]);
}

#[test]
fn a_service_that_runs_dry_keeps_builds_in_init() {
    let build = submitted(document(&[]));
    let dry = Seen::nothing().draining();
    assert!(missing(&build, &dry.0, &Policy::default()).is_empty());
    let plan = step(&build, dry);
    assert_quiet(&plan, &build);
    let why = "an operator lets the service run dry; it stays in init";
    assert_eq!((plan.why.to_string().as_str(), plan.wake_at), (why, Some(at(19, 0))));
}

#[test]
fn a_build_that_is_worked_out_goes_to_wait_with_all_of_it() {
    let build = submitted(document(&[("liba", rpm(0))]));
    let plan = step(&build, answered(&build, &[module("platform:f28:3:00000000", Some("f28-build"), &[])]));
    assert_eq!((plan.build.state(), plan.build.components.len(), &plan.why), (State::Wait, 1, &Why::GoingOn));
    let mbs = |key: &str| plan.build.document().xmd.at(&["mbs", key]).and_then(|xmd| xmd.text());
    assert_eq!((mbs("scmurl"), mbs("commit")), (build.new.scmurl.as_deref(), Some("abcdef")));
    let liba = component_after(&plan, "liba");
    assert_eq!(liba.source.commit(), Some(&commit_of("master")));
    assert_eq!((liba.arches.clone(), liba.batch), (vec![id("x86_64")], component("liba", 2).batch));
}

#[test]
fn nothing_is_recorded_of_a_build_that_fails_in_init() {
    let build = submitted(document(&[("liba", rpm(0))]));
    let mut seen = answered(&build, &[module("platform:f28:3:00000000", Some("f28-build"), &[])]);
    for answer in seen.0.refs.values_mut() {
        *answer = Err(crate::source_control::SourceError::NotFound { what: "the branch".into() });
    }
    let failed = step(&build, seen).build;
    let mut expected = build;
    expected.life = failed.life.clone();
    assert_eq!(failed, expected);
}

#[test]
fn an_unreadable_buildrequires_entry_is_a_contradiction() {
    let mut document = document(&[]);
    set_mbs(&mut document, "buildrequires", map(&[("platform", map(&[("stream", "f28".into())]))]));
    let build = submitted(document);
    assert!(missing(&build, &Observation::default(), &Policy::default()).is_empty());
    let refused = plan(&build, &Observation::default(), &Policy::default(), at(9, 0)).unwrap_err();
    assert!(refused.to_string().starts_with("xmd.mbs.buildrequires.platform: "), "{refused}");
}
