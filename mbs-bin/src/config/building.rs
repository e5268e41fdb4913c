//! What builds modules, and where modules are looked up. The rules of building are in [`Policy`](mbs_core::policy::Policy).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::forms;

/// What builds modules, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Building {
    /// The build system.
    pub system: System,
    /// Where modules are looked up, one place after another; not empty.
    #[serde(with = "forms::texts")]
    pub resolver: Vec<Place>,
    /// Files and folders of documents, for the place `files`.
    pub module_files: Vec<PathBuf>,
    /// The module builds of another service, for the place `mbs`.
    pub mbs_url: String,
    /// The most components in progress, over all modules; 0: no limit. It is what a new store begins with: there it can be
    /// changed while the service runs.
    pub num_concurrent_builds: u32,
    /// Where the logs of module builds lie; `None`: in the system's folder for temporary files.
    #[serde(with = "forms::path_if_any")]
    pub build_logs_dir: Option<PathBuf>,
    /// The name of a build's log; fields of its JSON stand in braces.
    pub build_logs_name_format: String,
    /// Where what was fetched is kept; `None`: below the system's folder for temporary files.
    #[serde(with = "forms::path_if_any")]
    pub cache_dir: Option<PathBuf>,
    /// External repositories that are slower are given up, in bytes a second.
    pub dnf_minrate: u64,
    /// How long an external repository may take to answer.
    #[serde(with = "forms::secs")]
    pub dnf_timeout: Duration,
}

impl Building {
    /// Returns the limit on components in progress; `None`: there is none.
    pub fn limit(&self) -> Option<u32> {
        Some(self.num_concurrent_builds).filter(|limit| *limit > 0)
    }
}

/// A build system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// A Koji hub.
    Koji,
    /// This machine.
    Mock,
    /// None: builds are played in memory, for tests.
    Memory,
}

/// A place where modules are, as the configuration calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Files and folders of documents.
    Files,
    /// Our store.
    Db,
    /// A PDC.
    Pdc,
    /// Koji's tags; the documents of what is tagged there come from the other places.
    Koji,
    /// Another module build service.
    Mbs,
}

impl Place {
    const ALL: [Self; 5] = [Self::Files, Self::Db, Self::Pdc, Self::Koji, Self::Mbs];

    /// Returns the word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Db => "db",
            Self::Pdc => "pdc",
            Self::Koji => "koji",
            Self::Mbs => "mbs",
        }
    }

    /// Returns what people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Db => "store",
            Self::Pdc => "PDC",
            Self::Koji => "Koji",
            Self::Mbs => "another service",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|place| place.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no place where modules are: files, db, pdc, koji or mbs"))
    }
}

impl Default for Building {
    fn default() -> Self {
        Self {
            system: System::Koji,
            resolver: vec![Place::Db],
            module_files: Vec::new(),
            mbs_url: "https://mbs.fedoraproject.org/module-build-service/1/module-builds/".to_owned(),
            num_concurrent_builds: 5,
            build_logs_dir: None,
            build_logs_name_format: "build-{id}.log".to_owned(),
            cache_dir: None,
            dnf_minrate: 102_400,
            dnf_timeout: Duration::from_secs(30),
        }
    }
}
