//! Which service commands work with, and how trouble with it ends them.

use mbs_client::client::{Client, ClientError};
use mbs_client::login::{Login, LoginError};
use mbs_client::server::{ApiVersion, Server, Trust};
use mbs_core::build_system::Effect;
use mbs_core::ident::{BuildId, TaskId};

use crate::cli::ServiceArguments;
use crate::exit::Stop;

/// A service, and what a command has beside it.
pub(super) struct Site {
    /// Shows nobody who we are.
    pub(super) client: Client,
    koji_web: String,
}

impl Site {
    /// Makes a client; nothing is asked yet. The first version of the interface is spoken, unless the address names another.
    ///
    /// # Errors
    /// `Usage`: the address is no good one.
    pub(super) fn open(service: &ServiceArguments) -> Result<Self, Stop> {
        let server =
            Server { version: Some(ApiVersion::One), trust: trust(service), ..Server::new(&service.server) };
        let client = Client::new(server, Login::Anonymous);
        let client =
            client.map_err(|error| Stop::Usage(format!("-s {}: {error}", shown(&service.server))))?;
        Ok(Self { client, koji_web: service.koji_web.trim_end_matches('/').to_owned() })
    }

    /// Returns where people look at a task.
    pub(super) fn task_url(&self, task: TaskId) -> String {
        format!("{}/taskinfo?taskID={task}", self.koji_web)
    }
}

/// Returns whom we take for a server.
pub(super) fn trust(service: &ServiceArguments) -> Trust {
    if service.insecure { Trust::Anyone } else { Trust::System }
}

/// Returns an address without a user and password, which do not belong there but may be there.
fn shown(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, rest)| rest)
}

/// Reads the number of a build.
///
/// # Errors
/// `Failed`: it is none; there is no such build.
pub(super) fn build_id(text: &str) -> Result<BuildId, Stop> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { text.parse().ok() } else { None };
    number.map(BuildId).ok_or_else(|| Stop::Failed(format!("{text:?} is no number of a module build")))
}

/// Says how trouble with a read ends a command.
pub(super) fn stop(error: ClientError) -> Stop {
    match error {
        ClientError::Refused { message, .. } if !message.is_empty() => Stop::Failed(message),
        ClientError::Refused { .. } | ClientError::Login(LoginError::Denied { .. }) => {
            Stop::Failed(error.to_string())
        }
        ClientError::Login(_)
        | ClientError::Unavailable { .. }
        | ClientError::Odd { .. }
        | ClientError::Configuration { .. } => Stop::Machine(error.to_string()),
    }
}

/// Says how trouble with a submission or a cancellation ends a command.
pub(super) fn stop_of_change(error: ClientError) -> Stop {
    match error {
        ClientError::Refused { .. } => Stop::Refused(error.to_string()),
        ClientError::Odd { ref what, .. } => {
            tracing::info!("the answer cannot be read: {what}");
            Stop::Odd
        }
        error if error.effect() == Effect::Unknown => {
            let doubt = "It may have been done all the same: look before you give the command again.";
            Stop::Machine(format!("{error}\n{doubt}"))
        }
        error => stop(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_and_nothing_else() {
        assert_eq!(build_id("0123"), Ok(BuildId(123)));
        for odd in ["", "abc", "-1", "+1", "1/2", "99999999999999999999"] {
            let stop = build_id(odd).unwrap_err();
            assert_eq!(stop, Stop::Failed(format!("{odd:?} is no number of a module build")));
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_services_words_and_a_doubt_as_one() {
        let refused = || ClientError::Refused {
            status: 404,
            error: "Not Found".into(),
            message: "No such module found.".into(),
            retry_after: None,
        };
        assert_eq!(stop(refused()), Stop::Failed("No such module found.".into()));
        assert_eq!(stop_of_change(refused()), Stop::Refused("404 Not Found: No such module found.".into()));
        let lost = |effect| ClientError::Unavailable {
            reason: "lost".into(),
            status: None,
            effect,
            retry_after: None,
        };
        let told = stop_of_change(lost(Effect::Unknown)).to_string();
        assert!(told.contains("It may have been done all the same"), "{told}");
        let told = stop_of_change(lost(Effect::None)).to_string();
        assert!(!told.contains("may have been done"), "{told}");
    }
}
