//! What may go wrong on purpose.
//!
//! Rules are tried in the order they were added; the first that takes a request decides about it. A multicall is taken by a
//! rule for one of its methods, too.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The answer comes that much later, by the hub's clock if it has one.
    Late(Duration),
    /// The web server answers with this status, and nothing is done.
    Status(u16),
    /// The connection is closed, and nothing is done.
    ResetBefore,
    /// It is done, and then the connection is closed without an answer.
    ResetAfter,
    /// The answer is fault 1014, a planned outage, and nothing is done.
    Offline,
    /// The session expires before the request is looked at.
    ExpiredSession,
}

/// When something goes wrong.
#[derive(Debug, Clone)]
pub struct Rule {
    trouble: Trouble,
    methods: BTreeSet<String>,
    times: Option<u64>,
    after: u64,
    probability: f64,
}

impl Rule {
    /// Describes a trouble that every request has until [`Faults::clear`].
    pub fn always(trouble: Trouble) -> Self {
        Self { trouble, methods: BTreeSet::new(), times: None, after: 0, probability: 1.0 }
    }

    /// Limits it to requests of these methods; raw uploads are `rawUpload`.
    #[must_use]
    pub fn of(mut self, methods: &[&str]) -> Self {
        self.methods = methods.iter().map(|method| (*method).to_owned()).collect();
        self
    }

    /// Limits how often it happens.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets so many requests that it would take pass first.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.after = requests;
        self
    }

    /// Lets it happen to a part of the requests only, between 0 and 1, as the seed has it.
    #[must_use]
    pub fn with_probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }
}

/// Troubles of a hub.
#[derive(Debug, Default)]
pub struct Faults {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<Rule>,
    is_down: bool,
    dice: Dice,
    count: u64,
}

impl Faults {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves rules as they were.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a rule.
    pub fn add(&self, rule: Rule) {
        self.inner().rules.push(rule);
    }

    /// Removes all rules. Whether the hub is down stays.
    pub fn clear(&self) {
        self.inner().rules.clear();
    }

    /// Says whether the hub is down: every connection is closed without an answer, old ones with their next request.
    pub fn set_down(&self, is_down: bool) {
        self.inner().is_down = is_down;
    }

    /// Says whether the hub is down.
    pub fn is_down(&self) -> bool {
        self.inner().is_down
    }

    /// Sets what decides where a probability is given.
    pub fn seed(&self, seed: u64) {
        self.inner().dice = Dice(seed);
    }

    /// Returns how many requests have had trouble. Being down does not count.
    pub fn count(&self) -> u64 {
        self.inner().count
    }

    /// Returns what happens to a request with these methods.
    pub(crate) fn choose(&self, methods: &[&str]) -> Option<Trouble> {
        let mut inner = self.inner();
        let Inner { rules, dice, count, .. } = &mut *inner;
        let taken = rules.iter_mut().find_map(|rule| rule.takes(methods, dice).then_some(rule.trouble));
        *count += u64::from(taken.is_some());
        taken
    }
}

impl Rule {
    fn takes(&mut self, methods: &[&str], dice: &mut Dice) -> bool {
        let is_meant = self.methods.is_empty() || methods.iter().any(|method| self.methods.contains(*method));
        if !is_meant || self.times == Some(0) || (self.probability < 1.0 && dice.roll() >= self.probability) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        self.times = self.times.map(|times| times - 1);
        true
    }
}

/// A source of numbers that looks random and is the same for the same seed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Returns the next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from 0 up to 1.
    fn roll(&mut self) -> f64 {
        // 53 bits are what a double holds.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let number = (self.next() >> 11) as f64;
        number / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_takes_its_methods_so_often_and_no_more() {
        let faults = Faults::default();
        faults.add(Rule::always(Trouble::Offline).of(&["getTag"]).times(2).after(1));
        let taken = [["getTag"], ["build"], ["getTag"], ["getTag"], ["getTag"]]
            .map(|methods| faults.choose(&methods));
        assert_eq!(taken, [None, None, Some(Trouble::Offline), Some(Trouble::Offline), None]);
        assert_eq!(faults.count(), 2);
    }

    #[test]
    fn a_probability_hits_its_part() {
        let faults = Faults::default();
        faults.seed(7);
        faults.add(Rule::always(Trouble::ResetAfter).with_probability(0.1));
        let hits = (0..1000).filter(|_| faults.choose(&["getTag"]).is_some()).count();
        assert!((60..140).contains(&hits), "{hits}");
    }
}
