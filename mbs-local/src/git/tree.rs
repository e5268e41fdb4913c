//! The files of one commit: which there are, and how they get out of the repository.
//!
//! Contents come byte for byte: no filters, no line ends, no large-file pointers followed, no submodules. Trees come
//! from anyone, so every path and link is checked before anything is written, and links are written last, so that nothing is
//! ever written through one.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use mbs_core::ident::CommitId;
use mbs_core::source_control::SourceError;

use super::address::rejected;
use super::failure::disk_error;
use super::remote::Remote;

/// Most entries of one commit.
const MOST_ENTRIES: usize = 200_000;

/// Longest target of a link, in bytes.
const LONGEST_LINK: u64 = 4096;

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File,
    /// A file that may be run.
    Program,
    /// A symbolic link; its content is the target.
    Link,
    /// A folder.
    Folder,
    /// A commit of another repository.
    Submodule,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// What it is.
    pub(super) kind: Kind,
    /// The hash of its content.
    pub(super) object: String,
    /// Bytes of its content; 0 for folders and submodules.
    pub(super) size: u64,
    /// Where it lies, from the root.
    pub(super) path: PathBuf,
}

/// Which part of a commit's tree to list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'p> {
    /// Everything, folders opened.
    Whole,
    /// What lies directly in a folder; `""` is the root.
    Folder(&'p str),
    /// One path.
    Path(&'p str),
}

impl Remote {
    /// Lists entries of a commit that is here. Sorted as git sorts.
    ///
    /// # Errors
    /// `Rejected` if there are too many or the answer makes no sense.
    pub(super) async fn entries(
        &mut self,
        commit: &CommitId,
        part: Part<'_>,
    ) -> Result<Vec<Entry>, SourceError> {
        let call = self.git().await?.args(["ls-tree", "-z", "-l", "--full-tree"]);
        let call = match part {
            Part::Whole => call.args(["-r", commit.as_str()]),
            Part::Folder("") => call.args([commit.as_str()]),
            Part::Folder(folder) => call.args([commit.as_str(), "--", &format!("{folder}/")]),
            Part::Path(path) => call.args([commit.as_str(), "--", path]),
        };
        let listed = call.printed().await.map_err(|failure| self.error(failure))?;
        let lines = listed.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        let entries: Option<Vec<Entry>> = lines.take(MOST_ENTRIES + 1).map(entry).collect();
        match entries {
            Some(entries) if entries.len() <= MOST_ENTRIES => Ok(entries),
            Some(_) => Err(rejected(format!("{} has more than {MOST_ENTRIES} files", self.address()))),
            None => Err(rejected(format!("the files of {} cannot be listed", self.address()))),
        }
    }

    /// Copies the contents of entries, one after the other, into a file that vanishes when closed.
    ///
    /// # Errors
    /// `Rejected` if they are larger together than a commit may be, `Unavailable` for trouble with the disk.
    pub(super) async fn contents(&mut self, entries: &[Entry], most: u64) -> Result<Contents, SourceError> {
        let total = entries.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
        if total > most {
            let reason = format!("{} holds {total} bytes of files, {most} are allowed", self.address());
            return Err(rejected(reason));
        }
        let wanted: String = entries.iter().map(|entry| format!("{}\n", entry.object)).collect();
        let (input, output) = self.files_between(&wanted).map_err(|error| self.disk(&error))?;
        let reader = output.try_clone().map_err(|error| self.disk(&error))?;
        let call = self.git().await?.args(["cat-file", "--batch"]).between(input, output);
        call.printed().await.map_err(|failure| self.error(failure))?;
        Contents::of(reader).map_err(|error| self.disk(&error))
    }

    /// An error about this machine's disk.
    pub(super) fn disk(&self, error: &io::Error) -> SourceError {
        disk_error(self.address(), error)
    }

    fn files_between(&self, wanted: &str) -> io::Result<(File, File)> {
        let (mut input, output) = (self.scratch_file()?, self.scratch_file()?);
        input.write_all(wanted.as_bytes())?;
        input.rewind()?;
        Ok((input, output))
    }
}

/// Reads one line of `ls-tree`: mode, type, hash, padded size, tab, path.
fn entry(line: &[u8]) -> Option<Entry> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let head = std::str::from_utf8(&line[..tab]).ok()?;
    let mut words = head.split_ascii_whitespace();
    let (mode, _, object, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let kind = match mode {
        "100755" => Kind::Program,
        "120000" => Kind::Link,
        "160000" => Kind::Submodule,
        "040000" => Kind::Folder,
        mode if mode.starts_with("100") => Kind::File,
        _ => return None,
    };
    let path = PathBuf::from(OsStr::from_bytes(&line[tab + 1..]));
    Some(Entry { kind, object: object.to_owned(), size: size.parse().unwrap_or(0), path })
}

/// Contents of entries, in their order.
#[derive(Debug)]
pub(super) struct Contents(BufReader<File>);

impl Contents {
    fn of(mut file: File) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self(BufReader::new(file)))
    }

    /// Copies the next content to a writer.
    ///
    /// # Errors
    /// The writer fails, or git did not give what was announced.
    pub(super) fn copy_next(&mut self, entry: &Entry, to: &mut impl io::Write) -> io::Result<()> {
        let mut head = String::new();
        self.0.by_ref().take(200).read_line(&mut head)?;
        if head.trim_end() != format!("{} blob {}", entry.object, entry.size) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let copied = io::copy(&mut self.0.by_ref().take(entry.size), to)?;
        let mut end = [0];
        self.0.read_exact(&mut end)?;
        if copied == entry.size && end == *b"\n" { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// Takes the next content as bytes.
    ///
    /// # Errors
    /// Git did not give what was announced.
    pub(super) fn next_bytes(&mut self, entry: &Entry) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.copy_next(entry, &mut bytes)?;
        Ok(bytes)
    }
}

/// Keeps of a commit's entries what is written to disk, having checked all of them.
///
/// # Errors
/// What is wrong, with the path.
pub(super) fn writable(entries: Vec<Entry>) -> Result<Vec<Entry>, String> {
    for entry in &entries {
        if !is_inside(&entry.path) {
            return Err(format!("the path {:?} does not stay in its folder", entry.path));
        }
        if entry.kind == Kind::Link && entry.size > LONGEST_LINK {
            return Err(format!("the target of the link {:?} is too long", entry.path));
        }
    }
    Ok(entries.into_iter().filter(|entry| !matches!(entry.kind, Kind::Folder | Kind::Submodule)).collect())
}

/// Whether a path leads from a folder to something in it that git itself would write.
fn is_inside(path: &Path) -> bool {
    let is_fine = |part: Component<'_>| match part {
        Component::Normal(name) => !name.eq_ignore_ascii_case(".git"),
        _ => false,
    };
    let bytes = path.as_os_str().as_bytes();
    let has_empty = bytes.split(|byte| *byte == b'/').any(|part| matches!(part, b"" | b"."));
    !has_empty && path.components().all(is_fine)
}

/// Whether a link stays in the tree whose root its path starts from.
///
/// `..` may stand in front only: there it starts from real folders, behind a name it could start from another link.
fn stays_inside(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    let mut was_down = false;
    for part in target.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if was_down || depth == 0 => return false,
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => was_down = true,
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    !target.as_os_str().is_empty()
}

/// Writes checked entries into an empty folder, files first, then links.
///
/// # Errors
/// `InvalidData`, with words for people, if the tree is no possible one or a link leads out of it; else trouble with the disk.
pub(super) fn write_tree(folder: &Path, entries: &[Entry], mut contents: Contents) -> io::Result<()> {
    let mut links = Vec::new();
    for entry in entries {
        if entry.kind == Kind::Link {
            let target = contents.next_bytes(entry)?;
            links.push((entry, PathBuf::from(OsStr::from_bytes(&target))));
        } else {
            let mut file = new_file(folder, entry).map_err(|error| impossible(entry, error))?;
            contents.copy_next(entry, &mut file)?;
        }
    }
    for (entry, target) in links {
        if !stays_inside(&entry.path, &target) {
            return Err(invalid(format!("the link {:?} leads out of the tree", entry.path)));
        }
        let at = folder.join(&entry.path);
        make_parent(&at).and_then(|()| symlink(target, &at)).map_err(|error| impossible(entry, error))?;
    }
    Ok(())
}

fn new_file(folder: &Path, entry: &Entry) -> io::Result<File> {
    let at = folder.join(&entry.path);
    make_parent(&at)?;
    let mode = if entry.kind == Kind::Program { 0o755 } else { 0o644 };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(at)
}

fn make_parent(of: &Path) -> io::Result<()> {
    of.parent().map_or(Ok(()), |parent| DirBuilder::new().recursive(true).mode(0o755).create(parent))
}

/// A name that is taken means that the tree holds something twice, or a file as a folder.
fn impossible(entry: &Entry, error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            invalid(format!("the path {:?} is there twice", entry.path))
        }
        _ => error,
    }
}

fn invalid(words: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        let entry =
            |path: &str| Entry { kind: Kind::File, object: String::new(), size: 0, path: path.into() };
        for good in ["a", "a/b c", ".gitignore", "a/..b", "-x"] {
            writable(vec![entry(good)]).unwrap();
        }
        for bad in
            ["..", "../a", "a/../../b", "/etc/passwd", "a//b", "./a", "a/./b", ".git/config", "a/.GIT/x", ""]
        {
            assert!(writable(vec![entry(bad)]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn links_that_leave_the_tree_are_seen_through() {
        let stays = |link: &str, target: &str| stays_inside(Path::new(link), Path::new(target));
        assert!(stays("l", "a/b") && stays("d/l", "../a") && stays("d/e/l", "../../a") && stays("l", "./a"));
        assert!(
            !stays("l", "..") && !stays("l", "/etc/passwd") && !stays("d/l", "../../a") && !stays("l", "")
        );
        assert!(!stays("d/e/l", "../a/.."), "d/a may be a link to the root");
    }

    #[test]
    fn entries_of_impossible_trees_never_overwrite() {
        let folder = tempfile::tempdir().unwrap();
        let entry = |kind, path: &str, size| Entry { kind, object: "0".into(), size, path: path.into() };
        let contents = |text: &str| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            Contents::of(file).unwrap()
        };
        let twice = [entry(Kind::File, "a", 1), entry(Kind::File, "a/b", 1)];
        let error = write_tree(folder.path(), &twice, contents("0 blob 1\nx\n0 blob 1\ny\n")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        let through = [entry(Kind::Link, "l", 1), entry(Kind::File, "l/b", 1)];
        let error = write_tree(folder.path(), &through, contents("0 blob 1\n.\n0 blob 1\ny\n")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    }

    #[test]
    fn contents_that_were_not_announced_are_refused() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0 blob 9\nx\n").unwrap();
        let entry = Entry { kind: Kind::File, object: "0".into(), size: 1, path: "a".into() };
        let error = Contents::of(file).unwrap().next_bytes(&entry).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
