//! What a test needs of the machine, and what is said where that is not there.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::thread;

/// What a local build of the examples needs, and what its results are judged with.
const PROGRAMS: [&str; 11] = [
    "git",
    "rpm",
    "rpmbuild",
    "createrepo_c",
    "gcc",
    "make",
    "unshare",
    "modulemd-validator",
    "rpm2cpio",
    "cpio",
    "sha1sum",
];

/// Folders of programs that are not on everybody's `PATH`.
const USUAL: [&str; 4] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"];

/// Mounts in a folder what the namespace of a build is made of; `$2` are more options of an overlay.
const MOUNTS: &str = r#"
mount -t tmpfs tmpfs "$1" && cd "$1" && mkdir upper work top proc sys &&
mount -t overlay -o "lowerdir=/usr,upperdir=upper,workdir=work$2" overlay top && mkdir top/probe &&
mount -t proc proc proc && mount -t sysfs -o ro sysfs sys
"#;

/// Why no local build can be made or judged here.
static OBSTACLE: LazyLock<Option<String>> = LazyLock::new(|| {
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|name| program(name).is_none()).collect();
    if !missing.is_empty() {
        return Some(format!("scripts/install-needed test installs {}", missing.join(", ")));
    }
    refused_namespace().map(|why| format!("this machine allows no private namespace with an overlay: {why}"))
});

/// Says whether local builds can be made and judged here; if not, prints why.
///
/// # Panics
/// As [`left_out`].
pub fn can_build() -> bool {
    OBSTACLE.as_ref().is_none_or(|why| left_out(why).unwrap_or(false))
}

/// Prints that the test that calls it is left out, and why; returns `None`.
///
/// # Panics
/// If nothing may be left out here: `MBS_REFERENCE_REQUIRED` is set.
pub fn left_out<T>(why: &str) -> Option<T> {
    assert!(env::var_os("MBS_REFERENCE_REQUIRED").is_none(), "{why}");
    let this = thread::current();
    let said = format!("left out: {}: {why}\n", this.name().unwrap_or("a test"));
    // Past the test harness, which keeps what good tests print to itself.
    drop(std::io::stderr().write_all(said.as_bytes()));
    None
}

/// Returns the path of a program; `None` if it is not installed.
pub fn program(name: &str) -> Option<PathBuf> {
    folders_of_programs().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Returns the folders in which programs are looked for: those of `PATH`, then the usual ones.
pub fn folders_of_programs() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders.into_iter().chain(USUAL.map(PathBuf::from))
}

/// Returns why namespaces as those of a build are refused, with the rights that are here or as root of a user namespace.
fn refused_namespace() -> Option<String> {
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return Some(format!("no temporary folder: {error}")),
    };
    let as_we_are = refused_mounts(folder.path(), &[], "");
    as_we_are.and_then(|_| refused_mounts(folder.path(), &["--user", "--map-root-user"], ",userxattr"))
}

fn refused_mounts(folder: &Path, user: &[&str], overlay_options: &str) -> Option<String> {
    let mut command = Command::new("unshare");
    command.args(user).args([
        "--mount",
        "--propagation",
        "private",
        "--pid",
        "--fork",
        "--ipc",
        "--uts",
        "--net",
    ]);
    command.args(["--", "sh", "-c", MOUNTS, "sh"]).arg(folder).arg(overlay_options);
    match command.output() {
        Ok(done) if done.status.success() => None,
        Ok(done) => Some(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    }
}
