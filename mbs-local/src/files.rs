//! Files that must be whole or not there at all: written beside, made durable, then renamed.
//!
//! Decides nothing about what is in them.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{AtPath as _, LocalError};

/// A disk with less room than this counts as full: 16 MiB.
const LEAST_ROOM: usize = 16 * 1024 * 1024;

/// How much of the end of a log is looked at: what a build prints has no bound.
const END_BYTES: u64 = 256 * 1024;

/// Writes the file so that a crash leaves the old one or the new one, never half of it.
///
/// # Errors
/// As [`LocalError::of_file`] sorts them; the old file is then untouched.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), LocalError> {
    let directory = parent(path);
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(directory).at(path)?;
    file.write_all(content).at(path)?;
    file.as_file().sync_all().at(path)?;
    make_readable(file.path())?;
    file.persist(path).map_err(|error| LocalError::of_file(path, error.error))?;
    sync_directory(directory)
}

/// Makes the names in a directory durable.
///
/// # Errors
/// If the directory cannot be opened or synchronised.
pub fn sync_directory(path: &Path) -> Result<(), LocalError> {
    File::open(path).and_then(|directory| directory.sync_all()).at(path)
}

/// Checks that the directory is not on a full disk, by writing a little into it and taking that away again.
///
/// # Errors
/// `DiskFull` if there is next to no room, or the user's quota is used up; other trouble with files.
pub fn check_room(directory: &Path) -> Result<(), LocalError> {
    let mut tried = tempfile::tempfile_in(directory).at(directory)?;
    let zeros = [0; 64 * 1024];
    (0..LEAST_ROOM / zeros.len()).try_for_each(|_| tried.write_all(&zeros)).at(directory)
}

/// Returns `DiskFull` in place of an error that may come from just that: programs word it in their own ways.
pub fn unless_full(error: LocalError, directory: &Path) -> LocalError {
    match check_room(directory) {
        Err(full @ LocalError::DiskFull { .. }) => full,
        _ => error,
    }
}

/// Creates the directory and those above it; one that is there is fine.
///
/// # Errors
/// If it cannot be created.
pub fn ensure_directory(path: &Path) -> Result<(), LocalError> {
    fs::create_dir_all(path).at(path)
}

/// As [`ensure_directory`], and from now on nobody but our user may look into it: programs with rights may lie there.
///
/// # Errors
/// `Unusable` if there is something of that name that is no directory, or one of another user; nothing is changed then. Else
/// if it cannot be created.
pub fn ensure_private_directory(path: &Path) -> Result<(), LocalError> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let our_user = fs::metadata("/proc/self").at("/proc/self")?.uid();
    let refused = |why| Err(LocalError::Unusable(format!("{} {why}; use another folder", path.display())));
    match fs::symlink_metadata(path) {
        Ok(data) if !data.is_dir() => return refused("is a link or a file, not a folder"),
        Ok(data) if data.uid() != our_user => return refused("belongs to another user"),
        Ok(_) => {}
        Err(_) => ensure_directory(path)?,
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).at(path)
}

/// Removes the directory with all that is in it; one that is not there is fine. Links in it are removed, not followed.
///
/// What a build made may be closed to our own user, who then opens it first.
///
/// # Errors
/// If something in it cannot be removed.
pub fn remove_directory(path: &Path) -> Result<(), LocalError> {
    let removed = match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            open_directories(path)?;
            fs::remove_dir_all(path)
        }
        removed => removed,
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(LocalError::of_file(path, error)),
        _ => Ok(()),
    }
}

/// Lets our user read and change the directory and those in it.
fn open_directories(path: &Path) -> Result<(), LocalError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::symlink_metadata(path).at(path)?.permissions().mode();
    if mode & 0o700 != 0o700 {
        fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o777 | 0o700)).at(path)?;
    }
    for entry in fs::read_dir(path).at(path)? {
        let entry = entry.at(path)?;
        if entry.file_type().at(path)?.is_dir() {
            open_directories(&entry.path())?;
        }
    }
    Ok(())
}

/// Returns the end of a log, as text; of bytes that are none, what can be shown.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn end_of_log(path: &Path) -> Result<String, LocalError> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = File::open(path).at(path)?;
    let length = file.metadata().at(path)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END_BYTES))).at(path)?;
    let mut bytes = Vec::new();
    file.take(END_BYTES).read_to_end(&mut bytes).at(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Gives the file a second name, or a copy where the file system allows no hard link; a file of that name is replaced.
///
/// # Errors
/// If the original cannot be read or the copy not written.
pub fn link_or_copy(from: &Path, to: &Path) -> Result<(), LocalError> {
    let directory = tempfile::Builder::new().prefix(".new-").tempdir_in(parent(to)).at(to)?;
    let beside = directory.path().join("file");
    if fs::hard_link(from, &beside).is_err() {
        fs::copy(from, &beside).at(from)?;
        File::open(&beside).and_then(|file| file.sync_all()).at(&beside)?;
    }
    fs::rename(&beside, to).at(to)
}

/// Moves a file, by copying where it goes to another file system.
///
/// # Errors
/// If the original cannot be read or removed, or the new one not written.
pub fn move_file(from: &Path, to: &Path) -> Result<(), LocalError> {
    if fs::rename(from, to).is_ok() {
        return Ok(());
    }
    link_or_copy(from, to)?;
    fs::remove_file(from).at(from)
}

/// Lists the files of a directory whose names end so (`.rpm`), sorted; empty if the directory is not there.
///
/// # Errors
/// If the directory cannot be read.
pub fn files_ending(directory: &Path, end: &str) -> Result<Vec<PathBuf>, LocalError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.at(directory)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.at(directory)?.path();
        if path.is_file() && path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(end)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Lists what a build left in a directory under names that end so, as [`files_ending`]; the directory is `below` under `home`.
///
/// The build may have put a link or a device wherever it can write, so nothing on the way from `home` is followed. The inner
/// error says what the package left instead of a directory or a file.
///
/// # Errors
/// If a directory cannot be read.
pub(crate) fn products(
    home: &Path,
    below: &str,
    end: &str,
) -> Result<Result<Vec<PathBuf>, String>, LocalError> {
    let mut directory = home.to_path_buf();
    for name in Path::new(below) {
        directory.push(name);
        match fs::symlink_metadata(&directory) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Ok(Vec::new())),
            data if data.as_ref().is_ok_and(fs::Metadata::is_dir) => {}
            data => {
                data.at(&directory)?;
                let left = directory.strip_prefix(home).unwrap_or(&directory);
                return Ok(Err(format!("the build left {} that is no directory", left.display())));
            }
        }
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).at(&directory)? {
        let entry = entry.at(&directory)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(end) {
            continue;
        }
        if !entry.file_type().at(&directory)?.is_file() {
            return Ok(Err(format!("the build left {name} that is no regular file")));
        }
        found.push(entry.path());
    }
    found.sort();
    Ok(Ok(found))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn make_readable(path: &Path) -> Result<(), LocalError> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_file_replaces_the_old_one_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("task.json");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn linked_file_replaces_one_of_the_same_name() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("a.rpm"), directory.path().join("b.rpm"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        link_or_copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
        assert_eq!(files_ending(directory.path(), ".rpm").unwrap(), [from, to]);
    }

    #[test]
    fn end_of_a_log_is_bounded_and_need_not_be_text() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let most = usize::try_from(END_BYTES).unwrap();
        fs::write(&log, [vec![b'x'; 2 * most], b"caf\xe9 closed\n".to_vec()].concat()).unwrap();
        let end = end_of_log(&log).unwrap();
        assert!(end.ends_with("xcaf\u{fffd} closed\n") && end.chars().count() == most, "{}", end.len());
    }

    #[test]
    fn private_directory_is_closed_to_others_even_if_it_was_open() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        fs::create_dir(&old).unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
        for path in [old, new] {
            ensure_private_directory(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn directory_behind_a_link_is_not_made_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("target"), directory.path().join("work"));
        fs::create_dir(&target).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let refused = ensure_private_directory(&link).unwrap_err().to_string();
        assert!(refused.contains("work is a link or a file, not a folder"), "{refused}");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o755);
    }

    /// Set in the process without root's rights: the directory to remove.
    const CLOSED: &str = "MBS_TEST_CLOSED_DIRECTORY";

    /// Not a test of its own: what [`directories_closed_to_our_user_are_removed`] has another user do.
    #[test]
    fn closed_directory_is_removed_by_its_owner() {
        if let Some(closed) = std::env::var_os(CLOSED) {
            remove_directory(Path::new(&closed)).unwrap();
        }
    }

    #[test]
    fn directories_closed_to_our_user_are_removed() {
        use std::os::unix::fs::{PermissionsExt as _, chown};
        use std::process::Command;
        let room = tempfile::tempdir().unwrap();
        let (closed, outside) = (room.path().join("closed"), room.path().join("outside"));
        fs::create_dir_all(closed.join("a/b")).unwrap();
        fs::write(closed.join("a/b/file"), "").unwrap();
        fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, closed.join("a/link")).unwrap();
        let is_root = chown(&outside, Some(0), None).is_ok();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        set(&outside, 0o555);
        for (path, mode) in [("a/b", 0o000), ("a", 0o555), ("", 0o500)] {
            if is_root {
                chown(closed.join(path), Some(65534), None).unwrap();
            }
            set(&closed.join(path), mode);
        }
        let program = room.path().join("test");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        let mut command = Command::new("setpriv");
        if is_root {
            // Root is never refused, so somebody else removes it.
            chown(room.path(), Some(65534), None).unwrap();
            command.args(["--reuid=65534", "--clear-groups", "--inh-caps=-all"]);
        }
        command.arg(program).args(["--exact", "files::tests::closed_directory_is_removed_by_its_owner"]);
        assert!(command.env(CLOSED, &closed).status().unwrap().success());
        assert!(!closed.exists());
        assert_eq!(fs::metadata(&outside).unwrap().permissions().mode() & 0o777, 0o555);
    }

    #[test]
    fn missing_directory_has_no_files_and_needs_no_removal() {
        let nowhere = Path::new("/nonexistent/of/a/test");
        assert!(files_ending(nowhere, ".rpm").unwrap().is_empty());
        remove_directory(nowhere).unwrap();
    }
}
