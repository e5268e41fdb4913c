//! The lock of a results directory: one program at a time works in it.
//!
//! The kernel holds the lock for as long as the process lives, so a killed one leaves none behind. The file also says who
//! holds it, for the message only; what it says is never relied upon.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{AtPath as _, LocalError};
use crate::files::ensure_directory;

/// The lock's file in the results directory.
pub const LOCK_FILE: &str = "lock";

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
    /// `InUse` if somebody else holds it; `Machine` if the directory cannot be made or written.
    pub fn take(directory: &Path) -> Result<Self, LockError> {
        ensure_directory(directory)?;
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
    fn a_file_where_the_directory_should_be_is_an_error_of_the_machine() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
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
