//! What makes a moment of a build stay until a test has seen it: specs that wait on a pipe, programs that hang.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::needed::{folders_of_programs, program};
use crate::observe::tasks;

/// The line of a spec with which a build waits until [`release`] lets it go on.
pub const WAIT: &str = "mkfifo /builddir/hold && read answer < /builddir/hold && rm /builddir/hold";

/// Returns the pipes on which builds wait in a results folder, by package.
///
/// A build that was killed while it waited is among them until another run of the program cleans up.
///
/// # Errors
/// A task's record cannot be read.
pub fn waiting_builds(results: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut waiting = BTreeMap::new();
    for (id, (package, has_ended)) in tasks(results)? {
        let pipe = results.join(format!("work/tasks/{id}/build/hold"));
        if !has_ended && pipe.exists() {
            waiting.insert(package, pipe);
        }
    }
    Ok(waiting)
}

/// Lets a build go on that waits on a pipe, if it reads before the returned file is closed; again does no harm.
///
/// # Errors
/// The pipe is gone.
pub fn release(pipe: &Path) -> Result<File> {
    // Open for both, so that nobody has to be there to read.
    let mut file = File::options().read(true).write(true).open(pipe)?;
    file.write_all(b"\n")?;
    Ok(file)
}

/// A program of the machine that first does something else when it is called in a certain way.
#[derive(Debug)]
pub struct ShadowedProgram {
    folder: TempDir,
}

impl ShadowedProgram {
    /// Makes one: if its arguments contain a text, lines of shell come before what the program of that name does.
    ///
    /// In these lines, `$place` is a folder of its own.
    ///
    /// # Errors
    /// There is no such program, or a file cannot be written.
    pub fn new(name: &str, argument: &str, lines: &str) -> Result<Self> {
        let real = program(name).with_context(|| format!("{name} is not installed"))?;
        let folder = tempfile::Builder::new().prefix("mbs-test-shadow-").tempdir()?;
        let (place, real) = (folder.path().display(), real.display());
        let script = format!(
            "#!/bin/sh
place='{place}'
case \"$*\" in
*'{argument}'*)
{lines}
;;
esac
exec '{real}' \"$@\"
"
        );
        let file = folder.path().join(name);
        fs::write(&file, script)?;
        fs::set_permissions(&file, Permissions::from_mode(0o755))?;
        Ok(Self { folder })
    }

    /// Returns a `PATH` in which it comes before the real one.
    ///
    /// # Errors
    /// A folder of `PATH` cannot be written there.
    pub fn path(&self) -> Result<OsString> {
        let own = std::iter::once(self.folder.path().to_owned());
        Ok(std::env::join_paths(own.chain(folders_of_programs()))?)
    }
}

/// A program of the machine that hangs when it is called in a certain way; dropped, it ends and has done nothing.
#[derive(Debug)]
pub struct HangingProgram {
    /// The end of the pipe on which the program waits for a line that never comes.
    _silence: File,
    shadow: ShadowedProgram,
}

impl HangingProgram {
    /// Makes one that hangs if its arguments contain a text, and else does what the program of that name does.
    ///
    /// # Errors
    /// There is no such program, or a file cannot be written.
    pub fn new(name: &str, argument: &str) -> Result<Self> {
        // Said to be called only once the pipe is open: from then on its other end decides.
        let hang = "{ : > \"$place/called\"; read -r answer; } < \"$place/pipe\"; exit 1";
        let shadow = ShadowedProgram::new(name, argument, hang)?;
        let pipe = shadow.folder.path().join("pipe");
        ensure!(Command::new("mkfifo").arg(&pipe).status()?.success(), "there is no pipe");
        let silence = File::options().read(true).write(true).open(&pipe)?;
        Ok(Self { _silence: silence, shadow })
    }

    /// Returns a `PATH` in which it comes before the real one.
    ///
    /// # Errors
    /// A folder of `PATH` cannot be written there.
    pub fn path(&self) -> Result<OsString> {
        self.shadow.path()
    }

    /// Says whether it was called and hangs.
    pub fn is_called(&self) -> bool {
        self.shadow.folder.path().join("called").exists()
    }
}
