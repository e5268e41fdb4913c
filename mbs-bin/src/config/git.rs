//! How git is used.

use std::time::Duration;

use mbs_local::git::{GitSettings, Protocol};
use serde::{Deserialize, Serialize};

use super::Building;
use super::forms;

/// How git is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Git {
    /// Protocols that addresses may name; not empty.
    pub git_protocols: Vec<GitProtocol>,
    /// How long one question to a repository may take; a fetch may take ten times as long.
    #[serde(with = "forms::secs")]
    pub git_within: Duration,
    /// How many repositories are read at a time; at least 1.
    pub git_parallel: u16,
}

/// A way to reach a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GitProtocol {
    /// `https://`
    Https,
    /// `http://`: neither secret nor safe from changes on the way.
    Http,
    /// `git://`: neither secret nor safe from changes on the way.
    Git,
    /// `ssh://`, with keys only.
    Ssh,
    /// `file://`: repositories of this machine.
    File,
}

impl Git {
    /// Returns the settings of the source control over git.
    pub fn settings(&self, building: &Building) -> GitSettings {
        GitSettings {
            protocols: self.git_protocols.iter().copied().map(Protocol::from).collect(),
            time_limit: self.git_within,
            parallel: self.git_parallel.into(),
            cache_dir: building.cache_dir.as_ref().map(|folder| folder.join("git")),
            ..GitSettings::default()
        }
    }
}

impl From<GitProtocol> for Protocol {
    fn from(protocol: GitProtocol) -> Self {
        match protocol {
            GitProtocol::Https => Self::Https,
            GitProtocol::Http => Self::Http,
            GitProtocol::Git => Self::Git,
            GitProtocol::Ssh => Self::Ssh,
            GitProtocol::File => Self::File,
        }
    }
}

impl Default for Git {
    fn default() -> Self {
        let usual = GitSettings::default();
        Self { git_protocols: vec![GitProtocol::Https], git_within: usual.time_limit, git_parallel: 16 }
    }
}
