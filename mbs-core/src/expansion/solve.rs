//! Which builds go together: one per module, everything required there, transitively.
//!
//! The requirements become clauses for a solver that learns from dead ends, so the cost grows with the answers and not with
//! the combinations. Each distinct choice of streams for what the document itself buildrequires is one answer; which builds
//! of these streams it takes is decided in [`super::prefer`]. Only builds that something leads to take part: others change
//! nothing. Source: behaviour, section 4, step 4.

use std::collections::{BTreeMap, BTreeSet};

use super::clash::{Clash, clash};
use super::pool::{Place, Pool, Requirement};
use super::prefer::Preferring;
use super::sat::{GivenUp, Lit, Sat};
use crate::ident::{Name, NameStream};

/// What came of a dependency pair.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Each way to build it, one per choice of streams; in the order of these streams.
    Solutions(Vec<Solution>),
    /// Nothing that could be chosen for these, sorted.
    Lacking(Vec<String>),
    /// There is something for everything, and no way to have it together.
    Clash(Clash),
    /// More choices of streams than are allowed.
    TooMany,
}

/// One build per module, and why each is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Solution {
    /// The builds, by name.
    pub(super) builds: BTreeMap<Name, Place>,
    /// Who brought in those that the document does not buildrequire itself.
    pub(super) brought_by: BTreeMap<Name, Place>,
}

/// The requirements of a dependency pair on a pool, and everything that may come to be required.
pub(super) struct Problem<'p> {
    pub(super) pool: &'p Pool<'p>,
    /// What the document buildrequires, by name.
    pub(super) direct: Vec<Requirement>,
    /// The builds that may take part, with what they require per dependency pair.
    pub(super) requires: BTreeMap<Place, Vec<Vec<Requirement>>>,
}

/// The signs that stand for choices.
pub(super) struct Signs {
    /// A build is chosen.
    pub(super) build: BTreeMap<Place, Lit>,
    /// A dependency pair of a build holds; only where there are several.
    pub(super) pair: BTreeMap<(Place, usize), Lit>,
    /// Some build of a name:stream that the document buildrequires itself is chosen.
    pub(super) stream: BTreeMap<NameStream, Lit>,
    /// The ranks of what is chosen come to one, to two, and so on up to [`MOST_RANKS`].
    pub(super) ranks: Vec<Lit>,
}

/// Sums of ranks are told apart up to this one.
const MOST_RANKS: usize = 16;

impl<'p> Problem<'p> {
    /// Follows the requirements from those of the document.
    pub(super) fn new(pool: &'p Pool<'p>, buildrequires: &BTreeMap<String, BTreeSet<String>>) -> Self {
        let direct: Vec<_> =
            buildrequires.iter().map(|(name, written)| pool.buildrequire(name, written)).collect();
        let mut requires = BTreeMap::new();
        let mut queue: Vec<Place> = direct.iter().flat_map(|one| one.options.iter().copied()).collect();
        while let Some(place) = queue.pop() {
            if requires.contains_key(&place) {
                continue;
            }
            let pairs = pool.requires(place);
            queue.extend(pairs.iter().flatten().flat_map(|one| one.options.iter().copied()));
            requires.insert(place, pairs);
        }
        Self { pool, direct, requires }
    }

    /// Finds every answer, `most` at most.
    ///
    /// # Errors
    /// The search was given up.
    pub(super) fn solve(&self, most: usize) -> Result<Outcome, GivenUp> {
        let lacking = self.direct.iter().filter(|one| one.options.is_empty()).map(|one| one.name.clone());
        let lacking: Vec<String> = lacking.collect();
        if !lacking.is_empty() {
            return Ok(Outcome::Lacking(lacking));
        }
        let mut sat = Sat::new();
        let signs = self.write(&mut sat);
        let mut solutions: BTreeMap<Vec<NameStream>, Solution> = BTreeMap::new();
        while sat.can_hold(&[])? {
            if solutions.len() >= most {
                return Ok(Outcome::TooMany);
            }
            let streams = self.chosen_streams(&sat, &signs);
            let solution = Preferring::new(self, &mut sat, &signs, &streams).solution()?;
            sat.any_of(streams.iter().map(|stream| !signs.stream[stream]));
            solutions.insert(streams, solution);
        }
        match solutions.is_empty() {
            true => Ok(Outcome::Clash(clash(self)?)),
            false => Ok(Outcome::Solutions(solutions.into_values().collect())),
        }
    }

    /// Writes everything down as clauses.
    fn write(&self, sat: &mut Sat) -> Signs {
        let mut signs = self.signs(sat);
        signs.ranks = self.ranks(sat, &signs);
        for one in &self.direct {
            sat.any_of(signs.of(&one.options));
            for place in &one.options {
                let stream = self.pool.module(*place).nsvc.name_stream();
                let sign = *signs.stream.entry(stream).or_insert_with(|| sat.sign());
                sat.any_of([!signs.build[place], sign]);
            }
        }
        for (place, pairs) in &self.requires {
            let build = signs.build[place];
            match pairs.as_slice() {
                [] => {}
                [only] => only.iter().for_each(|one| sat.any_of(signs.implied(build, &one.options))),
                several => {
                    for (number, pair) in several.iter().enumerate() {
                        let sign = sat.sign();
                        signs.pair.insert((*place, number), sign);
                        pair.iter().for_each(|one| sat.any_of(signs.implied(sign, &one.options)));
                    }
                    let pairs = (0..several.len()).map(|number| signs.pair[&(*place, number)]);
                    sat.any_of(std::iter::once(!build).chain(pairs));
                }
            }
        }
        signs
    }

    /// Makes the signs of the builds; at most one of each name.
    pub(super) fn signs(&self, sat: &mut Sat) -> Signs {
        let build: BTreeMap<Place, Lit> = self.requires.keys().map(|place| (*place, sat.sign())).collect();
        let mut of_name: BTreeMap<&Name, Vec<Lit>> = BTreeMap::new();
        for (place, sign) in &build {
            of_name.entry(&self.pool.module(*place).nsvc.name).or_default().push(*sign);
        }
        of_name.values().for_each(|signs| sat.at_most_one(signs));
        Signs { build, pair: BTreeMap::new(), stream: BTreeMap::new(), ranks: Vec::new() }
    }

    /// Counts the ranks of what is chosen. Only one build of a name is, so its rank is counted per name.
    fn ranks(&self, sat: &mut Sat, signs: &Signs) -> Vec<Lit> {
        let mut of_name: BTreeMap<&Name, Vec<Lit>> = BTreeMap::new();
        for (place, sign) in &signs.build {
            let rank = usize::try_from(self.pool.rank(*place)).unwrap_or(MOST_RANKS).min(MOST_RANKS);
            let reaches = of_name.entry(&self.pool.module(*place).nsvc.name).or_default();
            while reaches.len() < rank {
                let reached = sat.sign();
                if let Some(below) = reaches.last() {
                    sat.any_of([!reached, *below]);
                }
                reaches.push(reached);
            }
            if let Some(reached) = rank.checked_sub(1) {
                sat.any_of([!*sign, reaches[reached]]);
            }
        }
        let all: Vec<Lit> = of_name.into_values().flatten().collect();
        sat.count(&all, MOST_RANKS)
    }

    /// Returns the streams chosen for what the document buildrequires, by name.
    fn chosen_streams(&self, sat: &Sat, signs: &Signs) -> Vec<NameStream> {
        let chosen = |one: &Requirement| {
            let place = one.options.iter().find(|place| sat.holds(signs.build[place]));
            self.pool.module(*place.expect("a clause says that one of them is chosen")).nsvc.name_stream()
        };
        self.direct.iter().map(chosen).collect()
    }
}

impl Signs {
    pub(super) fn of(&self, places: &[Place]) -> Vec<Lit> {
        places.iter().map(|place| self.build[place]).collect()
    }

    /// Returns the clause that something implies one of these builds.
    pub(super) fn implied(&self, by: Lit, places: &[Place]) -> Vec<Lit> {
        std::iter::once(!by).chain(places.iter().map(|place| self.build[place])).collect()
    }
}
