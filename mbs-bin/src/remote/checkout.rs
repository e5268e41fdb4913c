//! What the current folder says of a submission: where its commit is, and on which branch.

use std::process::Command;

use crate::exit::Stop;

/// Asks the dist-git client for the git URL of the current commit.
///
/// # Errors
/// `NoSource`, in the client's words.
pub(super) fn git_url(client: &str) -> Result<String, Stop> {
    said(Command::new(client).arg("giturl"), &format!("{client} giturl"))
}

/// Returns the current git branch.
///
/// # Errors
/// `NoSource`, in git's words.
pub(super) fn branch() -> Result<String, Stop> {
    said(Command::new("git").args(["rev-parse", "--abbrev-ref", "HEAD"]), "git rev-parse --abbrev-ref HEAD")
}

fn said(command: &mut Command, title: &str) -> Result<String, Stop> {
    let answer =
        command.output().map_err(|error| Stop::NoSource(format!("{title} cannot be run: {error}")))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let (out, err) = (text(&answer.stdout), text(&answer.stderr));
    if !answer.status.success() {
        let why = if err.is_empty() { format!("{title} failed") } else { err };
        return Err(Stop::NoSource(why));
    }
    if out.is_empty() { Err(Stop::NoSource(format!("{title} says nothing"))) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<String, Stop> {
        said(Command::new("sh").args(["-c", script]), "sh")
    }

    #[test]
    fn what_a_program_says_counts_without_the_white_space_around_it() {
        assert_eq!(shell("echo ' https://x/a?#b '; echo warning >&2"), Ok("https://x/a?#b".into()));
    }

    #[test]
    fn a_program_that_fails_is_told_in_its_own_words() {
        assert_eq!(shell("echo no >&2; echo way >&2; exit 3"), Err(Stop::NoSource("no\nway".into())));
        assert_eq!(shell("exit 3"), Err(Stop::NoSource("sh failed".into())));
        assert_eq!(shell("true"), Err(Stop::NoSource("sh says nothing".into())));
        let missing = git_url("/no/such/client").unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/client giturl cannot be run: "), "{missing}");
    }
}
