//! The private namespace in which everything of a build runs.
//!
//! Each command gets its own mount, process, network, IPC and host name namespace. Its root is a fresh
//! tree: `/usr`, `/etc` and `/opt` are the host's, `/var` and `/srv` nearly empty, all with a layer over them and a
//! throw-away top; `/builddir` is the build's own directory, `/dev` holds the harmless devices, there
//! is no network, and nothing else of the host is to be seen. Of `/etc` only what everybody may read is there, of
//! `/var` only what programs are set up by. What a build writes outside `/builddir` is gone with it.
//!
//! The command is root inside, so that RPM can unpack, but without the rights to mount, to make devices or to set the
//! kernel; these are gone before the first program of the layer runs. It has no terminal.
//!
//! Two things end a build with the program that started it, even by SIGKILL. The kernel kills `unshare` with the program
//! (`setpriv --pdeathsig`), process 1 inside with `unshare` (`--kill-child`), and the rest with process 1. And a pipe
//! to a watcher inside closes, which then kills all but process 1 until that has come to its end. A lock file stays locked
//! until the last process is gone, so a later program can tell.
//!
//! Nothing here knows what is built.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::error::{AtPath as _, LocalError};
use crate::files::{ensure_directory, unless_full};
use crate::programs::{Program, Programs};
use crate::supervise::{self, end_of, locked_command};

/// The fixed script; see its head for what it is given.
const SCRIPT: &str = include_str!("sandbox.sh");

/// Exit code of the script when the command ended badly, whatever its own code was.
const FAILED: i32 = 119;

/// Exit code of the script when the namespace could not be prepared.
const NOT_PREPARED: i32 = 120;

/// Where a build finds its own directory.
pub const BUILD_DIRECTORY: &str = "/builddir";

/// With whose rights namespaces are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// Our user is root and may mount.
    Root,
    /// Our user becomes root inside a user namespace of its own.
    UserNamespace,
}

/// A way to run commands in private namespaces that was seen to work on this machine.
#[derive(Debug, Clone)]
pub struct Sandbox {
    privilege: Privilege,
    flock: PathBuf,
    unshare: PathBuf,
    sh: PathBuf,
}

/// One command to run inside.
#[derive(Debug, Clone, Copy)]
pub struct Inside<'a> {
    /// A tree laid over the host's, with `usr`, `etc` and so on; `None`: the host as it is.
    pub layer: Option<&'a Path>,
    /// The directory seen as [`BUILD_DIRECTORY`] (and as home); must exist.
    pub directory: &'a Path,
    /// Where standard output and error are appended.
    pub log: &'a Path,
    /// A file that stays locked while anything of the command lives; made if missing.
    pub lock: &'a Path,
    /// After how long the command is killed.
    pub limit: Duration,
}

/// How a command ended that could be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With exit status 0.
    Well,
    /// With any other, or by a signal.
    Badly,
}

impl Sandbox {
    /// Tries what the machine allows, in a new directory below `scratch` that is removed again.
    ///
    /// # Errors
    /// `Lacking` if a program is missing; `NoSandbox` with the first refusal if namespaces or overlays are not to be had.
    pub async fn probe(programs: &Programs, scratch: &Path) -> Result<Self, LocalError> {
        programs.require(&[Program::Mount, Program::PivotRoot, Program::Setsid, Program::Setpriv])?;
        let mut sandbox = Self {
            privilege: Privilege::Root,
            flock: programs.find(Program::Flock)?,
            unshare: programs.find(Program::Unshare)?,
            sh: programs.find(Program::Sh)?,
        };
        let is_root = fs::metadata("/proc/self").at("/proc/self")?.uid() == 0;
        let first_try = if is_root { sandbox.try_out(scratch).await } else { Ok(false) };
        if first_try? {
            return Ok(sandbox);
        }
        sandbox.privilege = Privilege::UserNamespace;
        match sandbox.try_out(scratch).await? {
            true => Ok(sandbox),
            false => Err(LocalError::NoSandbox { reason: sandbox.refusal(scratch).await }),
        }
    }

    /// With whose rights this one works.
    pub fn privilege(&self) -> Privilege {
        self.privilege
    }

    /// Runs the command to its end and returns how it ended, well or badly.
    ///
    /// Dropping the future kills everything that was started; [`supervise::wait_until_over`] tells when it is gone.
    ///
    /// # Errors
    /// `NoSandbox` if the namespace could not be made or prepared, `DiskFull` if that is why, `Program` if somebody killed
    /// it, `TimedOut` after the limit, `Unusable` if the lock is held by an earlier command, else trouble with files.
    pub async fn run<A: AsRef<OsStr>>(
        &self,
        inside: &Inside<'_>,
        command: impl IntoIterator<Item = A>,
    ) -> Result<Ended, LocalError> {
        let mut outer = self.outer_command(inside.lock);
        outer.arg(inside.directory).arg(inside.layer.unwrap_or(Path::new("")));
        outer.arg(self.overlay_options()).args(command);
        outer.env("HOME", BUILD_DIRECTORY).env("PKG_CONFIG_PATH", "/usr/lib64/pkgconfig:/usr/lib/pkgconfig");
        let status = supervise::run(outer, inside.log, inside.limit).await?;
        let refused = match status.code() {
            Some(0) => return Ok(Ended::Well),
            Some(FAILED) => return Ok(Ended::Badly),
            Some(NOT_PREPARED) => LocalError::NoSandbox { reason: end_of(inside.log) },
            Some(_) => LocalError::NoSandbox { reason: format!("{status}; {}", end_of(inside.log)) },
            None => {
                let (program, said) = ("the namespace of the build".into(), end_of(inside.log));
                LocalError::Program { program, status: status.to_string(), said }
            }
        };
        Err(unless_full(refused, inside.directory))
    }

    fn outer_command(&self, lock: &Path) -> Command {
        let mut command = locked_command(&self.flock, lock);
        command.arg(&self.unshare);
        if self.privilege == Privilege::UserNamespace {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=KILL"]);
        command.args(["--ipc", "--uts", "--net", "--"]).arg(&self.sh).args(["-c", SCRIPT, "sandbox"]);
        command
    }

    fn overlay_options(&self) -> &'static str {
        match self.privilege {
            Privilege::Root => "",
            Privilege::UserNamespace => ",userxattr",
        }
    }

    async fn try_out(&self, scratch: &Path) -> Result<bool, LocalError> {
        let directory = tempfile::Builder::new().prefix("probe-").tempdir_in(scratch).at(scratch)?;
        self.try_out_in(directory.path()).await.map(|ended| ended.is_none())
    }

    /// Returns what was refused, `None` if nothing.
    async fn try_out_in(&self, directory: &Path) -> Result<Option<String>, LocalError> {
        let (layer, build) = (directory.join("layer"), directory.join("build"));
        ensure_directory(&layer.join("usr"))?;
        ensure_directory(&build)?;
        let (log, lock) = (directory.join("log"), directory.join("lock"));
        let limit = Duration::from_secs(60);
        let inside = Inside { layer: Some(&layer), directory: &build, log: &log, lock: &lock, limit };
        match self.run(&inside, ["mkdir", "/usr/mbs-probe"]).await {
            Ok(Ended::Well) => Ok(None),
            Ok(Ended::Badly) => Ok(Some(end_of(&log))),
            Err(LocalError::NoSandbox { reason }) => Ok(Some(reason)),
            Err(error) => Err(error),
        }
    }

    async fn refusal(&self, scratch: &Path) -> String {
        let Ok(directory) = tempfile::Builder::new().prefix("probe-").tempdir_in(scratch) else {
            return "no scratch directory".into();
        };
        match self.try_out_in(directory.path()).await {
            Ok(reason) => reason.unwrap_or_else(|| "refused once, then allowed".into()),
            Err(error) => error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
