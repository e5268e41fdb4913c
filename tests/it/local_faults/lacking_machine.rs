//! A machine on which a program, a permission or a free results directory is lacking: exit status 3.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use mbs_tests::Ran;
use mbs_tests::built::mbs_build;
use mbs_tests::held::{release, waiting_builds};
use mbs_tests::needed::{can_build, left_out};
use mbs_tests::private_mounts::PrivateMounts;
use mbs_tests::small_module::{Content, SmallModule};
use mbs_tests::within::{eventually, run_within_limit};

use super::{assert_a_later_run_works, assert_built, assert_says};

const LACKING: i32 = 3;

fn module() -> SmallModule {
    SmallModule::new(&[("alone", Content::Bytes(100))]).unwrap()
}

/// A machine to make worse; `None` if this one allows none and that is all right.
pub(super) fn private_mounts() -> Option<PrivateMounts> {
    PrivateMounts::new().map_or_else(|error| left_out(&format!("{error:#}")), Some)
}

/// Runs the module's own document on a machine that was made worse.
pub(super) fn run_in(mounts: &PrivateMounts, module: &SmallModule, results: &Path) -> Result<Ran> {
    let arguments = module.arguments("small.yaml", results);
    run_within_limit(mounts.command(mbs_build()).args(arguments))
}

#[test]
fn a_missing_program_is_named_with_the_packages_that_bring_it() {
    if !can_build() {
        return;
    }
    let module = module();
    for (program, debian, fedora) in [
        ("rpmbuild", "apt-get install rpm;", "dnf install rpm-build)"),
        ("createrepo_c", "apt-get install createrepo-c;", "dnf install createrepo_c)"),
        ("git", "apt-get install git;", "dnf install git-core)"),
    ] {
        let Some(mounts) = private_mounts() else { return };
        mounts.hide_program(program).unwrap();
        let ran = run_in(&mounts, &module, &module.results()).unwrap();
        assert_says(&ran, LACKING, &[&format!("{program} is not installed"), debian, fedora]);
    }
    assert!(!module.results().exists(), "results were made for nothing");
    assert_a_later_run_works(&module);
}

#[test]
fn a_program_that_went_away_between_two_runs_is_missed_and_the_work_is_kept() {
    if !can_build() {
        return;
    }
    let module = module();
    assert_a_later_run_works(&module);
    let Some(mounts) = private_mounts() else { return };
    mounts.hide_program("rpmbuild").unwrap();
    let ran = run_in(&mounts, &module, &module.results()).unwrap();
    assert_says(&ran, LACKING, &["rpmbuild is not installed"]);
    let later = assert_a_later_run_works(&module);
    assert!(later.err.contains("alone: reused"), "{later:#?}");
}

#[test]
fn git_is_looked_for_where_the_user_has_programs() {
    if !can_build() {
        return;
    }
    let module = module();
    let empty = module.path("empty");
    fs::create_dir(&empty).unwrap();
    let ran = run_within_limit(module.local("small.yaml").env("PATH", &empty)).unwrap();
    assert_says(&ran, LACKING, &["git is not installed", "apt-get install git"]);
    assert_a_later_run_works(&module);
}

#[test]
fn a_read_only_results_directory_is_named_with_what_to_do() {
    if !can_build() {
        return;
    }
    let module = module();
    let Some(mounts) = private_mounts() else { return };
    let results = module.results();
    fs::create_dir(&results).unwrap();
    let said = ["Read-only file system", "--results"];
    let bound = |options: &str| {
        let path = results.as_os_str();
        mounts.mount(["-o".as_ref(), options.as_ref(), path, path])
    };
    bound("bind").unwrap();
    bound("remount,bind,ro").unwrap();
    // An empty one, one below it that would have to be made, and one with results.
    let ran = run_in(&mounts, &module, &results).unwrap();
    assert_says(
        &ran,
        LACKING,
        &[&format!("{} cannot be used", results.join("lock").display()), said[0], said[1]],
    );
    let below = results.join("below");
    let ran = run_in(&mounts, &module, &below).unwrap();
    assert_says(&ran, LACKING, &[&format!("{} cannot be used", below.display()), said[0], said[1]]);
    let first = assert_a_later_run_works(&module);
    let ran = run_in(&mounts, &module, &results).unwrap();
    assert_says(&ran, LACKING, &["cannot be used", said[0], said[1]]);
    bound("remount,bind,rw").unwrap();
    let later = run_in(&mounts, &module, &results).unwrap();
    assert_built(&later);
    assert!(first.err.contains("alone: built") && later.err.contains("alone: reused"), "{later:#?}");
}

#[test]
fn results_in_use_name_the_other_run_which_goes_on_undisturbed() {
    if !can_build() {
        return;
    }
    let module = SmallModule::new(&[("alone", Content::Waiting)]).unwrap();
    let log = fs::File::create(module.path("log")).unwrap();
    let mut command = module.local("small.yaml");
    let mut other = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let waiting = || Ok(waiting_builds(&module.results())?.remove("alone"));
    let pipe = eventually("a build that waits", waiting).unwrap();
    let ran = run_within_limit(&mut module.local("small.yaml")).unwrap();
    let holder = format!("in use by another mbs-build (process {})", other.id());
    let results = module.results().display().to_string();
    assert_says(&ran, LACKING, &[&holder, &results, "wait for its end or use another directory"]);
    let _until_read = release(&pipe).unwrap();
    let status = eventually("the end of the other run", || Ok(other.try_wait()?)).unwrap();
    assert_eq!(status.code(), Some(0), "{}", fs::read_to_string(module.path("log")).unwrap());
    assert_a_later_run_works(&module);
}

#[test]
fn a_damaged_record_is_left_untouched_and_a_restored_one_serves_again() {
    if !can_build() {
        return;
    }
    let module = module();
    assert_a_later_run_works(&module);
    let (record, copy) = (module.results().join("builds.db"), module.path("copy.db"));
    fs::copy(&record, &copy).unwrap();
    let whole = fs::read(&record).unwrap();
    fs::write(&record, &whole[..whole.len() / 2]).unwrap();
    let ran = run_within_limit(&mut module.local("small.yaml")).unwrap();
    assert_says(
        &ran,
        LACKING,
        &[&record.display().to_string(), "was left untouched", "restore it from a copy"],
    );
    assert_eq!(fs::read(&record).unwrap(), whole[..whole.len() / 2]);
    fs::rename(&copy, &record).unwrap();
    let later = assert_a_later_run_works(&module);
    assert!(later.err.contains("alone: reused"), "{later:#?}");
}

#[test]
fn output_that_nobody_reads_does_not_keep_the_module_from_being_built() {
    if !can_build() {
        return;
    }
    let module = module();
    let script = "\"$@\" 2>&1 | true";
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(mbs_build())
        .args(module.arguments("small.yaml", &module.results()));
    run_within_limit(&mut command).unwrap();
    let later = assert_a_later_run_works(&module);
    assert!(later.err.contains("alone: reused"), "{later:#?}");
}
