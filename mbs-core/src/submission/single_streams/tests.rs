use std::sync::Arc;

use serde_json::Value;

use super::super::testing::{map, pair};
use super::*;
use crate::ident::TagName;

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

/// Resolves as a caller does, asking `all` for what is needed.
fn resolve(document: &ModuleStream, defaults: &[&str], all: &[KnownModule]) -> Result<Expanded, Refused> {
    resolve_in(Universe::default(), document, defaults, all)
}

fn resolve_in(
    mut universe: Universe,
    document: &ModuleStream,
    defaults: &[&str],
    all: &[KnownModule],
) -> Result<Expanded, Refused> {
    let base_module_names = [Name::new("platform").unwrap()];
    let default_streams = streams(defaults);
    let asked =
        SingleStreams { document, default_streams: &default_streams, base_module_names: &base_module_names };
    loop {
        match single_streams(asked, &universe)? {
            Step::Done(expanded) => return Ok(*expanded),
            Step::Need { modules, .. } => {
                let mut answer: BTreeMap<NameStream, Vec<KnownModule>> = BTreeMap::new();
                for module in all {
                    answer.entry(module.nsvc.name_stream()).or_default().push(module.clone());
                }
                assert!(!modules.is_empty());
                universe.learn(&modules, answer);
            }
        }
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
fn the_base_is_asked_for_first_and_all_else_against_it() {
    let app = document(vec![pair(&[("platform", &["f28"]), ("gtk", &["1"])], &[])]);
    let (names, defaults) = ([Name::new("platform").unwrap()], BTreeMap::new());
    let asked = SingleStreams { document: &app, default_streams: &defaults, base_module_names: &names };
    let mut universe = Universe::default();
    let platform: NameStream = "platform:f28".parse().unwrap();
    let first = single_streams(asked, &universe).unwrap();
    assert_eq!(first, Step::Need { modules: vec![platform.clone()], base: None });
    universe.learn(
        std::slice::from_ref(&platform),
        [(platform.clone(), vec![known("platform:f28:1:00000000", vec![])])].into(),
    );
    let second = single_streams(asked, &universe).unwrap();
    let base = Some(vec!["platform:f28:1:00000000".parse().unwrap()]);
    assert_eq!(second, Step::Need { modules: vec!["gtk:1".parse().unwrap()], base });
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
        "The module has conflicting buildrequires of: gtk:2:0:c20 and gtk:1:0:c10"
    );
    let direct = pair(&[("platform", &["f28"]), ("foo", &["1"]), ("gtk", &["2"])], &[]);
    assert_eq!(
        refused(vec![direct], &[], &all),
        "The module has conflicting buildrequires of: gtk:1:0:c10 and gtk:2:0:c20"
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
        "The module has conflicting buildrequires of: old:1:0:c and platform:f28:1:00000000"
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

#[test]
fn a_build_made_against_our_platform_fits_it_whatever_it_requires() {
    let mut wide = known("wide:1:0:c", vec![pair(&[], &[("platform", &["el8"])])]);
    let against = map([("platform", map([("stream", "f28".into())]))]);
    let xmd = map([("mbs", map([("buildrequires", against)]))]);
    wide.document = Arc::new(ModuleStream { xmd, ..(*wide.document).clone() });
    let app = document(vec![pair(&[("platform", &["f28"]), ("wide", &["1"])], &[])]);
    assert!(resolve(&app, &[], &[distribution(), vec![wide]].concat()).is_ok());
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
        resolve(&app, &[], &el(ours, theirs, &["el8.0.0"])).is_ok()
    };
    assert!(fits("el8.4.0", "el8.2.0") && fits("el8.4.0", "el8.4.0"));
    assert!(!fits("el8.2.0", "el8.4.0"));
    assert!(!fits("f29", "f28"), "these are no x.y.z");
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
    assert!(resolve_in(Universe::with(BaseFit::Any), &anywhere, &[], &all).is_ok());
    let by_name = resolve_in(Universe::with(BaseFit::Any), &app, &["gtk:1"], &all);
    assert!(by_name.unwrap_err().to_string().contains("gtk"), "its own requires hold all the same");
}

#[test]
fn of_a_result_with_pairs_that_fit_only_these_count() {
    let pairs =
        vec![pair(&[], &[("platform", &["f27"]), ("missing", &["1"])]), pair(&[], &[("platform", &["f28"])])];
    let all = [distribution(), vec![known("two:1:0:c", pairs)]].concat();
    let app = document(vec![pair(&[("platform", &["f28"]), ("two", &["1"])], &[])]);
    assert!(resolve_in(Universe::with(BaseFit::Any), &app, &[], &all).is_ok());
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
        Refused::AmbiguousStream { module: "gtk".into(), streams: vec!["1".into(), "2".into()] }
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

#[test]
fn a_search_without_end_and_a_chain_without_end_are_given_up() {
    let refused = |all: Vec<KnownModule>| {
        let app = document(vec![pair(&[("platform", &["f28"]), ("m0", &["1"])], &[])]);
        resolve(&app, &[], &[distribution(), all].concat()).unwrap_err()
    };
    let next = |number: usize| format!("m{}", number + 1);
    let contexts = (0..8).flat_map(|n| (0..8).map(move |context| (n, context)));
    let mut wide: Vec<_> =
        contexts.map(|(n, context)| on_f28(&format!("m{n}:1:0:c{context}"), &[(&next(n), &["1"])])).collect();
    wide.push(on_f28("m8:1:0:c", &[("gtk", &["1"]), ("foo", &["1"]), ("m0", &["2"])]));
    wide.push(on_f28("m0:2:0:c", &[]));
    assert!(matches!(refused(wide), Refused::TooManyChoices(_)));
    let mut long: Vec<_> = (0..250).map(|n| on_f28(&format!("m{n}:1:0:c"), &[(&next(n), &["1"])])).collect();
    long.push(on_f28("m250:1:0:c", &[]));
    assert!(matches!(refused(long), Refused::TooManyChoices(_)));
}

/// Reads a file of the reference folder; `None`, with a word why, where the folder is missing and not required.
fn reference(path: &str) -> Option<String> {
    let file = format!("{}/../../shared/{path}", env!("CARGO_MANIFEST_DIR"));
    #[expect(clippy::disallowed_methods, reason = "recorded vectors are files")]
    match (std::fs::read_to_string(&file), std::env::var("MBS_REFERENCE_REQUIRED")) {
        (Ok(text), _) => Some(text),
        (Err(error), Ok(_)) => panic!("{file}: {error}"),
        (Err(error), Err(_)) => {
            eprintln!("{file} cannot be read ({error}); nothing was compared");
            None
        }
    }
}

fn dependencies(value: &Value) -> Dependencies {
    let section = |key: &str| {
        let modules = value[key].as_object().unwrap().iter();
        let texts = |streams: &Value| {
            streams.as_array().unwrap().iter().map(|stream| stream.as_str().unwrap().to_owned()).collect()
        };
        modules.map(|(module, streams)| (module.clone(), texts(streams))).collect()
    };
    Dependencies { buildrequires: section("buildrequires"), requires: section("requires") }
}

fn all_dependencies(value: &Value) -> Vec<Dependencies> {
    value.as_array().into_iter().flatten().map(dependencies).collect()
}

/// Compares with one recorded expansion; modules on other bases than the expected one are not offered.
fn compare(case: &Value) {
    let input = &case["input"];
    let defaults: Vec<String> = input["default_streams"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, stream)| format!("{name}:{}", stream.as_str().unwrap()))
        .collect();
    let is_offered =
        |module: &&Value| module["built_on"].as_str().is_none_or(|base| base.starts_with("platform:f28:"));
    let all: Vec<_> = input["modules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_offered)
        .map(|module| known(module["nsvc"].as_str().unwrap(), all_dependencies(&module["dependencies"])))
        .collect();
    let defaults: Vec<&str> = defaults.iter().map(String::as_str).collect();
    let resolved = resolve(&document(all_dependencies(&input["dependencies"])), &defaults, &all);
    let expected = case["output"]["expanded"].as_array();
    let Some([expected]) = expected.map(Vec::as_slice) else {
        assert!(matches!(resolved, Err(Refused::AmbiguousStream { .. })), "{}", case["name"]);
        return;
    };
    let expanded = resolved.unwrap();
    assert_eq!(
        expanded.document.dependencies,
        all_dependencies(&expected["dependencies"]),
        "{}",
        case["name"]
    );
    let recorded = expected["xmd_buildrequires"].as_object().unwrap().iter();
    let recorded: Vec<_> = recorded
        .map(|(name, of)| {
            let part = |key: &str| of[key].as_str().unwrap().to_owned();
            format!("{name}:{}:{}:{}", part("stream"), part("version"), part("context"))
        })
        .collect();
    assert_eq!(chosen(&expanded), recorded, "{}", case["name"]);
}

#[test]
fn strict_expansions_come_out_as_recorded() {
    let Some(text) = reference("logic-golden/expand.jsonl") else { return };
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let strict: Vec<_> = cases.filter(|case| case["input"]["raise_if_stream_ambiguous"] == true).collect();
    assert!(strict.len() >= 5);
    strict.iter().for_each(compare);
}
