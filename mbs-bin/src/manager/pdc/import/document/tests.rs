//! What documents become, without a PDC.

use std::fs;

use mbs_pdc::api::Dependency;

use super::*;
use crate::manager::pdc::testing::{BOOTSTRAP, PLATFORM};

fn read_text(text: &str) -> Result<(Given, Vec<String>), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    fs::write(&path, text).unwrap();
    let name = folder.path().display().to_string() + "/";
    match read(&path) {
        Ok((given, warnings)) => {
            Ok((given, warnings.iter().map(|warning| warning.replace(&name, "")).collect()))
        }
        Err(Stop::Usage(told)) => Err(told.replace(&name, "")),
        Err(stop) => panic!("{stop:?}"),
    }
}

fn given(text: &str) -> Given {
    read_text(text).unwrap().0
}

fn terms(tag: &str) -> Terms {
    Terms { koji_tag: Some(tag.parse().unwrap()), ..Terms::default() }
}

#[test]
fn a_document_without_a_context_becomes_an_entry_as_the_first_ones_were() {
    let (given, warnings) = read_text(BOOTSTRAP).unwrap();
    assert_eq!(warnings, [""; 0]);
    let entry = given.entry(&Terms::default(), Face::Variants).unwrap();
    assert_eq!((entry.uid.as_str(), entry.context), ("bootstrap-master-1", None));
    assert_eq!((entry.koji_tag.as_str(), entry.active), ("module-bootstrap-master-1", None));
    assert_eq!((entry.modulemd.as_str(), entry.rpms), (BOOTSTRAP, None));
    assert_eq!((entry.runtime_deps, entry.build_deps), (Some(vec![]), Some(vec![])));
}

#[test]
fn a_document_with_a_context_becomes_an_entry_under_all_four() {
    let given = given(&PLATFORM.replace("'00000000'", "c0ffee"));
    for face in [Face::Variants, Face::Modules] {
        let entry = given.entry(&Terms::default(), face).unwrap();
        assert_eq!((entry.uid.as_str(), entry.context.as_deref()), ("platform:f40:1:c0ffee", Some("c0ffee")));
    }
}

#[test]
fn what_is_asked_for_comes_before_what_the_document_says() {
    let terms = Terms { uid: Some("mine".into()), is_active: true, ..terms("another-tag") };
    let entry = given(PLATFORM).entry(&terms, Face::Variants).unwrap();
    assert_eq!((entry.uid.as_str(), entry.koji_tag.as_str()), ("mine", "another-tag"));
    assert_eq!(entry.active, Some(true));
}

#[test]
fn without_a_tag_it_says_how_to_name_one() {
    let given = given(&BOOTSTRAP.replace("      koji_tag: module-bootstrap-master-1\n", ""));
    let stop = given.entry(&Terms::default(), Face::Variants).unwrap_err();
    let told = "which Koji tag holds the module's builds? Say --koji-tag TAG, or write it into the document as xmd.mbs.koji_tag";
    assert!(matches!(&stop, Stop::Usage(said) if said.ends_with(told)), "{stop}");
    let given = self::given(&PLATFORM.replace("module-f40-build", "'a tag'"));
    let stop = given.entry(&Terms::default(), Face::Modules).unwrap_err();
    assert!(stop.to_string().contains("xmd.mbs.koji_tag: \"a tag\" is no valid tag name"), "{stop}");
    assert_eq!(given.entry(&terms("f40"), Face::Modules).unwrap().koji_tag, "f40");
}

#[test]
fn what_it_is_found_by_must_be_there() {
    for (from, to, wanted) in [
        ("  name: platform\n", "", "a.yaml:1:1: data.name: it is missing, and the entry is found by it"),
        ("  stream: f40\n", "", "a.yaml:1:1: data.stream: it is missing, and the entry is found by it"),
        (
            "  version: 1\n",
            "",
            "a.yaml:1:1: data.version: it is missing or 0; the newest is chosen by it: give",
        ),
        ("  version: 1\n", "  version: 0\n", "a.yaml:1:1: data.version: it is missing or 0"),
        (
            "name: platform",
            "name: 'plat form'",
            "a.yaml:1:1: data.name: \"plat form\" is no valid module name",
        ),
        ("'00000000'", "'a:b'", "a.yaml:1:1: data.context: \"a:b\" is no valid context"),
    ] {
        // Version 2 of the specification refuses some of it itself.
        let text = PLATFORM.replace(from, to);
        let told = read_text(&text).unwrap_err();
        assert!(told.starts_with(wanted), "{told}");
    }
}

#[test]
fn a_file_holds_one_good_document_of_a_stream() {
    let defaults = "document: modulemd-defaults\nversion: 1\ndata: {module: a, stream: b}\n";
    for (text, wanted) in [
        (PLATFORM.replace("{module: [MIT]}", "[MIT]"), "a.yaml:10:12: data.license: "),
        (
            format!("---\n{PLATFORM}---\n{BOOTSTRAP}"),
            "a.yaml:17:1: an entry has one document, this is a second one",
        ),
        (defaults.to_owned(), "a.yaml:1:1: the document must be of type modulemd, version 1 or 2"),
        ("# nothing\n".to_owned(), "a.yaml:1:1: there is no document"),
        ("a: [\n".to_owned(), "a.yaml:1:4: this is no YAML: unclosed bracket"),
    ] {
        let told = read_text(&text).unwrap_err();
        assert!(told.starts_with(wanted), "{told}");
    }
    let stop = read(Path::new("/no/such/file")).unwrap_err();
    assert_eq!(stop, Stop::Usage("/no/such/file does not exist".to_owned()));
}

#[test]
fn what_old_services_and_build_environments_will_miss_is_pointed_out() {
    let (_, warnings) = read_text(&PLATFORM.replace("commit: virtual, buildrequires: {}, ", "")).unwrap();
    assert_eq!(
        warnings,
        [
            "a.yaml: xmd.mbs.commit is missing: the original service cannot pin the module",
            "a.yaml: xmd.mbs.buildrequires is missing: the original service cannot find what is below the module; write {} \
             if there is nothing",
        ]
    );
    let without_profile = BOOTSTRAP.replace("    srpm-buildroot: {rpms: [bash]}\n", "");
    let (_, warnings) = read_text(&without_profile).unwrap();
    assert_eq!(
        warnings,
        [
            "a.yaml: the profile srpm-buildroot is missing or empty: modules built on this one get no packages from it"
        ]
    );
}

#[test]
fn a_module_above_a_base_module_needs_no_profiles() {
    let above =
        BOOTSTRAP.replace("  profiles:\n", "  dependencies: {buildrequires: {platform: f40}}\n  profiles:\n");
    let without = above.replace(
        "    buildroot: {rpms: [bash, gcc]}\n    srpm-buildroot: {rpms: [bash]}\n",
        "    default: {rpms: [bash]}\n",
    );
    assert_eq!(read_text(&without).unwrap().1, [""; 0]);
    let base = without.replace("name: bootstrap", "name: platform");
    assert_eq!(read_text(&base).unwrap().1.len(), 2);
}

#[test]
fn a_key_that_nobody_knows_is_pointed_out() {
    let (_, warnings) = read_text(&PLATFORM.replace("  summary:", "  sumary: x\n  summary:")).unwrap();
    assert!(warnings[0].starts_with("a.yaml:8:3: data.sumary: unknown key"), "{warnings:?}");
}

#[test]
fn dependencies_of_all_alternatives_are_one_pair_for_each_module_and_stream() {
    let text = PLATFORM.replace(
        "  profiles:\n",
        "  dependencies:
  - {buildrequires: {platform: [f40, f39], perl: ['5.30'], any: []}, requires: {platform: [f40]}}
  - {buildrequires: {platform: [f40], perl: ['5.26'], ruby: ['-2.7']}, requires: {platform: [f39]}}
  profiles:\n",
    );
    let entry = given(&text).entry(&Terms::default(), Face::Modules).unwrap();
    let shown = |all: Option<Vec<Dependency>>| {
        let all = all.unwrap().into_iter().map(|one| format!("{}:{}", one.dependency, one.stream));
        all.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(entry.build_deps), "perl:5.26 perl:5.30 platform:f39 platform:f40");
    assert_eq!(shown(entry.runtime_deps), "platform:f39 platform:f40");
}
