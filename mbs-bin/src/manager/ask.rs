//! Who agrees to a change: a person who is asked, or who has said so beforehand. Nobody is taken to agree who could not be asked.

use std::env;
use std::io::{self, BufRead, IsTerminal as _, Write};

use crate::exit::Stop;
use crate::logging::without_controls;

/// Returns the name under which a person logged in, also behind `sudo`; `None`: the environment does not say.
pub(super) fn login_name() -> Option<String> {
    let said = |variable| env::var(variable).ok().filter(|name| !name.is_empty());
    ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(said)
}

/// Who agrees to a change.
pub(super) enum Person<'p> {
    /// Has agreed beforehand.
    Agreed,
    /// Is asked at a terminal.
    Present {
        /// Where the question is shown.
        screen: &'p mut dyn Write,
        /// Where answers come from, a line each.
        answers: &'p mut dyn BufRead,
    },
    /// Cannot be asked.
    Absent {
        /// The option with which one agrees beforehand.
        say: &'static str,
    },
}

impl<'p> Person<'p> {
    /// Finds out who is there; `say` is the option with which one agrees beforehand.
    pub(super) fn of(
        has_agreed: bool,
        say: &'static str,
        screen: &'p mut dyn Write,
        input: &'p mut io::StdinLock<'static>,
    ) -> Self {
        if has_agreed {
            Self::Agreed
        } else if input.is_terminal() {
            Self::Present { screen, answers: input }
        } else {
            Self::Absent { say }
        }
    }

    /// Asks whether something is to be done.
    ///
    /// # Errors
    /// `Failed`: no. `Usage`: nobody can be asked.
    pub(super) fn agree(&mut self, question: &str) -> Result<(), Stop> {
        let (screen, answers) = match self {
            Self::Agreed => return Ok(()),
            Self::Present { screen, answers } => (screen, answers),
            Self::Absent { say } => {
                let why = "nobody can be asked, since the standard input is no terminal";
                return Err(Stop::Usage(format!(
                    "nothing was changed: {why}; say {say} to agree beforehand"
                )));
            }
        };
        let unasked =
            |error: io::Error| Stop::Machine(format!("nothing was changed: nobody can be asked: {error}"));
        write!(screen, "{} [y/N] ", without_controls(question))
            .and_then(|()| screen.flush())
            .map_err(unasked)?;
        let mut answer = String::new();
        answers.read_line(&mut answer).map_err(unasked)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Stop::Failed("nothing was changed".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(mut answers: &[u8]) -> (Result<(), Stop>, String) {
        let mut screen = Vec::new();
        let agreed = Person::Present { screen: &mut screen, answers: &mut answers }.agree("Enter it?");
        (agreed, String::from_utf8(screen).unwrap())
    }

    #[test]
    fn only_yes_is_yes() {
        for answer in ["y\n", "YES\n", " y \n", "y"] {
            assert_eq!(asked(answer.as_bytes()), (Ok(()), "Enter it? [y/N] ".to_owned()));
        }
        for answer in ["\n", "", "n\n", "yy\n", "nyes\n"] {
            assert_eq!(
                asked(answer.as_bytes()).0,
                Err(Stop::Failed("nothing was changed".into())),
                "{answer:?}"
            );
        }
    }

    #[test]
    fn who_cannot_be_asked_has_not_agreed() {
        let stop = Person::Absent { say: "--yes" }.agree("Enter it?").unwrap_err();
        assert!(matches!(&stop, Stop::Usage(told) if told.contains("--yes")), "{stop}");
        assert_eq!(Person::Agreed.agree("Enter it?"), Ok(()));
    }
}
