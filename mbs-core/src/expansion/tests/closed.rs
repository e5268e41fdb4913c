//! Documents in which every stream is named, or is to be: what local builds ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Answers, BaseFit, Choices, Expanded, Expansion, Questions, Step, Universe, Unresolved};
use crate::ident::{Name, NameStream, Stream, TagName};
use crate::modulemd::{Dependencies, ModuleStream, Xmd};
use crate::policy::Policy;
use crate::resolver::KnownModule;
use crate::submission::testing::{map, pair};

/// A build, by its identity, with its runtime requires (one pair) and what it was built against.
fn known(nsvc: &str, pairs: Vec<Dependencies>) -> KnownModule {
    let document = ModuleStream {
        dependencies: pairs,
        xmd: map([("mbs", map([("commit", "abc".into())]))]),
        ..Default::default()
    };
    KnownModule { nsvc: nsvc.parse().unwrap(), tag: None, document: Arc::new(document), is_ready: true }
}

fn on_f28(nsvc: &str, requires: &[(&str, &[&str])]) -> KnownModule {
    let mut requires = requires.to_vec();
    requires.push(("platform", &["f28"]));
    known(nsvc, vec![pair(&[], &requires)])
}

fn document(pairs: Vec<Dependencies>) -> ModuleStream {
    ModuleStream { name: Some("app".into()), dependencies: pairs, ..Default::default() }
}

fn streams(defaults: &[&str]) -> BTreeMap<Name, Stream> {
    let of = |text: &&str| {
        let NameStream { name, stream } = text.parse().unwrap();
        (name, stream)
    };
    defaults.iter().map(of).collect()
}

/// Resolves as a caller does, asking `all` for what is needed, whatever it was built against.
fn resolve(document: &ModuleStream, defaults: &[&str], all: &[KnownModule]) -> Result<Expanded, Unresolved> {
    resolve_in(BaseFit::Required, document, defaults, all)
}

fn resolve_in(
    base_fit: BaseFit,
    document: &ModuleStream,
    defaults: &[&str],
    all: &[KnownModule],
) -> Result<Expanded, Unresolved> {
    let (default_streams, mut universe) = (streams(defaults), Universe::default());
    let policy = Policy { allow_only_compatible_base_modules: false, ..Policy::default() };
    let (choices, default_streams) = (Choices::Closed, &default_streams);
    let asked = Expansion { document, default_streams, choices, base_fit, policy: &policy };
    loop {
        match asked.step(&universe)? {
            Step::Done(mut expansions) => return Ok(expansions.expanded.pop().unwrap()),
            Step::Need(questions) => {
                assert!(!questions.is_empty());
                let answers = answers(&questions, all);
                universe.learn(questions, answers);
            }
        }
    }
}

fn answers(questions: &Questions, all: &[KnownModule]) -> Answers {
    let builds = |module: &NameStream| {
        let of = all.iter().filter(|known| known.nsvc.name_stream() == *module);
        (module.clone(), of.cloned().collect::<Vec<_>>())
    };
    let latest = questions.latest.iter();
    Answers {
        latest: latest
            .map(|(against, modules)| (against.clone(), modules.iter().map(builds).collect()))
            .collect(),
        ..Answers::default()
    }
}

fn chosen(expanded: &Expanded) -> Vec<String> {
    expanded.buildrequires.iter().map(|module| module.nsvc.to_string()).collect()
}

fn refused(pairs: Vec<Dependencies>, defaults: &[&str], all: &[KnownModule]) -> String {
    resolve(&document(pairs), defaults, all).unwrap_err().to_string()
}

fn distribution() -> Vec<KnownModule> {
    vec![
        known("platform:f28:1:00000000", vec![]),
        known("platform:f29:1:00000000", vec![]),
        on_f28("gtk:1:0:c10", &[]),
        on_f28("gtk:2:0:c20", &[]),
        on_f28("foo:1:0:c10", &[("gtk", &["1"])]),
    ]
}

#[test]
fn named_streams_are_taken_with_all_that_they_require_at_run_time() {
    let app = document(vec![pair(&[("platform", &["f28"]), ("foo", &["1"])], &[("foo", &["1"])])]);
    let expanded = resolve(&app, &[], &distribution()).unwrap();
    assert_eq!(chosen(&expanded), ["foo:1:0:c10", "gtk:1:0:c10", "platform:f28:1:00000000"]);
    assert_eq!(expanded.base_modules, ["platform:f28:1:00000000".parse().unwrap()]);
    assert_eq!(expanded.streams(), streams(&["foo:1", "gtk:1", "platform:f28"]));
}

#[test]
fn xmd_says_what_the_module_is_built_with() {
    let mut all = distribution();
    all[2].tag = Some(TagName::new("module-gtk-1").unwrap());
    all[0].document = Arc::new(ModuleStream::default());
    let app = document(vec![pair(&[("platform", &["f28"]), ("gtk", &["1"])], &[])]);
    let expanded = resolve(&app, &[], &all).unwrap();
    let entry = |name: &str| expanded.document.xmd.at(&["mbs", "buildrequires", name]).unwrap();
    assert_eq!(
        *entry("gtk"),
        map([
            ("stream", "1".into()),
            ("version", "0".into()),
            ("context", "c10".into()),
            ("ref", "abc".into()),
            ("koji_tag", "module-gtk-1".into()),
        ])
    );
    assert!(entry("platform").value("ref").is_none());
    assert!(expanded.document.xmd.at(&["mbs", "mse"]).unwrap().is_true());
}

#[test]
fn a_module_in_both_sections_with_the_same_streams_is_required_in_the_chosen_one() {
    let written = pair(
        &[("platform", &[]), ("gtk", &["1", "2"])],
        &[("platform", &[]), ("gtk", &["-3"]), ("other", &["-1"])],
    );
    let defaults = ["platform:f28", "gtk:2", "other:9"];
    let expanded = resolve(&document(vec![written]), &defaults, &distribution()).unwrap();
    assert_eq!(
        expanded.document.dependencies,
        [pair(
            &[("platform", &["f28"]), ("gtk", &["2"])],
            &[("platform", &["f28"]), ("gtk", &["-3"]), ("other", &["-1"])]
        )]
    );
}

#[test]
fn several_or_any_streams_are_refused_unless_a_default_answers() {
    let base = ("platform", &["f28"][..]);
    for open in [&["1", "2"][..], &[], &["-2"]] {
        for pair in [pair(&[base, ("gtk", open)], &[]), pair(&[base], &[("gtk", open)])] {
            let text = refused(vec![pair.clone()], &[], &distribution());
            assert!(text.starts_with("There are multiple streams to choose from for module gtk"), "{text}");
            assert!(text.ends_with("choose one with -s module_name:module_stream"), "{text}");
            assert!(resolve(&document(vec![pair]), &["gtk:1"], &distribution()).is_ok());
        }
    }
}

#[test]
fn one_named_stream_beats_a_default() {
    let app = document(vec![pair(&[("platform", &["f28"]), ("gtk", &["1"])], &[])]);
    let expanded = resolve(&app, &["gtk:2", "platform:f29"], &distribution()).unwrap();
    assert_eq!(chosen(&expanded), ["gtk:1:0:c10", "platform:f28:1:00000000"]);
}

#[test]
fn a_default_that_the_document_excludes_is_refused() {
    let with = |streams: &[&str]| vec![pair(&[("platform", &["f28"]), ("gtk", streams)], &[])];
    let text = refused(with(&["1", "2"]), &["gtk:3"], &distribution());
    assert_eq!(
        text,
        "The stream 3 was chosen for module gtk, but its dependencies allow 1, 2; override them with --buildrequires gtk:3 or --requires gtk:3"
    );
    assert!(refused(with(&["-2"]), &["gtk:2"], &distribution()).contains("allow -2"));
}

#[test]
fn the_platform_decides_between_pairs() {
    let pairs =
        vec![pair(&[("platform", &["f28"]), ("gtk", &["1"])], &[]), pair(&[("platform", &["-f28"])], &[])];
    let expanded = resolve(&document(pairs.clone()), &["platform:f28"], &distribution()).unwrap();
    assert_eq!(chosen(&expanded), ["gtk:1:0:c10", "platform:f28:1:00000000"]);
    assert_eq!(expanded.document.dependencies, [pairs[1].clone(), pairs[0].clone()]);
    let expanded = resolve(&document(pairs), &["platform:f29"], &distribution()).unwrap();
    assert_eq!(chosen(&expanded), ["platform:f29:1:00000000"]);
}

#[test]
fn another_default_decides_between_pairs_of_one_platform() {
    let pairs = vec![
        pair(&[("platform", &["f28"]), ("gtk", &["1"])], &[]),
        pair(&[("platform", &["f28"]), ("gtk", &["2"])], &[]),
    ];
    let expanded = resolve(&document(pairs), &["gtk:2"], &distribution()).unwrap();
    assert_eq!(chosen(&expanded), ["gtk:2:0:c20", "platform:f28:1:00000000"]);
}

#[test]
fn several_pairs_that_fit_are_refused_naming_them() {
    let pairs = vec![pair(&[("platform", &["f28"])], &[]), pair(&[("platform", &["f29"])], &[])];
    assert_eq!(
        refused(pairs.clone(), &[], &distribution()),
        "The dependencies can be met in several ways: platform:f28 or platform:f29; choose one with -s module_name:module_stream"
    );
    assert!(refused(pairs, &["platform:f30"], &distribution()).starts_with("The stream f30 was chosen"));
}

#[test]
fn pairs_that_come_to_the_same_streams_count_once_as_the_first_was_written() {
    let pairs = vec![
        pair(&[("platform", &["f28"])], &[("platform", &["f28"])]),
        pair(&[("platform", &["f28", "f29"])], &[("platform", &[])]),
    ];
    let expanded = resolve(&document(pairs.clone()), &["platform:f28"], &distribution()).unwrap();
    assert_eq!(expanded.document.dependencies, [pairs[1].clone(), pairs[0].clone()]);
}

#[test]
fn a_missing_base_module_is_named() {
    let text = "None of the base module (platform) streams in the buildrequires section could be found.";
    assert_eq!(refused(vec![], &[], &distribution()), text);
    assert_eq!(refused(vec![pair(&[("gtk", &["1"])], &[])], &[], &distribution()), text);
    assert_eq!(
        refused(vec![pair(&[("platform", &["f99"])], &[])], &[], &distribution()),
        format!("{text}  Missing streams are (platform:f99).")
    );
}

#[test]
fn a_module_without_builds_is_named_direct_or_not() {
    let with = |module: (&str, &[&str])| {
        refused(
            vec![pair(&[("platform", &["f28"]), module], &[])],
            &[],
            &[distribution(), vec![on_f28("deep:1:0:c", &[("base", &["f29"])])]].concat(),
        )
    };
    assert_eq!(with(("gtk", &["99"])), "Cannot find any module builds for gtk:99");
    assert_eq!(with(("deep", &["1"])), "Cannot find any module builds for base:f29");
}

#[test]
fn a_retired_build_is_no_build() {
    let mut all = distribution();
    all[2].is_ready = false;
    let text = refused(vec![pair(&[("platform", &["f28"]), ("gtk", &["1"])], &[])], &[], &all);
    assert_eq!(text, "Cannot find any module builds for gtk:1");
}

#[test]
fn two_streams_of_one_module_at_once_conflict_naming_both() {
    let all = [distribution(), vec![on_f28("bar:1:0:c", &[("gtk", &["2"])])]].concat();
    let both = pair(&[("platform", &["f28"]), ("foo", &["1"]), ("bar", &["1"])], &[]);
    assert_eq!(
        refused(vec![both], &[], &all),
        "The module has conflicting buildrequires of: gtk:1:0:c10 and gtk:2:0:c20: bar:1 requires gtk:2, and foo:1 requires gtk:1, but the module buildrequires bar:1, and the module buildrequires foo:1"
    );
    let direct = pair(&[("platform", &["f28"]), ("foo", &["1"]), ("gtk", &["2"])], &[]);
    assert_eq!(
        refused(vec![direct], &[], &all),
        "The module has conflicting buildrequires of: gtk:1:0:c10 and gtk:2:0:c20: foo:1 requires gtk:1, but the module buildrequires foo:1, and the module buildrequires gtk:2"
    );
}

#[test]
fn the_context_that_fits_the_other_choices_is_taken() {
    let all = [
        distribution(),
        vec![on_f28("bar:1:0:a", &[("gtk", &["2"])]), on_f28("bar:1:0:b", &[("gtk", &["1"])])],
    ]
    .concat();
    let app = document(vec![pair(&[("platform", &["f28"]), ("foo", &["1"]), ("bar", &["1"])], &[])]);
    let expanded = resolve(&app, &[], &all).unwrap();
    assert!(chosen(&expanded).contains(&"bar:1:0:b".to_owned()), "{:?}", chosen(&expanded));
}

#[test]
fn any_one_of_a_builds_pairs_is_enough_and_those_of_other_platforms_are_not_looked_at() {
    let two = known(
        "two:1:0:c",
        vec![
            pair(&[], &[("platform", &["f29"]), ("missing", &["1"])]),
            pair(&[], &[("platform", &["f28"]), ("gtk", &["2"])]),
        ],
    );
    let all = [distribution(), vec![two]].concat();
    let app = document(vec![pair(&[("platform", &["f28"]), ("two", &["1"])], &[])]);
    let expanded = resolve(&app, &[], &all).unwrap();
    assert_eq!(chosen(&expanded), ["gtk:2:0:c20", "platform:f28:1:00000000", "two:1:0:c"]);
}

#[test]
fn a_build_for_another_platform_conflicts_with_ours() {
    let all = [distribution(), vec![known("old:1:0:c", vec![pair(&[], &[("platform", &["f27"])])])]].concat();
    let app = pair(&[("platform", &["f28"]), ("old", &["1"])], &[]);
    assert_eq!(
        refused(vec![app], &[], &all),
        "The module has conflicting buildrequires of: old:1:0:c and platform:f28:1:00000000: old:1 requires platform:f27, of which no build is available, but the module buildrequires old:1"
    );
}

#[test]
fn a_stream_that_the_platform_provides_satisfies_a_runtime_require() {
    let mut platform = known("platform:f28:1:00000000", vec![]);
    let provided = map([("virtual_streams", Xmd::Seq(vec!["fedora".into()]))]);
    platform.document = Arc::new(ModuleStream { xmd: map([("mbs", provided)]), ..Default::default() });
    let all = [platform, known("any:1:0:c", vec![pair(&[], &[("platform", &["fedora"])])])];
    let app = document(vec![pair(&[("platform", &["f28"]), ("any", &["1"])], &[])]);
    assert_eq!(chosen(&resolve(&app, &[], &all).unwrap()), ["any:1:0:c", "platform:f28:1:00000000"]);
}

/// A platform that provides a stream, and a build that requires some of it and was made against another.
fn el(ours: &str, theirs: &str, written: &[&str]) -> Vec<KnownModule> {
    let mut platform = known(&format!("platform:{ours}:1:00000000"), vec![]);
    let provided = map([("virtual_streams", Xmd::Seq(vec!["el".into()]))]);
    platform.document = Arc::new(ModuleStream { xmd: map([("mbs", provided)]), ..Default::default() });
    let mut wide = known("wide:1:0:c", vec![pair(&[], &[("platform", written)])]);
    let against = map([("platform", map([("stream", theirs.into())]))]);
    let xmd = map([("mbs", map([("buildrequires", against)]))]);
    wide.document = Arc::new(ModuleStream { xmd, ..(*wide.document).clone() });
    vec![platform, wide]
}

#[test]
fn a_build_made_against_an_earlier_xyz_platform_fits_a_later_one_and_not_the_other_way_round() {
    let fits = |ours: &str, theirs: &str| {
        let app = document(vec![pair(&[("platform", &[ours]), ("wide", &["1"])], &[])]);
        resolve(&app, &[], &el(ours, theirs, &["el"])).is_ok()
    };
    assert!(fits("el8.4.0", "el8.2.0") && fits("el8.4.0", "el8.4.0"));
    assert!(!fits("el8.2.0", "el8.4.0"));
    assert!(fits("f28", "f29"), "these are no x.y.z");
}

#[test]
fn a_platform_is_refused_by_what_it_provides() {
    let app = document(vec![pair(&[("platform", &["el8.4.0"]), ("wide", &["1"])], &[])]);
    assert!(resolve(&app, &[], &el("el8.4.0", "el8.2.0", &["-el"])).is_err());
    assert!(resolve(&app, &[], &el("el8.4.0", "el8.2.0", &["-el7"])).is_ok());
}

#[test]
fn a_result_of_this_machine_fits_any_platform() {
    let gtk = known("gtk:3:0:c", vec![pair(&[], &[("platform", &["f27"]), ("foo", &["1"])])]);
    let all = [distribution(), vec![gtk]].concat();
    let app = document(vec![pair(&[("platform", &["f29"]), ("gtk", &["3"])], &[])]);
    let anywhere = document(vec![pair(&[("platform", &["f29"]), ("foo", &["1"])], &[])]);
    assert!(resolve(&app, &[], &all).is_err() && resolve(&anywhere, &[], &all).is_err());
    assert!(resolve_in(BaseFit::Any, &anywhere, &[], &all).is_ok());
    let by_name = resolve_in(BaseFit::Any, &app, &["gtk:1"], &all);
    assert!(by_name.unwrap_err().to_string().contains("gtk"), "its own requires hold all the same");
}

#[test]
fn of_a_result_with_pairs_that_fit_only_these_count() {
    let pairs =
        vec![pair(&[], &[("platform", &["f27"]), ("missing", &["1"])]), pair(&[], &[("platform", &["f28"])])];
    let all = [distribution(), vec![known("two:1:0:c", pairs)]].concat();
    let app = document(vec![pair(&[("platform", &["f28"]), ("two", &["1"])], &[])]);
    assert!(resolve_in(BaseFit::Any, &app, &[], &all).is_ok());
}

#[test]
fn several_runtime_streams_of_a_direct_buildrequire_are_refused_unless_something_answers() {
    let all = [distribution(), vec![on_f28("wide:1:0:c", &[("gtk", &["1", "2"])])]].concat();
    let app = |more: &[(&str, &[&str])]| {
        document(vec![pair(&[&[("platform", &["f28"][..]), ("wide", &["1"])][..], more].concat(), &[])])
    };
    let refused = resolve(&app(&[]), &[], &all).unwrap_err();
    assert_eq!(
        refused,
        Unresolved::AmbiguousStream { module: "gtk".into(), streams: vec!["1".into(), "2".into()] }
    );
    let by_default = resolve(&app(&[]), &["gtk:2"], &all).unwrap();
    assert!(chosen(&by_default).contains(&"gtk:2:0:c20".to_owned()));
    let by_document = resolve(&app(&[("gtk", &["1"])]), &[], &all).unwrap();
    assert!(chosen(&by_document).contains(&"gtk:1:0:c10".to_owned()));
}

#[test]
fn several_runtime_streams_further_down_take_the_lowest_by_text() {
    let all = [
        distribution(),
        vec![on_f28("top:1:0:c", &[("wide", &["1"])]), on_f28("wide:1:0:c", &[("gtk", &["2", "1"])])],
    ]
    .concat();
    let app = document(vec![pair(&[("platform", &["f28"]), ("top", &["1"])], &[])]);
    assert!(chosen(&resolve(&app, &[], &all).unwrap()).contains(&"gtk:1:0:c10".to_owned()));
}

#[test]
fn any_stream_at_run_time_means_one_that_takes_part_for_another_reason() {
    let all = [distribution(), vec![on_f28("any:1:0:c", &[("gtk", &[])])]].concat();
    let alone = pair(&[("platform", &["f28"]), ("any", &["1"])], &[]);
    assert!(refused(vec![alone], &[], &all).contains("any:1:0:c and gtk"));
    let with_foo = document(vec![pair(&[("platform", &["f28"]), ("any", &["1"]), ("foo", &["1"])], &[])]);
    assert!(chosen(&resolve(&with_foo, &[], &all).unwrap()).contains(&"gtk:1:0:c10".to_owned()));
}

#[test]
fn modules_that_require_each_other_are_gathered_once() {
    let all =
        [distribution(), vec![on_f28("a:1:0:c", &[("b", &["1"])]), on_f28("b:1:0:c", &[("a", &["1"])])]]
            .concat();
    let app = document(vec![pair(&[("platform", &["f28"]), ("a", &["1"])], &[])]);
    let expanded = resolve(&app, &[], &all).unwrap();
    assert_eq!(chosen(&expanded), ["a:1:0:c", "b:1:0:c", "platform:f28:1:00000000"]);
}
