//! Answers that say no: status, reason and a sentence, in one JSON form. Source: rest-api, section 1.

use axum::http::StatusCode;
use mbs_core::build_system::BuildSystemError;
use mbs_core::engine::SubmitError;
use mbs_core::store::StoreError;
use mbs_core::submission::{Refused, RefusedAs};
use serde::Serialize;

/// A request that is not answered as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// The methods that an address takes, where a wrong one was used.
    pub(crate) allow: Option<&'static str>,
}

/// A problem as clients read it.
#[derive(Debug, Serialize)]
pub(crate) struct ProblemBody<'p> {
    error: &'p str,
    message: &'p str,
    status: u16,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), allow: None }
    }

    /// The request makes no sense.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Nobody is logged in, or the login is not accepted.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// It is not allowed, or switched off.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// There is no such thing.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Document or dependencies do not work out.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// Something that the service needs does not answer; what it was is logged.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    pub(crate) fn body(&self) -> ProblemBody<'_> {
        let error = self.status.canonical_reason().unwrap_or("Error");
        // What clients know as 422 is called otherwise by newer lists of reasons.
        let error =
            if self.status == StatusCode::UNPROCESSABLE_ENTITY { "Unprocessable Entity" } else { error };
        ProblemBody { error, message: &self.message, status: self.status.as_u16() }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::missing("No such module found."),
            StoreError::KeyReused(_)
            | StoreError::Taken(_)
            | StoreError::Stale(_)
            | StoreError::UnderWay(_, _) => Self::new(StatusCode::CONFLICT, error.to_string()),
            StoreError::LeaseLost(_) | StoreError::NoSlot { .. } | StoreError::Rejected { .. } => {
                tracing::error!(%error, "a request met a defect");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The service has a defect; its log says more.")
            }
            StoreError::Unavailable { .. } => {
                tracing::error!(%error, "a request could not be served");
                Self::unavailable("The database cannot be reached. Try again later.")
            }
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused.answered_as() {
            RefusedAs::BadRequest => StatusCode::BAD_REQUEST,
            RefusedAs::Forbidden => StatusCode::FORBIDDEN,
            RefusedAs::Conflict => StatusCode::CONFLICT,
            RefusedAs::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, refused.to_string())
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refused) => refused.into(),
            SubmitError::Store(error) => error.into(),
            SubmitError::Source(error) => Self::unprocessable(error.to_string()),
            SubmitError::Resolver(error) => {
                tracing::error!(%error, "modules could not be looked up");
                Self::unavailable(format!("Modules cannot be looked up: {error}"))
            }
        }
    }
}

impl From<BuildSystemError> for Problem {
    fn from(error: BuildSystemError) -> Self {
        tracing::warn!(%error, "the build system could not be asked");
        Self::unavailable(format!("The build system cannot be asked: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_clients_read() {
        let text = serde_json::to_string(&Problem::unprocessable("no").body()).unwrap();
        assert_eq!(text, r#"{"error":"Unprocessable Entity","message":"no","status":422}"#);
    }
}
