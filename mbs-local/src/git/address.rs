//! What may be asked of git: checked addresses, refs and paths.
//!
//! Everything here comes from people: from submissions, from documents, from the configuration. It is checked before
//! any program starts, so that git never sees an option, a helper program or another place than the one meant. Nothing here
//! connects anywhere, and no text that may hold a password is ever repeated.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use mbs_core::source_control::SourceError;

/// Longest address, ref or path taken, in bytes.
const LONGEST: usize = 1000;

/// A way to reach a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// `https://`, also written `git+https://`.
    Https,
    /// `http://`, also written `git+http://`: neither secret nor safe from changes on the way.
    Http,
    /// `git://`: neither secret nor safe from changes on the way.
    Git,
    /// `ssh://`, with keys only; nobody is asked for a password.
    Ssh,
    /// `file://`: repositories of this machine, for local use.
    File,
}

impl Protocol {
    /// Returns the scheme that git knows it by.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Git => "git",
            Self::Ssh => "ssh",
            Self::File => "file",
        }
    }

    /// Finds the protocol of a scheme, with or without `git+`; `None` if it is none of ours.
    pub(super) fn of(scheme: &str) -> Option<Self> {
        let plain = scheme.strip_prefix("git+").unwrap_or(scheme);
        [Self::Https, Self::Http, Self::Git, Self::Ssh, Self::File].into_iter().find(|p| p.scheme() == plain)
    }
}

/// A repository's address that may be given to git. Displays in git's spelling; it holds no password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    protocol: Protocol,
    rest: String,
}

impl Address {
    /// Checks an address: `scheme://host/path` with an allowed scheme, nothing hidden in it.
    ///
    /// # Errors
    /// `Denied` if the protocol is not allowed, `Rejected` for everything else.
    pub(super) fn parse(text: &str, allowed: &BTreeSet<Protocol>) -> Result<Self, SourceError> {
        let refused = |why: &str| rejected(format!("{} is no usable repository address: {why}", shown(text)));
        check_characters(text).map_err(&refused)?;
        if let Some(name) = placeholder(text) {
            return Err(refused(&format!("@{name}@ stands for an address that nobody has filled in")));
        }
        let (scheme, rest) = split_scheme(text)
            .ok_or_else(|| refused("it must look like https://host/path or file:///folder"))?;
        let Some(protocol) = Protocol::of(scheme).filter(|protocol| allowed.contains(protocol)) else {
            return Err(SourceError::Denied {
                what: format!("{}: the protocol {scheme:?} is not switched on", shown(text)),
            });
        };
        let (host, path) = rest.split_once('/').ok_or_else(|| refused("it has no path"))?;
        check_host(protocol, host).map_err(&refused)?;
        check_address_path(path).map_err(&refused)?;
        Ok(Self { protocol, rest: rest.to_owned() })
    }

    /// Says whether it names a folder of this machine, and that is there.
    pub(super) fn is_folder_here(&self) -> bool {
        self.protocol == Protocol::File && Path::new(&self.rest).is_dir()
    }

    /// Returns the same address with `.git` at its end; `None` if it ends so.
    pub(super) fn with_git_suffix(&self) -> Option<Self> {
        let bare = self.rest.trim_end_matches('/');
        (!bare.ends_with(".git")).then(|| Self { protocol: self.protocol, rest: format!("{bare}.git") })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.protocol.scheme(), self.rest)
    }
}

/// Splits an address behind its scheme. What holds an `@` is none: it may be a password.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    text.split_once("://").filter(|(scheme, _)| !scheme.contains('@'))
}

/// What every text from outside obeys.
fn check_characters(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("it is empty")
    } else if text.len() > LONGEST {
        Err("it is too long")
    } else if text.starts_with('-') {
        Err("it must not start with '-'")
    } else if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        Err("it must not hold blanks, control characters or '\\'")
    } else {
        Ok(())
    }
}

fn check_host(protocol: Protocol, host: &str) -> Result<(), &'static str> {
    let host = match host.rsplit_once('@') {
        Some((user, host)) if protocol == Protocol::Ssh && is_word(user) => host,
        Some(_) => return Err("user names and passwords do not belong there"),
        None => host,
    };
    match protocol {
        Protocol::File if host.is_empty() => Ok(()),
        Protocol::File => Err("it must look like file:///folder"),
        _ if is_host(host) => Ok(()),
        _ => Err("its host is not valid"),
    }
}

/// A word that no program takes for an option.
fn is_word(text: &str) -> bool {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !text.is_empty() && !text.starts_with(['-', '.']) && text.chars().all(is_usual)
}

/// A name or number, perhaps with a port.
fn is_host(text: &str) -> bool {
    let is_port =
        |port: &str| !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    if let Some((inside, after)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_number = inside.parse::<std::net::Ipv6Addr>().is_ok();
        return is_number && (after.is_empty() || after.strip_prefix(':').is_some_and(is_port));
    }
    match text.split_once(':') {
        Some((name, port)) => is_word(name) && is_port(port),
        None => is_word(text),
    }
}

fn check_address_path(path: &str) -> Result<(), &'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        Err("it has no path")
    } else if path.contains(['?', '#', '"', '\'', '`', '<', '>', '|', '$', ';']) {
        Err("its path must not hold any of ?#\"'`<>|$;")
    } else if hides_characters(path) {
        Err("its path must not hide '.', '/' or control characters behind '%'")
    } else {
        check_segments(path)
    }
}

/// Some servers undo `%` escapes before they look at the path.
fn hides_characters(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ["%2e", "%2f", "%5c", "%0", "%1", "%25"].iter().any(|hidden| lower.contains(hidden))
}

fn check_segments(path: &str) -> Result<(), &'static str> {
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("'.', '..' and doubled '/' are not allowed in a path");
    }
    Ok(())
}

/// Refuses what cannot be the name of a branch or tag, nor a hash.
///
/// # Errors
/// `Rejected`, with the text and the reason.
pub(super) fn check_ref(text: &str) -> Result<(), SourceError> {
    let is_odd = text.contains(['~', '^', ':', '?', '*', '[']) || text.contains("..") || text.contains("@{");
    let is_unfit =
        is_odd || text.contains("//") || text.starts_with(['/', '.']) || text.ends_with(['/', '.']);
    let why = match check_characters(text) {
        Err(why) => why,
        Ok(()) if is_unfit => "git allows no such name",
        Ok(()) => return Ok(()),
    };
    Err(rejected(format!("{:?} is no valid branch, tag or commit: {why}", cut(text))))
}

/// Refuses paths that are not plainly inside a repository.
///
/// # Errors
/// `Rejected`, with the text and the reason.
pub(super) fn check_path(text: &str) -> Result<(), SourceError> {
    let why = match check_characters(text).and_then(|()| check_segments(text)) {
        Ok(()) => return Ok(()),
        Err(why) => why,
    };
    Err(rejected(format!("{:?} is no valid path in a repository: {why}", cut(text))))
}

/// An error that the person who wrote the text has to mend.
pub(super) fn rejected(reason: String) -> SourceError {
    SourceError::Rejected { reason }
}

/// A text from outside as it may be repeated: not endless, and without what stands before an `@`.
fn shown(text: &str) -> String {
    let (scheme, rest) = split_scheme(text).unwrap_or(("", text));
    let hidden = rest.rsplit_once('@').filter(|_| placeholder(text).is_none());
    let shown = match hidden {
        None => cut(text),
        Some((_, after)) if scheme.is_empty() => cut(&format!("…@{after}")),
        Some((_, after)) => cut(&format!("{scheme}://…@{after}")),
    };
    format!("{shown:?}")
}

/// Returns the name in `@NAME@`, as templates of documents have it, at the beginning of a text that holds no other `@`.
fn placeholder(text: &str) -> Option<&str> {
    let (name, rest) = text.strip_prefix('@')?.split_once('@')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    (is_name && !rest.contains('@')).then_some(name)
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, SourceError> {
        let all = [Protocol::Https, Protocol::Http, Protocol::Git, Protocol::Ssh, Protocol::File];
        Address::parse(text, &all.into()).map(|address| address.to_string())
    }

    #[test]
    fn usual_addresses_pass_and_lose_git_plus() {
        for text in [
            "https://src.example.test/modules/testmod.git",
            "http://127.0.0.1:8080/a/",
            "git://[::1]:9418/a-b/c_d.git",
            "ssh://git@host.example/x/~y",
            "file:///srv/git/with@at/x",
        ] {
            assert_eq!(parse(text).unwrap(), text);
        }
        assert_eq!(parse("git+https://h.example/x").unwrap(), "https://h.example/x");
    }

    #[test]
    fn addresses_that_lead_elsewhere_are_refused() {
        for text in [
            "",
            "-u/x",
            "--upload-pack=touch /tmp/x",
            "ext::sh -c touch% /tmp/x",
            "ext::https://host/x",
            "/srv/git/x",
            "host:path",
            "https://host",
            "https://host/",
            "https:///x",
            "https://-oProxyCommand=x/y",
            "https://host:port/x",
            "https://host/../x",
            "https://host/a/./x",
            "https://host/a//x",
            "https://host/a/%2E%2e/x",
            "https://host/x?y",
            "https://host/x#y",
            "https://host/x\ny",
            "https://host/x y",
            "https://ho\u{0}st/x",
            "file://host/x",
            "git+rsync://host/x",
            "fd://17/x",
            "[::1]/x",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn passwords_are_refused_and_not_repeated() {
        for text in [
            "https://user:secret@host/x",
            "https://secret@host/x",
            "https://user:secret/@host/x",
            "ssh://user:secret@host/x",
            "ssh://-secret@host/x",
            "user:secret@host:x",
            "user:secret@host://x",
            "@USER@secret@host/x",
            "rsync://user:secret@host/x",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn an_address_that_is_refused_is_named() {
        let refused = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            refused("@REPOSITORIES@/greeter"),
            "\"@REPOSITORIES@/greeter\" is no usable repository address: @REPOSITORIES@ stands for an address that nobody has filled in"
        );
        assert!(refused("git@host:greeter").starts_with("\"…@host:greeter\" is no usable"));
        assert!(refused("/srv/greeter").starts_with("\"/srv/greeter\" is no usable"));
    }

    #[test]
    fn protocol_that_is_not_switched_on_is_denied() {
        let error = Address::parse("file:///etc", &[Protocol::Https].into()).unwrap_err();
        assert!(matches!(&error, SourceError::Denied { what } if what.contains("\"file\"")), "{error}");
    }

    #[test]
    fn refs_and_paths_cannot_be_options_or_leave_the_repository() {
        for good in
            ["main", "f38", "el8.1.0", "stream-1/x", "1e3", "v1.0", "feature/a#b", "HEAD", "refs/pull/1/head"]
        {
            check_ref(good).unwrap();
        }
        for bad in
            ["", "-x", "--all", "a..b", "a b", "a:b", "main~1", "main^", "@{u}", "a\n", "/a", "a/", ".a"]
        {
            assert!(check_ref(bad).is_err(), "{bad:?}");
        }
        check_path("overrides/a.yaml").unwrap();
        for bad in ["", "-x", "/etc/passwd", "../x", "a/../../x", "a//b", "a/"] {
            assert!(check_path(bad).is_err(), "{bad:?}");
        }
    }
}
