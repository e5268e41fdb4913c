//! What is known about modules, and what was asked: it grows with each round of questions. Per round each kind of question is
//! one call of a resolver. What is asked next is decided in [`super::gather`].

use std::collections::{BTreeMap, BTreeSet};

use super::{Expanded, Unresolved};
use crate::ident::{Name, NameStream, Nsvc, Stream, TagName};
use crate::model::State;
use crate::resolver::{Against, KnownModule, Retired};

/// What must be asked; each part is one call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Questions {
    /// The streams of these modules.
    pub streams: BTreeSet<Name>,
    /// The latest builds of these modules, by what they must have been built against.
    pub latest: BTreeMap<Against, BTreeSet<NameStream>>,
    /// The base modules compatible with these.
    pub compatible: BTreeSet<Nsvc>,
    /// Whether retired base modules count among the compatible ones.
    pub includes_retired: bool,
    /// The builds in these tags.
    pub tagged: BTreeSet<TagName>,
    /// The base modules that provide these as virtual streams.
    pub providers: BTreeSet<NameStream>,
    /// The builds of the same name, stream and version as these that are still being built. For the store.
    pub siblings: BTreeSet<Nsvc>,
}

/// What was answered; what was asked and is missing here does not exist.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// Streams per module.
    pub streams: BTreeMap<Name, Vec<Stream>>,
    /// Latest builds.
    pub latest: BTreeMap<Against, BTreeMap<NameStream, Vec<KnownModule>>>,
    /// Compatible base modules.
    pub compatible: BTreeMap<Nsvc, Vec<KnownModule>>,
    /// Builds per tag; a resolver that does not know tags leaves the tag out.
    pub tagged: BTreeMap<TagName, Vec<KnownModule>>,
    /// Providers of virtual streams.
    pub providers: BTreeMap<NameStream, Vec<KnownModule>>,
    /// Builds that are still being built, with their states.
    pub unfinished: Vec<(Nsvc, State)>,
}

/// What is known about modules so far; starts with nothing.
#[derive(Debug, Clone, Default)]
pub struct Universe {
    asked: Questions,
    answers: Answers,
}

impl Questions {
    /// Says whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        *self == Self { includes_retired: self.includes_retired, ..Self::default() }
    }

    /// Returns whether retired base modules count.
    pub fn retired(&self) -> Retired {
        if self.includes_retired { Retired::Included } else { Retired::Excluded }
    }

    /// Adds other questions.
    pub(crate) fn add(&mut self, other: Self) {
        self.streams.extend(other.streams);
        for (against, modules) in other.latest {
            self.latest.entry(against).or_default().extend(modules);
        }
        self.compatible.extend(other.compatible);
        self.includes_retired |= other.includes_retired;
        self.tagged.extend(other.tagged);
        self.providers.extend(other.providers);
        self.siblings.extend(other.siblings);
    }
}

impl Universe {
    /// Adds what was asked and answered. Retired builds count as compatible base modules only.
    pub fn learn(&mut self, asked: Questions, mut answers: Answers) {
        answers
            .latest
            .values_mut()
            .flat_map(BTreeMap::values_mut)
            .for_each(|builds| builds.retain(|b| b.is_ready));
        answers.providers.values_mut().for_each(|builds| builds.retain(|build| build.is_ready));
        self.asked.add(asked);
        let known = &mut self.answers;
        known.streams.append(&mut answers.streams);
        for (against, mut builds) in answers.latest {
            known.latest.entry(against).or_default().append(&mut builds);
        }
        known.compatible.append(&mut answers.compatible);
        known.tagged.append(&mut answers.tagged);
        known.providers.append(&mut answers.providers);
        known.unfinished.append(&mut answers.unfinished);
    }

    /// Returns the streams of a module; `None` if nobody asked yet.
    pub(super) fn streams(&self, name: &Name) -> Option<&[Stream]> {
        let known = self.answers.streams.get(name).map(Vec::as_slice).unwrap_or_default();
        self.asked.streams.contains(name).then_some(known)
    }

    /// Returns the latest builds; `None` if nobody asked yet.
    pub(crate) fn latest(&self, module: &NameStream, against: &Against) -> Option<&[KnownModule]> {
        let known = self.answers.latest.get(against).and_then(|builds| builds.get(module));
        let is_asked = self.asked.latest.get(against).is_some_and(|asked| asked.contains(module));
        is_asked.then_some(known.map(Vec::as_slice).unwrap_or_default())
    }

    /// Returns who provides a virtual stream; `None` if nobody asked yet.
    pub(crate) fn providers(&self, virtual_stream: &NameStream) -> Option<&[KnownModule]> {
        let known = self.answers.providers.get(virtual_stream).map(Vec::as_slice).unwrap_or_default();
        self.asked.providers.contains(virtual_stream).then_some(known)
    }

    /// Returns the builds in a tag: `None` if nobody asked yet, `Some(None)` where modules have no tags.
    pub(super) fn tagged(&self, tag: &TagName) -> Option<Option<&[KnownModule]>> {
        let known = self.answers.tagged.get(tag).map(Vec::as_slice);
        self.asked.tagged.contains(tag).then_some(known)
    }

    /// Returns the base modules compatible with one; `None` if nobody asked yet.
    pub(super) fn compatible(&self, base: &Nsvc) -> Option<&[KnownModule]> {
        let known = self.answers.compatible.get(base).map(Vec::as_slice).unwrap_or_default();
        self.asked.compatible.contains(base).then_some(known)
    }

    /// Returns the builds whose siblings must be asked for.
    ///
    /// # Errors
    /// A build of the same name, stream and version as a buildrequire is still being built.
    pub(super) fn unfinished(&self, expanded: &[Expanded]) -> Result<BTreeSet<Nsvc>, Unresolved> {
        let chosen = || expanded.iter().flat_map(|one| &one.buildrequires).map(|module| &module.nsvc);
        let is_sibling = |one: &Nsvc, other: &Nsvc| {
            one.name == other.name && one.stream == other.stream && one.version == other.version
        };
        for (unfinished, state) in &self.answers.unfinished {
            if chosen().any(|nsvc| is_sibling(nsvc, unfinished)) {
                return Err(Unresolved::Unfinished { nsvc: Box::new(unfinished.clone()), state: *state });
            }
        }
        Ok(chosen().filter(|nsvc| !self.asked.siblings.contains(*nsvc)).cloned().collect())
    }
}
