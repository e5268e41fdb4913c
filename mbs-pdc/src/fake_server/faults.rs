//! What may go wrong on purpose.
//!
//! Rules are tried in the order they were added; the first that takes a request decides about it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is done, and the answer comes that much later in real time.
    Late(Duration),
    /// Nothing is done, no answer ever comes, and the connection stays open.
    Hang,
    /// Nothing is done, and PDC answers with this status and its general words for a fault.
    Status(u16),
    /// Nothing is done, and the web server answers with this status and a page.
    Html(u16),
    /// The connection is closed, and nothing is done.
    ResetBefore,
    /// It is done, and then the connection is closed without an answer.
    ResetAfter,
    /// It is done; the answer has the right headers, but its body breaks off in the middle with the connection.
    HalfBody,
    /// Whatever page of a list was asked for, the first one comes, and says that another one follows.
    PageLoop,
    /// Nothing is done, and this text comes with this status as JSON, whether it is or not.
    Words(u16, String),
    /// Nothing is done, and a body without end follows the headers of a good answer.
    Endless,
}

/// When something goes wrong.
#[derive(Debug, Clone)]
pub struct Rule {
    trouble: Trouble,
    method: Option<String>,
    path: String,
    times: Option<u64>,
    after: u64,
    probability: f64,
}

impl Rule {
    /// Describes a trouble that every request has until [`Faults::clear`].
    pub fn always(trouble: Trouble) -> Self {
        Self { trouble, method: None, path: String::new(), times: None, after: 0, probability: 1.0 }
    }

    /// Limits it to requests of this method.
    #[must_use]
    pub fn of_method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Limits it to paths that begin so below the root: `modules/` is the list and every entry.
    #[must_use]
    pub fn of_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
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

    fn takes(&mut self, method: &str, path: &str, dice: &mut Dice) -> bool {
        let is_meant = self.method.as_deref().is_none_or(|own| own == method) && path.starts_with(&self.path);
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

/// Troubles of a server.
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

    /// Removes all rules. Whether the server is down stays.
    pub fn clear(&self) {
        self.inner().rules.clear();
    }

    /// Says whether the server is down: every connection is closed without an answer, old ones with their next request.
    pub fn set_down(&self, is_down: bool) {
        self.inner().is_down = is_down;
    }

    /// Says whether the server is down.
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

    /// Returns what happens to a request of this method and path below the root.
    pub(super) fn choose(&self, method: &str, path: &str) -> Option<Trouble> {
        let mut inner = self.inner();
        let Inner { rules, dice, count, .. } = &mut *inner;
        let take = |rule: &mut Rule| rule.takes(method, path, dice).then(|| rule.trouble.clone());
        let trouble = rules.iter_mut().find_map(take);
        *count += u64::from(trouble.is_some());
        trouble
    }
}

/// A source of numbers that looks random and is the same for the same seed.
#[derive(Debug, Clone, Copy, Default)]
struct Dice(u64);

impl Dice {
    /// Returns a number from 0 up to 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // 53 bits are what a double holds.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let number = ((mixed ^ (mixed >> 31)) >> 11) as f64;
        number / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_takes_its_requests_so_often_and_no_more() {
        let faults = Faults::default();
        faults.add(Rule::always(Trouble::Hang).of_method("GET").of_path("modules/").times(2).after(1));
        let asked = [
            ("GET", "modules/"),
            ("POST", "modules/"),
            ("GET", "changesets/"),
            ("GET", "modules/a/"),
            ("GET", "modules/"),
            ("GET", "modules/"),
        ];
        let taken = asked.map(|(method, path)| faults.choose(method, path).is_some());
        assert_eq!(taken, [false, false, false, true, true, false]);
        assert_eq!(faults.count(), 2);
    }

    #[test]
    fn a_probability_hits_its_part() {
        let faults = Faults::default();
        faults.seed(7);
        faults.add(Rule::always(Trouble::ResetAfter).with_probability(0.1));
        let hits = (0..1000).filter(|_| faults.choose("GET", "modules/").is_some()).count();
        assert!((60..140).contains(&hits), "{hits}");
    }
}
