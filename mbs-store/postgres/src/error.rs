//! What PostgreSQL says, in terms of what the caller does next.
//!
//! Decides what may be tried again at once (the transaction was undone), later (no answer, so its outcome is unknown), or never.

use mbs_core::store::StoreError;
use mbs_core::store::checks::rejected;

/// Why a transaction did not commit.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the store refuses.
    Refused(StoreError),
    /// What the database or the connection said.
    Database(sqlx::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Classes of error codes. Source: PostgreSQL's manual, appendix A.
mod code {
    /// The transaction lost against another one and was undone: it may well succeed at once.
    pub(super) const UNDONE: [&str; 2] = ["40001", "40P01"];
    /// Data that no table takes: out of range, not in UTF-8, against a check, too large.
    pub(super) const BAD_DATA: [&str; 3] = ["22", "23", "54"];
    /// A text with a NUL, which no column holds.
    pub(super) const NUL: [&str; 2] = ["22021", "22P05"];
    /// A table, column or function is missing that this program expects: another schema.
    pub(super) const OTHER_SCHEMA: [&str; 3] = ["42P01", "42703", "42883"];
}

impl Failure {
    /// Says whether the transaction was undone for the sake of another, so that it may be tried again at once.
    pub(crate) fn was_undone(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| code::UNDONE.contains(&&*code))
            }
            Self::Database(_) | Self::Refused(_) => false,
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        let error = match failure {
            Failure::Refused(error) => return error,
            Failure::Database(error) => error,
        };
        match &error {
            sqlx::Error::Database(said) => of_database(said.code().as_deref().unwrap_or_default(), &error),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                rejected(format!("what is stored cannot be read: {error}"))
            }
            sqlx::Error::Encode(_) => rejected(format!("this cannot be stored: {error}")),
            sqlx::Error::PoolTimedOut => unavailable("no connection to PostgreSQL became free in time"),
            error => unavailable(&format!("PostgreSQL cannot be asked: {error}")),
        }
    }
}

fn of_database(code: &str, error: &sqlx::Error) -> StoreError {
    let class = code.get(..2).unwrap_or_default();
    if code::NUL.contains(&code) {
        return rejected("a text with a NUL character cannot be stored there");
    }
    if code::BAD_DATA.contains(&class) {
        return rejected(format!("PostgreSQL does not take this: {error}"));
    }
    if code::OTHER_SCHEMA.contains(&code) {
        return unavailable(&format!(
            "the database is not as this program expects ({error}): run mbs-manager upgradedb"
        ));
    }
    unavailable(&format!("PostgreSQL gave up: {error}"))
}

pub(crate) fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { reason: reason.to_owned() }
}
