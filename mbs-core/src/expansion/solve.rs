//! Which builds go together: one per module, everything required there, transitively.
//!
//! The requirements become clauses for a solver that learns from dead ends, so the cost grows with the answers and not with
//! the combinations. Each distinct choice of streams for what the document itself buildrequires is one answer; which builds
//! of these streams it takes is decided in [`super::prefer`]. Only builds that something leads to take part: others change
//! nothing. Source: behaviour, section 4, step 4.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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
    pub(super) requires: BTreeMap<Place, Vec<Vec<Rc<Requirement>>>>,
}

/// The signs that stand for choices.
///
/// Nearly all requirements name streams, so clauses speak of streams where they can: what is learnt about one holds for all its
/// builds.
pub(super) struct Signs {
    /// A build is chosen.
    pub(super) build: BTreeMap<Place, Lit>,
    /// A dependency pair of a build holds; only where there are several.
    pub(super) pair: BTreeMap<(Place, usize), Lit>,
    /// Some build of a name:stream is chosen.
    pub(super) stream: BTreeMap<NameStream, Lit>,
    /// The stream of each build, and how many builds of it may take part.
    of_stream: BTreeMap<Place, (Lit, usize)>,
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
        let (mut requires, mut met) = (BTreeMap::new(), BTreeSet::new());
        let mut queue: Vec<Place> = direct.iter().flat_map(|one| one.options.iter().copied()).collect();
        while let Some(place) = queue.pop() {
            if requires.contains_key(&place) {
                continue;
            }
            let pairs = pool.requires(place);
            let new = pairs.iter().flatten().filter(|one| met.insert(Rc::as_ptr(one)));
            queue.extend(new.flat_map(|one| one.options.iter().copied()));
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
            sat.any_of(signs.any_of(&one.options));
        }
        let mut met: BTreeMap<*const Requirement, Lit> = BTreeMap::new();
        for (place, pairs) in &self.requires {
            let build = signs.build[place];
            match pairs.as_slice() {
                [] => {}
                [only] => only.iter().for_each(|one| signs.imply(sat, build, one, &mut met)),
                several => {
                    for (number, pair) in several.iter().enumerate() {
                        let sign = sat.sign();
                        signs.pair.insert((*place, number), sign);
                        pair.iter().for_each(|one| signs.imply(sat, sign, one, &mut met));
                    }
                    let pairs = (0..several.len()).map(|number| signs.pair[&(*place, number)]);
                    sat.any_of(std::iter::once(!build).chain(pairs));
                }
            }
        }
        signs
    }

    /// Makes the signs of streams and builds; at most one of each name.
    pub(super) fn signs(&self, sat: &mut Sat) -> Signs {
        let mut stream: BTreeMap<NameStream, Lit> = BTreeMap::new();
        let mut builds: BTreeMap<Name, BTreeMap<Lit, Vec<(Place, Lit)>>> = BTreeMap::new();
        let mut build: BTreeMap<Place, Lit> = BTreeMap::new();
        // What is preferred is tried first, streams before builds: mostly the first way that is found is the one that is taken.
        let all = || self.direct.iter().flat_map(|one| &one.options).chain(self.requires.keys());
        for place in all() {
            let of = self.pool.module(*place).nsvc.name_stream();
            stream.entry(of).or_insert_with(|| sat.likely_sign());
        }
        for place in all() {
            if build.contains_key(place) {
                continue;
            }
            let sign = sat.likely_sign();
            build.insert(*place, sign);
            let of = self.pool.module(*place).nsvc.name_stream();
            builds.entry(of.name.clone()).or_default().entry(stream[&of]).or_default().push((*place, sign));
        }
        let mut of_stream = BTreeMap::new();
        for streams in builds.values() {
            let of_name: Vec<Lit> = streams.values().flatten().map(|(_, sign)| *sign).collect();
            sat.at_most_one(&of_name);
            sat.at_most_one(&streams.keys().copied().collect::<Vec<_>>());
            for (stream, builds) in streams {
                sat.any_of(std::iter::once(!*stream).chain(builds.iter().map(|(_, sign)| *sign)));
                for (place, sign) in builds {
                    sat.any_of([!*sign, *stream]);
                    of_stream.insert(*place, (*stream, builds.len()));
                }
            }
        }
        Signs { build, pair: BTreeMap::new(), stream, of_stream, ranks: Vec::new() }
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

    /// Returns signs of which one holds if one of these builds is chosen: whole streams where all their builds are among them.
    fn any_of(&self, places: &[Place]) -> Vec<Lit> {
        let mut counted: BTreeMap<Lit, usize> = BTreeMap::new();
        for place in places {
            *counted.entry(self.of_stream[place].0).or_default() += 1;
        }
        let sign = |place: &Place| {
            let (stream, builds) = self.of_stream[place];
            if counted[&stream] == builds { stream } else { self.build[place] }
        };
        let mut signs: Vec<Lit> = places.iter().map(sign).collect();
        signs.dedup();
        signs
    }

    /// Says that something implies a requirement, which many builds may share: then it has a sign of its own.
    fn imply(
        &self,
        sat: &mut Sat,
        by: Lit,
        one: &Rc<Requirement>,
        met: &mut BTreeMap<*const Requirement, Lit>,
    ) {
        let sign = *met.entry(Rc::as_ptr(one)).or_insert_with(|| match self.any_of(&one.options)[..] {
            [only] => only,
            ref several => {
                let sign = sat.sign();
                sat.any_of(std::iter::once(!sign).chain(several.iter().copied()));
                sign
            }
        });
        sat.any_of([!by, sign]);
    }

    /// Returns the clause that something implies one of these builds.
    pub(super) fn implied(&self, by: Lit, places: &[Place]) -> Vec<Lit> {
        std::iter::once(!by).chain(self.any_of(places)).collect()
    }
}
