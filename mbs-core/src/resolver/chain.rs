//! Several sources of modules that answer as one. It decides whose word counts for what, and knows no module itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::{Against, KnownModule, ModuleResolver, ResolverError, Retired};
use crate::ident::{Name, NameStream, Nsvc, Stream, TagName};
use crate::stream_version::{Padding, stream_version};

/// Sources of modules in the order in which their word counts: a store first, say, then PDC.
///
/// | question | who answers |
/// | --- | --- |
/// | latest builds of a name:stream | the first that has any that count, alone: its older build beats a newer one behind it |
/// | one build | the first that knows it |
/// | streams, base modules | all, the earlier one's word counting per build |
/// | a tag, an end of life | the first that has an answer |
///
/// Sources whose answers cannot matter are not asked; those that are asked anyway are asked at once. A source that answers
/// `NotFound` knows nothing; any other error ends the question, as half an answer would be a wrong one, and its text names the
/// source. A latest build that an earlier source has retired does not count where a later one still has it ready; compatible base
/// modules are as the source has them that brings them.
///
/// Source: design, section 5.
#[derive(Debug, Clone)]
pub struct Chain {
    sources: Vec<Source>,
}

#[derive(Debug, Clone)]
struct Source {
    name: String,
    resolver: Arc<dyn ModuleResolver>,
}

impl Chain {
    /// Makes one source of several, each with the name that errors call it by; the first is the one whose word counts most.
    ///
    /// # Panics
    /// There is none.
    pub fn new(sources: Vec<(String, Arc<dyn ModuleResolver>)>) -> Self {
        assert!(!sources.is_empty(), "a chain has at least one source of modules");
        let source = |(name, resolver)| Source { name, resolver };
        Self { sources: sources.into_iter().map(source).collect() }
    }

    /// Returns the chain with each source as one expansion asks it.
    #[must_use]
    pub fn remembering(&self) -> Self {
        let remembering = |source: &Source| {
            let resolver = source.resolver.for_one_expansion().unwrap_or_else(|| source.resolver.clone());
            Source { name: source.name.clone(), resolver }
        };
        Self { sources: self.sources.iter().map(remembering).collect() }
    }

    /// Returns, for each of these builds, the name of the source whose word counts for it; what none knows is missing.
    ///
    /// # Errors
    /// As [`builds`](ModuleResolver::builds).
    pub async fn sources_of(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, String>, ResolverError> {
        let mut found = BTreeMap::new();
        for source in &self.sources {
            let left = left_of(nsvcs, &found);
            if left.is_empty() {
                break;
            }
            let known = source.known(source.resolver.builds(&left).await)?;
            found.extend(known.into_keys().map(|nsvc| (nsvc, source.name.clone())));
        }
        Ok(found)
    }

    /// Returns what each source knows, in their order; the error of the first that has one.
    fn known<T: Default>(&self, outcomes: Vec<Result<T, ResolverError>>) -> Result<Vec<T>, ResolverError> {
        self.sources.iter().zip(outcomes).map(|(source, outcome)| source.known(outcome)).collect()
    }

    /// Drops the builds that a source before this place has retired.
    async fn drop_retired(
        &self,
        place: usize,
        latest: &mut BTreeMap<NameStream, Vec<KnownModule>>,
    ) -> Result<(), ResolverError> {
        let nsvcs: Vec<Nsvc> = latest.values().flatten().map(|build| build.nsvc.clone()).collect();
        if nsvcs.is_empty() {
            return Ok(());
        }
        let before = &self.sources[..place];
        let asked = join_all(before.iter().map(|source| source.resolver.builds(&nsvcs))).await;
        let mut said: BTreeMap<Nsvc, bool> = BTreeMap::new();
        for (source, known) in before.iter().zip(asked) {
            for (nsvc, build) in source.known(known)? {
                said.entry(nsvc).or_insert(build.is_ready);
            }
        }
        let counts = |build: &KnownModule| said.get(&build.nsvc).copied().unwrap_or(true);
        latest.values_mut().for_each(|builds| builds.retain(counts));
        Ok(())
    }

    /// Returns, for each source, what it has for these bases; for those that it does not know all that may be compatible.
    async fn with_relatives(
        &self,
        answers: Vec<BTreeMap<Nsvc, Vec<KnownModule>>>,
        themselves: &BTreeMap<Nsvc, KnownModule>,
        retired: Retired,
    ) -> Result<Vec<BTreeMap<Nsvc, Vec<KnownModule>>>, ResolverError> {
        let asked = self.sources.iter().zip(answers).map(async |(source, mut answer)| {
            let is_unknown = |base: &&KnownModule| !answer.contains_key(&base.nsvc);
            let unknown: Vec<&KnownModule> = themselves.values().filter(is_unknown).collect();
            let found = source.providing_what(&unknown, retired).await?;
            answer.extend(unknown.into_iter().map(|base| (base.nsvc.clone(), found.clone())));
            Ok(answer)
        });
        join_all(asked).await.into_iter().collect()
    }
}

#[async_trait]
impl ModuleResolver for Chain {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        let asked = self.sources.iter().map(|source| source.resolver.streams(names));
        let mut union: BTreeMap<Name, BTreeSet<Stream>> = BTreeMap::new();
        for (name, streams) in self.known(join_all(asked).await)?.into_iter().flatten() {
            union.entry(name).or_default().extend(streams);
        }
        Ok(union.into_iter().map(|(name, streams)| (name, streams.into_iter().collect())).collect())
    }

    async fn latest(
        &self,
        modules: &[NameStream],
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let mut found = BTreeMap::new();
        for (place, source) in self.sources.iter().enumerate() {
            let left = left_of(modules, &found);
            if left.is_empty() {
                break;
            }
            let mut latest = source.known(source.resolver.latest(&left, against).await)?;
            self.drop_retired(place, &mut latest).await?;
            latest.retain(|_, builds| !builds.is_empty());
            found.extend(latest);
        }
        Ok(found)
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        let mut found = BTreeMap::new();
        for source in &self.sources {
            let left = left_of(nsvcs, &found);
            if left.is_empty() {
                break;
            }
            found.extend(source.known(source.resolver.builds(&left).await)?);
        }
        Ok(found)
    }

    /// Bases that any source knows are answered. One that does not know a base is asked for the builds that provide its virtual
    /// streams; where it has retired ones alone, these are not found.
    ///
    /// Streams are ordered by their own numbers: the suffixes of the configuration are added by [`crate::expansion`], which sorts
    /// again.
    async fn compatible_bases(
        &self,
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        let asked = self.sources.iter().map(|source| source.resolver.compatible_bases(bases, retired));
        let answers = self.known(join_all(asked).await)?;
        let mut themselves: BTreeMap<Nsvc, KnownModule> = BTreeMap::new();
        for (base, compatible) in answers.iter().flatten() {
            if let Some(itself) = compatible.iter().find(|module| module.nsvc == *base) {
                themselves.entry(base.clone()).or_insert_with(|| itself.clone());
            }
        }
        let mut union: BTreeMap<Nsvc, Vec<KnownModule>> = BTreeMap::new();
        for (base, compatible) in
            self.with_relatives(answers, &themselves, retired).await?.into_iter().flatten()
        {
            union.entry(base).or_default().extend(compatible);
        }
        let of_base = |(base, compatible)| {
            let compatible = newest_first(themselves.get(&base), compatible);
            (base, compatible)
        };
        Ok(union.into_iter().map(of_base).collect())
    }

    async fn providers(
        &self,
        virtual_streams: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let asked = self.sources.iter().map(|source| source.resolver.providers(virtual_streams));
        let mut union: BTreeMap<NameStream, Vec<KnownModule>> = BTreeMap::new();
        for (virtual_stream, providers) in self.known(join_all(asked).await)?.into_iter().flatten() {
            union.entry(virtual_stream).or_default().extend(providers);
        }
        union.values_mut().for_each(|providers| *providers = highest_of_streams(std::mem::take(providers)));
        union.retain(|_, providers| !providers.is_empty());
        Ok(union)
    }

    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        let mut said = Silence::default();
        for source in &self.sources {
            if let Some(builds) = said.unless_silent(source, source.resolver.in_tag(tag).await)? {
                return Ok(builds);
            }
        }
        Err(said.into_error("modules in a tag"))
    }

    async fn is_end_of_life(&self, module: &NameStream) -> Result<bool, ResolverError> {
        let mut said = Silence::default();
        for source in &self.sources {
            if let Some(is_past) = said.unless_silent(source, source.resolver.is_end_of_life(module).await)? {
                return Ok(is_past);
            }
        }
        Err(said.into_error("the end of life of streams"))
    }

    fn for_one_expansion(&self) -> Option<Arc<dyn ModuleResolver>> {
        Some(Arc::new(self.remembering()))
    }
}

impl Source {
    /// Returns what was found; nothing if the source does not know what was asked about.
    fn known<T: Default>(&self, outcome: Result<T, ResolverError>) -> Result<T, ResolverError> {
        match outcome {
            Err(ResolverError::NotFound { .. }) => Ok(T::default()),
            outcome => outcome.map_err(|error| self.named(error)),
        }
    }

    /// Puts the name of the source into the text of an error.
    fn named(&self, error: ResolverError) -> ResolverError {
        let named = |text: String| format!("{}: {text}", self.name);
        match error {
            ResolverError::Unavailable { reason } => ResolverError::Unavailable { reason: named(reason) },
            ResolverError::Conflict { what } => ResolverError::Conflict { what: named(what) },
            ResolverError::Protocol { what } => ResolverError::Protocol { what: named(what) },
            error @ (ResolverError::NotFound { .. } | ResolverError::Unsupported { .. }) => error,
        }
    }

    /// Returns the base modules of this source that provide a virtual stream of one of `others`.
    async fn providing_what(
        &self,
        others: &[&KnownModule],
        retired: Retired,
    ) -> Result<Vec<KnownModule>, ResolverError> {
        let virtual_streams: BTreeSet<NameStream> = others.iter().flat_map(|base| provided(base)).collect();
        if virtual_streams.is_empty() {
            return Ok(Vec::new());
        }
        let virtual_streams: Vec<NameStream> = virtual_streams.into_iter().collect();
        let providers = self.known(self.resolver.providers(&virtual_streams).await)?;
        let providers: Vec<KnownModule> = providers.into_values().flatten().collect();
        if retired == Retired::Excluded || providers.is_empty() {
            return Ok(providers);
        }
        let nsvcs: BTreeSet<Nsvc> = providers.into_iter().map(|module| module.nsvc).collect();
        let nsvcs: Vec<Nsvc> = nsvcs.into_iter().collect();
        let compatible = self.known(self.resolver.compatible_bases(&nsvcs, retired).await)?;
        Ok(compatible.into_values().flatten().collect())
    }
}

/// What sources that had no answer said.
#[derive(Debug, Default)]
struct Silence {
    not_found: Option<ResolverError>,
}

impl Silence {
    /// Returns an answer; `None` if the source has none and the next one must be asked.
    fn unless_silent<T>(
        &mut self,
        source: &Source,
        outcome: Result<T, ResolverError>,
    ) -> Result<Option<T>, ResolverError> {
        match outcome {
            Err(ResolverError::Unsupported { .. }) => Ok(None),
            Err(error @ ResolverError::NotFound { .. }) => {
                self.not_found.get_or_insert(error);
                Ok(None)
            }
            outcome => outcome.map(Some).map_err(|error| source.named(error)),
        }
    }

    /// Returns what it means that none had an answer: what was asked about is unknown to those who could know it.
    fn into_error(self, what: &'static str) -> ResolverError {
        self.not_found.unwrap_or(ResolverError::Unsupported { what })
    }
}

/// Returns what was asked and not found yet.
fn left_of<K: Ord + Clone, V>(asked: &[K], found: &BTreeMap<K, V>) -> Vec<K> {
    asked.iter().filter(|key| !found.contains_key(*key)).cloned().collect()
}

/// Returns the virtual streams of a base module, each with its name.
fn provided(base: &KnownModule) -> Vec<NameStream> {
    let virtual_streams = base.virtual_streams();
    let valid = virtual_streams.into_iter().filter_map(|stream| Stream::new(stream).ok());
    valid.map(|stream| NameStream { name: base.nsvc.name.clone(), stream }).collect()
}

fn is_related(base: &KnownModule, other: &KnownModule) -> bool {
    let virtual_streams = base.virtual_streams();
    base.nsvc.name == other.nsvc.name
        && other.virtual_streams().iter().any(|stream| virtual_streams.contains(stream))
}

/// Keeps the highest version of each stream, by stream; of one identity the first.
fn highest_of_streams(modules: Vec<KnownModule>) -> Vec<KnownModule> {
    let mut highest: BTreeMap<Stream, KnownModule> = BTreeMap::new();
    for module in modules {
        match highest.get(&module.nsvc.stream) {
            Some(other) if other.nsvc >= module.nsvc => {}
            Some(_) | None => drop(highest.insert(module.nsvc.stream.clone(), module)),
        }
    }
    highest.into_values().collect()
}

/// Keeps what shares a virtual stream with the base, as the first describes it: the highest version of each stream that is ready
/// and that is retired, and the base itself whatever its version. Newest stream first.
fn newest_first(itself: Option<&KnownModule>, compatible: Vec<KnownModule>) -> Vec<KnownModule> {
    let mut described: BTreeMap<Nsvc, KnownModule> = BTreeMap::new();
    for module in compatible {
        described.entry(module.nsvc.clone()).or_insert(module);
    }
    let is_related = |other: &KnownModule| itself.is_none_or(|base| is_related(base, other));
    let (ready, retired): (Vec<_>, Vec<_>) =
        described.into_values().filter(is_related).partition(|module| module.is_ready);
    let mut bases = highest_of_streams(ready);
    bases.extend(highest_of_streams(retired));
    if let Some(itself) = itself
        && !bases.iter().any(|base| base.nsvc == itself.nsvc)
    {
        bases.push(itself.clone());
    }
    let number = |base: &KnownModule| stream_version(base.nsvc.stream.as_str(), Padding::Right, 0.0);
    bases.sort_by(|a, b| number(b).total_cmp(&number(a)).then(Reverse(&a.nsvc).cmp(&Reverse(&b.nsvc))));
    bases
}

#[cfg(test)]
mod tests;
