//! Repositories on disk: a directory of RPMs with metadata, as package managers read it.
//!
//! A tag's repositories are numbered by the event whose content they show; each is made beside and
//! renamed when whole, so that a directory with a number is a finished repository. The final repository of a
//! module also carries `modules.yaml`. Which RPMs go in is decided elsewhere.

use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{AtPath as _, LocalError};
use crate::files::{
    ensure_directory, files_ending, link_or_copy, remove_directory, sync_directory, unless_full,
    write_atomically,
};
use crate::process::Invocation;
use crate::programs::{Program, Programs};

/// Older repositories of a tag that are kept for those who still read them.
const KEPT: usize = 2;

/// How all metadata is packed, whatever a version of the program prefers.
const COMPRESSION: &str = "--general-compress-type=gz";

/// Makes repositories with `createrepo_c` and `modifyrepo_c`.
#[derive(Debug, Clone)]
pub struct Repositories {
    createrepo: PathBuf,
    modifyrepo: PathBuf,
}

/// A finished repository of a tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// The event whose content it shows; larger is later.
    pub event: i64,
    /// The directory, with `repodata` and the RPMs.
    pub path: PathBuf,
}

impl Repository {
    /// Returns its RPMs, in the order in which they were given when it was made.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn rpms(&self) -> Result<Vec<PathBuf>, LocalError> {
        let list = self.path.join("rpms");
        let names = fs::read_to_string(&list).at(&list)?;
        Ok(names.lines().map(|name| self.path.join(name)).collect())
    }
}

impl Repositories {
    /// Finds the programs.
    ///
    /// # Errors
    /// `Lacking` if one is missing.
    pub fn new(programs: &Programs) -> Result<Self, LocalError> {
        let createrepo = programs.find(Program::CreaterepoC)?;
        Ok(Self { createrepo, modifyrepo: programs.find(Program::ModifyrepoC)? })
    }

    /// Makes the repository of an event below a tag's directory; one that is there already is returned as it is.
    ///
    /// Older repositories but the last two are removed.
    ///
    /// # Errors
    /// `Program` if the metadata cannot be made, otherwise trouble with files; nothing numbered is then left.
    pub async fn generate(&self, tag: &Path, event: i64, rpms: &[PathBuf]) -> Result<Repository, LocalError> {
        let repository = Repository { event, path: tag.join(event.to_string()) };
        if repository.path.is_dir() {
            return Ok(repository);
        }
        let new = tag.join(format!("new-{event}"));
        let previous = newest(tag)?;
        self.fill(&new, rpms, previous.as_ref(), event).await?;
        fs::rename(&new, &repository.path).at(&new)?;
        sync_directory(tag)?;
        prune(tag)?;
        Ok(repository)
    }

    /// Makes the final repository of a module at `path`, in place of one that is there.
    ///
    /// # Errors
    /// As [`Repositories::generate`]; the old one, if any, is then still there.
    pub async fn publish(&self, path: &Path, rpms: &[PathBuf], modules_yaml: &str) -> Result<(), LocalError> {
        let (new, old) = (path.with_extension("new"), path.with_extension("old"));
        self.fill(&new, rpms, None, 0).await?;
        fs::remove_file(new.join("rpms")).at(&new)?;
        let yaml = new.join("modules.yaml");
        fs::write(&yaml, modules_yaml).at(&yaml)?;
        let modify = Invocation::of(&self.modifyrepo)
            .args(["--mdtype=modules", "--compress-type=gz"])
            .args([&yaml, &new.join("repodata")]);
        run(modify, &new).await?;
        fs::remove_file(&yaml).at(&yaml)?;
        sync_metadata(&new)?;
        remove_directory(&old)?;
        if path.exists() {
            fs::rename(path, &old).at(path)?;
        }
        fs::rename(&new, path).at(&new)?;
        sync_directory(path.parent().unwrap_or(Path::new("/")))?;
        remove_directory(&old)
    }

    async fn fill(
        &self,
        new: &Path,
        rpms: &[PathBuf],
        previous: Option<&Repository>,
        event: i64,
    ) -> Result<(), LocalError> {
        remove_directory(new)?;
        ensure_directory(new)?;
        let mut names = String::new();
        for rpm in rpms {
            let name = rpm.file_name().unwrap_or_default().to_string_lossy();
            link_or_copy(rpm, &new.join(&*name))?;
            names.push_str(&name);
            names.push('\n');
        }
        write_atomically(&new.join("rpms"), names.as_bytes())?;
        let mut create = Invocation::of(&self.createrepo).args(["--quiet", "--no-database", COMPRESSION]);
        create = create.args(["--revision".to_owned(), event.to_string()]);
        if let Some(previous) = previous {
            create = create.args(["--update", "--update-md-path"]).args([&previous.path]);
        }
        run(create.args([new]), new).await?;
        sync_metadata(new)
    }
}

/// Makes durable what a program wrote: after a crash, a finished repository must not have empty files.
///
/// # Errors
/// It is not there in full: programs have been seen to call metadata written that a full disk had cut off.
fn sync_metadata(repository: &Path) -> Result<(), LocalError> {
    let metadata = repository.join("repodata");
    for path in files_ending(&metadata, "")? {
        let file = fs::File::open(&path).at(&path)?;
        check_whole(&path, &file).at(&path).map_err(|error| unless_full(error, repository))?;
        file.sync_all().at(&path)?;
    }
    sync_directory(&metadata)?;
    sync_directory(repository)
}

/// Reads a file of metadata up to the mark that its end has.
fn check_whole(path: &Path, file: &fs::File) -> io::Result<()> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => io::copy(&mut MultiGzDecoder::new(BufReader::new(file)), &mut io::sink()).map(drop),
        Some("xml") if !io::read_to_string(file)?.trim_end().ends_with("</repomd>") => {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
        _ => Ok(()),
    }
}

/// Runs a program that writes into a directory.
async fn run(program: Invocation, into: &Path) -> Result<(), LocalError> {
    let finished = program.run().await?.printed_if_successful();
    finished.map(drop).map_err(|error| unless_full(error, into))
}

/// Returns the newest finished repository below a tag's directory; `None` if there is none.
///
/// # Errors
/// If the directory cannot be read.
pub fn newest(tag: &Path) -> Result<Option<Repository>, LocalError> {
    Ok(all(tag)?.pop())
}

/// Returns the RPMs of any directory with a repository, sorted by name; for modules that were built before.
///
/// # Errors
/// If the directory cannot be read.
pub fn rpms_of_directory(path: &Path) -> Result<Vec<PathBuf>, LocalError> {
    let mut rpms = files_ending(path, ".rpm")?;
    rpms.retain(|rpm| !rpm.to_string_lossy().ends_with(".src.rpm"));
    Ok(rpms)
}

/// All finished repositories, oldest first.
fn all(tag: &Path) -> Result<Vec<Repository>, LocalError> {
    let entries = match fs::read_dir(tag) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.at(tag)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.at(tag)?.path();
        let event = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        found.extend(event.map(|event| Repository { event, path }));
    }
    found.sort();
    Ok(found)
}

fn prune(tag: &Path) -> Result<(), LocalError> {
    let repositories = all(tag)?;
    let surplus = repositories.len().saturating_sub(KEPT + 1);
    repositories[..surplus].iter().try_for_each(|repository| remove_directory(&repository.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repositories() -> Option<Repositories> {
        let programs = crate::testing::programs(&[Program::CreaterepoC, Program::ModifyrepoC])?;
        Some(Repositories::new(&programs).unwrap())
    }

    fn rpm(directory: &Path, name: &str) -> PathBuf {
        let mut builder = rpm::PackageBuilder::new(name, "1", "MIT", "noarch", "A test");
        let path = directory.join(format!("{name}-1-1.noarch.rpm"));
        builder.build().unwrap().write_file(&path).unwrap();
        path
    }

    /// What the metadata files of this type say, unpacked.
    fn metadata(repository: &Path, kind: &str) -> String {
        let files = fs::read_dir(repository.join("repodata")).unwrap().map(|entry| entry.unwrap().path());
        let path = files.into_iter().find(|path| path.to_string_lossy().contains(kind)).unwrap();
        let unpacked = std::process::Command::new("gzip").arg("-dc").arg(path).output().unwrap();
        String::from_utf8(unpacked.stdout).unwrap()
    }

    #[test]
    fn metadata_that_end_early_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let is_whole = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            check_whole(&path, &fs::File::open(&path).unwrap()).is_ok()
        };
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut packed, b"---\ndocument: modulemd\n").unwrap();
        let packed = packed.finish().unwrap();
        assert!(is_whole("modules.yaml.gz", &packed) && is_whole("repomd.xml", b"<repomd>\n</repomd>\n"));
        for end in [0, 5, packed.len() - 1] {
            assert!(!is_whole("modules.yaml.gz", &packed[..end]), "{end} bytes are taken for all");
        }
        assert!(!is_whole("repomd.xml", b"") && !is_whole("repomd.xml", b"<repomd>"));
    }

    #[tokio::test]
    async fn repository_shows_its_rpms_under_the_number_of_its_event() {
        let (Some(repositories), tag) = (repositories(), tempfile::tempdir().unwrap()) else { return };
        let source = tempfile::tempdir().unwrap();
        let rpms = [rpm(source.path(), "b"), rpm(source.path(), "a")];
        assert_eq!(newest(tag.path()).unwrap(), None);
        let first = repositories.generate(tag.path(), 7, &rpms[..1]).await.unwrap();
        let second = repositories.generate(tag.path(), 12, &rpms).await.unwrap();
        assert_eq!(newest(tag.path()).unwrap(), Some(second.clone()));
        assert_eq!(first.rpms().unwrap(), [first.path.join("b-1-1.noarch.rpm")]);
        assert_eq!(second.rpms().unwrap().len(), 2);
        assert!(metadata(&second.path, "primary").contains("<name>a</name>"));
        assert!(!metadata(&first.path, "primary").contains("<name>a</name>"));
    }

    #[tokio::test]
    async fn only_the_newest_repositories_are_kept() {
        let (Some(repositories), tag) = (repositories(), tempfile::tempdir().unwrap()) else { return };
        for event in [1, 5, 9, 10, 11] {
            repositories.generate(tag.path(), event, &[]).await.unwrap();
        }
        let events: Vec<i64> = all(tag.path()).unwrap().iter().map(|repository| repository.event).collect();
        assert_eq!(events, [9, 10, 11]);
    }

    #[tokio::test]
    async fn unfinished_repository_is_not_seen_and_made_anew() {
        let (Some(repositories), tag) = (repositories(), tempfile::tempdir().unwrap()) else { return };
        fs::create_dir_all(tag.path().join("new-3/rubbish")).unwrap();
        assert_eq!(newest(tag.path()).unwrap(), None);
        let made = repositories.generate(tag.path(), 3, &[]).await.unwrap();
        assert!(!made.path.join("rubbish").exists());
    }

    #[tokio::test]
    async fn final_repository_carries_the_modules_and_replaces_an_older_one() {
        let (Some(repositories), place) = (repositories(), tempfile::tempdir().unwrap()) else { return };
        let path = place.path().join("app:1:2:abc");
        let rpms = [rpm(place.path(), "a")];
        repositories.publish(&path, &rpms, "document: old\n").await.unwrap();
        repositories.publish(&path, &rpms, "document: modulemd\n").await.unwrap();
        assert_eq!(metadata(&path, "modules"), "document: modulemd\n");
        let repomd = fs::read_to_string(path.join("repodata/repomd.xml")).unwrap();
        assert!(repomd.contains("type=\"modules\""), "{repomd}");
        assert_eq!(rpms_of_directory(&path).unwrap().len(), 1);
        let names: Vec<_> =
            fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}
