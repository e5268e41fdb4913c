//! The arguments of `mbs-build`, and which part of the library serves each command.
//!
//! It decides nothing but that: what a value means is decided where it is used.

use std::io;
use std::path::PathBuf;

use clap::{ArgAction, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::exit::{Exit, Stop};
use crate::logging::{self, Verbosity};
use crate::{local, plan, remote, validate};

mod list_arguments;
mod local_arguments;
mod pages;
mod plan_arguments;
mod remote_arguments;
mod service_arguments;
mod validate_arguments;

pub use list_arguments::ListArguments;
pub use local_arguments::LocalArguments;
pub use plan_arguments::PlanArguments;
pub use remote_arguments::{
    BuildArguments, LogArguments, LoginArguments, OverviewArguments, ResumeArguments, SubmitArguments,
    WatchArguments,
};
pub use service_arguments::{LoginMethod, ServiceArguments};
pub use validate_arguments::ValidateArguments;

/// Where the flags that all commands have stand in the help of each: after its own.
const LAST: usize = 100;

/// Builds modules: sets of RPM packages that are built together, in order.
#[derive(Debug, Parser)]
#[command(name = "mbs-build", version)]
pub struct Arguments {
    /// Log everything (beats -v and -q)
    #[arg(short = 'd', long = "debug", global = true, display_order = LAST, action = ArgAction::SetTrue)]
    pub debug: bool,
    /// Log what is being done (beats -q)
    #[arg(short = 'v', long = "verbose", global = true, display_order = LAST, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// Log errors only, and show no progress
    #[arg(short = 'q', long = "quiet", global = true, display_order = LAST, action = ArgAction::SetTrue)]
    pub quiet: bool,
    /// Which service, and who we are there
    #[command(flatten)]
    pub service: ServiceArguments,
    /// What to do; without it the help is shown
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `mbs-build` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the module builds of a service
    Overview(OverviewArguments),
    /// Show the components of a module build
    Info(BuildArguments),
    /// Show how a module build goes on until it ends
    Watch(WatchArguments),
    /// Submit a module build
    Submit(Box<SubmitArguments>),
    /// Cancel a module build
    Cancel(BuildArguments),
    /// Submit again what a module build was made of, so that it goes on where it failed
    Resume(ResumeArguments),
    /// List the module builds that fit
    List(Box<ListArguments>),
    /// Say why a module build is not further
    Explain(BuildArguments),
    /// Show the log of a module build
    Log(LogArguments),
    /// Get a token from the provider, by a browser
    Login(LoginArguments),
    /// Forget the token of the provider
    Logout(LoginArguments),
    /// Build a module on this machine, in the foreground
    Local(Box<LocalArguments>),
    /// Say what would be built, with what and why, and build nothing
    Plan(Box<PlanArguments>),
    /// Check documents, and build nothing
    Validate(ValidateArguments),
    /// Print what makes a shell complete these commands
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual pages of all commands into a folder
    #[command(hide = true)]
    Man {
        /// The folder, which is there
        folder: PathBuf,
    },
}

/// Who reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A person, who reads text.
    Person,
    /// A program, which reads JSON.
    Program,
}

impl Reader {
    /// Returns who reads what is printed where `--json` is an option.
    fn of(json: bool) -> Self {
        if json { Self::Program } else { Self::Person }
    }
}

impl Arguments {
    /// Returns how much is logged: of several flags the one that logs most counts.
    pub fn verbosity(&self) -> Verbosity {
        if self.debug {
            Verbosity::Debug
        } else if self.verbose {
            Verbosity::Info
        } else if self.quiet {
            Verbosity::Errors
        } else {
            Verbosity::Warnings
        }
    }
}

/// Runs a command to its end and returns the exit status; what went wrong has been logged.
pub fn run(arguments: Arguments) -> Exit {
    let verbosity = arguments.verbosity();
    let screen = logging::start(verbosity);
    let service = arguments.service;
    let ended = match arguments.command {
        None => help(),
        Some(Command::Validate(arguments)) => validate::run(&arguments, &mut anstream::stdout().lock()),
        Some(Command::Plan(arguments)) if arguments.server => remote::plan(&service, &arguments),
        Some(Command::Plan(arguments)) => plan::run(&arguments, &mut anstream::stdout().lock()),
        Some(Command::Local(arguments)) => local::run(&arguments, verbosity, &screen),
        Some(Command::Overview(arguments)) => {
            remote::overview(&service, &arguments, screen.for_progress(verbosity))
        }
        Some(Command::Info(arguments)) => remote::info(&service, &arguments),
        Some(Command::Watch(arguments)) => remote::watch(&service, &arguments),
        Some(Command::Submit(arguments)) => remote::submit(&service, &arguments),
        Some(Command::Cancel(arguments)) => remote::cancel(&service, &arguments),
        Some(Command::Resume(arguments)) => remote::resume(&service, &arguments),
        Some(Command::List(arguments)) => remote::list(&service, &arguments),
        Some(Command::Explain(arguments)) => remote::explain(&service, &arguments),
        Some(Command::Log(arguments)) => remote::log(&service, &arguments),
        Some(Command::Login(arguments)) => remote::login(&service, &arguments),
        Some(Command::Logout(arguments)) => remote::logout(&service, &arguments),
        Some(Command::Completions { shell }) => pages::completions(shell, &mut anstream::stdout().lock()),
        Some(Command::Man { folder }) => pages::manual(&folder),
    };
    ended.unwrap_or_else(|stop| {
        stop.log();
        stop.exit()
    })
}

fn help() -> Result<Exit, Stop> {
    let help = Arguments::command().render_help();
    // Nobody can be told that standard error is gone.
    let _ = io::Write::write_all(&mut anstream::stderr(), help.ansi().to_string().as_bytes());
    Ok(Exit::Usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Arguments {
        Arguments::try_parse_from([&["mbs-build"], arguments].concat()).unwrap()
    }

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_flag_that_logs_most_counts() {
        assert_eq!(parsed(&[]).verbosity(), Verbosity::Warnings);
        assert_eq!(parsed(&["-q"]).verbosity(), Verbosity::Errors);
        assert_eq!(parsed(&["-q", "-v"]).verbosity(), Verbosity::Info);
        assert_eq!(parsed(&["-q", "-v", "-d"]).verbosity(), Verbosity::Debug);
    }

    #[test]
    fn flags_of_the_log_stand_before_or_after_the_command() {
        for arguments in [["-q", "local"], ["local", "-q"], ["local", "--quiet"]] {
            assert_eq!(parsed(&arguments).verbosity(), Verbosity::Errors, "{arguments:?}");
        }
        assert_eq!(parsed(&["-q", "validate", "a.yaml", "-v"]).verbosity(), Verbosity::Info);
    }

    #[test]
    fn a_value_that_is_no_good_is_answered_with_what_would_be() {
        let refused = |arguments: &[&str]| {
            Arguments::try_parse_from([&["mbs-build", "local"], arguments].concat()).unwrap_err().to_string()
        };
        let jobs = refused(&["--jobs", "0"]);
        assert!(jobs.contains("'0' for '--jobs <N>': it must be a whole number, 1 or more"), "{jobs}");
        let stream = refused(&["--stream", ""]);
        assert!(stream.contains("--stream <STREAM>': \"\" is no valid stream: it is empty"), "{stream}");
    }

    #[test]
    fn a_file_is_given_once() {
        let both = ["mbs-build", "local", "a.yaml", "--file", "b.yaml"];
        assert!(Arguments::try_parse_from(both).is_err());
    }
}
