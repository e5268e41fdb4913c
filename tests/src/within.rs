//! Waiting with a deadline: for a program to end, for something to become true.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::Ran;

/// How long is waited for anything that has to come: a whole build on a machine that is busy with others, too.
pub const LIMIT: Duration = Duration::from_secs(600);

/// How long is waited between two looks.
const PAUSE: Duration = Duration::from_millis(3);

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

/// Looks again and again until there is something, and returns it.
///
/// # Errors
/// A look fails, or nothing came within [`LIMIT`]; `what` says what was awaited.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    eventually_within(LIMIT, what, look)
}

/// Does as [`eventually`], with a limit of its own.
///
/// # Errors
/// As [`eventually`].
pub fn eventually_within<T>(
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        ensure!(begun.elapsed() < limit, "in vain awaited for {limit:?}: {what}");
        thread::park_timeout(PAUSE);
    }
}
