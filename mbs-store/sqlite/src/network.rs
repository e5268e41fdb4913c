//! Whether a file lies on a file system of the network, where SQLite's locks do not hold and its shared memory is not shared.
//!
//! Asks the kernel's list of mounts. Where there is none, or it cannot be read, a file counts as local.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// File systems of which two machines may have the same file open.
///
/// `9p` and `virtiofs` are not among them: they give a guest a directory of its own host, and are the only disk of some
/// sandboxes. Host and guest must not open the file at once; nobody but those who set up the guest could do so.
const NETWORKED: [&str; 19] = [
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "fuse.ceph",
    "fuse.glusterfs",
    "fuse.s3fs",
    "fuse.sshfs",
    "gfs2",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "smbfs",
];

/// Returns the type of the file system that a path is on, if it is one of the network. The file need not exist.
///
/// # Errors
/// The directory of the file cannot be found.
pub(crate) fn networked(path: &Path) -> io::Result<Option<String>> {
    let place = match path.canonicalize() {
        Ok(place) => place,
        Err(error) if error.kind() == io::ErrorKind::NotFound => directory(path).canonicalize()?,
        Err(error) => return Err(error),
    };
    let Ok(mounts) = fs::read("/proc/self/mountinfo") else { return Ok(None) };
    Ok(networked_in(&String::from_utf8_lossy(&mounts), &place))
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// Of the mounts that hold a place the innermost counts, and of those the last. Source: proc(5), `mountinfo`.
fn networked_in(mounts: &str, place: &Path) -> Option<String> {
    let holding = mounts.lines().filter_map(mount).filter(|(point, _)| place.starts_with(point));
    let (_, kind) = holding.max_by_key(|(point, _)| point.components().count())?;
    NETWORKED.contains(&kind).then(|| kind.to_owned())
}

/// Returns the mount point and the type of a mount.
fn mount(line: &str) -> Option<(PathBuf, &str)> {
    let (mount, file_system) = line.split_once(" - ")?;
    Some((unescaped(mount.split(' ').nth(4)?), file_system.split(' ').next()?))
}

/// Undoes the kernel's escapes: a backslash and three octal digits stand for a byte.
fn unescaped(text: &str) -> PathBuf {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match escaped.filter(|_| *first == b'\\') {
            Some(byte) => (bytes.push(byte), rest = &after[3..]),
            None => (bytes.push(*first), rest = after),
        };
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = r"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/local rw - xfs /dev/sdb1 rw
32 22 0:42 / /srv/my\040data rw master:2 - fuse.sshfs anna@host: rw
33 22 0:43 / /over rw - nfs server:/over rw
34 33 0:44 / /over rw - tmpfs tmpfs rw
35 22 0:45 / /guest rw - 9p host rw";

    fn found(place: &str) -> Option<String> {
        networked_in(MOUNTS, Path::new(place))
    }

    #[test]
    fn the_innermost_mount_counts_and_of_those_the_last() {
        assert_eq!(found("/home/anna"), Some("nfs4".to_owned()));
        assert_eq!(found("/srv/my data/store"), Some("fuse.sshfs".to_owned()));
        for local in ["/var/lib/mbs", "/home/local/anna", "/homes", "/over/x", "/guest"] {
            assert_eq!(found(local), None, "{local}");
        }
    }

    #[test]
    fn lines_that_are_not_understood_are_left_out() {
        assert_eq!(networked_in("\n1 2 3\n - \n1 2 0:1 / \\9 rw - nfs x rw", Path::new("/x")), None);
    }

    #[test]
    fn the_directory_must_be_there_but_not_the_file() {
        let directory = tempfile::tempdir().unwrap();
        assert!(networked(&directory.path().join("none.db")).is_ok());
        assert!(networked(&directory.path().join("none/none.db")).is_err());
    }
}
