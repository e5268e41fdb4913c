//! The configuration of the service: one TOML file, and over it the environment. Here is decided which values there are, what they
//! may be and what they are if nothing is said; what they mean is decided where they are used.
//!
//! Keys have the names of the original's options, in lower case, and each stands in one table; the example file lists all.
//! Later layers count:
//!
//! | layer | |
//! | --- | --- |
//! | built in | [`Config::default`] |
//! | the file | the one that `--config` or `MBS_CONFIG_FILE` names, else `/etc/module-build-service/mbs.toml` if there is one; an empty name: none |
//! | variables | `MBS_` and the key in capital letters: `MBS_DATABASE`, `MBS_KOJI_PROFILE`. A text is the value itself; all else is written as in the file, lists of texts also with commas: `MBS_RESOLVER=files,db` |
//!
//! What cannot be meant stops the start and is told with its place and key, all of it at once. Options of the original that mean nothing
//! any more are ignored with a notice.
//!
//! ```
//! use mbs_bin::config::Config;
//!
//! let config = Config::read("mbs.toml", "[koji]\nkoji_profile = \"stg\"", &[], None).unwrap();
//! assert_eq!(config.koji.koji_profile, "stg");
//! let error = Config::read("mbs.toml", "[koji]\nkoji_profil = \"stg\"", &[], None).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "mbs.toml, line 2: unknown key `koji_profil` in [koji]; did you mean `koji_profile` in [koji]?"
//! );
//! ```

mod access;
mod building;
mod check;
mod draft;
mod forms;
mod git;
mod given;
mod keys;
mod koji;
mod local;
mod lookups;
mod messaging;
mod oidc;
mod parts;
mod paths;
mod problem;
mod service;
mod write;

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::path::Path;

use clap::{Args, value_parser};
use mbs_core::policy::Policy;
use mbs_core::submission::Rules;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use access::{Access, AuthMethod, TrustedPeer};
pub use building::{Building, Place, System};
pub(crate) use draft::{Draft, Fate};
pub use git::{Git, GitProtocol};
pub use koji::{Koji, TagOption};
pub use local::Local;
pub use lookups::{Pdc, PdcFace, ProductPages, SupportStream, SupportStreams};
pub use messaging::{Bus, Messaging, NoBus};
pub use oidc::{Algorithm, Jwks, KeysAt, Oidc};
pub use problem::{ConfigError, Problem};
pub use service::{Listen, LogLevel, Service};
pub(crate) use write::without_password;

use given::Given;
use oidc::JwksKeys;
use parts::Part;

/// Longer files are no configuration.
const LONGEST_BYTES: u64 = 1 << 20;

/// Which file is read.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArguments {
    /// The configuration, or an empty name for none [default: /etc/module-build-service/mbs.toml, if it is there]
    #[arg(long, env = "MBS_CONFIG_FILE", value_name = "FILE", global = true, value_parser = value_parser!(OsString))]
    pub config: Option<OsString>,
}

impl ConfigArguments {
    /// Says whether there is a file: one that is named, or the usual.
    pub fn is_given(&self) -> bool {
        match &self.config {
            Some(name) => !name.is_empty(),
            None => Path::new(paths::USUAL).exists(),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn load(&self) -> Result<Config, ConfigError> {
        Config::load(self.config.as_deref())
    }
}

/// What an installation has decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// The rules of building.
    pub policy: Policy,
    /// The rules of submitting.
    pub rules: Rules,
    /// Who may do what.
    pub access: Access,
    /// The service itself.
    pub service: Service,
    /// What builds modules.
    pub building: Building,
    /// The Koji hub.
    pub koji: Koji,
    /// PDC.
    pub pdc: Pdc,
    /// Schedules of products.
    pub product_pages: ProductPages,
    /// The bus.
    pub messaging: Messaging,
    /// Git.
    pub git: Git,
    /// Builds on this machine.
    pub local: Local,
    /// What was said and is of no effect, for the log.
    pub notices: Vec<String>,
}

impl Config {
    /// Reads the file that is meant, and the environment.
    ///
    /// `file` is what `--config` or `MBS_CONFIG_FILE` says: `None` is nothing, and the usual file counts if there is one; empty is no
    /// file at all.
    ///
    /// # Errors
    /// A file that was named cannot be read; a key or value makes no sense. Somebody has to change it.
    pub fn load(file: Option<&OsStr>) -> Result<Self, ConfigError> {
        let variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = std::env::home_dir();
        let (path, text) = match file {
            Some(file) if file.is_empty() => (Path::new(paths::USUAL), String::new()),
            Some(file) => (Path::new(file), read_file(Path::new(file))?),
            None => (Path::new(paths::USUAL), read_usual(Path::new(paths::USUAL))?),
        };
        Self::read(&path.display().to_string(), &text, &variables, home.as_deref())
    }

    /// Returns what is so if nothing is said, for whoever runs the program.
    pub fn built_in() -> Self {
        let mut given = Given::new(parts().into());
        Self::of(&mut given, std::env::home_dir().as_deref())
    }

    /// Reads the text of a file, and variables over it. Variables of others are left alone.
    ///
    /// # Errors
    /// `Problems`: all that makes no sense.
    pub fn read(
        name: &str,
        text: &str,
        variables: &[(String, String)],
        home: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let mut given = Given::new(parts().into());
        given.read_file(name, text);
        given.read_environment(variables);
        given.expand(home);
        if !given.problems.is_empty() {
            return Err(ConfigError::Problems(given.problems));
        }
        let config = Self::of(&mut given, home);
        config.check(&mut given);
        if given.problems.is_empty() { Ok(config) } else { Err(ConfigError::Problems(given.problems)) }
    }

    fn of(given: &mut Given, home: Option<&Path>) -> Self {
        let mut config = Self {
            policy: part(given),
            rules: part(given),
            access: part(given),
            service: part(given),
            building: part(given),
            koji: part(given),
            pdc: part(given),
            product_pages: part(given),
            messaging: part(given),
            git: part(given),
            local: part(given),
            notices: std::mem::take(&mut given.notices),
        };
        config.access.oidc = part(given);
        match part::<JwksKeys>(given).jwks() {
            Ok(jwks) => config.access.oidc.jwks = jwks,
            Err(lacking) => {
                let what = format!("`oidc_jwks` in [access] needs `{lacking}`, too");
                given.complain(given.place("oidc_jwks"), Some("oidc_jwks"), what);
            }
        }
        let results = &mut config.local.mock_resultsdir;
        *results = paths::expanded(results, home).unwrap_or(std::mem::take(results));
        config
    }
}

fn parts() -> [Part; 13] {
    [
        Part::of::<Policy>(),
        Part::of::<Rules>(),
        Part::of::<Access>(),
        Part::of::<Oidc>(),
        Part::of::<JwksKeys>(),
        Part::of::<Service>(),
        Part::of::<Building>(),
        Part::of::<Koji>(),
        Part::of::<Pdc>(),
        Part::of::<ProductPages>(),
        Part::of::<Messaging>(),
        Part::of::<Git>(),
        Part::of::<Local>(),
    ]
}

/// Reads a struct; each of its values has been checked alone.
fn part<T: Serialize + DeserializeOwned + Default>(given: &mut Given) -> T {
    parts::read(given.values(&Part::of::<T>())).unwrap_or_else(|what| {
        given.complain("the configuration".to_owned(), None, what);
        T::default()
    })
}

/// Returns the names of all keys, of today and of the original.
#[cfg(test)]
pub(crate) fn key_names() -> Vec<&'static str> {
    let old = keys::OLD.iter().chain(&keys::RENAMED).map(|(old, _)| *old);
    keys::TABLES.iter().flat_map(keys::Table::keys).chain(old).collect()
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST_BYTES + 1).read_to_string(&mut text))
        .map_err(failed)?;
    match read as u64 > LONGEST_BYTES {
        true => Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "it is too long for configuration"))),
        false => Ok(text),
    }
}

/// Reads the usual file; one that is not there says nothing.
fn read_usual(path: &Path) -> Result<String, ConfigError> {
    match read_file(path) {
        Err(ConfigError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(String::new())
        }
        read => read,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
