//! The solver of a library behind the few words that are needed here: signs, clauses, and whether they can all hold.
//!
//! What is asked of it stays small enough to be answered at once; what does not is given up after a bound, so that no dependency
//! pair keeps a thread busy. It answers the same each time it is asked the same.

use batsat::{Callbacks, ClauseKind, SolverInterface as _, lbool};

pub(super) use batsat::Lit;

/// So many dead ends are learnt from, over all questions about one dependency pair; real ones meet a few dozen.
const MOST_CONFLICTS: u32 = 20_000;

/// So many conclusions are drawn, over all questions about one dependency pair: some ten seconds. Ten thousand builds need two
/// million for five answers.
const MOST_PROPAGATIONS: u64 = 200_000_000;

/// Clauses, and what was learnt from them.
pub(super) struct Sat {
    solver: batsat::Solver<Bound>,
    /// The way found last, by sign.
    way: Vec<lbool>,
}

/// The search was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GivenUp;

impl Sat {
    pub(super) fn new() -> Self {
        Self { solver: batsat::Solver::new(batsat::SolverOpts::default(), Bound(0)), way: Vec::new() }
    }

    /// Makes a sign that is tried as true first, and before those made later.
    pub(super) fn likely_sign(&mut self) -> Lit {
        Lit::new(self.solver.new_var(lbool::TRUE, true), true)
    }

    /// Makes a sign that may be true or false.
    pub(super) fn sign(&mut self) -> Lit {
        Lit::new(self.solver.new_var_default(), true)
    }

    /// Says that one of these holds.
    pub(super) fn any_of(&mut self, signs: impl IntoIterator<Item = Lit>) {
        self.solver.add_clause_reuse(&mut signs.into_iter().collect());
    }

    /// Says that at most one of these holds: by a chain of signs that says whether one before it does.
    pub(super) fn at_most_one(&mut self, signs: &[Lit]) {
        let mut before: Option<Lit> = None;
        for sign in signs {
            let so_far = self.sign();
            self.any_of([!*sign, so_far]);
            if let Some(before) = before {
                self.any_of([!before, !*sign]);
                self.any_of([!before, so_far]);
            }
            before = Some(so_far);
        }
    }

    /// Returns signs of which the first holds if one of these does, the second if two do, and so on up to `most`.
    ///
    /// They may hold without need: what is asked is that one of them does not.
    pub(super) fn count(&mut self, signs: &[Lit], most: usize) -> Vec<Lit> {
        let mut so_far: Vec<Lit> = Vec::new();
        for sign in signs {
            let reaches: Vec<Lit> = (0..most.min(so_far.len() + 1)).map(|_| self.sign()).collect();
            for (number, reached) in reaches.iter().enumerate() {
                if let Some(before) = so_far.get(number) {
                    self.any_of([!*before, *reached]);
                }
                match number.checked_sub(1).map(|below| so_far[below]) {
                    None => self.any_of([!*sign, *reached]),
                    Some(below) => self.any_of([!*sign, !below, *reached]),
                }
            }
            so_far = reaches;
        }
        so_far
    }

    /// Says whether everything can hold together with these; then [`holds`](Self::holds) tells of one way, else
    /// [`clash`](Self::clash) of what is in the way.
    ///
    /// # Errors
    /// The search was given up.
    pub(super) fn can_hold(&mut self, these: &[Lit]) -> Result<bool, GivenUp> {
        if self.solver.num_propagations() > MOST_PROPAGATIONS {
            return Err(GivenUp);
        }
        let answer = self.solver.solve_limited(these);
        if answer == lbool::TRUE {
            self.way.clear();
            self.way.extend_from_slice(self.solver.get_model());
        }
        if answer == lbool::UNDEF { Err(GivenUp) } else { Ok(answer == lbool::TRUE) }
    }

    /// Says whether a sign holds in the way found last; questions that were answered with no in between do not matter.
    pub(super) fn holds(&self, sign: Lit) -> bool {
        let place = usize::try_from(sign.var().idx()).unwrap_or(usize::MAX);
        self.way.get(place).is_some_and(|value| *value ^ !sign.sign() == lbool::TRUE)
    }

    /// Returns which of the signs asked for last cannot hold together: not all, and seldom the fewest.
    pub(super) fn clash(&self, asked: &[Lit]) -> Vec<Lit> {
        asked.iter().copied().filter(|sign| self.solver.unsat_core_contains_var(sign.var())).collect()
    }
}

/// Counts what is learnt.
struct Bound(u32);

impl Callbacks for Bound {
    fn on_new_clause(&mut self, _: &[Lit], _: ClauseKind) {
        self.0 = self.0.saturating_add(1);
    }

    fn stop(&self) -> bool {
        self.0 > MOST_CONFLICTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_is_found_and_two_are_not() {
        let mut sat = Sat::new();
        let signs: Vec<Lit> = (0..20).map(|_| sat.sign()).collect();
        sat.at_most_one(&signs);
        sat.any_of(signs.clone());
        assert_eq!(sat.can_hold(&[]), Ok(true));
        assert_eq!(signs.iter().filter(|sign| sat.holds(**sign)).count(), 1);
        for (one, other) in [(0, 1), (3, 17), (18, 19)] {
            assert_eq!(sat.can_hold(&[signs[one], signs[other]]), Ok(false));
        }
        assert_eq!(sat.can_hold(&[signs[19]]), Ok(true));
    }

    #[test]
    fn a_sum_can_be_bounded() {
        let mut sat = Sat::new();
        let signs: Vec<Lit> = (0..6).map(|_| sat.sign()).collect();
        let count = sat.count(&signs, 4);
        assert_eq!(sat.can_hold(&[signs[0], signs[3], signs[5], !count[3]]), Ok(true));
        assert_eq!(sat.can_hold(&[signs[0], signs[3], signs[5], !count[2]]), Ok(false));
        assert_eq!(sat.can_hold(&signs), Ok(true));
        assert_eq!(sat.can_hold(&[signs[4], !count[0]]), Ok(false));
    }

    #[test]
    fn a_clash_names_what_is_in_the_way() {
        let mut sat = Sat::new();
        let [a, b, c] = std::array::from_fn(|_| sat.sign());
        sat.any_of([!a, !b]);
        assert_eq!(sat.can_hold(&[a, c, b]), Ok(false));
        let clash = sat.clash(&[a, c, b]);
        assert!(clash.contains(&a) && clash.contains(&b) && !clash.contains(&c));
    }

    /// More pigeons than holes: no solver of this kind finds that out soon.
    #[test]
    fn a_question_without_end_is_given_up() {
        let mut sat = Sat::new();
        let holes: Vec<Vec<Lit>> = (0..12).map(|_| (0..11).map(|_| sat.sign()).collect()).collect();
        for pigeon in &holes {
            sat.any_of(pigeon.clone());
        }
        for hole in 0..11 {
            let taken: Vec<Lit> = holes.iter().map(|pigeon| pigeon[hole]).collect();
            sat.at_most_one(&taken);
        }
        assert_eq!(sat.can_hold(&[]), Err(GivenUp));
    }
}
