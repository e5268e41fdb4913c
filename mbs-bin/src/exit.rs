//! How the program ends: the exit status, and which error leads to which. This is the only place that decides it.
//!
//! | status | meaning |
//! | --- | --- |
//! | 0 | done: built, nothing wrong, or so already |
//! | 1 | the module failed, or was cancelled; a service or PDC refused, or has something else, or somebody said no |
//! | 2 | wrong usage, a missing file, a document that is not a good one |
//! | 3 | this machine lacks something: a program, space, a permission, a results directory that nobody else works in, a store, PDC or service that can be reached |
//! | 251 … 254 | what `mbs-build` has always ended with when a service takes no submission: see [`Exit`] |

use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::ExitCode;

use mbs_core::ident::InvalidIdent;
use mbs_core::model::{Failure, ModuleBuild, State};
use mbs_core::modulemd::Problems;
use mbs_core::resolver::ResolverError;
use mbs_core::store::StoreError;
use mbs_core::submission::Refused;
use mbs_local::lock::LockError;
use mbs_local::{Lacking, LocalError};
use mbs_store::sqlite::OpenError;

/// An exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything asked for is done.
    Done,
    /// The module failed, or what was asked for was refused.
    Failed,
    /// The user has to ask for something else, or mend the document.
    Usage,
    /// The user has to mend the machine.
    Machine,
    /// An option of a submission is no `KEY=VALUE`.
    BadOption,
    /// The service refuses a submission or a cancellation.
    Refused,
    /// The service answers a submission with something that is none of its answers.
    Odd,
    /// Nobody says where the document of a submission is.
    NoSource,
}

impl Exit {
    /// Returns the number that the shell sees.
    pub fn status(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Machine => 3,
            Exit::BadOption => 251,
            Exit::Refused => 252,
            Exit::Odd => 253,
            Exit::NoSource => 254,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.status())
    }
}

/// Why a command stops before its end, in words for whoever typed it; lines after the first add to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The module cannot be built as it is, or what was asked for was refused.
    #[error("{0}")]
    Failed(String),
    /// The command, a file or a document has to be changed.
    #[error("{0}")]
    Usage(String),
    /// The machine lacks something.
    #[error("{0}")]
    Machine(String),
    /// An option of a submission is no `KEY=VALUE`.
    #[error("Optional arguments are not in a proper arg=value format.")]
    BadOption,
    /// The service refuses a submission or a cancellation.
    #[error("{0}")]
    Refused(String),
    /// The service answers a submission with something that is none of its answers; nothing is said of it.
    #[error("")]
    Odd,
    /// Nobody says where the document of a submission is.
    #[error("{0}")]
    NoSource(String),
}

impl Stop {
    /// Returns the exit status it leads to.
    pub fn exit(&self) -> Exit {
        match self {
            Stop::Failed(_) => Exit::Failed,
            Stop::Usage(_) => Exit::Usage,
            Stop::Machine(_) => Exit::Machine,
            Stop::BadOption => Exit::BadOption,
            Stop::Refused(_) => Exit::Refused,
            Stop::Odd => Exit::Odd,
            Stop::NoSource(_) => Exit::NoSource,
        }
    }

    /// Logs why, a line each.
    pub fn log(&self) {
        for line in self.to_string().lines() {
            match self {
                Stop::BadOption | Stop::Refused(_) => tracing::error!(critical = true, "{line}"),
                _ => tracing::error!("{line}"),
            }
        }
    }

    /// Makes the end of a command that could not read a file that the user named.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        match error.kind() {
            ErrorKind::NotFound => Stop::Usage(format!("{path} does not exist")),
            ErrorKind::IsADirectory => Stop::Usage(format!("{path} is a folder, not a document")),
            _ => Stop::Usage(format!("{path} cannot be read: {error}")),
        }
    }

    /// Makes the end of a command whose results nobody can be given.
    pub fn unwritable(error: &io::Error) -> Self {
        Stop::Machine(format!("the output cannot be written: {error}"))
    }
}

impl From<Problems> for Stop {
    fn from(problems: Problems) -> Self {
        Stop::Usage(problems.to_string())
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Stop::Usage(refused.to_string())
    }
}

impl From<InvalidIdent> for Stop {
    fn from(invalid: InvalidIdent) -> Self {
        Stop::Usage(invalid.to_string())
    }
}

impl From<ResolverError> for Stop {
    fn from(error: ResolverError) -> Self {
        match error {
            ResolverError::NotFound { .. } | ResolverError::Conflict { .. } => Stop::Usage(error.to_string()),
            ResolverError::Unavailable { .. }
            | ResolverError::Unsupported { .. }
            | ResolverError::Protocol { .. } => Stop::Machine(error.to_string()),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Stop::Machine(error.to_string())
    }
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        Stop::Machine(chain(&error))
    }
}

/// Tells an error with its causes. Many errors of other crates tell their cause themselves; what was told is not repeated.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let further = next.to_string();
        if !told.contains(&further) {
            told = format!("{told}: {further}");
        }
        cause = next.source();
    }
    told
}

impl From<LockError> for Stop {
    fn from(error: LockError) -> Self {
        let hint = match &error {
            LockError::Foreign { .. } => return Stop::Usage(format!("{error} with --results")),
            LockError::Machine(LocalError::NotAllowed { .. } | LocalError::Io { .. }) => {
                "\nSpecify another results directory with --results."
            }
            LockError::NotOurs { .. } => " with --results",
            LockError::Machine(_) | LockError::InUse { .. } => "",
        };
        Stop::Machine(format!("{error}{hint}"))
    }
}

impl From<Lacking> for Stop {
    fn from(lacking: Lacking) -> Self {
        Stop::Machine(lacking.to_string())
    }
}

impl From<LocalError> for Stop {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::Unusable(what) => Stop::Usage(what),
            LocalError::Lacking(_)
            | LocalError::NoSandbox { .. }
            | LocalError::DiskFull { .. }
            | LocalError::NotAllowed { .. }
            | LocalError::Io { .. }
            | LocalError::Program { .. }
            | LocalError::TimedOut { .. } => Stop::Machine(error.to_string()),
        }
    }
}

impl Exit {
    /// Returns the exit status that a module build leads to; one that has not ended counts as failed.
    ///
    /// A build that never got beyond finding out what it is made of, by the packager's fault, has a document that is not a
    /// good one.
    pub fn of_build(build: &ModuleBuild) -> Self {
        match (build.state(), build.life.failure(), build.life.failed_in()) {
            (State::Done | State::Ready, _, _) => Exit::Done,
            (_, Some(Failure::Infra), _) => Exit::Machine,
            (_, Some(Failure::User), Some(State::Init)) => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::local::testing::module_build;

    #[test]
    fn what_the_machine_lacks_and_what_is_wrong_with_the_request_differ() {
        let full = LocalError::DiskFull { path: PathBuf::from("/results") };
        assert_eq!(Stop::from(full).exit(), Exit::Machine);
        assert_eq!(Stop::from(LocalError::Unusable("no spec file".into())).exit(), Exit::Usage);
        assert_eq!(Stop::from(Refused::NoName).exit(), Exit::Usage);
        assert_eq!(Stop::from(StoreError::Unavailable { reason: "no space".into() }).exit(), Exit::Machine);
    }

    #[test]
    fn the_status_of_a_build_says_who_has_to_act() {
        let now = "2024-01-02T03:04:05Z".parse().unwrap();
        let failed_by = |failure, beyond_init: bool| {
            let mut build = module_build("app:1:2:c");
            if beyond_init {
                build.enter(State::Wait, None, now).unwrap();
            }
            build.life.fail("so".into(), failure, now).unwrap();
            Exit::of_build(&build)
        };
        assert_eq!(failed_by(Failure::User, true), Exit::Failed);
        assert_eq!(failed_by(Failure::Unspec, false), Exit::Failed);
        assert_eq!(failed_by(Failure::Infra, true), Exit::Machine);
        assert_eq!(failed_by(Failure::User, false), Exit::Usage);
    }

    #[test]
    fn causes_are_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("{told}")]
        struct Told {
            told: &'static str,
            source: Option<Box<Told>>,
        }
        let caused = |told, by: Option<Told>| Told { told, source: by.map(Box::new) };
        let root = caused("refused", None);
        let wrapped = caused("refused (os error 111)", Some(root));
        let repeating = caused("the network: refused (os error 111)", Some(wrapped));
        let error = caused("no database", Some(repeating));
        assert_eq!(chain(&error), "no database: the network: refused (os error 111)");
    }

    #[test]
    fn a_build_is_built_when_it_is_done() {
        let now = "2024-01-02T03:04:05Z".parse().unwrap();
        let mut build = module_build("app:1:2:c");
        assert_eq!(Exit::of_build(&build), Exit::Failed);
        for state in [State::Wait, State::Build, State::Done] {
            build.enter(state, None, now).unwrap();
        }
        assert_eq!(Exit::of_build(&build), Exit::Done);
    }
}
