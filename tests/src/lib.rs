//! What the whole-system tests start: the real `mbs-build` on copies of the example modules, ways to make a machine worse,
//! many backends on one database, and the real `mbs-manager` beside a PDC.
//!
//! Nothing here judges; the tests do.

pub mod built;
pub mod chaos;
pub mod greeter;
pub mod held;
pub mod needed;
pub mod observe;
pub mod pdc;
pub mod private_mounts;
pub mod realistic;
pub mod repository;
pub mod rest_golden;
pub mod running;
pub mod served;
pub mod service;
pub mod small_module;
pub mod within;
pub mod world_koji;
pub mod world_store;
pub mod worlds;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::built::mbs_build;

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the workspace")
}

/// A folder of its own with the example modules and their repositories.
#[derive(Debug)]
pub struct Workbench {
    folder: TempDir,
}

/// What a run of `mbs-build` printed, and its status.
#[derive(Debug)]
pub struct Ran {
    /// The exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Workbench {
    /// Copies the example modules and makes their repositories.
    ///
    /// # Errors
    /// A file cannot be written, or git does not do what it is asked.
    pub fn new() -> Result<Self> {
        let bench = Self { folder: tempfile::Builder::new().prefix("mbs-test-").tempdir()? };
        let copy = Command::new("cp")
            .arg("-r")
            .arg(root().join("examples/modules"))
            .arg(bench.path("modules"))
            .status()?;
        ensure!(copy.success(), "the examples cannot be copied");
        bench.commit_sources()?;
        Ok(bench)
    }

    /// Returns a path inside the folder.
    pub fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Commits the sources as they are; unchanged ones keep their commits.
    ///
    /// # Errors
    /// The script does not succeed.
    pub fn commit_sources(&self) -> Result<()> {
        let script = self.path("modules/make-repositories");
        let done = Command::new(script).arg(self.path("made")).output()?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// Changes a source file and commits it.
    ///
    /// # Errors
    /// The file cannot be read or written, or does not hold `from`.
    pub fn edit_source(&self, file: &str, from: &str, to: &str) -> Result<()> {
        edit(&self.path("modules/sources").join(file), from, to)?;
        self.commit_sources()
    }

    /// Makes each build of these components wait on a pipe, this time and any other; see [`held`].
    ///
    /// # Errors
    /// As [`Workbench::edit_source`].
    pub fn hold(&self, components: &[&str]) -> Result<()> {
        for component in components {
            let spec = self.path("modules/sources").join(component).join(format!("{component}.spec"));
            edit(&spec, "\n%build\n", &format!("\n%build\n{}\n", held::WAIT))?;
        }
        self.commit_sources()
    }

    /// Returns a document with its repositories filled in.
    pub fn document(&self, name: &str) -> PathBuf {
        self.path("made").join(name)
    }

    /// Returns the command `mbs-build local` on a document, with results in the folder `results`.
    pub fn local(&self, document: &str) -> Command {
        let mut command = Command::new(mbs_build());
        command.current_dir(self.folder.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        command.arg("local").arg("--file").arg(self.document(document));
        command.arg("--results").arg(self.path("results"));
        command
    }

    /// Runs `mbs-build local` on a document.
    ///
    /// # Errors
    /// As [`within::run_within_limit`].
    pub fn build<S: AsRef<OsStr>>(&self, document: &str, options: &[S]) -> Result<Ran> {
        within::run_within_limit(self.local(document).args(options))
    }
}

/// Replaces a text that a file holds.
///
/// # Errors
/// The file cannot be read or written, or does not hold `from`.
pub fn edit(file: &Path, from: &str, to: &str) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    ensure!(text.contains(from), "{} does not hold {from:?}", file.display());
    std::fs::write(file, text.replace(from, to)).with_context(|| format!("writing {}", file.display()))
}
