//! Processes of this package's programs: each logs into a file of its own, and none outlives the test that started it.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};

use crate::within::eventually;

/// So much of a log is shown.
const TAIL: usize = 2_000;

/// A process; killed when dropped. Its standard input stays open until then.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program that logs into a file; more than one may do so one after the other.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(program: &str, arguments: &[&str], log: &Path) -> Result<Self> {
        Self::of(Command::new(program).args(arguments), log)
    }

    /// Starts a command that logs into a file, as [`start`](Self::start) does.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn of(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::piped()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Says a line to it.
    ///
    /// # Errors
    /// It does not hear.
    pub fn say(&mut self, line: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().context("its standard input is closed")?;
        Ok(writeln!(input, "{line}")?)
    }

    /// Tells it to stop, and waits until it has.
    ///
    /// # Errors
    /// It does not end, or badly.
    pub fn terminate(mut self) -> Result<()> {
        self.check()?;
        let id = self.child.id().to_string();
        ensure!(Command::new("kill").args(["-TERM", &id]).status()?.success(), "it cannot be told to stop");
        let status = eventually("its end", || Ok(self.child.try_wait()?))?;
        ensure!(status.success(), "it ended badly ({status}): {}", tail(&self.log));
        Ok(())
    }

    /// Ends it as `kill -9` does.
    ///
    /// # Errors
    /// It had ended by itself, which it never should.
    pub fn kill(mut self) -> Result<()> {
        self.check()?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Checks that it runs.
    ///
    /// # Errors
    /// It has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("a process ended by itself ({status}): {}", tail(&self.log)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns the end of a log, below its name.
pub fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let end = String::from_utf8_lossy(&text[text.len().saturating_sub(TAIL)..]).into_owned();
    format!("\n--- {}\n{end}", log.display())
}

/// Ends this process as soon as its standard input ends: with whoever started it.
pub fn end_with_input() {
    thread::spawn(|| {
        let mut stdin = io::stdin();
        while stdin.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        std::process::exit(0);
    });
}
