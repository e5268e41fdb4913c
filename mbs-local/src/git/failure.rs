//! Turns git's complaints into errors that say who has to act.
//!
//! Git says in words why it failed, so words are looked for; its own text never leaves this file, except to the debug log: it
//! holds temporary paths and redirected addresses. What is not understood counts as worth another try.

use std::io;

use mbs_core::source_control::SourceError;

use super::address::Address;
use super::run::Failure;

/// What stands between us and a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server does not hand out what was asked for in this way; another way may work.
    NotOffered,
    /// The server sends us to another address.
    Redirected,
    /// There is no such repository.
    Absent,
    /// A login is wanted or the protocol is off, with the reason.
    Denied(&'static str),
    /// Worth another try, with the reason.
    Passing(&'static str),
}

/// The reason that a full disk is.
const FULL: &str = "no space is left on this machine";

/// Parts of git's complaints in lower case; the first that is found decides.
const WORDS: &[(&str, Cause)] = &[
    // A full disk has git complain about its own half-written files, too, in the words of the other causes.
    ("no space left", Cause::Passing(FULL)),
    ("quota exceeded", Cause::Passing(FULL)),
    ("unable to stream", Cause::Passing("git cannot write it here; is there space left?")),
    ("not our ref", Cause::NotOffered),
    ("unadvertised object", Cause::NotOffered),
    ("couldn't find remote ref", Cause::NotOffered),
    ("does not support shallow", Cause::NotOffered),
    ("unable to find", Cause::NotOffered),
    ("unable to update url base from redirection", Cause::Redirected),
    ("returned error: 301", Cause::Redirected),
    ("returned error: 302", Cause::Redirected),
    ("returned error: 303", Cause::Redirected),
    ("returned error: 307", Cause::Redirected),
    ("returned error: 308", Cause::Redirected),
    (
        "dubious ownership",
        Cause::Denied(
            "its folder belongs to another user; build as that one, or through sudo from its account",
        ),
    ),
    ("not allowed", Cause::Denied("its protocol is not switched on")),
    ("authentication failed", Cause::Denied("it wants a login, or there is no such repository")),
    ("could not read username", Cause::Denied("it wants a login, or there is no such repository")),
    ("could not read password", Cause::Denied("it wants a login, or there is no such repository")),
    ("returned error: 401", Cause::Denied("it wants a login, or there is no such repository")),
    ("returned error: 403", Cause::Denied("it may not be read")),
    ("host key verification failed", Cause::Denied("the key of its host is not known here")),
    ("permission denied", Cause::Denied("it may not be read")),
    ("cannot run", Cause::Passing("a program that git needs for it is not installed here")),
    ("could not resolve", Cause::Passing("its host cannot be found")),
    ("name or service not known", Cause::Passing("its host cannot be found")),
    ("name resolution", Cause::Passing("its host cannot be found")),
    ("unable to look up", Cause::Passing("its host cannot be found")),
    ("timed out", Cause::Passing("its host did not answer in time")),
    ("connection refused", Cause::Passing("its host takes no connections")),
    ("failed to connect", Cause::Passing("its host cannot be reached")),
    ("couldn't connect", Cause::Passing("its host cannot be reached")),
    ("unable to connect", Cause::Passing("its host cannot be reached")),
    ("no route to host", Cause::Passing("its host cannot be reached")),
    ("unreachable", Cause::Passing("its host cannot be reached")),
    ("certificate", Cause::Passing("the certificate of its host is not valid here")),
    ("returned error: 429", Cause::Passing("its host asks us to come back later")),
    ("returned error: 5", Cause::Passing("its host has trouble of its own")),
    ("does not appear to be a git repository", Cause::Absent),
    ("repository not exported", Cause::Absent),
    ("no such file or directory", Cause::Absent),
    ("not found", Cause::Absent),
    ("returned error: 404", Cause::Absent),
    ("returned error: 410", Cause::Absent),
    ("does not exist", Cause::Absent),
    ("handshake", Cause::Passing("no safe connection to its host came about")),
    ("hung up", Cause::Passing("the connection broke off")),
    ("early eof", Cause::Passing("the connection broke off")),
    ("connection reset", Cause::Passing("the connection broke off")),
    ("rpc failed", Cause::Passing("the connection broke off")),
];

/// Says whether a file was refused because the disk or the quota is full.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Says that the disk is full on which a repository is copied.
pub(super) fn full(address: &Address) -> SourceError {
    SourceError::Unavailable { repository: address.to_string(), reason: FULL.to_owned() }
}

/// Says in our words why a file of ours could not be kept. The path is of no use to the reader.
pub(super) fn disk_error(address: &Address, error: &io::Error) -> SourceError {
    if is_full(error) {
        return full(address);
    }
    let reason = format!("this machine could not keep its files: {}", error.kind());
    SourceError::Unavailable { repository: address.to_string(), reason }
}

/// Finds out what git complains about.
pub(super) fn cause(said: &str) -> Cause {
    let said = said.to_lowercase();
    let known = WORDS.iter().find(|(words, _)| said.contains(words));
    known.map_or(Cause::Passing("git could not read it and did not say why"), |(_, cause)| *cause)
}

/// Says in our words why a repository could not be read.
pub(super) fn source_error(address: &Address, failure: Failure) -> SourceError {
    let repository = address.to_string();
    let unavailable = |reason: String| SourceError::Unavailable { repository: repository.clone(), reason };
    match failure {
        Failure::NotStarted(error) if is_full(&error) => unavailable(FULL.to_owned()),
        failure @ Failure::NotStarted(_) => unavailable(no_git(&failure)),
        Failure::TimedOut(limit) => unavailable(format!("it did not answer within {limit:?}")),
        Failure::TooMuch(bytes) => {
            SourceError::Rejected { reason: format!("{repository} sends more than {bytes} bytes") }
        }
        Failure::Refused { said } => {
            tracing::debug!(%repository, %said, "git could not read a repository");
            of_cause(address, cause(&said))
        }
    }
}

/// Says in our words why git itself is of no use.
pub(super) fn no_git(failure: &Failure) -> String {
    match failure {
        Failure::NotStarted(error) => format!("git cannot be run on this machine: {error}"),
        Failure::TimedOut(limit) => {
            format!("git did not start within {limit:?}; is this machine overloaded?")
        }
        Failure::TooMuch(_) | Failure::Refused { .. } => {
            "git does not work on this machine: see what `git --version` says".to_owned()
        }
    }
}

fn of_cause(address: &Address, cause: Cause) -> SourceError {
    let repository = address.to_string();
    match cause {
        Cause::Absent if address.is_folder_here() => {
            SourceError::Rejected { reason: format!("the folder {repository} is no git repository") }
        }
        Cause::Absent => SourceError::NotFound { what: format!("the repository {repository}") },
        Cause::Denied(why) => SourceError::Denied { what: format!("{repository}: {why}") },
        Cause::Redirected => SourceError::Denied {
            what: format!("{repository}: it redirects to another address; give that one"),
        },
        Cause::NotOffered => {
            SourceError::Rejected { reason: format!("{repository} does not hand out what its own refs name") }
        }
        Cause::Passing(why) => SourceError::Unavailable { repository, reason: why.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_git_are_sorted_by_who_has_to_act() {
        let login = Cause::Denied("it wants a login, or there is no such repository");
        for (said, wanted) in [
            ("fatal: could not read Username for 'https://x': terminal prompts disabled", login),
            ("fatal: Authentication failed for 'https://x/'", login),
            ("fatal: repository 'https://x/y/' not found", Cause::Absent),
            ("fatal: remote error: access denied or repository not exported: /nosuch.git", Cause::Absent),
            (
                "fatal: '/tmp/a/nosuch.git' does not appear to be a git repository\nfatal: Could not read from remote",
                Cause::Absent,
            ),
            (
                "fatal: unable to access 'https://x/': Could not resolve host: x",
                Cause::Passing("its host cannot be found"),
            ),
            ("fatal: the remote end hung up unexpectedly", Cause::Passing("the connection broke off")),
            ("fatal: remote error: upload-pack: not our ref 1234", Cause::NotOffered),
            ("fatal: unable to access 'http://x/': The requested URL returned error: 301", Cause::Redirected),
            (
                "error: cannot run ssh: No such file or directory\nfatal: unable to fork",
                Cause::Passing("a program that git needs for it is not installed here"),
            ),
            (
                "error: write error: No space left on device\nfatal: unable to find remote helper",
                Cause::Passing(FULL),
            ),
            (
                "fatal: detected dubious ownership in repository at '/srv/x'",
                Cause::Denied(
                    "its folder belongs to another user; build as that one, or through sudo from its account",
                ),
            ),
            ("fatal: transport 'file' not allowed", Cause::Denied("its protocol is not switched on")),
        ] {
            assert_eq!(cause(said), wanted, "{said}");
        }
    }

    #[test]
    fn words_nobody_knows_are_worth_another_try_and_not_repeated() {
        let address = Address::parse("file:///srv/x", &[super::super::Protocol::File].into()).unwrap();
        let error = source_error(&address, Failure::Refused { said: "fatal: /tmp/secret is odd".into() });
        assert!(error.is_transient());
        assert!(!error.to_string().contains("/tmp"), "{error}");
    }
}
