//! What SQLite says, in terms of what the caller does next.
//!
//! Decides what may be tried again later (the file is busy, the disk is full, the outcome is unknown) and what never will be
//! read. Retries nothing itself: SQLite has waited already.

use std::path::Path;

use mbs_core::store::StoreError;
use mbs_core::store::checks::rejected;

/// Why a transaction did not commit.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the store refuses.
    Refused(StoreError),
    /// What SQLite or the connection said.
    Database(sqlx::Error),
}

/// The outcome of a part of a transaction.
pub(crate) type Outcome<T> = Result<T, Failure>;

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

/// Primary result codes. Source: <https://www.sqlite.org/rescode.html>.
pub(crate) mod code {
    /// There is no room for what connections share beside the file.
    pub(crate) const NO_SPACE_TO_SHARE: i32 = 4874;
    pub(crate) const BUSY: i32 = 5;
    pub(crate) const READ_ONLY: i32 = 8;
    pub(crate) const DISK: i32 = 10;
    pub(crate) const CORRUPT: i32 = 11;
    pub(crate) const FULL: i32 = 13;
    pub(crate) const TOO_BIG: i32 = 18;
    pub(crate) const CONSTRAINT: i32 = 19;
    pub(crate) const MISMATCH: i32 = 20;
    pub(crate) const NOT_A_DATABASE: i32 = 26;
}

/// Returns the primary result code of an error; `None` if SQLite did not say it.
pub(crate) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    match error.as_database_error()?.code()?.parse().ok()? {
        code::NO_SPACE_TO_SHARE => Some(code::FULL),
        extended => Some(extended & 0xff),
    }
}

impl Failure {
    /// Says whether it is the file that fails, not others who are at it: waiting alone does not mend it.
    pub(crate) fn is_of_file(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let of_file = [code::FULL, code::DISK, code::READ_ONLY, code::CORRUPT, code::NOT_A_DATABASE];
        primary_code(error).is_some_and(|code| of_file.contains(&code))
    }

    /// Says it to the caller of a store over this file.
    pub(crate) fn told(self, path: &Path) -> StoreError {
        let error = match self {
            Self::Refused(error) => return error,
            Self::Database(error) => error,
        };
        let file = path.display();
        if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) {
            return rejected(format!("what is stored in {file} cannot be read: {error}"));
        }
        match primary_code(&error) {
            Some(code::CONSTRAINT | code::MISMATCH | code::TOO_BIG) => {
                rejected(format!("{file} does not take this: {error}"))
            }
            Some(code::BUSY) => unavailable(format!("{file} is in use by another program: {error}")),
            Some(code::FULL) => unavailable(format!("no space left for {file}: make room there")),
            Some(code::CORRUPT | code::NOT_A_DATABASE) => {
                unavailable(format!("{file} is damaged; restore it from a copy: {error}"))
            }
            _ if matches!(error, sqlx::Error::PoolTimedOut) => {
                unavailable(format!("other calls keep {file} busy for too long"))
            }
            _ => unavailable(format!("SQLite cannot work on {file}: {error}")),
        }
    }
}

fn unavailable(reason: String) -> StoreError {
    StoreError::Unavailable { reason }
}
