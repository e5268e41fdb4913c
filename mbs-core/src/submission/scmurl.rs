//! The address that a module is submitted from: repository and revision. Source: behaviour, section 3; rest-api, sections 6 and 9.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::fmt;
use std::str::FromStr;

use super::Refused;

/// Schemes of repositories. `git+` says only that a repository is one of git.
const SCHEMES: [&str; 7] = ["git", "git+http", "git+https", "git+rsync", "http", "https", "file"];

/// A repository and a revision: `<scheme>://[host]/<path>[?[module-path]]#<revision>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScmUrl {
    /// As submitted.
    written: String,
    /// The repository's address for git, without query, revision and `git+`.
    pub repository: String,
    /// Branch, tag or commit; no option.
    pub revision: String,
}

impl ScmUrl {
    /// Returns the repository's name: the last part of its path, without `.git`.
    pub fn name(&self) -> &str {
        let last = self.repository.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        last.strip_suffix(".git").filter(|name| !name.is_empty()).unwrap_or(last)
    }

    /// Says whether the host is, by number, this machine as nobody names it or one at its side: what clouds and routers tell machines
    /// about themselves is found there, and no repository.
    pub fn is_link_local(&self) -> bool {
        let after = self.repository.split_once("://").map_or("", |(_, rest)| rest);
        let host = after.split('/').next().unwrap_or_default();
        match host.strip_prefix('[').and_then(|rest| rest.split(']').next()).map(str::parse::<Ipv6Addr>) {
            Some(Ok(address)) => match address.to_ipv4() {
                Some(inside) if !address.is_loopback() => is_aside(inside),
                _ => address.is_unspecified() || address.is_unicast_link_local(),
            },
            Some(Err(_)) => true,
            None => number(host.split(':').next().unwrap_or_default()).is_some_and(is_aside),
        }
    }

    /// Returns the text as submitted.
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

impl fmt::Display for ScmUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for ScmUrl {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        parts(text).ok_or_else(|| Refused::InvalidScmUrl(text.to_owned()))
    }
}

fn is_aside(address: Ipv4Addr) -> bool {
    address.is_link_local() || address.octets()[0] == 0
}

/// Reads an IPv4 address in all the spellings that resolvers know: one to four numbers, decimal, octal or hexadecimal, of which the last
/// fills what is left.
fn number(host: &str) -> Option<Ipv4Addr> {
    let read =
        |part: &str| match (part.strip_prefix("0x").or(part.strip_prefix("0X")), part.strip_prefix('0')) {
            (Some(digits), _) => u32::from_str_radix(digits, 16).ok(),
            (None, Some(digits)) if !digits.is_empty() => u32::from_str_radix(digits, 8).ok(),
            (None, _) => part.parse().ok(),
        };
    let numbers: Vec<u32> = host.trim_end_matches('.').split('.').map(read).collect::<Option<_>>()?;
    let (last, front) = numbers.split_last()?;
    if front.len() > 3 || front.iter().any(|number| *number > 255) {
        return None;
    }
    let high = front.iter().zip([24, 16, 8]).fold(0, |high, (number, place)| high | (number << place));
    let room = u64::from(u32::MAX) >> (8 * front.len());
    (u64::from(*last) <= room).then(|| Ipv4Addr::from_bits(high | last))
}

fn parts(text: &str) -> Option<ScmUrl> {
    let (front, revision) = text.split_once('#')?;
    let address = front.split('?').next().unwrap_or_default();
    let (scheme, rest) = address.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let is_sound = |text: &str| !text.chars().any(|c| c.is_control() || c.is_whitespace());
    let is_safe = |part: &str| !matches!(part, "." | "..");
    // What begins with a dash would be an option to git, or to ssh. What is before an @ may be a password, and would be shown.
    let is_usable = SCHEMES.contains(&scheme)
        && is_sound(text)
        && !host.starts_with('-')
        && !host.contains('@')
        && path.trim_matches('/').split('/').all(is_safe)
        && !path.trim_matches('/').is_empty()
        && !revision.is_empty()
        && !revision.starts_with('-');
    let repository = address.strip_prefix("git+").unwrap_or(address);
    is_usable.then(|| ScmUrl {
        written: text.to_owned(),
        repository: repository.to_owned(),
        revision: revision.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_name_and_revision_are_found() {
        let seen = |text: &str| {
            let url: ScmUrl = text.parse().unwrap();
            assert_eq!(url.as_str(), text);
            (url.repository.clone(), url.name().to_owned(), url.revision)
        };
        let expected = |repository: &str, name: &str, revision: &str| {
            (repository.to_owned(), name.to_owned(), revision.to_owned())
        };
        assert_eq!(
            seen("https://src.example/modules/perl.git?#abc"),
            expected("https://src.example/modules/perl.git", "perl", "abc")
        );
        assert_eq!(
            seen("git+https://src.example/perl?path#main"),
            expected("https://src.example/perl", "perl", "main")
        );
        assert_eq!(seen("file:///srv/git/perl/#1.0"), expected("file:///srv/git/perl/", "perl", "1.0"));
        assert_eq!(seen("git://h/.git#x").1, ".git");
    }

    #[test]
    fn what_is_none_or_would_reach_git_as_an_option_is_refused() {
        for text in [
            "https://host/perl",
            "https://host/perl?#",
            "https://host?#abc",
            "https:///?#abc",
            "ssh://host/perl?#abc",
            "host/perl?#abc",
            "https://host/perl?#--upload-pack=x",
            "https://-oProxyCommand=x/perl?#abc",
            "https://host/a/../perl?#abc",
            "https://host/./perl?#abc",
            "https://host/pe rl?#abc",
            "https://host/perl?#a\nb",
            "https://host/perl?#a\0b",
            "ext::sh -c touch% x?#abc",
            "ext::https://host/perl?#abc",
            "https://user:secret@host/perl?#abc",
            "https://token@host/perl?#abc",
            "git+https://-u@host/perl?#abc",
        ] {
            assert_eq!(text.parse::<ScmUrl>(), Err(Refused::InvalidScmUrl(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_beside_this_machine_is_known_in_every_spelling() {
        let is = |host: &str| format!("http://{host}/latest/x?#a").parse::<ScmUrl>().unwrap().is_link_local();
        for host in [
            "169.254.169.254",
            "169.254.169.254:80",
            "169.254.169.254.",
            "169.254.43518",
            "169.16689662",
            "2852039166",
            "0xa9fea9fe",
            "0xA9.0376.169.0xfe",
            "0.0.0.0",
            "0",
            "[fe80::1]",
            "[fe80::1%25eth0]",
            "[::]",
            "[::ffff:169.254.169.254]",
        ] {
            assert!(is(host), "{host}");
        }
        for host in [
            "src.example",
            "10.0.0.1",
            "127.0.0.1:8080",
            "[::1]",
            "[2001:db8::1]",
            "1.2.3.4.5",
            "256.1",
            "0x",
            "a9",
        ] {
            assert!(!is(host), "{host}");
        }
    }
}
