//! Waiting with a deadline: for a program to end, for something to become true.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::Ran;

/// How long is waited for anything that has to come.
pub const LIMIT: Duration = Duration::from_secs(120);

/// How long is waited between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Runs a program to its end.
///
/// # Errors
/// It cannot be started, or does not end within [`LIMIT`]; it is then killed.
pub fn run_within_limit(command: &mut Command) -> Result<Ran> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.with_context(|| format!("{command:?} cannot be started"))?;
    let id = child.id().to_string();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(child.wait_with_output()));
    match told.recv_timeout(LIMIT) {
        Ok(output) => Ok(output?.into()),
        Err(_) => {
            Command::new("kill").args(["-KILL", &id]).status()?;
            bail!("{command:?} did not end within {LIMIT:?}");
        }
    }
}

/// Looks until something is there, and returns it.
///
/// # Errors
/// It is not there within [`LIMIT`].
pub fn await_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match look() {
            Some(found) => return Ok(found),
            None if begun.elapsed() > LIMIT => bail!("{what}: not within {LIMIT:?}"),
            None => thread::park_timeout(PAUSE),
        }
    }
}
