//! A fake PDC, and the real `mbs-manager` that works on it.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;
use mbs_pdc::fake_server::{FakePdc, Setup};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::Ran;
use crate::built::mbs_manager;
use crate::within::run_within_limit;

/// The fake PDC's user who may write modules: forty times this letter is the token.
pub const WRITER: &str = "b";
/// Its user who may only read.
pub const READER: &str = "c";

/// A PDC, and the home of an operator.
#[derive(Debug)]
pub struct PdcSite {
    /// The server; it lives on this machine.
    pub pdc: FakePdc,
    /// What serves it.
    pub runtime: Runtime,
    home: TempDir,
}

impl PdcSite {
    /// Starts a PDC without entries, and gives the operator a file with the writer's token.
    ///
    /// # Errors
    /// Nothing can be started or written.
    pub fn new() -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let pdc = runtime.block_on(FakePdc::start(Setup::default()))?;
        let site = Self { pdc, runtime, home: tempfile::tempdir()? };
        site.write_token(WRITER)?;
        Ok(site)
    }

    /// Returns a path in the operator's home.
    pub fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.home.path().join(inside)
    }

    /// Gives the operator another token: forty times a letter.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_token(&self, letter: &str) -> Result<()> {
        let path = self.path("token");
        fs::write(&path, letter.repeat(40) + "\n")?;
        Ok(fs::set_permissions(path, Permissions::from_mode(0o600))?)
    }

    /// Writes a document, and returns its path.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_document(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Returns a command in the operator's home, for which this PDC is the one that is meant.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.home.path()).env("HOME", self.home.path()).env("MBS_PDC", self.pdc.url());
        command.env("NO_COLOR", "1").env("USER", "anna").env_remove("SUDO_USER").stdin(Stdio::null());
        command
    }

    /// Returns the command `mbs-manager pdc`, with the operator's token.
    pub fn manager<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.command(mbs_manager());
        command.args(["pdc", "--token-file", "token"]).args(arguments);
        command
    }

    /// Runs `mbs-manager pdc`.
    ///
    /// # Errors
    /// As [`run_within_limit`].
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Ran> {
        run_within_limit(&mut self.manager(arguments))
    }
}
