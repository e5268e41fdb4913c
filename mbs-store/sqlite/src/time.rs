//! Times as the file keeps them: microseconds since 1970, from the first whole second there is to the last one. Beyond these
//! they are meant.

use std::time::Duration;

use jiff::Timestamp;
use mbs_core::store::StoreError;

use crate::record::unreadable;

/// A second in microseconds.
const SECOND: i64 = 1_000_000;

/// Cuts a time to what the file keeps.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond().clamp(Timestamp::MIN.as_second() * SECOND, last())
}

/// Returns a time that was kept; `of` names the row in errors.
pub(crate) fn kept(micros: i64, of: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| unreadable(of, &error))
}

/// Cuts a time to microseconds.
pub(crate) fn cut(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(micros(at)).unwrap_or(at)
}

/// Returns the moment `by` after `at`.
pub(crate) fn later(at: Timestamp, by: Duration) -> i64 {
    micros(at.checked_add(by).unwrap_or(Timestamp::MAX))
}

/// Returns a length in microseconds, at most so long that a sum of it and a time is a number.
pub(crate) fn span(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).map_or(last(), |length| length.min(last()))
}

/// Returns the last moment there is.
pub(crate) fn last() -> i64 {
    Timestamp::MAX.as_second() * SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_written_is_read() {
        for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
            let read = kept(micros(at), "a time").unwrap();
            assert_eq!(read.as_second(), at.as_second());
            assert_eq!(cut(read), read);
        }
        assert!(kept(i64::MAX, "a time").is_err());
    }

    #[test]
    fn beyond_the_last_moment_it_is_meant() {
        assert_eq!(later(Timestamp::UNIX_EPOCH, Duration::MAX), last());
        assert_eq!(span(Duration::MAX), last());
        assert_eq!(later(Timestamp::UNIX_EPOCH, Duration::from_nanos(1_999)), 1);
    }
}
