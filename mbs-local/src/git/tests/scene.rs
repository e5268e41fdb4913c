//! What the tests read: real repositories in temporary folders, and small servers on loopback.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::super::{GitSettings, GitSourceControl, Protocol};
use crate::git::address::rejected;
use mbs_core::ident::CommitId;
use mbs_core::source_control::{Fetched, Place, RefQuestion, SourceControl as _, SourceError};

/// Whether there is a git to test with; if there must be one, its lack is an error.
pub(super) fn git_is_here() -> bool {
    let found = Command::new("git").arg("--version").output().is_ok();
    assert!(found || std::env::var_os("MBS_REFERENCE_REQUIRED").is_none(), "git is not installed");
    if !found {
        println!("git is not installed: nothing was tested");
    }
    found
}

/// Runs git untouched by this machine's configuration, and returns what it printed.
pub(super) fn git(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("git");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    for (name, value) in [
        ("HOME", "/nonexistent"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "A"),
        ("GIT_AUTHOR_EMAIL", "a@example.test"),
        ("GIT_AUTHOR_DATE", "1600000000 +0000"),
        ("GIT_COMMITTER_NAME", "C"),
        ("GIT_COMMITTER_EMAIL", "c@example.test"),
        ("GIT_COMMITTER_DATE", "1700000000 +0200"),
    ] {
        command.env(name, value);
    }
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "git {arguments:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// A repository with a working tree, on branch `main`, and a folder for anything else.
pub(super) struct Scene {
    folder: TempDir,
}

impl Scene {
    pub(super) fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        scene.repository("repo", &[]);
        scene
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes one more repository with a first commit.
    pub(super) fn repository(&self, name: &str, options: &[&str]) {
        std::fs::create_dir_all(self.path(name)).unwrap();
        git(&self.path(name), &[&["init", "-q", "-b", "main"], options].concat(), "");
        git(&self.path(name), &["commit", "-q", "--allow-empty", "-m", "first"], "");
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        git(&self.path("repo"), arguments, "")
    }

    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path("repo").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Commits all that was written.
    pub(super) fn commit(&self) -> CommitId {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "next"]);
        self.head()
    }

    pub(super) fn commit_of(&self, path: &str, content: &str) -> CommitId {
        self.write(path, content);
        self.commit()
    }

    pub(super) fn head(&self) -> CommitId {
        CommitId::new(self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    pub(super) fn url(&self) -> String {
        self.url_of("repo")
    }

    pub(super) fn url_of(&self, name: &str) -> String {
        format!("file://{}", self.path(name).display())
    }
}

pub(super) fn settings() -> GitSettings {
    let protocols = [Protocol::File, Protocol::Git, Protocol::Http].into();
    GitSettings { protocols, ..GitSettings::default() }
}

/// Source control as a local build would have it.
pub(super) fn sources() -> GitSourceControl {
    with(settings(), &[])
}

pub(super) fn with(settings: GitSettings, variables: &[(&str, &str)]) -> GitSourceControl {
    let path = ("PATH".into(), std::env::var_os("PATH").unwrap_or_default());
    let more = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    GitSourceControl::with_variables(settings, std::iter::once(path).chain(more))
}

pub(super) fn place(repository: &str, revision: &str, branch: Option<&str>, path: &str) -> Place {
    Place {
        repository: repository.into(),
        revision: revision.into(),
        branch: branch.map(str::to_owned),
        path: path.into(),
    }
}

pub(super) async fn document(sources: &GitSourceControl, place: &Place) -> Result<Fetched, SourceError> {
    let mut answers = sources.documents(std::slice::from_ref(place)).await?;
    assert_eq!(answers.len(), 1);
    answers.pop().unwrap_or_else(|| Err(rejected("no answer".into())))
}

pub(super) async fn resolve(
    sources: &GitSourceControl,
    repository: &str,
    git_ref: &str,
) -> Result<String, SourceError> {
    let question = RefQuestion { repository: repository.into(), git_ref: git_ref.into() };
    let mut answers = sources.resolve_refs(&BTreeSet::from([question.clone()])).await?;
    answers.remove(&question).unwrap().map(String::from)
}

/// Waits for what must come soon.
pub(super) async fn soon<T>(of: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), of).await.expect("it took too long")
}

/// Serves the folder over `git://` until the test ends; returns the address.
pub(super) async fn daemon(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let base = format!("--base-path={}", folder.display());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let socket = stream.into_std().unwrap();
            socket.set_nonblocking(false).unwrap();
            let (input, output) = (socket.try_clone().unwrap(), socket);
            let mut command = tokio::process::Command::new("git");
            command
                .args(["daemon", "--inetd", "--export-all", &base, "--"])
                .arg(&base["--base-path=".len()..]);
            command.stdin(std::os::fd::OwnedFd::from(input)).stdout(std::os::fd::OwnedFd::from(output));
            tokio::spawn(async move { command.stderr(Stdio::null()).status().await });
        }
    });
    format!("git://{address}")
}

/// What the little web server answers to a path.
pub(super) type Answer = fn(path: &str) -> Option<(u16, String)>;

/// Serves the files of a folder over plain HTTP, but first asks `special`: status and `Location`. Returns the address.
pub(super) async fn web(folder: PathBuf, special: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, folder.clone(), special));
        }
    });
    format!("http://{address}")
}

async fn serve(mut stream: TcpStream, folder: PathBuf, special: Answer) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        request.push(byte);
    }
    let request = String::from_utf8(request).unwrap();
    let asked = request.split(' ').nth(1).unwrap();
    let path = asked.split('?').next().unwrap();
    let (status, location, body) = match (special(path), std::fs::read(folder.join(&path[1..]))) {
        (Some((status, location)), _) => (status, location, Vec::new()),
        (None, Ok(body)) => (200, String::new(), body),
        (None, Err(_)) => (404, String::new(), Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _closed_early = stream.write_all(head.as_bytes()).await;
    let _closed_early = stream.write_all(&body).await;
}
