//! Commands that outlive nobody: a lock shows whether anything of them lives; the kernel and a pipe end them with this program.
//!
//! `flock` passes the locked file on to the command and its children, so that it is free exactly when the last of them is
//! gone, whoever asks, even a later program. The command's standard input is a pipe that this program holds open; what
//! runs inside has to end when it closes (see [`crate::sandbox`] and [`crate::mock_build`]).

use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::error::{AtPath as _, LocalError};
use crate::files::end_of_log;
use crate::process::{Group, bare_command, last_lines, spawn};

/// Exit code of `flock` when another process holds the lock.
pub(crate) const LOCKED: i32 = 121;

/// Begins a command line with `flock`; the caller appends the program and its arguments.
pub(crate) fn locked_command(flock: &Path, lock: &Path) -> Command {
    let mut command = bare_command(flock);
    command.args(["--exclusive", "--nonblock", "--no-fork", "--conflict-exit-code", &LOCKED.to_string()]);
    command.arg(lock).kill_on_drop(true);
    command
}

/// Runs a command begun by [`locked_command`] to its end; its output is appended to the log.
///
/// Dropping the future kills it; [`wait_until_over`] tells when it is gone.
///
/// # Errors
/// `TimedOut` after the limit, `Unusable` if the lock is held, else trouble with files.
pub(crate) async fn run(mut command: Command, log: &Path, limit: Duration) -> Result<ExitStatus, LocalError> {
    let file = File::options().create(true).append(true).open(log).at(log)?;
    command.stdout(file.try_clone().at(log)?).stderr(file).stdin(Stdio::piped());
    let mut child = spawn(command).await.at("flock")?;
    let group = Group::of(&child);
    let lifeline = child.stdin.take();
    let Ok(status) = tokio::time::timeout(limit, child.wait()).await else {
        drop(lifeline);
        drop(group);
        let _reaped = child.kill().await;
        return Err(LocalError::TimedOut { program: "the build".into(), after: limit });
    };
    group.release();
    let status = status.at("flock")?;
    match status.code() {
        Some(LOCKED) => Err(LocalError::Unusable("an earlier run of this task still lives".into())),
        _ => Ok(status),
    }
}

/// Whether nothing of the command that held this lock lives any more; a lock file that is not there was never held.
///
/// # Errors
/// If the file cannot be opened, or locked for another reason.
pub fn is_over(lock: &Path) -> Result<bool, LocalError> {
    let Some(file) = open_lock(lock)? else { return Ok(true) };
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(LocalError::of_file(lock, error)),
    }
}

/// Waits until nothing of the command that held this lock lives any more.
///
/// # Errors
/// As [`is_over`].
pub async fn wait_until_over(lock: &Path) -> Result<(), LocalError> {
    let Some(file) = open_lock(lock)? else { return Ok(()) };
    let locked = tokio::task::spawn_blocking(move || file.lock()).await;
    locked.unwrap_or_else(|_| Err(std::io::Error::other("the waiting thread ended"))).at(lock)
}

/// The last words in a log, in one line.
pub(crate) fn end_of(log: &Path) -> String {
    let end = last_lines(&end_of_log(log).unwrap_or_default(), 2);
    if end.is_empty() { "no reason given".into() } else { end }
}

fn open_lock(lock: &Path) -> Result<Option<File>, LocalError> {
    match File::open(lock) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        file => file.map(Some).at(lock),
    }
}
