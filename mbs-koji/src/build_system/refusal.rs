//! What a hub's no means to whoever asked, in words a packager understands.

use std::fmt;

use mbs_core::build_system::{BuildSystemError, Effect};

use crate::api::Odd;
use crate::hub::HubError;
use crate::repodata::RepodataError;
use crate::xmlrpc::{Fault, FaultCode};

/// Longest part of the hub's own words that is passed on.
const LONGEST: usize = 500;

/// Says what became of a request as a whole; `doing` says what it was about: "to tag perl-1-1 into f40".
pub(super) fn of_request(error: HubError, doing: impl fmt::Display) -> BuildSystemError {
    let (effect, retry_after) = (error.effect(), error.retry_after());
    match error {
        // Somebody holds our user's session, or the hub takes us for another: no build is to blame.
        HubError::Fault(fault) if is_about_session(&fault) => {
            let reason = format!("asked {doing}, the hub said: {}", words(&fault.text));
            BuildSystemError::Unavailable { reason, retry_after, effect }
        }
        HubError::Fault(fault) => of_fault(&fault, doing),
        HubError::Protocol { .. } | HubError::TooLarge { .. } => {
            BuildSystemError::Protocol { what: format!("asked {doing}: {error}"), effect }
        }
        // What is configured wrongly, or a ticket that ran out, is mended outside; no build fails over it at once.
        error => BuildSystemError::Unavailable { reason: error.to_string(), retry_after, effect },
    }
}

fn is_about_session(fault: &Fault) -> bool {
    matches!(fault.code, FaultCode::AuthError | FaultCode::AuthLockError | FaultCode::SequenceError)
}

/// Says what one call's fault means. Faults have no effect.
pub(super) fn of_fault(fault: &Fault, doing: impl fmt::Display) -> BuildSystemError {
    let words = words(&fault.text);
    match fault.code {
        FaultCode::ServerOffline | FaultCode::LockError | FaultCode::AuthExpired => {
            let reason = format!("asked {doing}, the hub said: {words}");
            BuildSystemError::Unavailable { reason, retry_after: None, effect: Effect::None }
        }
        FaultCode::ActionNotAllowed
        | FaultCode::AuthError
        | FaultCode::AuthLockError
        | FaultCode::GSSAPIAuthError => {
            BuildSystemError::Denied { what: format!("{doing}; the hub said: {words}") }
        }
        FaultCode::Exception
        | FaultCode::PluginError
        | FaultCode::CallbackError
        | FaultCode::SequenceError
        | FaultCode::Other(_) => BuildSystemError::Protocol {
            what: format!("asked {doing}, the hub failed: {words}"),
            effect: Effect::None,
        },
        _ => BuildSystemError::Rejected { reason: format!("Koji refuses {doing}: {words}") },
    }
}

/// Says that an answer makes no sense. It answered a question, so nothing was done.
pub(super) fn of_odd(odd: &Odd) -> BuildSystemError {
    BuildSystemError::Protocol { what: odd.to_string(), effect: Effect::None }
}

/// Says that an external repository cannot be read. It may come back, or its administrator mends it.
pub(super) fn of_repository(error: &RepodataError) -> BuildSystemError {
    let reason = error.to_string();
    BuildSystemError::Unavailable { reason, retry_after: None, effect: Effect::None }
}

/// Returns the hub's own words: without the class in front, of a traceback only the error at its end.
pub(super) fn words(text: &str) -> String {
    let text = match text.contains("Traceback (most recent call last)") {
        true => text.trim_end().lines().next_back().unwrap_or_default(),
        false => text.trim(),
    };
    let text = match text.strip_prefix("<class '").and_then(|rest| rest.split_once("'>: ")) {
        Some((_, said)) => said,
        None => text,
    };
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match one_line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hubs_words_come_without_what_only_programmers_read() {
        let traceback = "Traceback (most recent call last):\n  File \"hub.py\", line 1\nValueError: no";
        assert_eq!(words(traceback), "ValueError: no");
        assert_eq!(words("<class 'koji.GenericError'>: No such tag:\n  f40"), "No such tag: f40");
        assert_eq!(words(&"x".repeat(600)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_fault_is_what_the_caller_can_do_about_it() {
        let said =
            |code, text: &str| of_fault(&Fault::new(code, text), "to tag perl-1-1 into f40").to_string();
        assert_eq!(
            said(FaultCode::ActionNotAllowed, "tag permission required (logged in as mbs)"),
            "not allowed: to tag perl-1-1 into f40; the hub said: tag permission required (logged in as mbs)"
        );
        assert_eq!(
            said(FaultCode::TagError, "package perl is blocked"),
            "Koji refuses to tag perl-1-1 into f40: package perl is blocked"
        );
        assert!(of_fault(&Fault::new(FaultCode::ServerOffline, "outage"), "to").is_transient());
        assert!(of_fault(&Fault::new(FaultCode::Exception, "<class 'KeyError'>: 'x'"), "to").is_transient());
    }
}
