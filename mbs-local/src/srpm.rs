//! The source RPM of a component: from a checkout, from the text of a macros package, or made anew from one that was given.
//!
//! Decides which spec file counts and what may be copied beside it. Building happens in [`crate::rpmbuild`].

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use mbs_core::macros::MacrosPackage;

use crate::error::{AtPath as _, LocalError};
use crate::files::ensure_directory;

/// Where the source of a component is.
#[derive(Debug, Clone)]
pub enum Source {
    /// A directory with a spec file and what it needs, such as a git checkout; `.git` is left out.
    Directory(PathBuf),
    /// A source RPM; it is made anew, so that its release gets our dist tag.
    SourceRpm(PathBuf),
    /// The macros package, as text.
    Macros(MacrosPackage),
}

impl Source {
    /// Puts spec file and sources into `sources`, which is made, and returns the spec file's name.
    ///
    /// A source RPM is only copied; `None`: the spec file is seen when RPM has unpacked it.
    ///
    /// # Errors
    /// `Unusable` if there is no spec file or several and none has the package's name; otherwise trouble with files.
    pub(crate) fn lay_out(&self, package: &str, sources: &Path) -> Result<Option<String>, LocalError> {
        ensure_directory(sources)?;
        let spec = self.put_into(package, sources)?;
        open_to_all(sources)?;
        Ok(spec)
    }

    fn put_into(&self, package: &str, sources: &Path) -> Result<Option<String>, LocalError> {
        match self {
            Self::Directory(directory) => {
                let spec = spec_file(directory, package)?;
                copy_tree(directory, sources)?;
                Ok(Some(spec))
            }
            Self::SourceRpm(path) => {
                fs::copy(path, sources.join(GIVEN)).at(path)?;
                Ok(None)
            }
            Self::Macros(macros) => {
                let spec = format!("{package}.spec");
                fs::write(sources.join(&spec), &macros.spec).at(sources)?;
                fs::write(sources.join("macros.zz-modules"), &macros.macros).at(sources)?;
                Ok(Some(spec))
            }
        }
    }
}

/// The name under which a given source RPM is laid out.
pub(crate) const GIVEN: &str = "given.src.rpm";

/// Returns the name of the spec file in a directory: `<package>.spec`, else the only one.
///
/// # Errors
/// `Unusable` if there is none, or several of other names.
pub fn spec_file(directory: &Path, package: &str) -> Result<String, LocalError> {
    let mut specs: Vec<String> = Vec::new();
    for entry in fs::read_dir(directory).at(directory)? {
        let name = entry.at(directory)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".spec") {
            specs.push(name);
        }
    }
    specs.sort();
    let own = format!("{package}.spec");
    match &specs[..] {
        [] => Err(LocalError::Unusable(format!("the repository of {package} has no spec file"))),
        [only] => Ok(only.clone()),
        several if several.contains(&own) => Ok(own),
        several => Err(LocalError::Unusable(format!(
            "the repository of {package} has several spec files and none is {own}: {}",
            several.join(", ")
        ))),
    }
}

/// Copies all but `.git`; links stay links, so that nothing from outside the directory is copied.
fn copy_tree(from: &Path, to: &Path) -> Result<(), LocalError> {
    ensure_directory(to)?;
    for entry in fs::read_dir(from).at(from)? {
        let entry = entry.at(from)?;
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().at(&path)?;
        if entry.file_name() == ".git" {
            continue;
        }
        if kind.is_symlink() {
            symlink(path.read_link().at(&path)?, &place).at(&place)?;
        } else if kind.is_dir() {
            copy_tree(&path, &place)?;
        } else if kind.is_file() {
            fs::copy(&path, &place).at(&path)?;
        }
    }
    Ok(())
}

/// Gives files and folders the permissions that git means: packages keep them, and our user's umask is not their business.
fn open_to_all(directory: &Path) -> Result<(), LocalError> {
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).at(path);
    set(directory, 0o755)?;
    for entry in fs::read_dir(directory).at(directory)? {
        let path = entry.at(directory)?.path();
        let data = fs::symlink_metadata(&path).at(&path)?;
        if data.is_dir() {
            open_to_all(&path)?;
        } else if data.is_file() {
            let is_program = data.permissions().mode() & 0o100 != 0;
            set(&path, if is_program { 0o755 } else { 0o644 })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_do_not_depend_on_who_made_the_checkout() {
        let (from, to) = (directory_with(&["a.spec", "run.sh"]), tempfile::tempdir().unwrap());
        fs::create_dir(from.path().join("patches")).unwrap();
        symlink("a.spec", from.path().join("link")).unwrap();
        for (name, mode) in [("a.spec", 0o600), ("run.sh", 0o700), ("patches", 0o700)] {
            fs::set_permissions(from.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let sources = to.path().join("SOURCES");
        Source::Directory(from.path().to_path_buf()).lay_out("a", &sources).unwrap();
        for (name, mode) in [("a.spec", 0o644), ("run.sh", 0o755), ("patches", 0o755), ("", 0o755)] {
            let found = fs::metadata(sources.join(name)).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode, "{name}");
        }
    }

    fn directory_with(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in files {
            fs::write(directory.path().join(name), *name).unwrap();
        }
        directory
    }

    #[test]
    fn spec_file_of_the_package_is_preferred_and_a_single_one_is_taken() {
        assert_eq!(
            spec_file(directory_with(&["other.spec", "bash.spec"]).path(), "bash").unwrap(),
            "bash.spec"
        );
        assert_eq!(
            spec_file(directory_with(&["other.spec", "x.patch"]).path(), "bash").unwrap(),
            "other.spec"
        );
    }

    #[test]
    fn none_or_several_foreign_spec_files_are_refused_by_name() {
        let none = spec_file(directory_with(&["x.patch"]).path(), "bash").unwrap_err();
        assert_eq!(none.to_string(), "the repository of bash has no spec file");
        let several = spec_file(directory_with(&["a.spec", "b.spec"]).path(), "bash").unwrap_err();
        assert!(several.to_string().ends_with("none is bash.spec: a.spec, b.spec"), "{several}");
    }

    #[test]
    fn checkout_is_copied_without_git_and_links_are_not_followed() {
        let (from, to) = (directory_with(&["bash.spec"]), tempfile::tempdir().unwrap());
        fs::create_dir_all(from.path().join(".git")).unwrap();
        fs::create_dir_all(from.path().join("tests/deep")).unwrap();
        symlink("/etc/passwd", from.path().join("link")).unwrap();
        let sources = to.path().join("SOURCES");
        let spec = Source::Directory(from.path().to_path_buf()).lay_out("bash", &sources).unwrap();
        assert_eq!(spec.as_deref(), Some("bash.spec"));
        assert!(sources.join("tests/deep").is_dir() && !sources.join(".git").exists());
        assert!(sources.join("link").is_symlink());
    }

    #[test]
    fn macros_package_is_laid_out_as_two_files() {
        let directory = tempfile::tempdir().unwrap();
        let macros = MacrosPackage { spec: "Name: x\n".into(), macros: "%dist .x\n".into() };
        let spec = Source::Macros(macros).lay_out("module-build-macros", directory.path()).unwrap();
        assert_eq!(spec.as_deref(), Some("module-build-macros.spec"));
        assert_eq!(fs::read_to_string(directory.path().join("macros.zz-modules")).unwrap(), "%dist .x\n");
    }
}
