//! Changes and looks, against a fake PDC.

use mbs_pdc::fake_server::{Dependency, Flavour, NewRow, Package, Rule, Trouble};
use serde_json::Value;

use super::testing::{Bench, DOCUMENT};
use crate::exit::{Exit, Stop};

fn platform(version: &str) -> NewRow {
    let uid = format!("platform-f40-{version}");
    NewRow { uid, modulemd: DOCUMENT.into(), ..NewRow::new("platform", "f40", version) }
}

fn with_platforms(versions: &[&str]) -> Bench {
    let bench = Bench::new();
    for version in versions {
        bench.pdc.plant(platform(version));
    }
    bench
}

#[test]
fn activating_tells_what_services_will_find() {
    let bench = with_platforms(&["9", "10"]);
    let told = bench.run(&["activate", "platform-f40-10"]).unwrap();
    let expected = "platform-f40-10: inactive becomes active (Koji tag module-platform-f40-10)
  services will find version 10 of platform:f40; so far they find nothing of it
platform-f40-10 is active\n";
    assert_eq!(told, expected);
    let [write] = &bench.writes()[..] else { panic!("it is one request") };
    assert_eq!(
        (write.method.as_str(), write.path.as_str()),
        ("PATCH", "/rest_api/v1/modules/platform-f40-10/")
    );
    assert_eq!(write.body, serde_json::json!({"active": true}));
    let told = bench.run(&["activate", "platform-f40-9"]).unwrap();
    assert!(told.contains("services go on finding version 10 of platform:f40"), "{told}");
    let told = bench.run(&["deactivate", "platform-f40-10"]).unwrap();
    assert!(told.contains("will find version 9 of platform:f40; so far they find version 10"), "{told}");
    assert_eq!(bench.uids(), ["platform-f40-10", "platform-f40-9*"]);
}

#[test]
fn what_is_so_already_is_left_alone() {
    let bench = with_platforms(&["1"]);
    assert_eq!(bench.run(&["deactivate", "platform-f40-1"]).unwrap(), "platform-f40-1 is inactive already\n");
    bench.run(&["activate", "platform-f40-1"]).unwrap();
    assert_eq!(bench.run(&["activate", "platform-f40-1"]).unwrap(), "platform-f40-1 is active already\n");
    let told = bench.run(&["retag", "platform-f40-1", "module-platform-f40-1"]).unwrap();
    assert_eq!(told, "platform-f40-1 has the tag module-platform-f40-1 already\n");
    assert_eq!(bench.writes().len(), 1);
}

#[test]
fn several_entries_are_changed_in_one_request_or_not_at_all() {
    let bench = with_platforms(&["1", "2", "3"]);
    bench.pdc.set_active("platform-f40-2", true);
    let uids = ["platform-f40-1", "platform-f40-3", "platform-f40-2", "platform-f40-1"];
    let told = bench.run(&[&["activate"], &uids[..]].concat()).unwrap();
    assert!(
        told.starts_with("platform-f40-2 is active already\nplatform-f40-1: inactive becomes active"),
        "{told}"
    );
    assert!(told.ends_with("platform-f40-1 is active\nplatform-f40-3 is active\n"), "{told}");
    let [write] = &bench.writes()[..] else { panic!("it is one request") };
    assert_eq!((write.path.as_str(), write.status), ("/rest_api/v1/modules/", Some(200)));
    let stop = bench.run(&["deactivate", "platform-f40-1", "platform-f40-7"]).unwrap_err();
    assert_eq!(stop.exit(), Exit::Failed);
    assert!(
        stop.to_string().starts_with("PDC has no entry platform-f40-7; did you mean platform-f40-1 or"),
        "{stop}"
    );
    assert_eq!(bench.writes().len(), 1);
}

#[test]
fn a_tag_is_changed_after_a_question() {
    let mut bench = with_platforms(&["1"]);
    bench.answers = Some("no\n");
    let retag = ["retag", "platform-f40-1", "f40-build"];
    assert_eq!(bench.run(&retag), Err(Stop::Failed("nothing was changed".into())));
    bench.answers = Some("yes\n");
    let told = bench.run(&retag).unwrap();
    assert_eq!(
        told,
        "platform-f40-1: the Koji tag module-platform-f40-1 becomes f40-build\nplatform-f40-1 has the tag f40-build\n"
    );
    let told = bench.run(&["retag", "platform-f40-1", "other", "--dry-run"]).unwrap();
    assert!(
        told.contains("PATCH modules/platform-f40-1/\n") && told.contains(r#""koji_tag": "other""#),
        "{told}"
    );
    assert_eq!(bench.pdc.rows()[0].koji_tag, "f40-build");
}

#[test]
fn a_change_whose_answer_is_lost_is_settled_by_a_repetition() {
    let bench = with_platforms(&["1"]);
    bench.pdc.faults().add(Rule::always(Trouble::ResetAfter).of_method("PATCH").times(1));
    let stop = bench.run(&["activate", "platform-f40-1"]).unwrap_err();
    assert_eq!(stop.exit(), Exit::Machine);
    assert!(stop.to_string().contains("It may have been done all the same"), "{stop}");
    assert_eq!(bench.run(&["activate", "platform-f40-1"]).unwrap(), "platform-f40-1 is active already\n");
}

#[test]
fn an_answer_that_makes_no_sense_leaves_a_doubt() {
    let bench = with_platforms(&["1", "2"]);
    for (words, uids) in [
        ("[7]", &["platform-f40-1", "platform-f40-2"][..]),
        ("{}", &["platform-f40-1", "platform-f40-2"]),
        ("{}", &["platform-f40-1"]),
    ] {
        let answer = Trouble::Words(200, words.to_owned());
        bench.pdc.faults().add(Rule::always(answer).of_method("PATCH").times(1));
        let stop = bench.run(&[&["activate"], uids].concat()).unwrap_err();
        assert!(
            stop.to_string().contains("the answer of PDC cannot be read: an entry of a module: "),
            "{stop}"
        );
        assert!(stop.to_string().contains("It may have been done all the same"), "{stop}");
        assert_eq!(stop.exit(), Exit::Machine);
    }
}

#[test]
fn an_unknown_entry_is_answered_with_near_ones() {
    let bench = with_platforms(&["1"]);
    for (uid, wanted) in [
        ("Platform-F40-1", "PDC has no entry Platform-F40-1; did you mean platform-f40-1?"),
        ("platform:f40:1", "PDC has no entry platform:f40:1; did you mean platform-f40-1?"),
        ("perl-1", "PDC has no entry perl-1, nor one of a module of that name"),
    ] {
        assert_eq!(bench.run(&["show", uid]), Err(Stop::Failed(wanted.to_owned())));
    }
    let stop = bench.run(&["show", "."]).unwrap_err();
    assert!(stop.to_string().contains("`.` cannot be a part of an address"), "{stop}");
}

#[test]
fn an_address_that_is_no_pdc_is_told_apart_from_a_missing_entry() {
    let bench = with_platforms(&[]);
    bench.pdc.faults().add(Rule::always(Trouble::Html(404)));
    let stop = bench.run(&["show", "platform-f40-1"]).unwrap_err();
    assert_eq!(stop.exit(), Exit::Machine);
    assert!(stop.to_string().contains("HTTP 404 and the words"), "{stop}");
}

#[test]
fn an_entry_is_shown_to_people_and_programs() {
    let bench = with_platforms(&["1"]);
    let told = bench.run(&["show", "platform-f40-1"]).unwrap();
    assert!(told.starts_with("uid         platform-f40-1\nname        platform\n"), "{told}");
    assert!(told.ends_with(&format!("packages    0\n\n{DOCUMENT}\n")), "{told}");
    let shown: Value =
        serde_json::from_str(&bench.run(&["show", "platform-f40-1", "--json"]).unwrap()).unwrap();
    assert_eq!((&shown["uid"], &shown["active"]), (&"platform-f40-1".into(), &false.into()));
    assert_eq!(shown["modulemd"], DOCUMENT);
}

#[test]
fn what_an_entry_says_cannot_draw_on_the_terminal() {
    let bench = Bench::new();
    bench.pdc.plant(NewRow {
        modulemd: "a\u{1b}[2Jb".into(),
        koji_tag: "t\u{1b}[1m".into(),
        ..platform("1")
    });
    for command in [&["show", "platform-f40-1"][..], &["list"]] {
        let told = bench.run(command).unwrap();
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }
}

#[test]
fn a_list_is_sorted_by_number_and_narrowed_by_everything_that_is_given() {
    let bench = with_platforms(&["9", "10"]);
    let dependency = Dependency { dependency: "platform".into(), stream: "f40".into() };
    let package = Package {
        name: "bash".into(),
        version: "5".into(),
        release: "1".into(),
        arch: "src".into(),
        srpm_name: "bash".into(),
        ..Package::default()
    };
    bench.pdc.plant(NewRow {
        active: true,
        build_deps: vec![dependency.clone()],
        runtime_deps: vec![dependency],
        rpms: vec![package],
        ..NewRow::new("shells", "1.0", "3").in_context("c0ffee")
    });
    let expected = "
Name      Stream    Version    Context    Active    Koji tag                   UID
--------  --------  ---------  ---------  --------  -------------------------  -------------------
platform  f40               9  00000000   no        module-platform-f40-9      platform-f40-9
platform  f40              10  00000000   no        module-platform-f40-10     platform-f40-10
shells    1.0               3  c0ffee     yes       module-shells-1.0-3-c0ffee  shells:1.0:3:c0ffee
";
    let told = bench.run(&["list"]).unwrap();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (told, expected): (Vec<_>, Vec<_>) = (words(&told), words(expected));
    assert_eq!(told[..8], expected[..8]);
    assert_eq!(told[told.len() - 21..], expected[expected.len() - 21..]);
    for filter in [
        &["--name", "shells"][..],
        &["--stream", "1.0"],
        &["--version", "3"],
        &["--context", "c0ffee"],
        &["--active", "yes"],
        &["--tag", "module-shells-1.0-3-c0ffee"],
        &["--component", "bash"],
        &["--build-dep", "platform:f40"],
        &["--runtime-dep", "platform"],
    ] {
        for face in ["variants", "modules"] {
            let told = bench.run(&[&["list", "--json", "--face", face], filter].concat()).unwrap();
            assert_eq!(told.lines().count(), 1, "{filter:?}: {told}");
            let entry: Value = serde_json::from_str(&told).unwrap();
            assert_eq!(entry["uid"], "shells:1.0:3:c0ffee");
        }
    }
    let nothing = bench.run(&["list", "--active", "yes", "--name", "platform"]).unwrap();
    assert_eq!(nothing, "PDC has no such module\n");
    assert_eq!(bench.run(&["list", "--name", "none", "--json"]).unwrap(), "");
}

#[test]
fn an_old_pdc_is_asked_through_the_endpoint_that_it_has() {
    let bench = Bench::with(Flavour::WithoutContexts);
    bench.pdc.plant(platform("1"));
    assert_eq!(
        bench.run(&["activate", "platform-f40-1"]).unwrap().lines().last(),
        Some("platform-f40-1 is active")
    );
    assert!(bench.writes()[0].path.starts_with("/rest_api/v1/unreleasedvariants/"));
    assert!(bench.run(&["list", "--active", "yes"]).unwrap().contains("platform-f40-1"));
    let stop = bench.run(&["list", "--face", "modules"]).unwrap_err();
    assert!(stop.to_string().starts_with("there is no modules/ below "), "{stop}");
}
