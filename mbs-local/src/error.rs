//! What can go wrong on this machine, cut by what the caller does next.
//!
//! A package that does not build is no error here: it is the result of a build (see
//! [`crate::rpmbuild`]). An error means that the machine could not do its part, or that what it was
//! given cannot be used at all.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A program that is not installed, with the packages that bring it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{program} is not installed (Debian: apt-get install {debian}; Fedora: dnf install {fedora})")]
pub struct Lacking {
    /// The program's name as it would be typed.
    pub program: &'static str,
    /// The Debian package that contains it.
    pub debian: &'static str,
    /// The Fedora package that contains it.
    pub fedora: &'static str,
}

/// Why this machine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A program is missing: install it and start again.
    #[error(transparent)]
    Lacking(#[from] Lacking),
    /// Private mount namespaces or overlays are not to be had: use mock, another machine, or root.
    #[error(
        "this machine offers no private mount namespace with overlays ({reason}); run as root, or install mock"
    )]
    NoSandbox {
        /// The first thing that was refused, in the words of the program that tried it.
        reason: String,
    },
    /// The disk or the quota is full: make room and resume.
    #[error("no space left for {}: make room there", path.display())]
    DiskFull {
        /// The file or directory that could not be written.
        path: PathBuf,
    },
    /// The path may not be written or read by this user.
    #[error("{} cannot be used: {source}", path.display())]
    NotAllowed {
        /// The file or directory that was refused.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Any other trouble with a file: worth another try.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A program of the machine ended badly.
    #[error("{program} failed ({status}): {said}")]
    Program {
        /// The program's name.
        program: String,
        /// Its exit status in words.
        status: String,
        /// The end of what it printed, in one line.
        said: String,
    },
    /// A program did not end in time and was killed.
    #[error("{program} was stopped after {after:?}")]
    TimedOut {
        /// The program's name.
        program: String,
        /// The limit that it ran into.
        after: Duration,
    },
    /// Something given by the user cannot be used: a spec file, a source RPM.
    #[error("{0}")]
    Unusable(String),
}

impl LocalError {
    /// Sorts a file error by what can be done about it.
    pub fn of_file(path: impl AsRef<Path>, source: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let path = path.as_ref().to_path_buf();
        match source.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Self::DiskFull { path },
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Self::NotAllowed { path, source },
            _ => Self::Io { path, source },
        }
    }

    /// Whether another try, with nothing changed by a person, may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::DiskFull { .. } | Self::Program { .. } | Self::TimedOut { .. })
    }

    /// Whether the machine lacks something without which no build can start (exit code 3 of `mbs-build local`).
    pub fn is_lack_of_machine(&self) -> bool {
        matches!(self, Self::Lacking(_) | Self::NoSandbox { .. })
    }
}

/// Adds the path to a file operation's error.
pub(crate) trait AtPath<T> {
    /// Turns an `io::Error` about `path` into a sorted [`LocalError`].
    fn at(self, path: impl AsRef<Path>) -> Result<T, LocalError>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: impl AsRef<Path>) -> Result<T, LocalError> {
        self.map_err(|source| LocalError::of_file(path, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_disk_is_told_apart_from_a_refused_one() {
        let full = LocalError::of_file("/x", io::Error::from(io::ErrorKind::StorageFull));
        let refused = LocalError::of_file("/x", io::Error::from(io::ErrorKind::ReadOnlyFilesystem));
        assert!(matches!(full, LocalError::DiskFull { .. }) && full.is_transient());
        assert!(matches!(refused, LocalError::NotAllowed { .. }) && !refused.is_transient());
    }

    #[test]
    fn lacking_program_says_what_to_install() {
        let lacking = Lacking { program: "rpmbuild", debian: "rpm", fedora: "rpm-build" };
        let error = LocalError::from(lacking);
        assert!(error.is_lack_of_machine());
        assert_eq!(
            error.to_string(),
            "rpmbuild is not installed (Debian: apt-get install rpm; Fedora: dnf install rpm-build)"
        );
    }
}
