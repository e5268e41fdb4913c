//! Do RPM's own programs take the source RPM of module-build-macros, and build what was meant?

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::civil::date;
use mbs_core::macros::{MacrosInput, MacrosPackage};
use mbs_core::modulemd::{BuildOpts, ModuleStream, Xmd};
use mbs_core::policy::Policy;
use mbs_koji::source_rpm::source_rpm;

const DIST_TAG: &str = "module+f40+7+c0ffee42";
const OWN_MACROS: &str = "%with_tests 0\n%cflags \\\n  -O2 %{?x}\n";

/// A source RPM in a folder of its own.
struct Room {
    folder: tempfile::TempDir,
    package: MacrosPackage,
    file: PathBuf,
}

impl Room {
    /// Makes one; `None` after saying so if the machine has no such programs.
    ///
    /// # Panics
    /// They are missing although required.
    fn with(programs: &[&str]) -> Option<Self> {
        for program in programs {
            if Command::new(program).arg("--version").output().is_err() {
                let is_required = std::env::var_os("MBS_REFERENCE_REQUIRED").is_some();
                assert!(!is_required, "{program} is missing");
                eprintln!("left out: {program} is missing");
                return None;
            }
        }
        let folder = tempfile::tempdir().expect("there is room for files");
        let package = package();
        let rpm = source_rpm(&package, &format!(".{DIST_TAG}")).expect("it can be made");
        let file = folder.path().join(&rpm.file_name);
        std::fs::write(&file, &rpm.bytes).expect("there is room for files");
        Some(Self { folder, package, file })
    }

    /// Runs a program and returns what it prints.
    ///
    /// # Panics
    /// It ends with an error.
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env("HOME", self.folder.path());
        let output = command.env("LC_ALL", "C.UTF-8").output().expect("it can be started");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}:\n{printed}{said}");
        printed
    }

    fn query(&self, file: &Path, format: &str) -> String {
        self.run("rpm", &["-qp", "--qf", format, path(file)])
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("our own names are text")
}

/// A package with all that one can have: conflicts, own macros, and more text than fits into a block.
fn package() -> MacrosPackage {
    let filtered = (0..300).map(|at| Xmd::from(&*format!("filtered{at}-0:1.{at}-1.fc40"))).collect();
    let map = |key: &str, value| Xmd::Map(vec![(key.to_owned(), value)]);
    let buildrequires = map("perl", map("filtered_rpms", Xmd::Seq(filtered)));
    let document = ModuleStream {
        xmd: map("mbs", map("buildrequires", buildrequires)),
        buildopts: BuildOpts { macros: Some(OWN_MACROS.into()), ..BuildOpts::default() },
        ..ModuleStream::default()
    };
    MacrosPackage::write(&MacrosInput {
        nsvc: &"testmodule:master:20240102030405:c0ffee42".parse().expect("it is one"),
        dist_tag: DIST_TAG,
        document: &document,
        reused: &Default::default(),
        policy: &Policy::default(),
        today: date(2024, 2, 9),
    })
}

#[test]
fn rpm_reads_the_header_that_koji_needs() {
    let Some(room) = Room::with(&["rpm"]) else { return };
    let format = "%{name} %{epoch} %{version} %{release} %{arch} %{buildarchs} %{sourcepackage} %{license} %{buildtime}";
    let release = format!("1.{DIST_TAG}");
    let expected = format!("module-build-macros (none) 0.1 {release} noarch noarch 1 MIT 1707480000");
    assert_eq!(room.query(&room.file, format), expected);
    assert_eq!(room.query(&room.file, "%{summary}"), "RPM macros of one module build");
    assert_eq!(room.query(&room.file, "%{sigmd5}").len(), 32);
    assert_eq!(room.query(&room.file, "%{buildhost}"), "(none)");
    let nvr = MacrosPackage::nvr(DIST_TAG);
    assert_eq!(room.query(&room.file, "%{nvr}"), nvr.to_string());
    assert!(room.file.ends_with(format!("{nvr}.src.rpm")));
}

#[test]
fn rpm_finds_two_files_with_bare_names_and_all_digests_right() {
    let Some(room) = Room::with(&["rpm"]) else { return };
    let file = path(&room.file);
    assert_eq!(room.run("rpm", &["-qpl", file]), "macros.zz-modules\nmodule-build-macros.spec\n");
    let checked = room.run("rpm", &["-K", "-v", "--nosignature", file]);
    for digest in ["Header SHA256 digest: OK", "Payload SHA256 digest: OK", "MD5 digest: OK"] {
        assert!(checked.contains(digest), "{checked}");
    }
    assert!(!checked.contains("BAD"), "{checked}");
}

#[test]
fn a_damaged_payload_is_found_out_by_rpm() {
    let Some(room) = Room::with(&["rpm"]) else { return };
    let mut bytes = std::fs::read(&room.file).expect("it was written");
    let place = bytes.len() - 20;
    bytes[place] ^= 1;
    let damaged = room.folder.path().join("damaged.src.rpm");
    std::fs::write(&damaged, bytes).expect("there is room for files");
    let output =
        Command::new("rpm").args(["-K", "--nosignature", path(&damaged)]).output().expect("it starts");
    assert!(!output.status.success());
}

#[test]
fn rpmbuild_makes_of_it_the_package_with_the_macros_file() {
    let Some(room) = Room::with(&["rpm", "rpmbuild", "rpm2cpio", "cpio"]) else { return };
    let top = format!("_topdir {}", path(&room.folder.path().join("top")));
    room.run("rpmbuild", &["--rebuild", "--define", &top, path(&room.file)]);
    let nvr = MacrosPackage::nvr(DIST_TAG);
    let built = room.folder.path().join(format!("top/RPMS/noarch/{nvr}.noarch.rpm"));
    assert_eq!(room.run("rpm", &["-qpl", path(&built)]), "/etc/rpm/macros.zz-modules\n");
    assert_eq!(room.query(&built, "%{sourcerpm}"), format!("{nvr}.src.rpm"));
    let conflicts = room.run("rpm", &["-qp", "--conflicts", path(&built)]);
    assert_eq!(conflicts.lines().count(), 300);
    assert!(conflicts.contains("filtered7 = 0:1.7-1.fc40\n"), "{conflicts}");
    let unpack =
        format!("rpm2cpio {} | cpio --quiet -i --to-stdout ./etc/rpm/macros.zz-modules", path(&built));
    assert_eq!(room.run("sh", &["-c", &unpack]), room.package.macros);
    assert!(room.package.macros.ends_with(OWN_MACROS));
}
