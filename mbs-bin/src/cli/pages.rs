//! What is made of the arguments themselves: completions for shells, and manual pages.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Arguments;
use crate::exit::{Exit, Stop};
use crate::manager;
use crate::validate::tolerate;

/// Prints what makes a shell complete the commands of `mbs-build`.
///
/// # Errors
/// `Machine`: `out` cannot be written.
pub(super) fn completions(shell: Shell, out: &mut impl Write) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "mbs-build", &mut script);
    tolerate(out.write_all(&script).and_then(|()| out.flush()))?;
    Ok(Exit::Done)
}

/// Writes the manual pages of both programs into a folder, one for each command.
///
/// # Errors
/// `Usage`: they cannot be written there.
pub(super) fn manual(folder: &Path) -> Result<Exit, Stop> {
    for command in [Arguments::command(), manager::Arguments::command()] {
        clap_mangen::generate_to(command, folder).map_err(|error| Stop::unreadable(folder, &error))?;
    }
    Ok(Exit::Done)
}
