//! Moments as the hub says them: as text with microseconds, and as seconds since the epoch.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::xmlrpc::Value;

/// Microseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    /// Reads seconds since the epoch.
    pub(crate) fn of_seconds(seconds: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "times are far below what a whole number holds")]
        let micros = (seconds * 1e6).round() as i64;
        Self(micros)
    }

    /// Reads a moment of the system.
    pub(crate) fn of(timestamp: Timestamp) -> Self {
        Self(timestamp.as_microsecond())
    }

    /// Returns seconds since the epoch.
    pub(crate) fn seconds(self) -> f64 {
        // A double holds microseconds of this millennium.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let micros = self.0 as f64;
        micros / 1e6
    }

    /// Returns the text, with blank and offset: `2026-01-02 03:04:05.678901+00:00`, without a fraction if it is zero.
    pub(crate) fn text(self) -> String {
        self.spelled(' ')
    }

    /// Returns the text as messages have it, with `T`.
    pub(crate) fn message_text(self) -> String {
        self.spelled('T')
    }

    fn spelled(self, between: char) -> String {
        let timestamp = Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MAX);
        let zoned = timestamp.to_zoned(TimeZone::UTC);
        let fraction = self.0.rem_euclid(1_000_000);
        let day = zoned.strftime("%Y-%m-%d");
        let hour = zoned.strftime("%H:%M:%S");
        if fraction == 0 {
            format!("{day}{between}{hour}+00:00")
        } else {
            format!("{day}{between}{hour}.{fraction:06}+00:00")
        }
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

/// Returns a moment as text; nil for none.
pub(crate) fn text(moment: Option<Moment>) -> Value {
    moment.map(Moment::text).into()
}

/// Returns a moment as seconds; nil for none.
pub(crate) fn seconds(moment: Option<Moment>) -> Value {
    moment.map(Moment::seconds).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_as_the_hub_says_it() {
        let moment = Moment::of_seconds(1_795_355_524.337_389);
        assert_eq!(moment.text(), "2026-11-22 13:52:04.337389+00:00");
        assert_eq!(Moment(1_704_164_999_000_000).text(), "2024-01-02 03:09:59+00:00");
        assert!((moment.seconds() - 1_795_355_524.337_389).abs() < 1e-6);
    }
}
