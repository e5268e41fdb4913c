//! A disk that fills up at each moment of a build, a real one: exit status 3, soon, and a later run goes on from there.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use mbs_tests::Ran;
use mbs_tests::built::mbs_build;
use mbs_tests::held::{ShadowedProgram, release, waiting_builds};
use mbs_tests::needed::can_build;
use mbs_tests::private_mounts::PrivateMounts;
use mbs_tests::small_module::{Content, SmallModule};
use mbs_tests::within::{eventually, run_within_limit};

use super::lacking_machine::{private_mounts, run_in};
use super::{assert_a_later_run_works, assert_built, assert_says, packages};

const LACKING: i32 = 3;

/// Room for everything.
const ENOUGH: Room = Room { kib: 200 * 1024, databases: 6 };

/// A disk on which something else leaves no room.
const FILLED: Room = Room { kib: 40 * 1024, databases: 5 };

/// How many bytes the large package brings; a build needs them about five times.
const LARGE: usize = 4 * 1024 * 1024;

/// How much there is on a disk: some KiB, and so many copies of the host's RPM database, of which each buildroot holds one.
#[derive(Debug, Clone, Copy)]
struct Room {
    kib: u64,
    databases: u64,
}

impl Room {
    fn in_kib(self) -> u64 {
        static DATABASE: LazyLock<u64> = LazyLock::new(|| database_kib().unwrap());
        self.kib + self.databases * *DATABASE
    }
}

/// Returns what a copy of the host's RPM database takes; 0 where RPM does not know the host's packages.
fn database_kib() -> Result<u64> {
    if Path::new("/var/lib/dpkg/status").is_file() {
        return Ok(0);
    }
    let copy = tempfile::tempdir()?;
    let script = "rpmdb --exportdb | rpmdb --importdb --dbpath \"$1\" && du -sk \"$1\"";
    let done = Command::new("sh").args(["-c", script, "sh"]).arg(copy.path()).output()?;
    let said = String::from_utf8(done.stdout)?;
    let kib = said.split_whitespace().next().context("the host's RPM database cannot be copied")?;
    Ok(kib.parse()?)
}

/// The least that a file takes on a disk of ours, in KiB.
fn page_kib() -> u64 {
    let asked = Command::new("getconf").arg("PAGESIZE").output().unwrap();
    let bytes: u64 = String::from_utf8(asked.stdout).unwrap().trim().parse().unwrap();
    bytes / 1024
}

/// A disk that is mounted on the folder `disk` of a module.
struct Disk {
    mounts: PrivateMounts,
    folder: PathBuf,
}

impl Disk {
    /// Mounts a disk; `None` if this machine allows none and that is all right.
    fn mounted(module: &SmallModule, room: Room) -> Option<Self> {
        let mounts = private_mounts()?;
        let folder = module.path("disk");
        fs::create_dir_all(&folder).unwrap();
        mounts.mount_disk(&folder, room.in_kib()).unwrap();
        Some(Self { mounts, folder })
    }

    fn results(&self) -> PathBuf {
        self.folder.join("results")
    }

    fn run(&self, module: &SmallModule) -> Ran {
        run_in(&self.mounts, module, &self.results()).unwrap()
    }

    fn make_room(&self) {
        self.mounts.resize_disk(&self.folder, ENOUGH.in_kib()).unwrap();
    }

    /// Writes a file that leaves no room.
    fn fill(&self) -> Result<()> {
        let mut file = File::create(self.mounts.seen(&self.folder.join("filler")))?;
        while file.write_all(&[0; 4096]).is_ok() {}
        Ok(())
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

/// Asserts that a build ends for want of space where there are so many databases when it does, and goes on with more room.
fn assert_ends_and_goes_on(kib: u64, databases: u64) {
    if !can_build() {
        return;
    }
    let module =
        SmallModule::new(&[("first", Content::Bytes(100)), ("large", Content::Bytes(LARGE))]).unwrap();
    let Some(disk) = Disk::mounted(&module, Room { kib, databases }) else { return };
    let first = disk.run(&module);
    assert_is_full(&first);
    let again = disk.run(&module);
    assert_is_full(&again);
    disk.make_room();
    assert_goes_on(&first, &disk.run(&module));
}

#[test]
fn a_disk_without_room_for_the_record_names_its_file() {
    if !can_build() {
        return;
    }
    let module = SmallModule::new(&[("alone", Content::Bytes(100))]).unwrap();
    for pages in [1, 3] {
        let room = Room { kib: pages * page_kib(), databases: 0 };
        let Some(disk) = Disk::mounted(&module, room) else { return };
        let record = disk.results().join("builds.db").display().to_string();
        let first = disk.run(&module);
        assert_says(&first, LACKING, &[&format!("no space left for {record}: make room there")]);
        disk.make_room();
        assert_built(&disk.run(&module));
    }
}

#[test]
fn a_disk_without_room_for_a_buildroot_ends_the_run() {
    assert_ends_and_goes_on(200, 0);
}

#[test]
fn a_disk_without_room_for_the_copy_of_a_repository_ends_the_run() {
    assert_ends_and_goes_on(6 * 1024, 3);
}

#[test]
fn a_disk_without_room_for_the_files_of_a_source_ends_the_run() {
    assert_ends_and_goes_on(12 * 1024, 3);
}

#[test]
fn a_disk_that_a_build_fills_is_not_the_packages_fault() {
    assert_ends_and_goes_on(18 * 1024, 4);
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
    let ended = eventually("the end of the run", || {
        for pipe in waiting_builds(&disk.seen_results())?.values() {
            if let Some(before) = before.take() {
                before();
            }
            // It may have been let go by the look before this one.
            drop(release(pipe));
        }
        Ok(run.try_wait()?)
    });
    let said = |path| fs::read_to_string(path).unwrap();
    Ran { status: ended.unwrap().code(), out: said(out), err: said(err) }
}

#[test]
fn a_disk_that_something_else_fills_during_a_build_ends_the_run() {
    if !can_build() {
        return;
    }
    let module = with_a_build_that_waits();
    let Some(disk) = Disk::mounted(&module, FILLED) else { return };
    let first = run_releasing(&module, &disk, || disk.fill().unwrap());
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
    if !can_build() {
        return;
    }
    let module =
        SmallModule::new(&[("first", Content::Bytes(100)), ("second", Content::Bytes(100))]).unwrap();
    let Some(disk) = Disk::mounted(&module, FILLED) else { return };
    // The moment at which modules.yaml goes into the results' metadata: all is built then, and nothing more is removed.
    let fill = format!("head -c 100M /dev/zero > '{}' 2> /dev/null", disk.folder.join("filler").display());
    let filling = ShadowedProgram::new("modifyrepo_c", "--mdtype=modules", &fill).unwrap();
    let mut command = disk.mounts.command(mbs_build());
    command.args(module.arguments("small.yaml", &disk.results())).env("PATH", filling.path().unwrap());
    let first = run_within_limit(&mut command).unwrap();
    assert_is_full(&first);
    assert_eq!(packages(&first, "built ").len(), 3, "{first:#?}");
    let copy = module.results();
    let copied = Command::new("cp").arg("-a").arg(disk.seen_results()).arg(&copy).status().unwrap();
    assert!(copied.success());
    disk.make_room();
    for later in [disk.run(&module), assert_a_later_run_works(&module)] {
        assert_goes_on(&first, &later);
        assert_eq!(packages(&later, "building"), [""; 0], "{later:#?}");
    }
}
