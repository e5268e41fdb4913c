//! What kept an answer away: told apart by what it says about the request.

use std::io;

/// Why a request brought no answer that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No connection: nothing was sent.
    Unconnected,
    /// A connection that was closed before the whole answer was there.
    Lost,
    /// No answer in time.
    Late,
    /// A server, or a client, whose certificate is not accepted: nothing was sent.
    Distrust,
    /// Something that cannot be unpacked.
    Nonsense,
    /// An answer longer than is read.
    Excess,
}

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// What kind it is.
    pub trouble: Trouble,
    /// In words that fit behind "cannot be reached".
    pub reason: String,
}

impl Failure {
    /// Tells of a failure.
    pub fn new(trouble: Trouble, reason: impl Into<String>) -> Self {
        Self { trouble, reason: reason.into() }
    }

    /// Tells apart why a request brought no answer at all.
    pub fn of_sending(error: &reqwest::Error) -> Self {
        let trouble = if is_invalid(error) {
            // So TLS reports whom it does not trust, on either side.
            Trouble::Distrust
        } else if error.is_connect() {
            Trouble::Unconnected
        } else if error.is_timeout() {
            Trouble::Late
        } else {
            Trouble::Lost
        };
        Self::new(trouble, innermost(error))
    }

    /// Tells apart why an answer could not be read to its end.
    pub fn of_reading(error: &reqwest::Error) -> Self {
        let trouble = if is_invalid(error) {
            // So unpacking reports what is no gzip.
            Trouble::Nonsense
        } else if error.is_timeout() {
            Trouble::Late
        } else {
            Trouble::Lost
        };
        Self::new(trouble, innermost(error))
    }
}

fn is_invalid(error: &reqwest::Error) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref()).any(is_invalid_data)
}

/// Looks into errors that hold others too: their `source` passes those over.
fn is_invalid_data(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_invalid_data)
}

fn innermost(error: &reqwest::Error) -> String {
    let reason = causes(error).last().map_or_else(|| "the request failed".to_owned(), ToString::to_string);
    reason.chars().take(200).collect()
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |error| error.source())
}
