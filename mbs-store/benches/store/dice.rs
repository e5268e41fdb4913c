//! Chance that can be asked again: the same seed gives the same throws.

/// Throws numbers, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Makes dice that throw the same for the same number and purpose.
    pub(crate) fn of(purpose: &str, number: usize) -> Self {
        let seed = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |seed, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Throws a number. Source: splitmix64.
    pub(crate) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Throws a number below a limit, each as likely as the others.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.throw() % limit.max(1) as u64) as usize
    }

    /// Throws a number below a limit: small ones are much more likely, as with names and owners.
    pub(crate) fn skewed(&mut self, limit: usize) -> usize {
        let part = (self.throw() >> 11) as f64 / (1_u64 << 53) as f64;
        (part * part * part * limit as f64) as usize
    }

    /// Throws whether something is so that is so in so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Throws hexadecimal digits, up to 48.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        let mut digits: String = (0..3).map(|_| format!("{:016x}", self.throw())).collect();
        digits.truncate(count);
        digits
    }
}
