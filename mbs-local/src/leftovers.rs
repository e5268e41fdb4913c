//! Files that a program was writing when it was killed.
//!
//! Knows them by the names that [`crate::files`] gives to what is not whole yet; looks at nothing else.

use std::fs;
use std::path::Path;

use crate::error::{AtPath as _, LocalError};
use crate::files::remove_directory;

/// How names begin of what is written beside its place.
pub(crate) const UNFINISHED: &str = ".new-";

/// Removes what was left unfinished in a directory. Only for who knows that nobody writes there: the holder of its lock.
///
/// # Errors
/// If the directory cannot be read, or something in it not removed.
pub fn remove_leftovers(directory: &Path) -> Result<(), LocalError> {
    for entry in fs::read_dir(directory).at(directory)? {
        let entry = entry.at(directory)?;
        if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            continue;
        }
        let path = entry.path();
        if entry.file_type().at(&path)?.is_dir() {
            remove_directory(&path)?;
        } else {
            fs::remove_file(&path).at(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_unfinished_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(".new-file"), "half").unwrap();
        fs::create_dir_all(directory.path().join(".new-folder/inner")).unwrap();
        fs::write(directory.path().join("new-file"), "whole").unwrap();
        remove_leftovers(directory.path()).unwrap();
        let names: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["new-file"]);
    }
}
