//! Which files are read, and their bytes. What they say is decided in [`super::documents`].

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::ModuleFilesError;
use super::problems::Problems;

/// So many files are read; a checkout of all modules of a distribution has a few thousand.
const MOST_FILES: usize = 10_000;

/// How many folders deep below a named one files are looked for.
const DEEPEST: usize = 3;

/// How the names of files end that are read in folders.
const ENDINGS: [&str; 4] = [".yaml", ".yml", ".yaml.gz", ".yml.gz"];

/// What a compressed file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Returns the files that paths stand for, in the order of the paths, in folders by name; none twice.
///
/// # Errors
/// `Missing`: a path does not exist.
pub(super) fn files(paths: &[PathBuf], problems: &mut Problems) -> Result<Vec<PathBuf>, ModuleFilesError> {
    let mut walk = Walk { problems, seen: BTreeSet::new(), found: Vec::new(), left_out: 0 };
    paths.iter().try_for_each(|path| walk.named(path))?;
    if walk.left_out > 0 {
        let Walk { problems, left_out, .. } = walk;
        problems.add(format!("only {MOST_FILES} files are read: {left_out} are left out"));
    }
    Ok(walk.found)
}

struct Walk<'p> {
    problems: &'p mut Problems,
    /// The files that were met, whatever links led there.
    seen: BTreeSet<PathBuf>,
    found: Vec<PathBuf>,
    left_out: usize,
}

impl Walk<'_> {
    /// Takes in what somebody named: it is read whatever it is called.
    fn named(&mut self, path: &Path) -> Result<(), ModuleFilesError> {
        match fs::canonicalize(path) {
            Ok(real) if real.is_dir() => self.folder(path, &real, 0),
            Ok(real) => self.file(path, real),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(ModuleFilesError::Missing { path: path.to_path_buf() });
            }
            Err(error) => self.problem(path, &error.to_string()),
        }
        Ok(())
    }

    fn folder(&mut self, folder: &Path, root: &Path, depth: usize) {
        let entries: io::Result<Vec<DirEntry>> = fs::read_dir(folder).and_then(Iterator::collect);
        match entries {
            Ok(mut entries) => {
                entries.sort_by_key(DirEntry::file_name);
                entries.iter().for_each(|entry| self.entry(entry, root, depth));
            }
            Err(error) => self.problem(folder, &error.to_string()),
        }
    }

    fn entry(&mut self, entry: &DirEntry, root: &Path, depth: usize) {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            return;
        }
        let is_document = ENDINGS.iter().any(|ending| name.ends_with(ending));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < DEEPEST => self.folder(&path, root, depth + 1),
            Ok(kind) if kind.is_dir() => {
                self.problem(&path, &format!("it is more than {DEEPEST} folders deep and is not read"));
            }
            Ok(kind) if is_document && (kind.is_file() || kind.is_symlink()) => self.listed(&path, root),
            Ok(_) => {}
            Err(error) => self.problem(&path, &error.to_string()),
        }
    }

    /// Takes in a file of a folder; a link only if it stays in there.
    fn listed(&mut self, path: &Path, root: &Path) {
        match fs::canonicalize(path) {
            Ok(real) if !real.starts_with(root) => {
                self.problem(path, "it is a link that leads out of its folder and is not read");
            }
            Ok(real) if real.is_file() => self.file(path, real),
            Ok(_) => {}
            Err(error) => self.problem(path, &error.to_string()),
        }
    }

    fn file(&mut self, path: &Path, real: PathBuf) {
        if !self.seen.insert(real) {
            return;
        }
        if self.found.len() < MOST_FILES {
            self.found.push(path.to_path_buf());
        } else {
            self.left_out += 1;
        }
    }

    fn problem(&mut self, path: &Path, what: &str) {
        self.problems.add(format!("{}: {what}", path.display()));
    }
}

/// Reads a file, unpacked if it is compressed, of at most so many bytes.
///
/// # Errors
/// It cannot be read, or is longer; in words.
pub(super) fn read(path: &Path, most_bytes: usize) -> Result<Vec<u8>, String> {
    let bounded = |from: &mut dyn Read| -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        // One byte more than allowed shows that there is more.
        from.take(most_bytes as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() > most_bytes {
            Err(format!("it is longer than {most_bytes} bytes"))
        } else {
            Ok(bytes)
        }
    };
    let written = bounded(&mut File::open(path).map_err(|error| error.to_string())?)?;
    if written.starts_with(&GZIP) { bounded(&mut MultiGzDecoder::new(&written[..])) } else { Ok(written) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_beyond_the_limit_are_left_out_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..MOST_FILES + 2 {
            File::create(folder.path().join(format!("{number}.yaml"))).unwrap();
        }
        let mut problems = Problems::default();
        let files = files(&[folder.path().to_path_buf()], &mut problems).unwrap();
        assert_eq!(files.len(), MOST_FILES);
        assert_eq!(problems.into_texts(), ["only 10000 files are read: 2 are left out"]);
    }

    #[test]
    fn a_file_that_is_too_long_is_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err(), "it is longer than 4 bytes");
    }
}
