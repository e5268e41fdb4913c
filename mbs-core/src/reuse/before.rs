//! What is built before each component of a build, for all of them at once. Packages are numbers here, in their order by
//! name, and what is before a component is a set of bits: graphs may hold thousands of components.

use std::collections::BTreeMap;

use crate::batch::FIRST_BATCH;
use crate::ident::Package;
use crate::model::{ComponentBuild, ModuleBuild, Ordering};

/// A number for each package of some builds.
pub(super) struct Numbers<'a> {
    packages: Vec<&'a Package>,
    numbers: BTreeMap<&'a Package, usize>,
}

impl<'a> Numbers<'a> {
    pub(super) fn of(builds: &[&'a ModuleBuild]) -> Self {
        let packages = builds.iter().flat_map(|build| &build.components).map(|component| &component.package);
        let mut numbers: BTreeMap<&Package, usize> = packages.map(|package| (package, 0)).collect();
        numbers.values_mut().enumerate().for_each(|(place, number)| *number = place);
        Self { packages: numbers.keys().copied().collect(), numbers }
    }

    pub(super) fn number(&self, package: &Package) -> Option<usize> {
        self.numbers.get(package).copied()
    }

    /// Returns the packages of a set, sorted.
    pub(super) fn packages<'n>(&'n self, set: &'n Bits) -> impl Iterator<Item = &'a Package> + 'n {
        self.packages
            .iter()
            .enumerate()
            .filter(|(number, _)| set.contains(*number))
            .map(|(_, package)| *package)
    }
}

/// A set of numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn insert(&mut self, number: usize) {
        let word = number / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        self.word(number / 64) & 1 << (number % 64) != 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn word(&self, place: usize) -> u64 {
        self.0.get(place).copied().unwrap_or_default()
    }

    /// Combines two sets word by word.
    pub(super) fn with(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        let words = 0..self.0.len().max(other.0.len());
        Self(words.map(|place| combine(self.word(place), other.word(place))).collect())
    }
}

/// Returns, per package of a build, what is built before it, directly or not; module-build-macros does not count.
pub(super) fn before<'a>(build: &'a ModuleBuild, numbers: &Numbers<'_>) -> BTreeMap<&'a Package, Bits> {
    let mut by_batch: Vec<&ComponentBuild> = build.components.iter().map(|c| &**c).collect();
    by_batch.sort_by_key(|component| component.batch);
    match build.ordering {
        Ordering::Batches => earlier_batches(&by_batch, numbers),
        Ordering::Graph => predecessors(&by_batch, numbers),
    }
}

fn earlier_batches<'a>(
    by_batch: &[&'a ComponentBuild],
    numbers: &Numbers<'_>,
) -> BTreeMap<&'a Package, Bits> {
    let (mut before, mut so_far) = (BTreeMap::new(), Bits::default());
    for batch in by_batch.chunk_by(|a, b| a.batch == b.batch) {
        before.extend(batch.iter().map(|component| (&component.package, so_far.clone())));
        for component in batch.iter().filter(|component| component.batch >= FIRST_BATCH) {
            numbers.number(&component.package).into_iter().for_each(|number| so_far.insert(number));
        }
    }
    before
}

/// Follows the edges until nothing is added. By depth, as here, that is the case after one round.
fn predecessors<'a>(by_depth: &[&'a ComponentBuild], numbers: &Numbers<'_>) -> BTreeMap<&'a Package, Bits> {
    let mut before: BTreeMap<&Package, Bits> = BTreeMap::new();
    loop {
        let mut has_grown = false;
        for component in by_depth {
            let mut all = before.get(&component.package).cloned().unwrap_or_default();
            for package in &component.after {
                if let Some(further) = before.get(package) {
                    all = all.with(further, |one, other| one | other);
                }
                numbers.number(package).into_iter().for_each(|number| all.insert(number));
            }
            has_grown |= before.get(&component.package) != Some(&all);
            before.insert(&component.package, all);
        }
        if !has_grown {
            return before;
        }
    }
}
