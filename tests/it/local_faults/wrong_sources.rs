//! Components whose source is not as the document says.

use std::fs;

use mbs_tests::needed::can_build;
use mbs_tests::small_module::{Content, SmallModule};
use mbs_tests::within::run_within_limit;

use super::{assert_a_later_run_works, assert_says, packages};

#[test]
fn all_refs_that_do_not_exist_are_listed_at_once() {
    if !can_build() {
        return;
    }
    let one = Content::Bytes(100);
    let module = SmallModule::new(&[("first", one), ("second", one), ("third", one)]).unwrap();
    let good = module.document();
    let (first, rest) = good.split_once("ref: main").unwrap();
    let (second, third) = rest.split_once("ref: main").unwrap();
    let third = third.replace("/third", "/nowhere");
    let bad = format!("{first}ref: absent-1{second}ref: {}{third}", "0123456789".repeat(4));
    module.write_document("bad.yaml", &bad).unwrap();
    let ran = run_within_limit(&mut module.local("bad.yaml")).unwrap();
    let first =
        format!("first: branch, tag or commit \"absent-1\" of file://{}", module.path("first").display());
    assert_says(
        &ran,
        2,
        &[&first, "second: commit 0123456789", "third: the repository file://", "/nowhere does not exist"],
    );
    assert_eq!(packages(&ran, "building"), [""; 0], "{ran:#?}");
    assert_a_later_run_works(&module);
}

#[test]
fn a_component_without_a_spec_file_fails_the_module_and_is_mended_by_a_commit() {
    if !can_build() {
        return;
    }
    let module = SmallModule::new(&[("first", Content::Bytes(100)), ("bare", Content::NoSpec)]).unwrap();
    let ran = run_within_limit(&mut module.local("small.yaml")).unwrap();
    assert_says(
        &ran,
        1,
        &["Component(s) bare failed to build", "the repository of bare has no spec file", "root.log"],
    );
    let mended = SmallModule::new(&[("bare", Content::Bytes(100))]).unwrap();
    fs::remove_dir_all(module.path("bare")).unwrap();
    fs::rename(mended.path("bare"), module.path("bare")).unwrap();
    let later = assert_a_later_run_works(&module);
    assert!(later.err.contains(": first: reused as first-1-1."), "{later:#?}");
}
