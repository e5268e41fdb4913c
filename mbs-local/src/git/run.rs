//! Starts git, always the same way.
//!
//! Nothing of the user's or the machine's configuration, no prompts, no hooks, no helper programs, no redirects, English
//! words; output and time are bounded, and the whole process group dies with the call. It never reads what git says.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::address::Protocol;
use crate::error::Lacking;
use crate::process::{Group, bound_command, spawn};
use crate::programs::{Program, Programs, SEARCH_PATH};

/// How much of git's complaints is kept, in bytes.
const KEPT_WORDS: usize = 64 * 1024;

/// What is passed on from the environment: ways to the network, and what the operator configures for git.
const KEPT_VARIABLES: [&str; 15] = [
    "PATH",
    "TMPDIR",
    "SUDO_UID",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_CONFIG_COUNT",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// Keeps git from other people's programs and places.
const ENVIRONMENT: [(&str, &str); 11] = [
    ("LC_ALL", "C"),
    ("HOME", "/nonexistent"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", "true"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oClearAllForwardings=yes"),
];

/// Settings that win over those of any file or variable.
const SETTINGS: [&str; 15] = [
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=true",
    "credential.helper=",
    "init.templateDir=",
    "init.defaultBranch=main",
    "http.followRedirects=false",
    "http.sslVerify=true",
    "transfer.bundleURI=false",
    "fetch.recurseSubmodules=false",
    "fetch.unpackLimit=1",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
];

/// The fixed environment that git runs in. It does not print: settings may hold passwords.
#[derive(Clone)]
pub(super) struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// Chooses from the variables of this process what git may see.
    ///
    /// Git may use the given protocols, and those to which the variables redirect addresses (`url.….insteadOf`).
    pub(super) fn new(
        protocols: &BTreeSet<Protocol>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let mut kept: Vec<_> = variables.into_iter().filter(|(name, _)| is_kept(name)).collect();
        let redirected = kept.iter().filter_map(|(name, value)| redirected_protocol(name, value));
        let usable: BTreeSet<Protocol> = protocols.iter().copied().chain(redirected).collect();
        let schemes: Vec<&str> = usable.into_iter().map(Protocol::scheme).collect();
        kept.extend(ENVIRONMENT.map(|(name, value)| (name.into(), value.into())));
        kept.push(("GIT_ALLOW_PROTOCOL".into(), schemes.join(":").into()));
        Self(kept)
    }

    /// Finds the git that is called.
    ///
    /// # Errors
    /// [`Lacking`] if there is none along `PATH`.
    pub(super) fn find_git(&self) -> Result<PathBuf, Lacking> {
        let path = self.0.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_os_str());
        let path = path.unwrap_or(OsStr::new(SEARCH_PATH));
        Programs::in_directories(std::env::split_paths(path)).find(Program::Git)
    }

    /// Prepares a call of git on a repository, or on none.
    pub(super) fn git(&self, repository: Option<&Path>) -> Call {
        let mut command = bound_command("git".as_ref());
        command.env_clear().envs(self.0.iter().map(|(name, value)| (name, value)));
        command.env("GIT_DIR", repository.unwrap_or(Path::new("/dev/null"))).current_dir("/");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.arg("--literal-pathspecs").process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Call { command, limit: Duration::from_secs(60), bound: 64 * 1024 * 1024 }
    }
}

fn is_kept(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let is_setting = name.starts_with("GIT_CONFIG_KEY_") || name.starts_with("GIT_CONFIG_VALUE_");
    is_setting || KEPT_VARIABLES.contains(&name)
}

/// The protocol to which a setting of the operator redirects addresses.
fn redirected_protocol(name: &OsStr, value: &OsStr) -> Option<Protocol> {
    let key =
        value.to_str().filter(|_| name.to_str().is_some_and(|name| name.starts_with("GIT_CONFIG_KEY_")))?;
    let (section, variable) = key.rsplit_once('.')?;
    let place = section.strip_prefix("url.").filter(|_| variable.eq_ignore_ascii_case("insteadOf"))?;
    match place.split_once("://") {
        Some((scheme, _)) => Protocol::of(scheme),
        None => place.starts_with('/').then_some(Protocol::File),
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// One call of git, not yet started. Stops after a minute and after 64 MiB of output.
pub(super) struct Call {
    command: Command,
    limit: Duration,
    bound: usize,
}

impl Call {
    /// Adds arguments, passed as they are.
    pub(super) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Replaces the time limit.
    pub(super) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Lets git read one file and write the other.
    pub(super) fn between(mut self, input: File, output: File) -> Self {
        self.command.stdin(input).stdout(output);
        self
    }

    /// Runs git to its end, good or bad.
    ///
    /// # Errors
    /// It could not be started, took too long or said too much.
    pub(super) async fn run(self) -> Result<Finished, Failure> {
        let mut child = spawn(self.command).await.map_err(Failure::NotStarted)?;
        let group = Group::of(&child);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let running = async {
            let status = async { child.wait().await.map_err(Failure::NotStarted) };
            tokio::try_join!(bounded(out, self.bound), first_words(err), status)
        };
        let (printed, said, status) = match tokio::time::timeout(self.limit, running).await {
            Ok(ended) => ended?,
            Err(_) => return Err(Failure::TimedOut(self.limit)),
        };
        group.release();
        Ok(Finished { status, printed, said })
    }

    /// Runs git and returns what it printed if it succeeded.
    ///
    /// # Errors
    /// Those of [`Call::run`], and `Refused` if it ended badly.
    pub(super) async fn printed(self) -> Result<Vec<u8>, Failure> {
        let finished = self.run().await?;
        if finished.status.success() {
            return Ok(finished.printed);
        }
        Err(Failure::Refused { said: finished.said })
    }
}

/// How git ended.
#[derive(Debug)]
pub(super) struct Finished {
    /// Its exit status.
    pub(super) status: ExitStatus,
    /// All that it printed.
    pub(super) printed: Vec<u8>,
    /// The beginning of its complaints.
    pub(super) said: String,
}

/// Why a call of git brought nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// Git is missing or this machine is out of something.
    NotStarted(io::Error),
    /// It did not end in time.
    TimedOut(Duration),
    /// It brought more than it may: the most allowed, in bytes.
    TooMuch(u64),
    /// It ended badly, with these words.
    Refused {
        /// The beginning of its complaints.
        said: String,
    },
}

async fn bounded(stream: Option<impl AsyncRead + Unpin>, bound: usize) -> Result<Vec<u8>, Failure> {
    let Some(stream) = stream else { return Ok(Vec::new()) };
    let (mut read, most) = (Vec::new(), bound as u64);
    stream.take(most + 1).read_to_end(&mut read).await.map_err(Failure::NotStarted)?;
    if read.len() > bound { Err(Failure::TooMuch(most)) } else { Ok(read) }
}

async fn first_words(stream: Option<impl AsyncRead + Unpin>) -> Result<String, Failure> {
    let Some(mut stream) = stream else { return Ok(String::new()) };
    let mut kept = Vec::new();
    let mut start = (&mut stream).take(KEPT_WORDS as u64);
    start.read_to_end(&mut kept).await.map_err(Failure::NotStarted)?;
    // What is beyond must be read, too, or git would wait for ever.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map_err(Failure::NotStarted)?;
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let text = |text: OsString| text.into_string().unwrap();
        let Environment(kept) = Environment::new(&[Protocol::Https].into(), own);
        kept.into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    fn value<'a>(of: &str, variables: &'a [(String, String)]) -> Option<&'a str> {
        variables.iter().rev().find(|(name, _)| name == of).map(|(_, value)| value.as_str())
    }

    #[test]
    fn variables_that_steer_git_are_not_passed_on() {
        let given = [
            ("GIT_SSL_NO_VERIFY", "1"),
            ("GIT_EXEC_PATH", "/tmp"),
            ("GIT_SSH", "/tmp/x"),
            ("GIT_CONFIG_GLOBAL", "/home/anna/.gitconfig"),
            ("GIT_ALLOW_PROTOCOL", "ext"),
            ("LD_PRELOAD", "/tmp/x.so"),
            ("PATH", "/usr/bin"),
        ];
        let kept = environment(&given);
        assert_eq!(value("GIT_SSL_NO_VERIFY", &kept), None);
        assert_eq!(value("GIT_EXEC_PATH", &kept), None);
        assert_eq!(value("LD_PRELOAD", &kept), None);
        assert_eq!(value("GIT_CONFIG_GLOBAL", &kept), Some("/dev/null"));
        assert_eq!(value("GIT_ALLOW_PROTOCOL", &kept), Some("https"));
        assert_eq!(value("PATH", &kept), Some("/usr/bin"));
    }

    #[test]
    fn redirection_by_the_operator_allows_its_protocol() {
        let given = [
            ("GIT_CONFIG_COUNT", "2"),
            ("GIT_CONFIG_KEY_0", "url.file:///srv/git/.insteadOf"),
            ("GIT_CONFIG_VALUE_0", "https://src.example.test/"),
            ("GIT_CONFIG_KEY_1", "http.proxy"),
            ("GIT_CONFIG_VALUE_1", "url.ext::x.insteadOf"),
        ];
        let kept = environment(&given);
        assert_eq!(value("GIT_ALLOW_PROTOCOL", &kept), Some("https:file"));
        assert_eq!(value("GIT_CONFIG_VALUE_0", &kept), Some("https://src.example.test/"));
    }

    #[test]
    fn settings_of_the_operator_are_not_printed() {
        let secret = [("GIT_CONFIG_VALUE_0".into(), "Authorization: secret".into())];
        let printed = format!("{:?}", Environment::new(&[].into(), secret));
        assert_eq!(printed, "Environment { .. }");
    }

    #[tokio::test]
    async fn output_beyond_the_bound_is_refused() {
        let environment = Environment::new(&[].into(), std::env::vars_os());
        let call = Call { bound: 3, ..environment.git(None).args(["--version"]) };
        let failure = call.printed().await.unwrap_err();
        assert!(matches!(failure, Failure::TooMuch(3)), "{failure:?}");
    }
}
