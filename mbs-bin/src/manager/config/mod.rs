//! `mbs-manager config`: whether the configuration can be meant and what it names can be reached, what counts in the end, and
//! the configuration of the original as one of ours.

mod check;
mod import;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use mbs_http::Secret;

use super::Arguments;
use crate::config::{Config, ConfigError};
use crate::exit::Stop;
use crate::validate::tolerate;

const STATUSES: &str =
    "Exit status: 0 all is well, 2 the configuration has to be changed, 3 something cannot be reached";

/// What is done with the configuration.
#[derive(Debug, Args)]
pub struct ConfigCommandArguments {
    /// What to do
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether the configuration can be meant, and whether all that it names can be reached
    ///
    /// Nothing is changed: the store, the Koji hub (with a login), the bus, PDC, the identity provider, LDAP, git and the addresses of
    /// repositories are asked at the same time, none for longer than ten seconds.
    #[command(after_help = STATUSES)]
    Check,
    /// Print what counts in the end, as a configuration file; passwords are hidden
    Show(ShowArguments),
    /// Print a config.py of the original service as a configuration file of this one
    ///
    /// No Python is run: classes with literals are read. What has no equivalent, changed its form or cannot be read is told on
    /// standard error, and stands in remarks at the end.
    Import(ImportArguments),
}

/// How much is printed.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// Only what is not the default
    #[arg(long)]
    pub changed: bool,
}

/// What is taken over.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The file
    #[arg(value_name = "CONFIG_PY")]
    pub file: PathBuf,
    /// The class that counts, with its bases [default: ProdConfiguration, or the only one]
    #[arg(long, value_name = "NAME")]
    pub section: Option<String>,
}

/// Runs a command to its end.
///
/// # Errors
/// `Usage`: the configuration has to be changed, or the file that is to be taken over. `Machine`: something cannot be reached.
pub(super) async fn run(command: &ConfigCommand, asked: &Arguments, out: &mut dyn Write) -> Result<(), Stop> {
    match command {
        ConfigCommand::Check => check::run(&load(asked)?, out).await,
        ConfigCommand::Show(arguments) => show(arguments, &load(asked)?, out),
        ConfigCommand::Import(arguments) => import::run(arguments, out),
    }
}

/// Reads the configuration, with the store that the command line names; what is of no effect in it is logged.
///
/// # Errors
/// `Usage`.
pub(super) fn load(asked: &Arguments) -> Result<Config, Stop> {
    let mut config = asked.file.load()?;
    if let Some(url) = &asked.database {
        config.service.database = Secret::new(url.as_str());
    }
    for notice in &config.notices {
        tracing::warn!("{notice}");
    }
    Ok(config)
}

fn show(arguments: &ShowArguments, config: &Config, out: &mut dyn Write) -> Result<(), Stop> {
    let text = if arguments.changed { config.changes_from(&Config::built_in()) } else { config.to_toml() };
    tolerate(out.write_all(text.as_bytes()))
}

impl From<ConfigError> for Stop {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}
