//! `mbs-manager pdc`: the modules in PDC that nothing builds, entered by hand, activated, withdrawn and looked at.
//!
//! Every command that changes something looks first, says what will be different, asks, and does nothing where it is so already:
//! each may be repeated, also when nobody knows whether it worked. What it shows (`--dry-run`) is what it would send. The
//! decisions are functions of what PDC shows; [`mbs_pdc`] sends what comes of them.

mod arguments;
mod change;
mod import;
mod near;
mod outlook;
mod show;
mod site;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod token;

use std::env;
use std::io::{self, Write};

pub use arguments::{
    AskedDependency, ChangeArguments, CommonArguments, FaceName, ImportArguments, ListArguments,
    PdcArguments, PdcCommand, RetagArguments, ShowArguments, Writing, YesNo,
};

use super::ask::Person;
use crate::exit::Stop;
use change::Wanted;
use site::Site;

/// Runs a command to its end.
///
/// # Errors
/// `Failed`: PDC refuses it, has something else there, or somebody said no. `Usage`: the command or a document has to be changed.
/// `Machine`: PDC cannot be reached, or its configuration cannot be used.
pub(super) async fn run(arguments: &PdcArguments, out: &mut dyn Write) -> Result<(), Stop> {
    let PdcArguments { common, command } = arguments;
    let home = env::home_dir();
    let server = site::server(common, command.writing(), home.as_deref())?;
    let user = super::ask::login_name();
    let (mut screen, mut input) = (anstream::stderr(), io::stdin().lock());
    let site = Site {
        pdc: site::client(&server)?,
        face: common.face.map(Into::into),
        comment: site::comment(common.comment.as_deref(), command.name(), user.as_deref()),
        writing: command.writing(),
        person: Person::of(common.yes, "--yes", &mut screen, &mut input),
        out,
    };
    perform(site, command).await
}

async fn perform(mut site: Site<'_>, command: &PdcCommand) -> Result<(), Stop> {
    match command {
        PdcCommand::Import(arguments) => import::run(&mut site, arguments).await,
        PdcCommand::Activate(arguments) => change::set_active(&mut site, arguments, Wanted::Active).await,
        PdcCommand::Deactivate(arguments) => change::set_active(&mut site, arguments, Wanted::Inactive).await,
        PdcCommand::Retag(arguments) => change::retag(&mut site, arguments).await,
        PdcCommand::Show(arguments) => show::show(&mut site, arguments).await,
        PdcCommand::List(arguments) => show::list(&mut site, arguments).await,
    }
}
