//! How much of an object is shown.

use crate::client::Request;

/// How much of a build is shown. Components have no short form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// What it is, and its state.
    Short,
    /// What overviews show, tasks among it.
    Standard,
    /// All, documents among it.
    Extended,
}

impl Form {
    /// Asks for this form.
    pub(super) fn asked(self, request: Request) -> Request {
        match self {
            Self::Short => request.query("short", "true"),
            Self::Standard => request,
            Self::Extended => request.query("verbose", "true"),
        }
    }
}
