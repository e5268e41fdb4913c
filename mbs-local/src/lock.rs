//! The lock of a results directory: one program at a time works in it.
//!
//! The kernel holds the lock for as long as the process lives, so a killed one leaves none behind. The file also says who
//! holds it, for the message only; what it says is never relied upon.
//!
//! Whoever holds the lock removes what earlier programs left, so a directory that is somebody else's is never locked: without
//! a record of builds there must be nothing in it that may not be ours.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::{AtPath as _, LocalError};
use crate::files::ensure_directory;
use crate::leftovers::UNFINISHED;

/// The lock's file in the results directory.
pub const LOCK_FILE: &str = "lock";

/// The record of builds in the results directory: a database.
pub const RECORD_FILE: &str = "builds.db";

/// What the database keeps beside its file while it is open.
const BESIDE_RECORD: [&str; 2] = ["builds.db-wal", "builds.db-shm"];

/// Longest holder's name that is repeated, in bytes.
const LONGEST_HOLDER: u64 = 20;

/// The right to work in a results directory, until dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    directory: PathBuf,
    _file: File,
}

/// Why a directory was not locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another program works in it: wait for its end, or use another directory.
    #[error("{} is in use by {}; wait for its end or use another directory", directory.display(), holder(.process))]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The other process; `None` if it did not say.
        process: Option<u32>,
    },
    /// It holds what is not ours, which our work in it could harm: use a new or empty one.
    #[error(
        "{} is no results directory of mbs-build: it holds {}; give a new or empty one",
        directory.display(),
        entry.display()
    )]
    Foreign {
        /// The directory.
        directory: PathBuf,
        /// The first name in it that is not ours.
        entry: OsString,
    },
    /// Its builds are another user's: build as that one, or use another directory.
    #[error("the builds in {} belong to another user; build as that one or use another directory", directory.display())]
    NotOurs {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory or the lock cannot be made: see the reason.
    #[error(transparent)]
    Machine(#[from] LocalError),
}

fn holder(process: &Option<u32>) -> String {
    match process {
        Some(id) => format!("another mbs-build (process {id})"),
        None => "another mbs-build".to_owned(),
    }
}

impl DirectoryLock {
    /// Locks a directory, which is made if missing, without waiting.
    ///
    /// # Errors
    /// `InUse` if somebody else holds it; `NotOurs` if another user builds in it; `Foreign` if it is used for something else; `Machine` if the directory cannot be made
    /// or written.
    pub fn take(directory: &Path) -> Result<Self, LockError> {
        ensure_directory(directory)?;
        if !is_ours(directory)? {
            return Err(LockError::NotOurs { directory: directory.to_owned() });
        }
        if let Some(entry) = foreign_entry(directory)? {
            return Err(LockError::Foreign { directory: directory.to_owned(), entry });
        }
        let path = directory.join(LOCK_FILE);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.at(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let process = said_holder(&mut file);
                return Err(LockError::InUse { directory: directory.to_owned(), process });
            }
            Err(TryLockError::Error(error)) => return Err(LocalError::of_file(&path, error).into()),
        }
        say_holder(&mut file).at(&path)?;
        Ok(Self { directory: directory.to_owned(), _file: file })
    }

    /// Returns the directory that is locked.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Whether the record of builds, if there is one, belongs to our user.
fn is_ours(directory: &Path) -> Result<bool, LocalError> {
    let our_user = fs::metadata("/proc/self").at("/proc/self")?.uid();
    let record = directory.join(RECORD_FILE);
    match fs::symlink_metadata(&record) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        data => Ok(data.at(&record)?.uid() == our_user),
    }
}

/// Returns the first name in a directory that shows it to be used for something else.
fn foreign_entry(directory: &Path) -> Result<Option<OsString>, LocalError> {
    if !may_be_our_lock(&directory.join(LOCK_FILE))? {
        return Ok(Some(LOCK_FILE.into()));
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).at(directory)? {
        names.push(entry.at(directory)?.file_name());
    }
    names.sort();
    let foreign = names.into_iter().find(|name| !may_be_ours(name));
    // Asked last: another program may just begin here, and it makes the record before all else.
    Ok(foreign.filter(|_| !directory.join(RECORD_FILE).is_file()))
}

fn may_be_ours(name: &OsStr) -> bool {
    // The last one is in every new file system.
    let is_named = [LOCK_FILE, RECORD_FILE, "lost+found"].iter().any(|ours| name == *ours);
    is_named
        || BESIDE_RECORD.iter().any(|ours| name == *ours)
        || name.to_string_lossy().starts_with(UNFINISHED)
        || name.to_string_lossy().starts_with("module-")
}

/// Whether there is no such file, or one with nothing but the number of a process.
fn may_be_our_lock(path: &Path) -> Result<bool, LocalError> {
    let data = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        data => data.at(path)?,
    };
    if !data.is_file() || data.len() > LONGEST_HOLDER {
        return Ok(false);
    }
    let said = fs::read(path).at(path)?;
    Ok(said.trim_ascii_end().iter().all(u8::is_ascii_digit))
}

fn say_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn said_holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(LONGEST_HOLDER).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_and_names_the_first_holder() {
        let directory = tempfile::tempdir().unwrap();
        let results = directory.path().join("made/by/the/lock");
        let first = DirectoryLock::take(&results).unwrap();
        assert_eq!(first.directory(), results);
        let refused = DirectoryLock::take(&results).unwrap_err();
        assert!(matches!(refused, LockError::InUse { process: Some(id), .. } if id == std::process::id()));
        assert!(refused.to_string().contains(&format!("(process {})", std::process::id())), "{refused}");
    }

    #[test]
    fn a_lock_that_is_given_up_can_be_taken_again() {
        let directory = tempfile::tempdir().unwrap();
        drop(DirectoryLock::take(directory.path()).unwrap());
        DirectoryLock::take(directory.path()).unwrap();
    }

    #[test]
    fn a_directory_with_other_things_is_refused_and_left_as_it_is() {
        for name in ["work/git/project/file", "notes", ".profile", "1/task"] {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "mine").unwrap();
            let refused = DirectoryLock::take(directory.path()).unwrap_err();
            let first = name.split('/').next().unwrap();
            assert!(matches!(&refused, LockError::Foreign { entry, .. } if entry == first), "{refused}");
            assert!(refused.to_string().contains("give a new or empty one"), "{refused}");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_lock_file_that_is_not_ours_is_refused_and_keeps_its_content() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(RECORD_FILE), "{}").unwrap();
        let lock = directory.path().join(LOCK_FILE);
        for content in ["version = 3", "123456789012345678901234567890", "12\n34\n"] {
            fs::write(&lock, content).unwrap();
            let refused = DirectoryLock::take(directory.path()).unwrap_err();
            assert!(matches!(&refused, LockError::Foreign { entry, .. } if entry == LOCK_FILE), "{refused}");
            assert_eq!(fs::read_to_string(&lock).unwrap(), content);
        }
        fs::remove_file(&lock).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &lock).unwrap();
        assert!(matches!(DirectoryLock::take(directory.path()), Err(LockError::Foreign { .. })));
    }

    #[test]
    fn builds_of_another_user_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let record = directory.path().join(RECORD_FILE);
        fs::write(&record, "{}").unwrap();
        if std::os::unix::fs::chown(&record, Some(65534), None).is_err() {
            // Only root gives files away.
            return;
        }
        let refused = DirectoryLock::take(directory.path()).unwrap_err();
        assert!(matches!(&refused, LockError::NotOurs { .. }), "{refused}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_an_earlier_run_left_does_not_keep_a_later_one_out() {
        let killed_at_once = tempfile::tempdir().unwrap();
        fs::write(killed_at_once.path().join(LOCK_FILE), "17\n").unwrap();
        fs::write(killed_at_once.path().join(".new-Xy1"), "half").unwrap();
        fs::create_dir(killed_at_once.path().join("module-app-1-2")).unwrap();
        DirectoryLock::take(killed_at_once.path()).unwrap();
        let used = tempfile::tempdir().unwrap();
        fs::write(used.path().join(RECORD_FILE), "{}").unwrap();
        fs::create_dir(used.path().join("work")).unwrap();
        DirectoryLock::take(used.path()).unwrap();
    }

    #[test]
    fn a_file_where_the_directory_should_be_is_an_error_of_the_machine() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = DirectoryLock::take(&file).unwrap_err();
        assert!(matches!(refused, LockError::Machine(_)), "{refused}");
        assert!(refused.to_string().contains("file"), "{refused}");
    }

    #[test]
    fn a_holder_that_said_nothing_is_not_named() {
        let text = LockError::InUse { directory: "/d".into(), process: None }.to_string();
        assert_eq!(text, "/d is in use by another mbs-build; wait for its end or use another directory");
    }
}
