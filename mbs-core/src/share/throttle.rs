//! The limit adapts to how the build system bears what we ask of it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::Signal;

/// How far below the operators' maximum the limit on builds in progress is held, and what decides the next step. The default
/// is a limit that was never lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Throttle {
    /// What the limit is lowered to; `None`: it is the operators' maximum, and follows it.
    pub limit: Option<u32>,
    /// When it last moved; `None`: never.
    pub stepped_at: Option<Timestamp>,
    /// Whether the build system was strained since then.
    pub strained: bool,
}

impl Throttle {
    /// Returns the limit that holds: never above the operators' maximum, and at least 1 unless that is 0. `None`, no limit, if
    /// operators set no maximum.
    pub fn effective(&self, maximum: Option<u32>) -> Option<u32> {
        let maximum = maximum?;
        Some(self.limit.map_or(maximum, |limit| limit.clamp(maximum.min(1), maximum)))
    }
}

/// Takes one look's signal in: strain halves the limit, quiet raises it by one, each at most once in an interval (`every`),
/// counted over all backends.
///
/// Strain within an interval is not forgotten: whatever comes next, it halves the limit when the interval is over. A limit
/// that reaches the maximum is lowered no more: it follows what operators set from then on, while a lowered one climbs from
/// where it is. Without a maximum nothing adapts.
pub fn adapt(
    throttle: Throttle,
    signal: Signal,
    maximum: Option<u32>,
    now: Timestamp,
    every: Duration,
) -> Throttle {
    let Some(maximum) = maximum else { return Throttle::default() };
    let strained = throttle.strained || signal == Signal::Strained;
    if !may_step(throttle, now, every) {
        return Throttle { strained, ..throttle };
    }
    let limit = throttle.effective(Some(maximum)).unwrap_or(maximum);
    let next = match (strained, throttle.limit) {
        (true, _) => (limit / 2).max(1),
        (false, Some(_)) => limit.saturating_add(1),
        (false, None) => return throttle,
    };
    Throttle { limit: Some(next).filter(|next| *next < maximum), stepped_at: Some(now), strained: false }
}

fn may_step(throttle: Throttle, now: Timestamp, every: Duration) -> bool {
    throttle.stepped_at.is_none_or(|stepped| stepped.checked_add(every).is_ok_and(|over| over <= now))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::memory::samples::at;

    const EVERY: Duration = Duration::from_secs(60);
    use Signal::{Quiet, Strained};

    /// A throttle that heard these signals at these times, and the limit after each, below a maximum.
    fn hears(maximum: u32, signals: &[(i64, Signal)]) -> Vec<u32> {
        let mut throttle = Throttle::default();
        let limits = signals.iter().map(|(when, signal)| {
            throttle = adapt(throttle, *signal, Some(maximum), at(*when), EVERY);
            throttle.effective(Some(maximum)).unwrap()
        });
        limits.collect()
    }

    #[test]
    fn strain_halves_at_once_and_quiet_adds_one_in_each_interval() {
        let signals =
            [(5, Quiet), (7, Strained), (66, Quiet), (67, Quiet), (68, Quiet), (127, Quiet), (200, Quiet)];
        assert_eq!(hears(50, &signals), [50, 25, 25, 26, 26, 27, 28]);
    }

    #[test]
    fn strain_within_an_interval_counts_when_it_is_over_whatever_comes_between() {
        assert_eq!(hears(50, &[(0, Strained), (10, Strained), (20, Quiet), (60, Quiet)]), [25, 25, 25, 12]);
        assert_eq!(hears(4, &[(0, Strained), (60, Quiet), (70, Strained), (120, Quiet)]), [2, 3, 3, 1]);
    }

    #[test]
    fn strain_leaves_one_slot_at_least() {
        assert_eq!(hears(3, &[(0, Strained), (60, Strained), (120, Strained)]), [1, 1, 1]);
        assert_eq!(hears(1, &[(0, Strained)]), [1]);
    }

    #[test]
    fn at_the_maximum_the_limit_is_lowered_no_more_and_follows_it() {
        let lowered = Throttle { limit: Some(9), stepped_at: Some(at(0)), strained: false };
        let risen = adapt(lowered, Quiet, Some(10), at(60), EVERY);
        assert_eq!(risen, Throttle { limit: None, stepped_at: Some(at(60)), strained: false });
        assert_eq!(risen.effective(Some(30)), Some(30));
    }

    #[test]
    fn a_lowered_limit_stays_when_the_maximum_is_raised_and_shrinks_with_one_that_is_below_it() {
        let lowered = Throttle { limit: Some(9), stepped_at: Some(at(0)), strained: false };
        let effective = [50, 5, 1, 0].map(|maximum| lowered.effective(Some(maximum)));
        assert_eq!(effective, [Some(9), Some(5), Some(1), Some(0)]);
        assert_eq!(adapt(lowered, Strained, Some(5), at(60), EVERY).effective(Some(5)), Some(2));
        assert_eq!(adapt(lowered, Quiet, Some(50), at(60), EVERY).effective(Some(50)), Some(10));
    }

    #[test]
    fn a_maximum_of_nothing_leaves_no_trace() {
        assert_eq!(adapt(Throttle::default(), Strained, Some(0), at(0), EVERY).effective(Some(50)), Some(50));
    }

    #[test]
    fn without_a_maximum_nothing_adapts() {
        let lowered = Throttle { limit: Some(9), stepped_at: Some(at(0)), strained: true };
        assert_eq!(lowered.effective(None), None);
        assert_eq!(adapt(lowered, Strained, None, at(60), EVERY), Throttle::default());
    }

    /// What is heard: after so many seconds, this signal, below this maximum.
    fn history() -> impl Strategy<Value = Vec<(i64, bool, u32)>> {
        proptest::collection::vec((0..90_i64, any::<bool>(), 1..20_u32), 1..60)
    }

    proptest! {
        #[test]
        fn the_limit_stays_between_one_and_the_maximum(history in history()) {
            let (mut now, mut throttle) = (0, Throttle::default());
            for (passed, strained, maximum) in history {
                now += passed;
                throttle = adapt(throttle, if strained { Strained } else { Quiet }, Some(maximum), at(now), EVERY);
                let limit = throttle.effective(Some(maximum)).unwrap();
                prop_assert!((1..=maximum).contains(&limit), "{limit} of {maximum}");
            }
        }

        #[test]
        fn it_moves_once_in_an_interval_up_by_one_or_down_by_half_and_down_after_strain_only(history in history()) {
            let maximum = 20;
            let (mut now, mut throttle) = (0, Throttle::default());
            let (mut moved_at, mut strained_since) = (None, false);
            for (passed, strained, _) in history {
                now += passed;
                strained_since |= strained;
                let before = throttle.effective(Some(maximum)).unwrap();
                throttle = adapt(throttle, if strained { Strained } else { Quiet }, Some(maximum), at(now), EVERY);
                let after = throttle.effective(Some(maximum)).unwrap();
                let is_over = moved_at.is_none_or(|moved| now - moved >= 60);
                let expected = match (is_over, strained_since) {
                    (false, _) => before,
                    (true, true) => (before / 2).max(1),
                    (true, false) => (before + 1).min(maximum),
                };
                prop_assert_eq!(after, expected);
                if is_over && (strained_since || after != before) {
                    (moved_at, strained_since) = (Some(now), false);
                }
            }
        }

        #[test]
        fn quiet_brings_the_maximum_back(limit in 1..20_u32, maximum in 1..20_u32) {
            let mut throttle = Throttle { limit: Some(limit), stepped_at: Some(at(0)), strained: false };
            for minute in 1..=20 {
                throttle = adapt(throttle, Quiet, Some(maximum), at(60 * minute), EVERY);
            }
            prop_assert_eq!((throttle.limit, throttle.effective(Some(maximum))), (None, Some(maximum)));
        }
    }

    #[test]
    fn a_throttle_of_an_older_record_is_one_that_was_never_lowered() {
        assert_eq!(serde_json::from_str::<Throttle>("{}").unwrap(), Throttle::default());
    }
}
