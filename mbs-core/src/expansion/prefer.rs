//! Among all ways to have the same streams, the one that is taken, whatever the solver found first and in whatever order
//! builds became known.
//!
//! 1. The builds of what the document buildrequires itself: those with which the versions are the newest overall, which is the
//!    smallest sum of ranks of everything that is then there; among equals, by name, what comes first in the pool.
//!    What is required at run time is chosen as follows, whatever that does to the sum.
//! 2. Of what these require at run time, in their order: what is there already, else the first dependency pair that can hold,
//!    of a module the stream that comes first by text, of a stream the newest build that fits.

use std::collections::VecDeque;
use std::rc::Rc;

use super::pool::{Place, Requirement};
use super::sat::{GivenUp, Lit, Sat};
use super::solve::{Problem, Signs, Solution};
use crate::ident::NameStream;

/// So many choices of direct builds are completed in search of newer versions; the best of them is taken.
const MOST_COMPLETED: usize = 100;

/// What is decided so far of one answer.
pub(super) struct Preferring<'s, 'p> {
    problem: &'s Problem<'p>,
    sat: &'s mut Sat,
    signs: &'s Signs,
    /// Per direct buildrequire its builds in the stream of this answer, the newest first.
    direct: Vec<Vec<Place>>,
    /// The streams of this answer.
    streams: Vec<Lit>,
    /// What is fixed. All of it holds in the way that the solver found last.
    fixed: Vec<Lit>,
    solution: Solution,
}

impl<'s, 'p> Preferring<'s, 'p> {
    /// There is a way to have these streams.
    pub(super) fn new(
        problem: &'s Problem<'p>,
        sat: &'s mut Sat,
        signs: &'s Signs,
        streams: &[NameStream],
    ) -> Self {
        let pool = problem.pool;
        let in_stream = |place: &Place, stream: &NameStream| {
            let nsvc = &pool.module(*place).nsvc;
            nsvc.name == stream.name && nsvc.stream == stream.stream
        };
        let of_stream = |(one, stream): (&Requirement, &NameStream)| {
            one.options.iter().copied().filter(|place| in_stream(place, stream)).collect()
        };
        let direct = problem.direct.iter().zip(streams).map(of_stream).collect();
        let streams = streams.iter().map(|stream| signs.stream[stream]).collect();
        Self { problem, sat, signs, direct, streams, fixed: Vec::new(), solution: Solution::default() }
    }

    /// Decides.
    ///
    /// # Errors
    /// The search was given up.
    pub(super) fn solution(mut self) -> Result<Solution, GivenUp> {
        let mut best: Option<(usize, Solution)> = None;
        let mut completed = 0;
        for sum in 0..self.signs.ranks.len() {
            let within = Some(!self.signs.ranks[sum]);
            while completed < MOST_COMPLETED && self.can_have(within)? {
                completed += 1;
                self.choose_direct(within)?;
                self.complete()?;
                let found = self.sum();
                if best.as_ref().is_none_or(|(of_best, _)| found < *of_best) {
                    best = Some((found, self.solution.clone()));
                }
                if found <= sum {
                    break;
                }
                // What these builds require prefers streams by text, be their versions older.
                let others = self.direct_signs().into_iter().map(|sign| !sign);
                let mark = self.sat.sign();
                self.sat.any_of(others.chain([!mark]));
                self.streams.push(mark);
            }
            if let Some((_, solution)) = best.take_if(|(of_best, _)| *of_best <= sum) {
                return Ok(solution);
            }
        }
        if let Some((_, solution)) = best {
            return Ok(solution);
        }
        // Nothing has a rank, or the sums are beyond those that are told apart.
        self.can_have(None)?;
        self.choose_direct(None)?;
        self.complete()?;
        Ok(self.solution)
    }

    /// Says whether there is a way to have the streams of this answer, and this.
    fn can_have(&mut self, within: Option<Lit>) -> Result<bool, GivenUp> {
        let asked: Vec<Lit> = self.streams.iter().copied().chain(within).collect();
        self.sat.can_hold(&asked)
    }

    /// Fixes the builds of what the document buildrequires itself; there is a way to have their streams and this.
    fn choose_direct(&mut self, within: Option<Lit>) -> Result<(), GivenUp> {
        self.solution = Solution::default();
        self.fixed.clone_from(&self.streams);
        self.fixed.extend(within);
        for builds in self.direct.clone() {
            let place = self.prefer(&builds)?;
            self.take(place, None);
        }
        Ok(())
    }

    /// Adds what the builds chosen require at run time.
    fn complete(&mut self) -> Result<(), GivenUp> {
        self.fixed = self.direct_signs();
        let mut queue: VecDeque<Place> = self.solution.builds.values().copied().collect();
        while let Some(by) = queue.pop_front() {
            for one in self.preferred_pair(by)? {
                if !self.is_there(one) {
                    let place = self.prefer(&one.options)?;
                    self.take(place, Some(by));
                    queue.push_back(place);
                }
            }
        }
        Ok(())
    }

    /// Returns the signs of the builds of what the document buildrequires itself.
    fn direct_signs(&self) -> Vec<Lit> {
        let direct = self.direct.iter().flatten();
        let chosen = self.solution.builds.values();
        let chosen: Vec<&Place> = chosen.collect();
        direct.filter(|place| chosen.contains(place)).map(|place| self.signs.build[place]).collect()
    }

    /// Returns the sum of the ranks of everything chosen.
    fn sum(&self) -> usize {
        let ranks = self.solution.builds.values().map(|place| self.problem.pool.rank(*place));
        usize::try_from(ranks.sum::<u32>()).unwrap_or(usize::MAX)
    }

    fn take(&mut self, place: Place, by: Option<Place>) {
        let name = &self.problem.pool.module(place).nsvc.name;
        self.solution.builds.insert(name.clone(), place);
        if let Some(by) = by {
            self.solution.brought_by.insert(name.clone(), by);
        }
    }

    /// Says whether one of the builds is chosen already.
    fn is_there(&self, one: &Requirement) -> bool {
        self.solution.builds.get(one.name.as_str()).is_some_and(|place| one.options.contains(place))
    }

    /// Returns what must be there for a build: nothing if one of its pairs holds already.
    fn preferred_pair(&mut self, by: Place) -> Result<&'s [Rc<Requirement>], GivenUp> {
        let problem = self.problem;
        let pairs = &problem.requires[&by];
        if pairs.iter().any(|pair| pair.iter().all(|one| self.is_there(one))) {
            return Ok(&[]);
        }
        match pairs.as_slice() {
            [] => Ok(&[]),
            [only] => Ok(only),
            several => {
                let signs: Vec<Lit> =
                    (0..several.len()).map(|number| self.signs.pair[&(by, number)]).collect();
                let number = self.first_of(&signs)?;
                Ok(&several[number])
            }
        }
    }

    /// Fixes the first of these builds that can be.
    fn prefer(&mut self, places: &[Place]) -> Result<Place, GivenUp> {
        let signs = self.signs.of(places);
        Ok(places[self.first_of(&signs)?])
    }

    /// Fixes the first of these signs that can hold with what is fixed, and returns its number; one of them can.
    fn first_of(&mut self, signs: &[Lit]) -> Result<usize, GivenUp> {
        for (number, sign) in signs.iter().enumerate() {
            self.fixed.push(*sign);
            if self.sat.holds(*sign) || self.sat.can_hold(&self.fixed)? {
                return Ok(number);
            }
            self.fixed.pop();
        }
        unreachable!("one of the builds that are required can be chosen")
    }
}
