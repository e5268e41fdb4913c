//! The commands on the store of a service, and which room serves each.

use std::io::Write;

use clap::Subcommand;

use super::Arguments;
use super::builds::{self, PriorityArguments, RequeueArguments};
use super::import::{self, ImportArguments};
use super::import_db::{self, ImportDbArguments};
use super::keeper::Keeper;
use super::retire::{self, RetireArguments};
use super::settings::{self, LimitArguments, SwitchArguments};
use super::stuck::{self, StuckArguments};
use super::sweep::{self, GcArguments};
use super::token::{self, TokenArguments};
use crate::exit::Stop;

const CHANGES: &str = "Exit status: 0 done or so already, 1 refused, or somebody said no, 2 wrong usage, 3 the store cannot be \
reached";

/// What can be done to a running service.
#[derive(Debug, Subcommand)]
pub enum Upkeep {
    /// Show or set how many components may be in progress at a time
    ///
    /// It counts at once, for all backends. Lowering it stops nothing that runs.
    #[command(after_help = CHANGES)]
    Limit(LimitArguments),
    /// Begin no components any more, or begin them again; what runs goes on
    #[command(after_help = CHANGES)]
    Pause(SwitchArguments),
    /// Let the service run dry: no build leaves init or wait, those beyond go on to their ends
    #[command(after_help = CHANGES)]
    Drain(SwitchArguments),
    /// Have a build served before others, or after them
    #[command(after_help = CHANGES)]
    Priority(PriorityArguments),
    /// Show the builds that have not moved, why, and what to do
    #[command(after_help = CHANGES)]
    Stuck(StuckArguments),
    /// Have builds looked at now
    #[command(after_help = CHANGES)]
    Requeue(RequeueArguments),
    /// Retire ready builds, so that nothing is built on them any more
    ///
    /// Those that fit are shown first. Their tags, and what was imported of them, stay in the build system.
    #[command(after_help = CHANGES)]
    Retire(RetireArguments),
    /// Take in modules that were built elsewhere, base modules for instance
    ///
    /// Each is ready at once. All documents are checked before the first is taken in.
    #[command(after_help = CHANGES)]
    Import(ImportArguments),
    /// Take over the builds of an original service, with their ids, into a store that has none
    ///
    /// What was in flight arrives as failed, and can be resumed.
    #[command(name = "import-db", after_help = CHANGES)]
    ImportDb(ImportDbArguments),
    /// Remove events, keys, log lines and entries of the audit that are kept no longer
    #[command(after_help = CHANGES)]
    Gc(GcArguments),
    /// Make, show or revoke tokens with which programs ask the service in the name of people
    #[command(after_help = CHANGES)]
    Token(TokenArguments),
}

/// Runs a command to its end.
///
/// # Errors
/// By whoever has to act: see [`Stop`].
pub(super) async fn run(command: &Upkeep, asked: &Arguments, out: &mut dyn Write) -> Result<(), Stop> {
    let keeper = &mut Keeper::open(asked, out).await?;
    match command {
        Upkeep::Limit(asked) => settings::limit(keeper, asked).await,
        Upkeep::Pause(asked) => settings::pause(keeper, asked).await,
        Upkeep::Drain(asked) => settings::drain(keeper, asked).await,
        Upkeep::Priority(asked) => builds::priority(keeper, asked).await,
        Upkeep::Requeue(asked) => builds::requeue(keeper, asked).await,
        Upkeep::Stuck(asked) => stuck::run(keeper, asked).await,
        Upkeep::Retire(asked) => retire::run(keeper, asked).await,
        Upkeep::Import(asked) => import::run(keeper, asked).await,
        Upkeep::ImportDb(asked) => import_db::run(keeper, asked).await,
        Upkeep::Gc(asked) => sweep::run(keeper, asked).await,
        Upkeep::Token(asked) => token::run(keeper, &asked.command).await,
    }
}
