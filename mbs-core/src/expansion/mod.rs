//! Module stream expansion: from one document to all the ways in which it can be built.
//!
//! | step | room |
//! | --- | --- |
//! | which streams each dependency pair means | `streams` |
//! | which builds may take part | `gather` |
//! | which of them go together | `solve`, and of equal answers `prefer`; why none do: `clash` |
//! | one document per answer, and why each build is in it | `expand` |
//!
//! Nothing here asks anybody anything: [`Expansion::step`] says what it needs to know, and is called again when a [`Universe`]
//! has learnt it. It needs a few rounds of questions for the document and one for each level of what its buildrequires require
//! at run time, however many modules there are. The same modules give the same answer in whatever order they became known, and
//! modules that nothing leads to change nothing. Identities and versions are given in [`crate::submission`].
//!
//! Source: behaviour, section 4; design, section 6.

mod clash;
mod expand;
mod gather;
mod pool;
mod prefer;
mod sat;
mod solve;
mod streams;
mod universe;
mod unresolved;

use std::collections::BTreeMap;

pub use clash::{Clash, There, Want};
pub use expand::{Chosen, Expanded, WhyChosen};
pub use universe::{Answers, Questions, Universe};
pub use unresolved::Unresolved;

use crate::ident::{Name, NameStream, Nsvc, Stream};
use crate::modulemd::ModuleStream;
use crate::policy::Policy;

/// A document to expand.
#[derive(Debug, Clone, Copy)]
pub struct Expansion<'a> {
    /// The document, overrides applied.
    pub document: &'a ModuleStream,
    /// The streams that answer where the document leaves a choice; for local builds. That of a base module also picks the
    /// dependency pair where choices are not open.
    pub default_streams: &'a BTreeMap<Name, Stream>,
    /// Whether a choice that is left open means a build each.
    pub choices: Choices,
    /// Whether builds must fit the base module.
    pub base_fit: BaseFit,
    /// The rules.
    pub policy: &'a Policy,
}

/// What a document means that leaves a choice between streams or dependency pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choices {
    /// All of them, a build each.
    #[default]
    Open,
    /// It is refused, naming what to choose: nothing is guessed. For local builds.
    Closed,
}

/// Whether builds must fit the base module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BaseFit {
    /// Their runtime requires on base modules hold.
    #[default]
    Required,
    /// They need not: somebody named these very builds, results of this machine, for use on whatever base.
    Any,
}

/// The next step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// These must be answered, and the answers added with [`Universe::learn`].
    Need(Questions),
    /// All the ways in which the document can be built.
    Done(Expansions),
}

/// All the ways in which a document can be built.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expansions {
    /// One document each, in the order of the dependency pairs, then of the streams chosen. Empty: there is nothing to choose
    /// for some buildrequire of every pair.
    pub expanded: Vec<Expanded>,
    /// The dependency pairs that give nothing.
    pub lacking: Vec<Lacking>,
    /// Base streams that are buildrequired beside others and do not exist; people should be told.
    pub missing_bases: Vec<NameStream>,
    /// The builds that were considered, sorted.
    pub considered: Vec<Nsvc>,
}

/// A dependency pair that gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// Its place in the document, from 0.
    pub pair: usize,
    /// The modules of which there is nothing to choose, sorted.
    pub modules: Vec<String>,
}

impl Expansion<'_> {
    /// Takes the next step with what is known.
    ///
    /// # Errors
    /// No base module is there; a required module has no build; what is required excludes each other; a buildrequire is being
    /// built; more builds than are allowed; or, where choices are closed, one is left.
    pub fn step(&self, known: &Universe) -> Result<Step, Unresolved> {
        let pairs = match streams::open(self, known)? {
            Ok(pairs) => pairs,
            Err(names) => return Ok(Step::Need(gather::first_questions(self, names, known))),
        };
        let gathered = match gather::gather(self, &pairs, known)? {
            Ok(gathered) => gathered,
            Err(questions) => return Ok(Step::Need(questions)),
        };
        let (expanded, lacking) = expand::all(self, &pairs, &gathered)?;
        let unfinished = known.unfinished(&expanded)?;
        if !unfinished.is_empty() {
            return Ok(Step::Need(Questions { siblings: unfinished, ..Questions::default() }));
        }
        let considered = gathered.considered();
        Ok(Step::Done(Expansions { expanded, lacking, missing_bases: gathered.missing_bases, considered }))
    }
}

#[cfg(test)]
mod tests;
