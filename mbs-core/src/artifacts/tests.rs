use super::*;
use crate::modulemd::{BuildOpts, Dependencies, Profile, RpmComponent};

/// An RPM of a source package `<source>-1-1`.
fn rpm(file: &str, source: &str) -> BuiltRpm {
    BuiltRpm {
        nevra: file.parse().unwrap(),
        source: format!("{source}-1-1").parse().unwrap(),
        license: format!("licence of {source}"),
        exclude_arch: [].into(),
        exclusive_arch: [].into(),
    }
}

fn texts(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn component() -> RpmComponent {
    RpmComponent {
        repository: Some("https://r".into()),
        cache: Some("https://c".into()),
        ..Default::default()
    }
}

fn stored() -> ModuleStream {
    ModuleStream {
        name: Some("app".into()),
        stream: Some("1".into()),
        rpms: [("lib".to_owned(), component()), ("prog".to_owned(), component())].into(),
        ..Default::default()
    }
}

fn names(stored: &ModuleStream, arch: &str, rpms: &[BuiltRpm], part: Part) -> Vec<String> {
    let arch = Arch::new(arch).unwrap();
    select(stored, &arch, rpms, part)
        .iter()
        .map(|rpm| format!("{}.{}", rpm.nevra.name, rpm.nevra.arch))
        .collect()
}

fn module(stored: &ModuleStream, rpms: &[BuiltRpm]) -> Vec<String> {
    names(stored, "x86_64", rpms, Part::Module)
}

fn twin(stored: &ModuleStream, rpms: &[BuiltRpm]) -> Vec<String> {
    names(stored, "x86_64", rpms, Part::DevelTwin)
}

fn lib_on_all() -> Vec<BuiltRpm> {
    ["lib-1-1.x86_64", "lib-1-1.i686", "lib-1-1.s390x", "lib-data-1-1.noarch"]
        .map(|file| rpm(file, "lib"))
        .into()
}

#[test]
fn rpms_of_the_architecture_and_noarch_are_in() {
    assert_eq!(module(&stored(), &lib_on_all()), ["lib.x86_64", "lib-data.noarch"]);
    assert_eq!(names(&stored(), "s390x", &lib_on_all(), Part::Module), ["lib.s390x", "lib-data.noarch"]);
}

#[test]
fn a_multilib_architecture_is_in_only_if_the_component_says_so_for_this_one() {
    let mut document = stored();
    document.rpms.get_mut("lib").unwrap().multilib = texts(&["s390x"]);
    assert_eq!(module(&document, &lib_on_all()), ["lib.x86_64", "lib-data.noarch"]);
    document.rpms.get_mut("lib").unwrap().multilib = texts(&["x86_64"]);
    assert_eq!(module(&document, &lib_on_all()), ["lib.x86_64", "lib.i686", "lib-data.noarch"]);
}

#[test]
fn a_renamed_component_goes_by_the_package_it_builds() {
    let mut document = stored();
    let renamed = RpmComponent { name: Some("lib".into()), multilib: texts(&["x86_64"]), ..component() };
    document.rpms = [("key".to_owned(), renamed)].into();
    assert_eq!(module(&document, &lib_on_all()), ["lib.x86_64", "lib.i686", "lib-data.noarch"]);
    assert_eq!(module(&document, &[rpm("key-1-1.x86_64", "key")]), Vec::<String>::new());
}

#[test]
fn what_the_source_excludes_on_the_architecture_is_out() {
    let excluded = |arches: &[&str]| BuiltRpm { exclude_arch: texts(arches), ..rpm("lib-1-1.noarch", "lib") };
    assert_eq!(module(&stored(), &[excluded(&["x86_64"])]), Vec::<String>::new());
    assert_eq!(module(&stored(), &[excluded(&["i686", "s390x"])]), ["lib.noarch"]);
}

#[test]
fn what_the_source_is_exclusive_to_must_have_the_architecture() {
    let exclusive =
        |arches: &[&str]| BuiltRpm { exclusive_arch: texts(arches), ..rpm("lib-1-1.noarch", "lib") };
    assert_eq!(module(&stored(), &[exclusive(&["s390x", "i686"])]), Vec::<String>::new());
    assert_eq!(module(&stored(), &[exclusive(&["s390x", "x86_64"])]), ["lib.noarch"]);
    assert_eq!(module(&stored(), &[exclusive(&["s390x", "noarch"])]), ["lib.noarch"]);
}

#[test]
fn only_rpms_of_components_are_in() {
    let rpms = [rpm("lib-1-1.x86_64", "lib"), rpm("other-1-1.x86_64", "other")];
    assert_eq!(module(&stored(), &rpms), ["lib.x86_64"]);
}

#[test]
fn components_of_included_modules_count_like_the_modules_own() {
    let mut document = stored();
    let rpms = Xmd::Map(vec![("inner".into(), Xmd::default())]);
    document.xmd.set("mbs", Xmd::Map(vec![("rpms".into(), rpms)]));
    assert_eq!(module(&document, &[rpm("inner-1-1.x86_64", "inner")]), ["inner.x86_64"]);
}

#[test]
fn a_whitelist_takes_the_place_of_the_components_without_multilib() {
    let mut document = stored();
    document.buildopts = BuildOpts { whitelist: texts(&["other", "lib"]), ..Default::default() };
    document.rpms.get_mut("lib").unwrap().multilib = texts(&["x86_64"]);
    let rpms = ["lib-1-1.i686", "lib-1-1.x86_64"].map(|file| rpm(file, "lib")).into_iter();
    let rpms: Vec<_> = rpms
        .chain(["other-1-1.i686", "other-1-1.x86_64"].map(|file| rpm(file, "other")))
        .chain([rpm("prog-1-1.x86_64", "prog")])
        .collect();
    assert_eq!(module(&document, &rpms), ["lib.i686", "lib.x86_64", "other.x86_64"]);
}

#[test]
fn a_filtered_rpm_is_out() {
    let document = ModuleStream { filter: texts(&["lib-data"]), ..stored() };
    assert_eq!(module(&document, &lib_on_all()), ["lib.x86_64"]);
}

#[test]
fn a_debug_rpm_goes_with_the_rpm_it_is_named_after() {
    let files =
        ["lib-1-1.x86_64", "lib-debuginfo-1-1.x86_64", "lib-x-1-1.x86_64", "lib-x-debuginfo-1-1.x86_64"];
    let rpms = files.map(|file| rpm(file, "lib"));
    let document = ModuleStream { filter: texts(&["lib-x"]), ..stored() };
    assert_eq!(module(&document, &rpms), ["lib.x86_64", "lib-debuginfo.x86_64"]);
    assert_eq!(twin(&document, &rpms), ["lib-x.x86_64", "lib-x-debuginfo.x86_64"]);
}

#[test]
fn a_debug_rpm_named_after_nothing_goes_with_any_other_of_its_source() {
    let files = ["lib-libs-1-1.x86_64", "lib-debugsource-1-1.x86_64"];
    let rpms = files.map(|file| rpm(file, "lib"));
    assert_eq!(module(&stored(), &rpms), ["lib-libs.x86_64", "lib-debugsource.x86_64"]);
    let nothing_else = ModuleStream { filter: texts(&["lib-libs"]), ..stored() };
    assert_eq!(module(&nothing_else, &rpms), Vec::<String>::new());
}

#[test]
fn a_debug_rpm_named_after_a_filtered_one_is_out_whatever_else_its_source_has() {
    let files = ["lib-1-1.x86_64", "lib-libs-1-1.x86_64", "lib-debugsource-1-1.x86_64"];
    let rpms = files.map(|file| rpm(file, "lib"));
    let document = ModuleStream { filter: texts(&["lib"]), ..stored() };
    assert_eq!(module(&document, &rpms), ["lib-libs.x86_64"]);
}

#[test]
fn a_debug_rpm_of_a_multilib_architecture_needs_multilib_itself() {
    let rpms = ["lib-1-1.x86_64", "lib-debuginfo-1-1.i686"].map(|file| rpm(file, "lib"));
    assert_eq!(module(&stored(), &rpms), ["lib.x86_64"]);
}

#[test]
fn source_rpms_go_where_something_of_them_is() {
    let rpms = [
        rpm("lib-1-1.x86_64", "lib"),
        rpm("lib-1-1.src", "lib"),
        rpm("prog-1-1.s390x", "prog"),
        rpm("prog-1-1.nosrc", "prog"),
    ];
    assert_eq!(module(&stored(), &rpms), ["lib.x86_64", "lib.src"]);
    assert_eq!(twin(&stored(), &rpms), ["prog.nosrc"]);
}

#[test]
fn the_twin_has_what_was_built_for_the_architecture_and_is_not_in_the_module() {
    let excluded = BuiltRpm { exclude_arch: texts(&["x86_64"]), ..rpm("prog-1-1.noarch", "prog") };
    let mut rpms = lib_on_all();
    rpms.push(excluded);
    rpms.push(rpm("other-1-1.x86_64", "other"));
    assert_eq!(twin(&stored(), &rpms), ["lib.i686", "other.x86_64"]);
}

#[test]
fn a_final_document_names_arch_rpms_and_exactly_their_licences() {
    let mut document = stored();
    document.content_licenses = texts(&["old"]);
    let rpms =
        [rpm("lib-2:1-1.x86_64", "lib"), rpm("lib-2:1-1.src", "lib"), rpm("other-1-1.x86_64", "other")];
    let seen = final_document(&document, &Arch::new("x86_64").unwrap(), &rpms, Part::Module);
    assert_eq!(seen.arch.as_deref(), Some("x86_64"));
    assert_eq!(seen.artifacts, texts(&["lib-2:1-1.src", "lib-2:1-1.x86_64"]));
    assert_eq!(seen.content_licenses, texts(&["licence of lib"]));
    let armhfp = final_document(&document, &Arch::new("armhfp").unwrap(), &[], Part::Module);
    assert_eq!(armhfp.arch.as_deref(), Some("armv7hnl"));
}

#[test]
fn an_epoch_is_always_written() {
    let rpms = [rpm("lib-1-1.x86_64", "lib")];
    let seen = final_document(&stored(), &Arch::new("x86_64").unwrap(), &rpms, Part::Module);
    assert_eq!(seen.artifacts, texts(&["lib-0:1-1.x86_64"]));
}

#[test]
fn a_final_document_shows_nothing_of_the_services_own() {
    let mut document = stored();
    document.xmd = Xmd::Map(vec![("mbs".into(), Xmd::default()), ("users".into(), "x".into())]);
    let seen = final_document(&document, &Arch::new("x86_64").unwrap(), &[], Part::Module);
    assert_eq!(seen.xmd, Xmd::Map(vec![("users".into(), "x".into())]));
    assert!(seen.rpms.values().all(|component| component.repository.is_none() && component.cache.is_none()));
    assert_eq!(seen.name, document.name);
}

#[test]
fn the_twin_requires_the_module_itself_and_offers_no_api_and_no_profiles() {
    let mut document = stored();
    let pair = Dependencies { requires: [("gtk".to_owned(), texts(&["2"]))].into(), ..Default::default() };
    document.dependencies = vec![pair, Dependencies::default()];
    document.api = texts(&["lib"]);
    document.profiles = [("default".to_owned(), Profile::default())].into();
    let seen = final_document(&document, &Arch::new("x86_64").unwrap(), &[], Part::DevelTwin);
    assert_eq!((seen.name.as_deref(), seen.api.len(), seen.profiles.len()), (Some("app-devel"), 0, 0));
    let itself = ("app".to_owned(), texts(&["1"]));
    assert_eq!(seen.dependencies[0].requires, [itself.clone(), ("gtk".to_owned(), texts(&["2"]))].into());
    assert_eq!(seen.dependencies[1].requires, [itself].into());
}

#[test]
fn an_rpm_without_licence_adds_none() {
    let mut nameless = rpm("lib-1-1.x86_64", "lib");
    nameless.license.clear();
    let arch = Arch::new("x86_64").unwrap();
    let seen = final_document(&stored(), &arch, &[nameless], Part::Module);
    assert_eq!((seen.artifacts.len(), seen.content_licenses.len()), (1, 0));
}

#[test]
fn an_rpm_of_a_poorer_architecture_is_in_only_where_the_word_stands_for_the_family() {
    let rpms = ["lib-1-1.i686", "lib-1-1.i586"].map(|file| rpm(file, "lib"));
    assert_eq!(names(&stored(), "i686", &rpms, Part::Module), ["lib.i686"]);
    assert_eq!(names(&stored(), "i386", &rpms, Part::Module), ["lib.i686", "lib.i586"]);
    let mut named = rpm("lib-1-1.i686", "lib");
    named.exclusive_arch = texts(&["i586"]);
    assert_eq!(names(&stored(), "i686", &[named], Part::Module), ["lib.i686"]);
}
