//! A `mbs-build` under way, to be watched and interrupted.

use std::fs::File;
use std::process::{Child, Command, ExitStatus};

use anyhow::{Result, bail, ensure};

use crate::Workbench;
use crate::within::eventually;

/// The file of the workbench into which goes what the program says.
pub const LOG: &str = "start.log";

/// A `mbs-build` under way; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts `mbs-build local` on a document; its output goes to [`LOG`].
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(bench: &Workbench, document: &str) -> Result<Self> {
        Self::of(bench, &mut bench.local(document))
    }

    /// Starts a command of a workbench; its output goes to [`LOG`].
    ///
    /// # Errors
    /// It cannot be started.
    pub fn of(bench: &Workbench, command: &mut Command) -> Result<Self> {
        let log = File::create(bench.path(LOG))?;
        let errors = log.try_clone()?;
        Ok(Self { child: command.stdout(log).stderr(errors).spawn()? })
    }

    /// Looks until there is something, as [`eventually`], and fails early if the program ends without it.
    ///
    /// # Errors
    /// As [`eventually`]; or the program ended.
    pub fn watch<T>(&mut self, what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        eventually(what, || {
            let ended = self.child.try_wait()?;
            match (look()?, ended) {
                (Some(found), _) => Ok(Some(found)),
                (None, Some(status)) => bail!("mbs-build ended ({status}) before: {what}"),
                (None, None) => Ok(None),
            }
        })
    }

    /// Ends it as `kill -9` does; what it started is not touched.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends it what Ctrl-C sends.
    ///
    /// # Errors
    /// It is not there any more.
    pub fn interrupt(&self) -> Result<()> {
        let sent = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status()?;
        ensure!(sent.success(), "there is nobody to interrupt");
        Ok(())
    }

    /// Waits for its end, and does something at each look.
    ///
    /// # Errors
    /// It does not end, or what is done meanwhile fails.
    pub fn end(mut self, mut meanwhile: impl FnMut() -> Result<()>) -> Result<ExitStatus> {
        eventually("the end of mbs-build", || {
            meanwhile()?;
            Ok(self.child.try_wait()?)
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
