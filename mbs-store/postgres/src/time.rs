//! Times as PostgreSQL keeps them: whole microseconds.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;

/// A time in a query.
pub(crate) type SqlTime = jiff_sqlx::Timestamp;

/// Makes a time one for a query.
pub(crate) fn sql(at: Timestamp) -> SqlTime {
    at.to_sqlx()
}
