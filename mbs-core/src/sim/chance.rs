//! Chance that replays: every draw depends on the seed and on what is drawn for, never on what was drawn before.
//!
//! So a scenario from which one fault was taken away keeps most of its other times, all those before it, and shrinks.

use std::hash::{Hash, Hasher};
use std::time::Duration;

/// Draws numbers for a seed.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    seed: u64,
}

impl Chance {
    /// Makes the chance of a seed.
    pub fn of(seed: u64) -> Self {
        Self { seed }
    }

    /// Draws a number for something; the same each time.
    pub fn draw(&self, what: impl Hash) -> u64 {
        let mut mixer = Mixer(self.seed ^ 0xCBF2_9CE4_8422_2325);
        what.hash(&mut mixer);
        mixer.finish()
    }

    /// Draws a number below `below`; 0 if that is 0.
    pub fn below(&self, below: u64, what: impl Hash) -> u64 {
        self.draw(what) % below.max(1)
    }

    /// Says whether what happens in so many of a hundred cases happens in this one.
    pub fn percent(&self, percent: u8, what: impl Hash) -> bool {
        self.below(100, what) < u64::from(percent)
    }

    /// Draws a duration between two, evenly spread.
    pub fn between(&self, least: Duration, most: Duration, what: impl Hash) -> Duration {
        let span = most.saturating_sub(least);
        least + span.mul_f64(self.unit(what))
    }

    /// Draws how long a task takes whose shortest time is given: most take little longer, some many times as long (a Pareto
    /// distribution, cut off at `longest`).
    pub fn heavy_tailed(&self, shortest: Duration, longest: Duration, what: impl Hash) -> Duration {
        const SHAPE: f64 = 1.6;
        let stretch = (1.0 - self.unit(what)).powf(-1.0 / SHAPE);
        // The unit is below 1, so the stretch is finite; a huge one ends at the longest.
        shortest.mul_f64(stretch.min(1e6)).min(longest)
    }

    fn unit(&self, what: impl Hash) -> f64 {
        // 53 bits fill a double's fraction.
        (self.draw(what) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// FNV-1a over the bytes, then a finalizer that spreads neighbours: the standard hasher may change from release to release.
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }

    fn finish(&self) -> u64 {
        let mut mixed = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_seed_and_purpose_only() {
        let chance = Chance::of(7);
        let first = chance.draw(("task", 1));
        chance.draw(("task", 2));
        assert_eq!(chance.draw(("task", 1)), first);
        assert_ne!(chance.draw(("task", 2)), first);
        assert_ne!(Chance::of(8).draw(("task", 1)), first);
    }

    #[test]
    fn times_are_heavy_tailed_and_within_their_bounds() {
        let (chance, secs) = (Chance::of(1), Duration::from_secs);
        let times: Vec<_> = (0..10_000).map(|n| chance.heavy_tailed(secs(60), secs(3_600), n)).collect();
        assert!(times.iter().all(|time| (secs(60)..=secs(3_600)).contains(time)));
        let longer_than = |limit: u64| times.iter().filter(|time| **time > secs(limit)).count();
        let (double, tenfold) = (longer_than(120), longer_than(600));
        assert!((3_000..3_600).contains(&double), "{double}");
        assert!((180..330).contains(&tenfold), "{tenfold}");
    }
}
