//! The host's links between directories (`/lib64` → `usr/lib64`, `/usr/sbin` → `bin`), repeated in a layer.
//!
//! RPM then unpacks to where they lead, and what it unpacks hides no link of the host. Only for a layer without RPMs: once
//! these are unpacked, a path in it may lead anywhere.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use crate::error::{AtPath as _, LocalError};
use crate::files::ensure_directory;

/// What the sandbox makes itself in the root directory, whatever the host has there.
const OWN: [&str; 15] = [
    "usr", "etc", "var", "opt", "srv", "proc", "sys", "dev", "run", "tmp", "builddir", "home", "root", "mnt",
    "old",
];

/// Repeats the links to directories that stand in the root directory of the host, those apart that the sandbox replaces.
///
/// # Errors
/// If the host's root directory cannot be read, or a link not be made.
pub(super) fn repeat_top(host: &Path, layer: &Path) -> Result<(), LocalError> {
    let mut tops = BTreeSet::new();
    for entry in fs::read_dir(host).at(host)? {
        tops.insert(PathBuf::from(entry.at(host)?.file_name()));
    }
    repeat(&tops, host, layer)
}

/// Repeats the links to directories that lie on the way to these directories, which need not exist.
///
/// # Errors
/// If a link cannot be made.
pub(super) fn repeat(directories: &BTreeSet<PathBuf>, host: &Path, layer: &Path) -> Result<(), LocalError> {
    let host = host.canonicalize().at(host)?;
    directories.iter().try_for_each(|directory| repeat_on_the_way(directory, &host, layer))
}

/// Returns the directories in a list with a line `TYPE-AND-PERMISSIONS PATH` for each file.
pub(super) fn directories(list: &str) -> BTreeSet<PathBuf> {
    let directory = |line: &str| {
        let (kind, path) = line.split_once(' ')?;
        let path = Path::new(path);
        let directory = if kind.starts_with('d') { Some(path) } else { path.parent() };
        directory.filter(|directory| directory.is_absolute()).map(Path::to_path_buf)
    };
    list.lines().filter_map(directory).collect()
}

/// `seen` never has a link in it, so it means the same in the host and in the layer.
fn repeat_on_the_way(directory: &Path, host: &Path, layer: &Path) -> Result<(), LocalError> {
    let mut seen = PathBuf::new();
    for component in directory.components() {
        let Component::Normal(name) = component else { continue };
        let is_own = seen.as_os_str().is_empty() && OWN.iter().any(|own| *own == name);
        let next = seen.join(name);
        let path = host.join(&next);
        if !is_own && path.is_symlink() && path.is_dir() {
            let target = path.canonicalize().at(&path)?;
            let Ok(target) = target.strip_prefix(host) else { return Ok(()) };
            repeat_one(&next, target, layer)?;
            seen = target.to_path_buf();
        } else {
            seen = next;
        }
    }
    Ok(())
}

fn repeat_one(link: &Path, target: &Path, layer: &Path) -> Result<(), LocalError> {
    let place = layer.join(link);
    ensure_directory(&layer.join(target))?;
    ensure_directory(place.parent().unwrap_or(layer))?;
    if place.symlink_metadata().is_ok() {
        return Ok(());
    }
    let up = link.components().skip(1).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(target.components()).collect();
    symlink(relative, &place).at(&place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host with `lib64` → `usr/lib64`, `usr/sbin` → `bin`, `opt` → `var/opt`, and a layer with nothing.
    fn host_and_layer() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let room = tempfile::tempdir().unwrap();
        let (host, layer) = (room.path().join("host"), room.path().join("layer"));
        for directory in ["usr/lib64", "usr/bin", "var/opt", "run/lock"] {
            fs::create_dir_all(host.join(directory)).unwrap();
        }
        fs::create_dir_all(layer.join("usr")).unwrap();
        for (link, target) in
            [("lib64", "usr/lib64"), ("usr/sbin", "bin"), ("opt", "var/opt"), ("var/lock", "../run/lock")]
        {
            symlink(target, host.join(link)).unwrap();
        }
        (room, host, layer)
    }

    #[test]
    fn link_to_a_directory_below_the_root_is_repeated() {
        let (_room, host, layer) = host_and_layer();
        let list = "-rwxr-xr-x /usr/sbin/program\ndrwxr-xr-x /var/lock\n-rw-r--r-- /usr/share/data\n";
        repeat(&directories(list), &host, &layer).unwrap();
        assert_eq!(fs::read_link(layer.join("usr/sbin")).unwrap(), Path::new("../usr/bin"));
        assert_eq!(fs::read_link(layer.join("var/lock")).unwrap(), Path::new("../run/lock"));
        assert!(layer.join("usr/bin").is_dir() && layer.join("run/lock").is_dir());
        assert!(!layer.join("usr/share").exists());
    }

    #[test]
    fn link_that_the_sandbox_replaces_by_a_directory_is_left_out() {
        let (_room, host, layer) = host_and_layer();
        repeat_top(&host, &layer).unwrap();
        assert_eq!(fs::read_link(layer.join("lib64")).unwrap(), Path::new("usr/lib64"));
        assert!(!layer.join("opt").is_symlink());
    }

    #[test]
    fn link_that_leads_out_of_the_host_is_left_out() {
        let (room, host, layer) = host_and_layer();
        symlink(room.path(), host.join("usr/out")).unwrap();
        repeat(&BTreeSet::from(["/usr/out/x".into()]), &host, &layer).unwrap();
        assert!(!layer.join("usr/out").exists());
    }
}
