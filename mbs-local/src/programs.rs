//! Which programs of the machine are used, and where they are.
//!
//! Decides what to tell a user whose machine lacks one. Never runs anything.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::Lacking;

/// The search path of everything that is started: the same for each user and each build.
pub const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program that this crate may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// Builds source and binary RPMs.
    Rpmbuild,
    /// Installs and queries RPMs.
    Rpm,
    /// Exports and imports RPM databases.
    Rpmdb,
    /// Writes the metadata of a repository.
    CreaterepoC,
    /// Adds `modules.yaml` to the metadata of a repository.
    ModifyrepoC,
    /// Makes the private namespaces.
    Unshare,
    /// Mounts the overlays.
    Mount,
    /// Makes the overlaid tree the root directory.
    PivotRoot,
    /// Starts a build apart from the user's terminal.
    Setsid,
    /// Takes rights away from a build.
    Setpriv,
    /// Holds a task's lock for as long as one of its processes lives.
    Flock,
    /// Runs the fixed script that prepares a namespace.
    Sh,
    /// The chroot builder, if asked for.
    Mock,
    /// Reads sources.
    Git,
}

impl Program {
    /// All that a build with `rpmbuild` in a namespace needs.
    pub const FOR_RPMBUILD: [Self; 12] = [
        Self::Rpmbuild,
        Self::Rpm,
        Self::Rpmdb,
        Self::CreaterepoC,
        Self::ModifyrepoC,
        Self::Unshare,
        Self::Mount,
        Self::PivotRoot,
        Self::Setsid,
        Self::Setpriv,
        Self::Flock,
        Self::Sh,
    ];

    /// The name of the program file.
    pub fn name(self) -> &'static str {
        self.description().program
    }

    fn description(self) -> Lacking {
        let (program, debian, fedora) = match self {
            Self::Rpmbuild => ("rpmbuild", "rpm", "rpm-build"),
            Self::Rpm => ("rpm", "rpm", "rpm"),
            Self::Rpmdb => ("rpmdb", "rpm", "rpm"),
            Self::CreaterepoC => ("createrepo_c", "createrepo-c", "createrepo_c"),
            Self::ModifyrepoC => ("modifyrepo_c", "createrepo-c", "createrepo_c"),
            Self::Unshare => ("unshare", "util-linux", "util-linux"),
            Self::Mount => ("mount", "mount", "util-linux-core"),
            Self::PivotRoot => ("pivot_root", "util-linux", "util-linux"),
            Self::Setsid => ("setsid", "util-linux", "util-linux"),
            Self::Setpriv => ("setpriv", "util-linux", "util-linux"),
            Self::Flock => ("flock", "util-linux", "util-linux-core"),
            Self::Sh => ("sh", "dash", "bash"),
            Self::Mock => ("mock", "mock", "mock"),
            Self::Git => ("git", "git", "git-core"),
        };
        Lacking { program, debian, fedora }
    }
}

/// Where programs are looked for.
#[derive(Debug, Clone)]
pub struct Programs {
    directories: Vec<PathBuf>,
}

impl Programs {
    /// Looks in the user's `PATH`, then in the usual directories, those for administrators included.
    pub fn of_machine() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let usual = SEARCH_PATH.split(':').map(PathBuf::from);
        Self::in_directories(env::split_paths(&path).filter(|directory| directory.is_absolute()).chain(usual))
    }

    /// Looks in these directories only, the first one first.
    pub fn in_directories(directories: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { directories: directories.into_iter().collect() }
    }

    /// Returns the program's path.
    ///
    /// # Errors
    /// [`Lacking`] if no directory has it; the caller tells the user to install it.
    pub fn find(&self, program: Program) -> Result<PathBuf, Lacking> {
        let candidates = self.directories.iter().map(|directory| directory.join(program.name()));
        candidates.into_iter().find(|path| is_executable(path)).ok_or_else(|| program.description())
    }

    /// Checks that all of them are there.
    ///
    /// # Errors
    /// The first that is [`Lacking`].
    pub fn require(&self, programs: &[Program]) -> Result<(), Lacking> {
        programs.iter().try_for_each(|program| self.find(*program).map(drop))
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_is_found_on_every_machine() {
        assert!(Programs::of_machine().find(Program::Sh).is_ok());
    }

    #[test]
    fn missing_program_names_the_package_of_each_distribution() {
        let empty = tempfile::tempdir().unwrap();
        let programs = Programs::in_directories([empty.path().to_path_buf()]);
        let lacking = programs.require(&Program::FOR_RPMBUILD).unwrap_err();
        assert_eq!((lacking.program, lacking.debian, lacking.fedora), ("rpmbuild", "rpm", "rpm-build"));
    }

    #[test]
    fn file_that_may_not_be_executed_is_no_program() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("mock"), "").unwrap();
        let programs = Programs::in_directories([directory.path().to_path_buf()]);
        assert_eq!(programs.find(Program::Mock).unwrap_err().program, "mock");
    }
}
