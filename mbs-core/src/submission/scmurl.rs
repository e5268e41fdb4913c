//! The address that a module is submitted from: repository and revision. Source: behaviour, section 3; rest-api, sections 6 and 9.

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

fn parts(text: &str) -> Option<ScmUrl> {
    let (front, revision) = text.split_once('#')?;
    let address = front.split('?').next().unwrap_or_default();
    let (scheme, rest) = address.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let is_sound = |text: &str| !text.chars().any(|c| c.is_control() || c.is_whitespace());
    let is_safe = |part: &str| !matches!(part, "." | "..");
    // What begins with a dash would be an option to git, or to ssh.
    let is_usable = SCHEMES.contains(&scheme)
        && is_sound(text)
        && !host.starts_with('-')
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
        ] {
            assert_eq!(text.parse::<ScmUrl>(), Err(Refused::InvalidScmUrl(text.to_owned())), "{text}");
        }
    }
}
