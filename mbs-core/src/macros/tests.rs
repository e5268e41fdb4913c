use jiff::civil::date;

use super::*;
use crate::modulemd::BuildOpts;

fn list(texts: &[&str]) -> Xmd {
    Xmd::Seq(texts.iter().map(|text| Xmd::from(*text)).collect())
}

fn map(entries: &[(&str, Xmd)]) -> Xmd {
    Xmd::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

/// A document whose `xmd.mbs` holds these entries.
fn document(mbs: &[(&str, Xmd)]) -> ModuleStream {
    ModuleStream { xmd: map(&[("mbs", map(mbs))]), ..ModuleStream::default() }
}

fn write(nsvc: &str, document: &ModuleStream, reused: &[&str]) -> MacrosPackage {
    MacrosPackage::write(&MacrosInput {
        nsvc: &nsvc.parse().unwrap(),
        dist_tag: "module+f28+2+b0c72034",
        document,
        reused: &reused.iter().map(|nvr| nvr.parse().unwrap()).collect(),
        policy: &Policy::default(),
        today: date(2024, 2, 9),
    })
}

fn conflicts(package: &MacrosPackage) -> Vec<&str> {
    package.spec.lines().filter_map(|line| line.strip_prefix("Conflicts: ")).collect()
}

#[test]
fn the_file_names_the_module_and_then_holds_the_documents_macros_as_they_are() {
    let own = "%with_tests 0\n%cflags \\\n  -O2 %{?x}".to_owned();
    let buildopts = BuildOpts { macros: Some(own.clone()), ..BuildOpts::default() };
    let package =
        write("perl:5.30:2020:c0ffee00", &ModuleStream { buildopts, ..ModuleStream::default() }, &[]);
    assert_eq!(
        package.macros,
        format!(
            "%dist .module+f28+2+b0c72034\n%modularitylabel perl:5.30:2020:c0ffee00\n%_module_name perl\n\
             %_module_stream 5.30\n%_module_version 2020\n%_module_context c0ffee00\n%_module_build 1\n\n\
             # From the module's own document.\n{own}\n"
        )
    );
    assert!(!package.spec.contains("with_tests"));
}

#[test]
fn the_spec_defines_what_it_uses_and_has_an_english_date() {
    let package = write("perl:5.30:2020:c0ffee00", &ModuleStream::default(), &[]);
    assert!(package.spec.starts_with("%define dist .module+f28+2+b0c72034\n"));
    assert!(package.spec.contains("%define modularitylabel perl:5.30:2020:c0ffee00\n"));
    assert!(package.spec.contains("\n* Fri Feb 09 2024 "));
    assert!(conflicts(&package).is_empty());
    let nvr = MacrosPackage::nvr("module+f28+2+b0c72034");
    assert_eq!(nvr.to_string(), "module-build-macros-0.1-1.module+f28+2+b0c72034");
}

#[test]
fn a_name_with_percent_or_brace_expands_to_itself() {
    let package = write("a%{b}:{c:1:%(d)", &ModuleStream::default(), &[]);
    assert!(package.macros.contains("%modularitylabel a%%{b}:{c:1:%%(d)\n"));
    assert!(package.macros.contains("%_module_stream %{nil}{c\n"));
    assert!(package.spec.contains("- Macros for building a%%{b}:{c:1:%%(d)\n"));
}

#[test]
fn every_kind_of_collision_has_its_group_and_no_double() {
    let perl = map(&[
        ("stream", "5".into()),
        ("version", "1".into()),
        ("context", "c%".into()),
        ("filtered_rpms", list(&["b-0:1-1", "a-2:1-1"])),
    ]);
    let platform = map(&[("stream", "f28".into()), ("ursine_rpms", list(&["a-2:1-1", "c-0:1-1.el8"]))]);
    let ursine = list(&["d-0:1-1.x86_64", "d-0:1-1.i686", "d-0:1-1.src", "c-0:1-1.el8.noarch"]);
    let document = document(&[
        ("buildrequires", map(&[("perl", perl), ("platform", platform)])),
        ("ursine_rpms", ursine),
    ]);
    let package = write("app:1:1:c", &document, &[]);
    let groups = package.spec.split_once("Source0").unwrap().1.split_once("%description").unwrap().0;
    let expected = ": macros.zz-modules\n
# Filtered from perl:5:1:c%%.
Conflicts: a = 2:1-1
Conflicts: b = 0:1-1

# From other streams of buildrequired modules, behind platform:f28.
Conflicts: c = 0:1-1.el8

# From base modules; buildrequired modules have RPMs of these names.
Conflicts: d = 0:1-1

";
    assert_eq!(groups, expected);
}

#[test]
fn only_base_modules_bring_rpms_of_other_streams() {
    let gtk = map(&[("ursine_rpms", list(&["a-0:1-1"]))]);
    let document = document(&[("buildrequires", map(&[("gtk", gtk)]))]);
    assert!(conflicts(&write("app:1:1:c", &document, &[])).is_empty());
}

#[test]
fn what_is_reused_stays_installable_if_the_module_buildrequires_itself() {
    let filtered = map(&[("filtered_rpms", list(&["a-3:1-1", "b-0:1-1"]))]);
    let document = document(&[("buildrequires", map(&[("app", filtered.clone()), ("lib", filtered)]))]);
    let package = write("app:1:2:c", &document, &["b-1-1"]);
    assert_eq!(conflicts(&package), ["a = 3:1-1", "b = 0:1-1"], "lib filters b as well");
    let package = write("lib2:1:2:c", &document, &["b-1-1", "a-1-1"]);
    assert_eq!(conflicts(&package), ["a = 3:1-1", "b = 0:1-1"], "it does not buildrequire itself");
}

#[test]
fn of_an_earlier_build_of_the_module_only_what_is_built_anew_conflicts() {
    let filtered = map(&[("filtered_rpms", list(&["a-3:1-1", "b-0:1-1"]))]);
    let document = document(&[("buildrequires", map(&[("app", filtered)]))]);
    assert_eq!(conflicts(&write("app:1:2:c", &document, &["a-1-1"])), ["b = 0:1-1"]);
}

#[test]
fn a_text_that_no_rpm_can_be_called_is_left_out() {
    let odd = list(&["a\nRelease: 1-0:1-1", "%{x}-0:1-1", "b-0:1 2-1", "c", "-c-0:1-1", "ok-0:1~rc1-1^x"]);
    let document = document(&[("buildrequires", map(&[("perl", map(&[("filtered_rpms", odd)]))]))]);
    assert_eq!(conflicts(&write("app:1:1:c", &document, &[])), ["ok = 0:1~rc1-1^x"]);
}
