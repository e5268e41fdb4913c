//! Buildroots, tags, targets, imports.

use super::*;
use crate::memory::samples::{component, new_build};
use crate::model::ModuleBuild;

fn ensure(
    plant: &MemoryBuildSystem,
    change: impl FnOnce(&mut BuildrootSpec),
) -> Result<(), BuildSystemError> {
    let mut spec = spec();
    change(&mut spec);
    now_or_panic(plant.ensure_buildroot(&spec)).map(drop)
}

fn names(packages: &BTreeSet<Package>) -> Vec<&str> {
    packages.iter().map(Package::as_str).collect()
}

#[test]
fn a_buildroot_is_as_described_and_ensuring_twice_is_ensuring_once() {
    let plant = plant();
    let before = plant.tag(&id("module-app-build")).unwrap();
    ensure(&plant, |_| {}).unwrap();
    assert_eq!(plant.tag(&id("module-app-build")).unwrap(), before);
    assert_eq!(before.arches, [id::<Arch>("i686"), id("x86_64")]);
    assert_eq!((names(&before.packages), names(&before.blocked)), (vec!["liba", "libb"], vec!["libb"]));
    assert_eq!(before.inherits, [id("f29-build")]);
    assert!(before.groups["build"].contains("bash") && before.groups["srpm-build"].is_empty());
    assert!(plant.has_target(&id("module-app")));
}

#[test]
fn a_later_buildroot_adds_groups_and_unblocks_but_blocks_no_more() {
    let plant = plant();
    let before = plant.last_event();
    ensure(&plant, |spec| {
        spec.build_group.push("module-build-macros".into());
        spec.blocked.insert(0, id("liba"));
        spec.unblocked = vec![id("libb")];
    })
    .unwrap();
    let tag = plant.tag(&id("module-app-build")).unwrap();
    assert_eq!(names(&tag.blocked), [] as [&str; 0]);
    assert_eq!(tag.groups["build"].len(), 2);
    assert!(plant.last_event() > before, "repositories show it from a newer event on");
}

#[test]
fn a_buildroot_that_makes_no_sense_is_refused() {
    let plant = plant();
    assert!(is_missing(&ensure(&plant, |spec| spec.inherits.push(id("nope"))), "the tag nope"));
    assert!(is_rejected(&ensure(&plant, |spec| spec.arches.reverse())));
    assert!(is_rejected(&ensure(&plant, |spec| spec.packages.push(id("libb")))));
    assert!(is_rejected(&ensure(&plant, |spec| spec.arches.clear())));
    assert!(is_rejected(&ensure(&plant, |spec| spec.unblocked.push(id("liba")))));
    assert!(is_rejected(&ensure(&plant, |spec| spec.tag = spec.build_tag.clone())));
}

#[test]
fn what_is_unknown_or_unfinished_cannot_be_tagged() {
    let plant = plant();
    let nvr: Nvr = id(&format!("liba-1-1{DIST}"));
    assert!(is_gone(&tag(&plant, "module-app", &nvr), &nvr));
    let task = submit(&plant, &job("liba"));
    assert!(is_gone(&tag(&plant, "module-app", &nvr), &nvr));
    plant.finish(task).unwrap();
    assert!(is_missing(&tag(&plant, "nope", &nvr), "the tag nope"));
    assert_eq!(tag(&plant, "module-app", &nvr), Ok(()));
}

#[test]
fn only_packages_of_the_list_can_be_tagged_and_submitting_lists() {
    let plant = plant();
    plant.add_build(&id("libz-1-1"), &[]).unwrap();
    assert!(is_rejected(&tag(&plant, "module-app", &id("libz-1-1"))));
    submit(&plant, &job("libz"));
    assert_eq!(tag(&plant, "module-app", &id("libz-1-1")), Ok(()));
    let liar = TagRequest { tag: id("module-app"), package: id("liba"), nvr: id("libz-1-1") };
    assert!(is_rejected(&now_or_panic(plant.ensure_tagged(&[liar]))));
}

#[test]
fn a_target_that_a_live_task_needs_is_kept() {
    let plant = plant();
    let task = submit(&plant, &job("liba"));
    assert!(is_conflict(&now_or_panic(plant.remove_target(&id("module-app")))));
    plant.finish(task).unwrap();
    now_or_panic(plant.remove_target(&id("module-app"))).unwrap();
    assert!(!plant.has_target(&id("module-app")));
}

#[test]
fn a_tag_that_somebody_removed_takes_its_targets_along() {
    let plant = plant();
    plant.remove_tag(&id("module-app-build")).unwrap();
    assert!(!plant.has_target(&id("module-app")));
    ensure(&plant, |_| {}).unwrap();
    assert_eq!(plant.builds_in(&id("module-app-build")), []);
}

fn finished(nvr: Option<&Nvr>) -> FinishedModule {
    let mut build = ModuleBuild::begin(new_build("app:1:1:a"), BuildId(1), BuildId(1), at(0));
    build.koji_tag = Some(id("module-app"));
    build.components = vec![component("liba").into(), component(MACROS_PACKAGE).into()];
    build.components[0].nvr = nvr.cloned();
    build.components[1].build_time_only = true;
    FinishedModule { build: Box::new(build), log: vec![] }
}

#[test]
fn a_module_is_imported_once_when_all_of_it_is_tagged() {
    let plant = plant();
    let nvr = build(&plant, "liba");
    let import = |module: &FinishedModule| now_or_panic(plant.import_module(module));
    assert!(is_rejected(&import(&finished(None))));
    assert!(is_rejected(&import(&finished(Some(&nvr)))));
    tag(&plant, "module-app", &nvr).unwrap();
    assert_eq!(import(&finished(Some(&nvr))), Ok(()));
    assert_eq!(import(&finished(None)), Ok(()), "it exists already");
    assert_eq!(plant.imports(), [finished(Some(&nvr))]);
}

#[test]
fn a_scratch_build_or_one_without_tag_is_never_imported() {
    let plant = plant();
    let mut module = finished(None);
    module.build.new.scratch = true;
    assert!(is_rejected(&now_or_panic(plant.import_module(&module))));
    let mut module = finished(None);
    module.build.koji_tag = None;
    assert!(is_rejected(&now_or_panic(plant.import_module(&module))));
}
