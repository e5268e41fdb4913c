//! What `mbs-manager` does: the upkeep of a service by those who run it.
//!
//! It decides nothing but which part of the library serves each command.

pub mod config;
pub mod pdc;

use std::io::Write as _;

use clap::{Parser, Subcommand};
use mbs_http::Secret;
use mbs_store::{OpenError, Upgraded};

use crate::config::ConfigArguments;
use crate::exit::{Exit, Stop, chain};
use crate::logging::{self, Verbosity};
use config::ConfigCommandArguments;
use pdc::PdcArguments;

const STATUSES: &str = "Exit status: 0 done, 2 wrong usage or a URL that names no store, 3 the store cannot be reached, \
read or brought up";

/// Takes care of a module build service.
#[derive(Debug, Parser)]
#[command(name = "mbs-manager", version, arg_required_else_help = true)]
pub struct Arguments {
    /// The store: postgresql://USER@HOST/DATABASE, or sqlite:PATH
    #[arg(long, env = "MBS_DATABASE", value_name = "URL", global = true, hide_env_values = true)]
    pub database: Option<String>,
    /// Where the configuration is.
    #[command(flatten)]
    pub file: ConfigArguments,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What `mbs-manager` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring the schema of the store up to what this program needs
    ///
    /// An empty database gets its first schema. Services that run may go on meanwhile.
    #[command(after_help = STATUSES)]
    Upgradedb,
    /// Check or show the configuration, or take over that of the original service
    Config(ConfigCommandArguments),
    /// Take care of the modules in PDC (Product Definition Center) that nothing builds
    Pdc(Box<PdcArguments>),
}

/// Runs a command to its end and returns the exit status; what went wrong has been logged.
pub fn run(arguments: &Arguments) -> Exit {
    logging::start(Verbosity::Warnings);
    match execute(arguments) {
        Ok(()) => Exit::Done,
        Err(stop) => {
            stop.log();
            stop.exit()
        }
    }
}

fn execute(arguments: &Arguments) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Machine(format!("no threads can be started: {error}")))?;
    runtime.block_on(async {
        match &arguments.command {
            Command::Upgradedb => upgrade(database(arguments)?.reveal()).await,
            Command::Config(asked) => config::run(&asked.command, arguments, &mut anstream::stdout()).await,
            Command::Pdc(arguments) => pdc::run(arguments, &mut anstream::stdout()).await,
        }
    })
}

/// Returns the URL of the store: the one that is named, else that of the configuration, if there is one.
fn database(arguments: &Arguments) -> Result<Secret, Stop> {
    match &arguments.database {
        Some(url) => Ok(Secret::new(url.as_str())),
        None if arguments.file.is_given() => Ok(config::load(arguments)?.service.database),
        None => {
            let which = "which store? Say --database URL or --config FILE, or set MBS_DATABASE";
            Err(Stop::Usage(which.to_owned()))
        }
    }
}

async fn upgrade(url: &str) -> Result<(), Stop> {
    let Upgraded { from, to } = mbs_store::upgrade(url).await?;
    let told = if from == to {
        format!("database schema is at {to} already\n")
    } else {
        format!("database schema is at {to}; it was at {from}\n")
    };
    // That nobody reads on is no error.
    drop(anstream::stdout().write_all(told.as_bytes()));
    Ok(())
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        let told = chain(&error);
        match error {
            OpenError::Unknown | OpenError::NoFile(_) => Self::Usage(told),
            OpenError::Postgres(mbs_store::postgres::OpenError::Address(_)) => Self::Usage(told),
            OpenError::Missing(_) | OpenError::Postgres(_) | OpenError::Sqlite(_) => Self::Machine(told),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Arguments {
        Arguments::try_parse_from([&["mbs-manager"], words].concat()).unwrap()
    }

    fn run_with(url: &str) -> Result<(), Stop> {
        execute(&arguments(&["upgradedb", "--database", url]))
    }

    #[test]
    fn a_file_is_made_and_brought_up() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("mbs.db").display());
        assert_eq!((run_with(&url), run_with(&url)), (Ok(()), Ok(())));
    }

    #[test]
    fn the_store_of_the_configuration_is_brought_up_if_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (file, store) = (folder.path().join("mbs.toml"), folder.path().join("mbs.db"));
        std::fs::write(&file, format!("[service]\ndatabase = 'sqlite:{}'", store.display())).unwrap();
        let file = file.display().to_string();
        assert_eq!(execute(&arguments(&["upgradedb", "--config", &file])), Ok(()));
        assert!(store.exists());
        let stop = execute(&arguments(&["upgradedb", "--config", "/nowhere.toml"])).unwrap_err();
        assert!(
            matches!(&stop, Stop::Usage(what) if what.starts_with("/nowhere.toml cannot be read")),
            "{stop}"
        );
    }

    #[test]
    fn what_names_no_store_is_wrong_usage_and_what_does_not_answer_is_trouble_of_the_machine() {
        let stop = run_with("mysql://h/mbs").unwrap_err();
        assert!(matches!(&stop, Stop::Usage(what) if what.contains("sqlite:")), "{stop}");
        let stop = run_with("sqlite::memory:").unwrap_err();
        assert!(matches!(&stop, Stop::Usage(what) if what.contains("in memory")), "{stop}");
        let stop = run_with("postgresql://mbs:geheim@127.0.0.1:1/mbs").unwrap_err();
        assert_eq!(stop.exit(), Exit::Machine);
        let told = stop.to_string();
        assert!(told.starts_with("the database mbs on 127.0.0.1 cannot be reached: "), "{told}");
        assert!(!told.contains("geheim"), "{told}");
        assert_eq!(told.matches("refused").count(), 1, "{told}");
        let stop = execute(&arguments(&["upgradedb"])).unwrap_err();
        assert_eq!(stop.exit(), Exit::Usage);
    }
}
