//! Runs one program of the machine to its end.
//!
//! The environment is fixed, output is bounded, time is limited, and the whole process group dies
//! with the call; a program also dies with this one, even by SIGKILL. Arguments are passed as they are: no shell ever sees
//! text from outside.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::error::{AtPath as _, LocalError};
use crate::programs::{Program, Programs, SEARCH_PATH};

/// How much of a program's output is kept: its last bytes.
const KEPT_BYTES: usize = 64 * 1024;

/// How long a program of the machine may take, builds apart.
const USUAL_LIMIT: Duration = Duration::from_secs(600);

/// One program with its arguments, not yet started.
#[derive(Debug)]
pub struct Invocation {
    program: PathBuf,
    arguments: Vec<OsString>,
    input: Option<File>,
    output: Option<File>,
    limit: Duration,
}

impl Invocation {
    /// Names the program by its full path; no arguments, no input, ten minutes.
    pub fn of(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), input: None, output: None, limit: USUAL_LIMIT }
    }

    /// Adds arguments, passed as they are.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Gives the program this file as its standard input.
    #[must_use]
    pub fn input(mut self, file: File) -> Self {
        self.input = Some(file);
        self
    }

    /// Sends standard output to this file; only errors are then kept in [`Finished::said`].
    #[must_use]
    pub fn output(mut self, file: File) -> Self {
        self.output = Some(file);
        self
    }

    /// Replaces the time limit.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs the program and returns how it ended, well or badly.
    ///
    /// # Errors
    /// `Io` or `NotAllowed` if it cannot be started, `TimedOut` if it took too long (all its processes
    /// are killed).
    pub async fn run(self) -> Result<Finished, LocalError> {
        let (program, limit) = (self.program.clone(), self.limit);
        let name = display_name(&program);
        let mut child = spawn(self.command()).await.at(&program)?;
        let group = Group::of(&child);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let running = async {
            let (out, err, status) = tokio::join!(last_bytes(out), last_bytes(err), child.wait());
            status.map(|status| Finished { program: name.clone(), status, printed: out, said: err })
        };
        let Ok(finished) = tokio::time::timeout(limit, running).await else {
            drop(group);
            let _reaped = child.kill().await;
            return Err(LocalError::TimedOut { program: name, after: limit });
        };
        group.release();
        finished.at(&program)
    }

    fn command(self) -> Command {
        let mut command = bare_command(&self.program);
        command.args(&self.arguments).kill_on_drop(true).stderr(Stdio::piped());
        command.stdin(self.input.map_or_else(Stdio::null, Stdio::from));
        command.stdout(self.output.map_or_else(Stdio::piped, Stdio::from));
        command
    }
}

/// How a program ended.
#[derive(Debug)]
pub struct Finished {
    program: String,
    /// The exit status.
    pub status: ExitStatus,
    /// The end of its standard output, empty if that went to a file.
    pub printed: String,
    /// The end of its standard error output.
    pub said: String,
}

impl Finished {
    /// Passes on what was printed if the program succeeded.
    ///
    /// # Errors
    /// `Program` with the last lines that it printed.
    pub fn printed_if_successful(self) -> Result<String, LocalError> {
        if self.status.success() {
            return Ok(self.printed);
        }
        let said = if self.said.trim().is_empty() { &self.printed } else { &self.said };
        Err(LocalError::Program {
            program: self.program,
            status: self.status.to_string(),
            said: last_lines(said, 5),
        })
    }
}

/// A command in a process group of its own, with nothing of our environment.
pub(crate) fn bare_command(program: &Path) -> Command {
    let mut command = bound_command(program.as_os_str());
    command.env_clear().env("PATH", SEARCH_PATH).env("LANG", "C.UTF-8").env("TERM", "dumb");
    command.process_group(0);
    command
}

/// A command that the kernel kills when this program dies; its own children it does not. To be started by [`spawn`].
pub(crate) fn bound_command(program: &OsStr) -> Command {
    static SETPRIV: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| Programs::of_machine().find(Program::Setpriv).ok());
    let Some(setpriv) = &*SETPRIV else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Starts a command.
///
/// The kernel takes the end of a thread for the death of what it started, and threads of a runtime come and go: so one does it
/// that stays for as long as the program lives.
///
/// # Errors
/// If the command, or that thread, cannot be started.
pub(crate) async fn spawn(mut command: Command) -> io::Result<Child> {
    type Start = Box<dyn FnOnce() + Send>;
    static STARTER: LazyLock<mpsc::Sender<Start>> = LazyLock::new(|| {
        let (sender, starts) = mpsc::channel::<Start>();
        let all = move || starts.into_iter().for_each(|start| drop(catch_unwind(AssertUnwindSafe(start))));
        // Without it nobody listens, which each sender is told.
        drop(thread::Builder::new().name("starter".into()).spawn(all));
        sender
    });
    let no_thread = || io::Error::other("no thread can be started");
    let (runtime, (tell, told)) = (Handle::current(), oneshot::channel());
    let start = move || {
        let _entered = runtime.enter();
        // If nobody waits any more, the child is killed by being dropped.
        drop(tell.send(command.spawn()));
    };
    STARTER.send(Box::new(start)).map_err(|_| no_thread())?;
    told.await.unwrap_or_else(|_| Err(no_thread()))
}

/// Kills a process group when dropped, unless released.
///
/// Drop it before its child is waited for: the number is then certainly still the group's.
#[derive(Debug)]
pub(crate) struct Group(Option<u32>);

impl Group {
    /// Takes over the group of a child that was started as the first of its own.
    pub(crate) fn of(child: &Child) -> Self {
        Self(child.id())
    }

    /// Lets the group live: its first process has ended by itself.
    pub(crate) fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(group) = self.0 else { return };
        let mut killer = std::process::Command::new("/bin/sh");
        // Not every shell understands `-KILL --`.
        killer.args(["-c", "kill -s KILL -- \"-$1\"", "kill", &group.to_string()]).env_clear();
        killer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match killer.status() {
            Ok(status) if status.success() => {}
            Ok(status) => tracing::debug!(%status, "a program that was to be stopped is gone already"),
            Err(error) => tracing::warn!(%error, "a program could not be stopped"),
        }
    }
}

/// The last non-empty lines of a text, joined to one.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("; ")
}

fn display_name(program: &Path) -> String {
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

async fn last_bytes(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let (mut kept, mut chunk) = (Vec::new(), vec![0; 8192]);
    while let Ok(read @ 1..) = stream.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..read]);
        if kept.len() > 2 * KEPT_BYTES {
            kept.drain(..kept.len() - KEPT_BYTES);
        }
    }
    kept.drain(..kept.len().saturating_sub(KEPT_BYTES));
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Invocation {
        Invocation::of("/bin/sh").args(["-c", script])
    }

    /// Whether somebody else takes a lock before the time is over.
    async fn is_locked_within(lock: &File, limit: Duration) -> bool {
        let taken = async {
            while lock.try_lock().is_ok() {
                lock.unlock().unwrap();
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(limit, taken).await.is_ok()
    }

    #[tokio::test]
    async fn failure_carries_the_last_words_of_the_program() {
        let finished = shell("echo first; echo bad thing >&2; exit 3").run().await.unwrap();
        let error = finished.printed_if_successful().unwrap_err();
        assert_eq!(error.to_string(), "sh failed (exit status: 3): bad thing");
    }

    #[tokio::test]
    async fn endless_output_is_cut_to_its_end() {
        let finished = shell("yes | head -c 1000000; echo the end").run().await.unwrap();
        assert_eq!(finished.printed.len(), KEPT_BYTES);
        assert!(finished.printed.ends_with("the end\n"));
    }

    #[tokio::test]
    async fn program_that_takes_too_long_is_killed_with_its_children() {
        let directory = tempfile::tempdir().unwrap();
        let lock = File::create(directory.path().join("lock")).unwrap();
        let script = "exec 9>\"$1\"; flock 9; sleep 1000 & wait";
        let path = directory.path().join("lock");
        let run =
            |limit| Invocation::of("/bin/sh").args(["-c", script, "sh"]).args([&path]).limit(limit).run();
        // Under load the lock may come late; what was stopped before tests nothing.
        let mut limit = Duration::from_millis(300);
        let error = loop {
            let (error, held) = tokio::join!(run(limit), is_locked_within(&lock, limit));
            if held {
                break error.unwrap_err();
            }
            limit *= 2;
        };
        assert!(matches!(error, LocalError::TimedOut { .. }), "{error}");
        lock.lock().unwrap();
    }

    #[tokio::test]
    async fn program_that_nobody_waits_for_any_more_is_killed_with_its_children() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let lock = File::create(&path).unwrap();
        let script = "exec 9>\"$1\"; sleep 100 & flock 9; wait";
        let run = Invocation::of("/bin/sh").args(["-c", script, "sh"]).args([&path]).run();
        let is_locked = is_locked_within(&lock, Duration::from_secs(60));
        let began = std::time::Instant::now();
        tokio::select! {
            ended = run => panic!("{ended:?}"),
            held = is_locked => assert!(held),
        }
        lock.lock().unwrap();
        assert!(began.elapsed() < Duration::from_secs(60));
    }

    /// Set in the process that is to be killed: the directory of its program's files.
    const DOOMED: &str = "MBS_TEST_DOOMED_CALLER";

    /// Not a test of its own: the program that [`program_dies_with_the_one_that_started_it`] kills.
    #[tokio::test]
    async fn doomed_caller_waits_until_it_is_killed() {
        let Some(directory) = std::env::var_os(DOOMED).map(PathBuf::from) else { return };
        let script = "exec 9>\"$1\"; flock 9; echo >\"$2\"; exec sleep 1000";
        let files = ["lock", "started"].map(|name| directory.join(name));
        let ended = Invocation::of("/bin/sh").args(["-c", script, "sh"]).args(&files).run().await;
        panic!("the program ended before it was killed: {ended:?}");
    }

    #[test]
    fn program_dies_with_the_one_that_started_it() {
        let directory = tempfile::tempdir().unwrap();
        let started = directory.path().join("started");
        std::process::Command::new("mkfifo").arg(&started).status().unwrap();
        let mut doomed = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::tests::doomed_caller_waits_until_it_is_killed"])
            .env(DOOMED, directory.path())
            .spawn()
            .unwrap();
        assert_eq!(std::fs::read_to_string(&started).unwrap(), "\n");
        let lock = File::open(directory.path().join("lock")).unwrap();
        assert!(lock.try_lock().is_err());
        doomed.kill().unwrap();
        doomed.wait().unwrap();
        lock.lock().unwrap();
    }

    #[tokio::test]
    async fn input_and_output_are_the_files_that_were_given() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        std::fs::write(&from, "text").unwrap();
        let files = (File::open(&from).unwrap(), File::create(&to).unwrap());
        let finished = shell("cat").input(files.0).output(files.1).run().await.unwrap();
        assert_eq!((finished.printed.as_str(), std::fs::read_to_string(&to).unwrap().as_str()), ("", "text"));
    }

    #[tokio::test]
    async fn environment_of_the_caller_is_not_passed_on() {
        let printed = shell("env").run().await.unwrap().printed_if_successful().unwrap();
        assert!(!printed.contains("CARGO"), "{printed}");
    }

    #[test]
    fn last_lines_skips_empty_ones() {
        assert_eq!(last_lines("a\n\nb \n c\n\n", 2), "b; c");
    }
}
