//! A disk that fills up at each moment of a build, a real one: exit status 3, soon, and a later run goes on from there.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use mbs_tests::private_mounts::PrivateMounts;
use mbs_tests::small_module::{Content, SmallModule, release, waiting_build};
use mbs_tests::within::await_some;
use mbs_tests::{Ran, mbs_build};

use super::lacking_machine::{private_mounts, run_in};
use super::{assert_a_later_run_works, assert_built, assert_says, packages};

const LACKING: i32 = 3;

/// Room for everything, in KiB.
const ENOUGH: u64 = 200 * 1024;

/// A disk on which something else leaves no room, in KiB.
const FILLED: u64 = 40 * 1024;

/// How many bytes the large package brings; a build needs them about five times.
const LARGE: usize = 4 * 1024 * 1024;

/// A disk that is mounted on the folder `disk` of a module.
struct Disk {
    mounts: PrivateMounts,
    folder: PathBuf,
}

impl Disk {
    /// Mounts a disk of so many KiB; `None` if this machine allows none and that is all right.
    fn mounted(module: &SmallModule, kib: u64) -> Option<Self> {
        let mounts = private_mounts()?;
        let folder = module.path("disk");
        fs::create_dir_all(&folder).unwrap();
        mounts.mount_disk(&folder, kib).unwrap();
        Some(Self { mounts, folder })
    }

    fn results(&self) -> PathBuf {
        self.folder.join("results")
    }

    fn run(&self, module: &SmallModule) -> Ran {
        run_in(&self.mounts, module, &self.results()).unwrap()
    }

    fn make_room(&self) {
        self.mounts.resize_disk(&self.folder, ENOUGH).unwrap();
    }

    /// Writes a file that leaves so many KiB.
    fn fill(&self, left: usize) -> Result<()> {
        let filler = self.mounts.seen(&self.folder.join("filler"));
        let mut file = File::create(&filler)?;
        let block = [0; 4096];
        while file.write_all(&block).is_ok() {}
        let full = file.metadata()?.len();
        Ok(file.set_len(full.saturating_sub(left as u64 * 1024))?)
    }

    fn seen_results(&self) -> PathBuf {
        self.mounts.seen(&self.results())
    }
}

/// Asserts that a run ended for want of space and says so.
#[track_caller]
fn assert_is_full(ran: &Ran) {
    assert_says(ran, LACKING, &[]);
    let last: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("ERROR: ")).collect();
    let says = |words: &[&str]| last.iter().any(|line| words.iter().any(|word| line.contains(word)));
    assert!(says(&["no space", "space left"]), "{ran:#?}");
    assert!(says(&["make room there", "once that is mended, the same command"]), "{ran:#?}");
}

/// Asserts that a later run built the module without what was complete before; the macros go with each new build.
#[track_caller]
fn assert_goes_on(first: &Ran, later: &Ran) {
    assert_built(later);
    let complete = packages(first, "built ").into_iter().filter(|package| *package != "module-build-macros");
    for package in complete {
        assert!(!packages(later, "building").contains(&package), "{first:#?} {later:#?}");
    }
}

fn assert_ends_and_goes_on(kib: u64) {
    let module =
        SmallModule::new(&[("first", Content::Bytes(100)), ("large", Content::Bytes(LARGE))]).unwrap();
    let Some(disk) = Disk::mounted(&module, kib) else { return };
    let first = disk.run(&module);
    assert_is_full(&first);
    let again = disk.run(&module);
    assert_is_full(&again);
    disk.make_room();
    assert_goes_on(&first, &disk.run(&module));
}

#[test]
fn a_disk_without_room_for_the_record_names_its_file() {
    let module = SmallModule::new(&[("alone", Content::Bytes(100))]).unwrap();
    for kib in [4, 12] {
        let Some(disk) = Disk::mounted(&module, kib) else { return };
        let record = disk.results().join("state.json").display().to_string();
        let first = disk.run(&module);
        assert_says(&first, LACKING, &[&format!("no space left for {record}: make room there")]);
        disk.make_room();
        assert_built(&disk.run(&module));
    }
}

#[test]
fn a_disk_without_room_for_a_buildroot_ends_the_run() {
    assert_ends_and_goes_on(200);
}

#[test]
fn a_disk_without_room_for_the_copy_of_a_repository_ends_the_run() {
    assert_ends_and_goes_on(6 * 1024);
}

#[test]
fn a_disk_without_room_for_the_files_of_a_source_ends_the_run() {
    assert_ends_and_goes_on(12 * 1024);
}

#[test]
fn a_disk_that_a_build_fills_is_not_the_packages_fault() {
    assert_ends_and_goes_on(18 * 1024);
}

fn with_a_build_that_waits() -> SmallModule {
    SmallModule::new(&[("first", Content::Bytes(100)), ("waiting", Content::Waiting)]).unwrap()
}

/// Runs a build and lets go on what waits, after something else is done once.
fn run_releasing(module: &SmallModule, disk: &Disk, before: impl FnOnce()) -> Ran {
    let (out, err) = (module.path("out"), module.path("err"));
    let mut command = disk.mounts.command(mbs_build());
    command.args(module.arguments("small.yaml", &disk.results()));
    command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
    let mut run = command.spawn().unwrap();
    let mut before = Some(before);
    let ended = await_some("the end of the run", || {
        if let Some(pipe) = waiting_build(&disk.seen_results()) {
            if let Some(before) = before.take() {
                before();
            }
            // It may have been let go by the look before this one.
            drop(release(&pipe));
        }
        run.try_wait().unwrap()
    });
    let said = |path| fs::read_to_string(path).unwrap();
    Ran { status: ended.unwrap().code(), out: said(out), err: said(err) }
}

#[test]
fn a_disk_that_something_else_fills_during_a_build_ends_the_run() {
    let module = with_a_build_that_waits();
    let Some(disk) = Disk::mounted(&module, FILLED) else { return };
    let first = run_releasing(&module, &disk, || disk.fill(0).unwrap());
    assert_is_full(&first);
    assert_eq!(packages(&first, "built first"), ["first"], "{first:#?}");
    fs::remove_file(disk.mounts.seen(&disk.folder.join("filler"))).unwrap();
    let later = run_releasing(&module, &disk, || ());
    assert_goes_on(&first, &later);
    // Whether the build itself goes on or a new one reuses its parts depends on whether its end could still be recorded.
    let built = packages(&later, "building");
    assert!(built.contains(&"waiting") && !built.contains(&"first"), "{later:#?}");
}

#[test]
fn a_disk_without_room_for_the_final_results_keeps_all_that_is_built() {
    let module = with_a_build_that_waits();
    let Some(disk) = Disk::mounted(&module, FILLED) else { return };
    let first = run_releasing(&module, &disk, || disk.fill(8).unwrap());
    assert_is_full(&first);
    // What was built would wait for ever if it were built again, wherever the results are taken.
    let copy = module.results();
    let copied = Command::new("cp").arg("-a").arg(disk.seen_results()).arg(&copy).status().unwrap();
    assert!(copied.success());
    disk.make_room();
    for later in [disk.run(&module), assert_a_later_run_works(&module)] {
        assert_goes_on(&first, &later);
        assert_eq!(packages(&later, "building"), [""; 0], "{later:#?}");
    }
}
