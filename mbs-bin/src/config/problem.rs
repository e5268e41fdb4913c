//! What is wrong with a configuration, in words for who wrote it. No secret is repeated.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there is no configuration. Whoever runs the service has to change it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file was named, but cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was read makes no sense.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
}

impl ConfigError {
    fn problems(&self) -> &[Problem] {
        if let Self::Problems(problems) = self { problems } else { &[] }
    }

    /// Returns the keys that are wrong.
    pub(super) fn keys(&self) -> Vec<&str> {
        self.problems().iter().filter_map(|problem| problem.key.as_deref()).collect()
    }

    /// Returns what is wrong, without the places.
    pub(super) fn whats(&self) -> impl Iterator<Item = String> {
        self.problems().iter().map(|problem| problem.what.clone())
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands: a file and its line, or a variable.
    pub place: String,
    /// The key it is about, or the table; `None`: the text is no TOML.
    pub key: Option<String>,
    /// What is wrong, in words that name the key.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}
