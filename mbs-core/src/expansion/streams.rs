//! Which streams each dependency pair means: those written, those that exist, or those that a default names.
//!
//! An empty list means all streams, one with negated streams alone all but these, one with a positive stream exactly its
//! positive ones. If all streams that exist are excluded the list is empty again, and then accepts any build that takes part for
//! another pair: so the original has it (the recorded expansion `random/036`). Where choices are closed a list that leaves several is refused unless a default answers.
//! Source: behaviour, sections 4 (step 1) and 14.

use std::collections::{BTreeMap, BTreeSet};

use super::{Choices, Expansion, Universe, Unresolved};
use crate::ident::{Name, Stream};
use crate::modulemd::Dependencies;

/// Streams per module.
pub(super) type Streams = BTreeMap<String, BTreeSet<String>>;

/// A dependency pair with the streams that it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    /// Its place in the document.
    pub(super) index: usize,
    pub(super) buildrequires: Streams,
    pub(super) requires: Streams,
}

/// Returns the distinct pairs, each as the first of its kind; or the modules whose streams must be known first.
///
/// # Errors
/// A choice is left where none may be, or a default contradicts the document.
pub(super) fn open(
    asked: &Expansion<'_>,
    known: &Universe,
) -> Result<Result<Vec<Pair>, BTreeSet<Name>>, Unresolved> {
    let mut unknown = BTreeSet::new();
    let (mut pairs, mut met): (Vec<Pair>, BTreeSet<(Streams, Streams)>) = (Vec::new(), BTreeSet::new());
    for index in asked.pairs_that_fit()? {
        let written = &asked.document.dependencies[index];
        let buildrequires = asked.section(&written.buildrequires, known, &mut unknown)?;
        let requires = asked.section(&written.requires, known, &mut unknown)?;
        if met.insert((buildrequires.clone(), requires.clone())) {
            pairs.push(Pair { index, buildrequires, requires });
        }
    }
    if asked.choices == Choices::Closed && pairs.len() > 1 {
        return Err(Unresolved::AmbiguousPairs(pairs.iter().map(Pair::to_text).collect()));
    }
    Ok(if unknown.is_empty() { Ok(pairs) } else { Err(unknown) })
}

/// Says whether streams as written allow one: a positive one means exactly the positive ones, else all but the negated.
pub(super) fn admits(streams: &BTreeSet<String>, stream: &str) -> bool {
    let is_exact = streams.iter().any(|written| !written.starts_with('-'));
    if is_exact { streams.contains(stream) } else { !streams.contains(&format!("-{stream}")) }
}

/// Returns the positive ones of streams as written.
pub(super) fn positive(streams: &BTreeSet<String>) -> BTreeSet<String> {
    streams.iter().filter(|stream| !stream.starts_with('-')).cloned().collect()
}

pub(super) fn ambiguous(module: &str, streams: &BTreeSet<String>) -> Unresolved {
    Unresolved::AmbiguousStream { module: module.to_owned(), streams: streams.iter().cloned().collect() }
}

impl Expansion<'_> {
    fn section(
        &self,
        written: &Streams,
        known: &Universe,
        unknown: &mut BTreeSet<Name>,
    ) -> Result<Streams, Unresolved> {
        let mut meant = Streams::new();
        for (module, streams) in written {
            let name = Name::new(module.as_str())?;
            let of_module = match self.named(&name, streams)? {
                Some(streams) => streams,
                None => match known.streams(&name) {
                    Some(all) => self.all_but(&name, streams, all),
                    None => {
                        unknown.insert(name);
                        continue;
                    }
                },
            };
            meant.insert(module.clone(), of_module);
        }
        Ok(meant)
    }

    /// Returns the streams that document or default name; `None` if all are meant that exist.
    fn named(&self, name: &Name, written: &BTreeSet<String>) -> Result<Option<BTreeSet<String>>, Unresolved> {
        let positive = positive(written);
        if positive.len() == 1 {
            return Ok(Some(positive));
        }
        match self.default_streams.get(name) {
            Some(default) if admits(written, default.as_str()) => {
                Ok(Some(BTreeSet::from([default.to_string()])))
            }
            Some(default) => Err(chosen_stream(name, default, written)),
            None if self.choices == Choices::Closed => Err(ambiguous(name.as_str(), written)),
            None => Ok((!positive.is_empty()).then_some(positive)),
        }
    }

    fn all_but(&self, name: &Name, written: &BTreeSet<String>, all: &[Stream]) -> BTreeSet<String> {
        let is_excluded = |stream: &Stream| {
            self.policy.is_base(name) && self.policy.base_module_stream_exclusions.contains(stream)
        };
        let meant = all.iter().filter(|stream| admits(written, stream.as_str()) && !is_excluded(stream));
        meant.map(ToString::to_string).collect()
    }

    /// Returns the places of the pairs that count: all, or where choices are closed those that no default stream excludes,
    /// base modules first.
    fn pairs_that_fit(&self) -> Result<Vec<usize>, Unresolved> {
        let pairs = &self.document.dependencies;
        let mut fitting: Vec<usize> = (0..pairs.len()).collect();
        if self.choices == Choices::Open {
            return Ok(fitting);
        }
        let (bases, others): (Vec<_>, Vec<_>) =
            self.default_streams.iter().partition(|(name, _)| self.policy.is_base(name));
        for (name, stream) in bases.into_iter().chain(others) {
            if fitting.len() < 2 {
                break;
            }
            let admits_it = |index: &usize| {
                pairs[*index].buildrequires.get(name.as_str()).is_none_or(|s| admits(s, stream.as_str()))
            };
            let left: Vec<usize> = fitting.iter().copied().filter(admits_it).collect();
            if !left.is_empty() {
                fitting = left;
            } else if self.policy.is_base(name) {
                return Err(chosen_stream(name, stream, &streams_in(pairs, name)));
            }
        }
        Ok(fitting)
    }
}

impl Pair {
    fn to_text(&self) -> String {
        let of_module = |(name, streams): (&String, &BTreeSet<String>)| {
            streams.iter().map(|stream| format!("{name}:{stream}")).collect::<Vec<_>>()
        };
        self.buildrequires.iter().flat_map(of_module).collect::<Vec<_>>().join(" ")
    }
}

fn chosen_stream(name: &Name, chosen: &Stream, allowed: &BTreeSet<String>) -> Unresolved {
    Unresolved::ChosenStream {
        module: name.to_string(),
        chosen: chosen.to_string(),
        allowed: allowed.iter().cloned().collect(),
    }
}

fn streams_in(pairs: &[Dependencies], name: &Name) -> BTreeSet<String> {
    pairs.iter().filter_map(|pair| pair.buildrequires.get(name.as_str())).flatten().cloned().collect()
}
