//! What `mbs-manager` does: the upkeep of a service by those who run it.
//!
//! It decides nothing but which part of the library serves each command.

mod ask;
pub mod builds;
pub mod config;
pub mod import;
pub mod import_db;
mod keeper;
pub mod local;
pub mod pdc;
pub mod retire;
pub mod settings;
pub mod stuck;
pub mod sweep;
#[cfg(test)]
mod testing;
pub mod token;
pub mod upkeep;

use std::io::Write;

use clap::{ArgAction, Parser, Subcommand};
use mbs_http::Secret;
use mbs_store::{OpenError, Upgraded};

use crate::config::{Config, ConfigArguments, Service};
use crate::exit::{Exit, Stop, chain};
use crate::logging::{self, Screen, Verbosity};
use config::ConfigCommandArguments;
use local::BuildArguments;
use pdc::PdcArguments;
use upkeep::Upkeep;

const STATUSES: &str = "Exit status: 0 done, 2 wrong usage or a URL that names no store, 3 the store cannot be reached, \
read or brought up";

/// Where the flags that all commands have stand in the help of each: after its own.
const LAST: usize = 100;

const WHICH: &str =
    "which store? Say --database URL, or --config FILE with a `database` of its own, or set MBS_DATABASE";

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
    /// Log everything (beats -v and -q)
    #[arg(short = 'd', long = "debug", global = true, display_order = LAST, action = ArgAction::SetTrue)]
    pub debug: bool,
    /// Log what is being done (beats -q)
    #[arg(short = 'v', long = "verbose", global = true, display_order = LAST, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// Log errors only
    #[arg(short = 'q', long = "quiet", global = true, display_order = LAST, action = ArgAction::SetTrue)]
    pub quiet: bool,
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
    /// Take care of a running service
    #[command(flatten)]
    Upkeep(Upkeep),
    /// Build a module on this machine, as dist-git clients ask for it; nothing of earlier runs counts
    #[command(name = "build_module_locally", after_help = "Exit status: 0 built, 1 not built, 2 wrong usage")]
    BuildModuleLocally(Box<BuildArguments>),
    /// Check or show the configuration, or take over that of the original service
    Config(ConfigCommandArguments),
    /// Take care of the modules in PDC (Product Definition Center) that nothing builds
    Pdc(Box<PdcArguments>),
}

/// Runs a command to its end and returns the exit status; what went wrong has been logged.
pub fn run(arguments: &Arguments) -> Exit {
    let screen = logging::start(arguments.verbosity());
    match execute(arguments, &screen, &mut anstream::stdout()) {
        Ok(()) => Exit::Done,
        Err(stop) => {
            stop.log();
            stop.exit()
        }
    }
}

impl Arguments {
    /// Returns how much is logged: of several flags the one that logs most counts.
    fn verbosity(&self) -> Verbosity {
        match (self.debug, self.verbose, self.quiet) {
            (true, _, _) => Verbosity::Debug,
            (false, true, _) => Verbosity::Info,
            (false, false, true) => Verbosity::Errors,
            (false, false, false) => Verbosity::Warnings,
        }
    }
}

fn execute(arguments: &Arguments, screen: &Screen, out: &mut dyn Write) -> Result<(), Stop> {
    match &arguments.command {
        Command::Upgradedb => wait(async { upgrade(database(arguments)?.reveal(), out).await }),
        Command::Config(asked) => wait(config::run(&asked.command, arguments, out)),
        Command::Pdc(asked) => wait(pdc::run(asked, out)),
        Command::Upkeep(asked) => wait(upkeep::run(asked, arguments, out)),
        // It brings threads of its own.
        Command::BuildModuleLocally(asked) => {
            local::run(asked, config::load(arguments), arguments.verbosity(), screen)
        }
    }
}

/// Waits for the end of a command.
fn wait(command: impl Future<Output = Result<(), Stop>>) -> Result<(), Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Machine(format!("no threads can be started: {error}")))?;
    runtime.block_on(command)
}

/// Returns the URL of the store: the one that is named, else that of the configuration, if there is one.
fn database(arguments: &Arguments) -> Result<Secret, Stop> {
    match &arguments.database {
        Some(url) => Ok(Secret::new(url.as_str())),
        None => {
            let named = configured(arguments)?.service.database;
            // A file that happens to lie in the current folder is not what anybody means who runs a service.
            match named == Service::default().database {
                true => Err(Stop::Usage(WHICH.to_owned())),
                false => Ok(named),
            }
        }
    }
}

/// Reads the configuration of a service, with the store that is named.
///
/// # Errors
/// `Usage`: neither names a store, or the configuration makes no sense.
fn configured(arguments: &Arguments) -> Result<Config, Stop> {
    if arguments.database.is_none() && !arguments.file.is_given() {
        return Err(Stop::Usage(WHICH.to_owned()));
    }
    config::load(arguments)
}

async fn upgrade(url: &str, out: &mut dyn Write) -> Result<(), Stop> {
    let Upgraded { from, to } = mbs_store::upgrade(url).await?;
    let told = if from == to {
        format!("database schema is at {to} already\n")
    } else {
        format!("database schema is at {to}; it was at {from}\n")
    };
    // That nobody reads on is no error.
    drop(out.write_all(told.as_bytes()));
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
        execute(&arguments(&["upgradedb", "--database", url]), &Screen::new(), &mut Vec::new())
    }

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory as _;

        Arguments::command().debug_assert();
    }

    #[test]
    fn the_flag_that_logs_most_counts_wherever_it_stands() {
        assert_eq!(arguments(&["limit"]).verbosity(), Verbosity::Warnings);
        assert_eq!(arguments(&["-q", "limit"]).verbosity(), Verbosity::Errors);
        assert_eq!(arguments(&["limit", "-v"]).verbosity(), Verbosity::Info);
        assert_eq!(arguments(&["-v", "limit", "-d"]).verbosity(), Verbosity::Debug);
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
        assert_eq!(
            execute(&arguments(&["upgradedb", "--config", &file]), &Screen::new(), &mut Vec::new()),
            Ok(())
        );
        assert!(store.exists());
        let stop =
            execute(&arguments(&["upgradedb", "--config", "/nowhere.toml"]), &Screen::new(), &mut Vec::new())
                .unwrap_err();
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
        let stop = execute(&arguments(&["upgradedb"]), &Screen::new(), &mut Vec::new()).unwrap_err();
        assert_eq!(stop.exit(), Exit::Usage);
    }
}
