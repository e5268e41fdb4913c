//! A resolver over a list of module builds in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use crate::ident::{Name, NameStream, Nsvc, Stream, TagName};
use crate::modulemd::{ModuleStream, Xmd};
use crate::resolver::{KnownModule, ModuleResolver, ResolverError, Retired};
use crate::stream_version::{Padding, stream_version};

/// Knows the module builds it was told, and nothing else.
///
/// Virtual streams and what a build was built against are read from `xmd.mbs` of its document. It refuses a build whose
/// document names another module, a second build of one identity, and questions about a base module it does not know.
#[derive(Debug, Default)]
pub struct MemoryResolver {
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    modules: BTreeMap<Nsvc, KnownModule>,
    tagged: BTreeMap<TagName, BTreeSet<Nsvc>>,
    end_of_life: BTreeMap<NameStream, bool>,
    outage: Option<ResolverError>,
}

impl MemoryResolver {
    /// Makes a resolver that knows these builds.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn new(modules: impl IntoIterator<Item = KnownModule>) -> Result<Self, ResolverError> {
        let resolver = Self::default();
        modules.into_iter().try_for_each(|module| resolver.add(module))?;
        Ok(resolver)
    }

    /// Adds a build.
    ///
    /// # Errors
    /// `Conflict` if its identity is known already, or its document says another.
    pub fn add(&self, module: KnownModule) -> Result<(), ResolverError> {
        check_document(&module)?;
        let mut shelf = self.shelf();
        if shelf.modules.contains_key(&module.nsvc) {
            return Err(ResolverError::Conflict { what: format!("{} is known already", module.nsvc) });
        }
        if let Some(tag) = &module.tag {
            shelf.tagged.entry(tag.clone()).or_default().insert(module.nsvc.clone());
        }
        shelf.modules.insert(module.nsvc.clone(), module);
        Ok(())
    }

    /// Retires a build: it is found by its identity and as a retired base module only.
    ///
    /// # Errors
    /// `NotFound` if it is unknown.
    pub fn retire(&self, nsvc: &Nsvc) -> Result<(), ResolverError> {
        let mut shelf = self.shelf();
        let module = shelf.modules.get_mut(nsvc).ok_or_else(|| unknown("the module build", nsvc))?;
        module.is_ready = false;
        Ok(())
    }

    /// Puts a build into one more tag than its own, as inheritance does.
    ///
    /// # Errors
    /// `NotFound` if it is unknown.
    pub fn tag(&self, tag: &TagName, nsvc: &Nsvc) -> Result<(), ResolverError> {
        let mut shelf = self.shelf();
        if !shelf.modules.contains_key(nsvc) {
            return Err(unknown("the module build", nsvc));
        }
        shelf.tagged.entry(tag.clone()).or_default().insert(nsvc.clone());
        Ok(())
    }

    /// Says that a name:stream is past its end of life, or that it lives.
    pub fn set_end_of_life(&self, module: NameStream, is_past: EndOfLife) {
        self.shelf().end_of_life.insert(module, is_past == EndOfLife::Past);
    }

    /// Lets every question end in this error, until `None` is given.
    pub fn set_outage(&self, error: Option<ResolverError>) {
        self.shelf().outage = error;
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("nothing panics while it holds the shelf")
    }

    fn reach(&self) -> Result<MutexGuard<'_, Shelf>, ResolverError> {
        let shelf = self.shelf();
        match &shelf.outage {
            None => Ok(shelf),
            Some(error) => Err(error.clone()),
        }
    }
}

/// Whether a stream is past its end of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOfLife {
    /// It is.
    Past,
    /// It lives.
    Ahead,
}

#[async_trait]
impl ModuleResolver for MemoryResolver {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        let shelf = self.reach()?;
        let mut streams: BTreeMap<Name, Vec<Stream>> = BTreeMap::new();
        for module in shelf.ready().filter(|module| names.contains(&module.nsvc.name)) {
            // Builds are sorted by name, then stream, so doubles are neighbours.
            let of_name = streams.entry(module.nsvc.name.clone()).or_default();
            of_name.push(module.nsvc.stream.clone());
            of_name.dedup();
        }
        Ok(streams)
    }

    async fn latest(
        &self,
        modules: &[NameStream],
        base: Option<Vec<Nsvc>>,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let shelf = self.reach()?;
        let fits = |module: &&KnownModule| {
            base.as_ref()
                .is_none_or(|bases| bases.iter().any(|base| is_built_against(&module.document, base)))
        };
        let mut latest = BTreeMap::new();
        for asked in modules {
            let builds: Vec<_> =
                shelf.ready().filter(|module| module.nsvc.name_stream() == *asked).filter(fits).collect();
            let Some(highest) = builds.iter().map(|module| module.nsvc.version).max() else { continue };
            let of_highest = builds.into_iter().filter(|module| module.nsvc.version == highest);
            latest.insert(asked.clone(), of_highest.cloned().collect());
        }
        Ok(latest)
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        let shelf = self.reach()?;
        let known = |nsvc: &Nsvc| Some((nsvc.clone(), shelf.modules.get(nsvc)?.clone()));
        Ok(nsvcs.iter().filter_map(known).collect())
    }

    async fn compatible_bases(
        &self,
        base: &Nsvc,
        retired: Retired,
    ) -> Result<Vec<KnownModule>, ResolverError> {
        let shelf = self.reach()?;
        let base = shelf.modules.get(base).ok_or_else(|| unknown("the base module", base))?;
        let virtual_streams = virtual_streams(&base.document);
        let is_compatible = |module: &&KnownModule| {
            module.nsvc.name == base.nsvc.name
                && (module.is_ready || retired == Retired::Included)
                && virtual_streams_of(module).any(|stream| virtual_streams.contains(&stream))
        };
        let mut highest: BTreeMap<&Stream, &KnownModule> = BTreeMap::new();
        for module in shelf.modules.values().filter(is_compatible) {
            // In the order of identities the last of a stream has its highest version.
            highest.insert(&module.nsvc.stream, module);
        }
        let mut bases: Vec<&KnownModule> = highest.into_values().collect();
        if !bases.contains(&base) {
            bases.push(base);
        }
        bases.sort_by_key(|module| Reverse((stream_rank(&module.nsvc.stream), &module.nsvc)));
        Ok(bases.into_iter().cloned().collect())
    }

    async fn base_with_virtual_stream(
        &self,
        name: &Name,
        virtual_stream: &Stream,
    ) -> Result<Option<KnownModule>, ResolverError> {
        let shelf = self.reach()?;
        let provides = |module: &&KnownModule| {
            module.nsvc.name == *name && virtual_streams_of(module).any(|s| s == virtual_stream.as_str())
        };
        let rank = |module: &&KnownModule| (stream_rank(&module.nsvc.stream), module.nsvc.version);
        Ok(shelf.ready().filter(provides).max_by_key(rank).cloned())
    }

    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        let shelf = self.reach()?;
        let tagged = shelf.tagged.get(tag).into_iter().flatten();
        Ok(tagged.filter_map(|nsvc| shelf.modules.get(nsvc)).cloned().collect())
    }

    async fn is_end_of_life(&self, module: &NameStream) -> Result<bool, ResolverError> {
        let shelf = self.reach()?;
        let said = shelf.end_of_life.get(module).copied();
        let is_known = shelf.modules.keys().any(|nsvc| nsvc.name_stream() == *module);
        said.or(is_known.then_some(false)).ok_or_else(|| unknown("the stream", module))
    }
}

impl Shelf {
    /// Returns the builds that can be required, by identity.
    fn ready(&self) -> impl Iterator<Item = &KnownModule> {
        self.modules.values().filter(|module| module.is_ready)
    }
}

fn unknown(kind: &str, name: &dyn std::fmt::Display) -> ResolverError {
    ResolverError::NotFound { what: format!("{kind} {name}") }
}

fn check_document(module: &KnownModule) -> Result<(), ResolverError> {
    let KnownModule { nsvc, document, .. } = module;
    let agrees = document.name.as_deref().is_none_or(|name| name == nsvc.name.as_str())
        && document.stream.as_deref().is_none_or(|stream| stream == nsvc.stream.as_str())
        && document.version.is_none_or(|version| version == nsvc.version.0)
        && document.context.as_deref().is_none_or(|context| context == nsvc.context.as_str());
    if agrees {
        Ok(())
    } else {
        Err(ResolverError::Conflict { what: format!("the document of {nsvc} names another module") })
    }
}

fn virtual_streams(document: &ModuleStream) -> Vec<&str> {
    document.xmd.at(&["mbs", "virtual_streams"]).map(Xmd::texts).unwrap_or_default()
}

fn virtual_streams_of(module: &KnownModule) -> impl Iterator<Item = &str> {
    virtual_streams(&module.document).into_iter()
}

/// Says whether a build's recorded buildrequires name exactly this base module build.
fn is_built_against(document: &ModuleStream, base: &Nsvc) -> bool {
    let Some(entry) = document.xmd.at(&["mbs", "buildrequires", base.name.as_str()]) else { return false };
    let text = |key| entry.value(key).and_then(Xmd::text);
    text("stream") == Some(base.stream.as_str())
        && text("version") == Some(base.version.to_string().as_str())
        && text("context") == Some(base.context.as_str())
}

/// Orders base module streams; the suffixes of the configuration are not known here.
fn stream_rank(stream: &Stream) -> u64 {
    // Stream versions are whole numbers without a suffix, and far below what a float holds exactly.
    stream_version(stream.as_str(), Padding::Right, 0.0).max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::samples::{id, now_or_panic};

    fn known(nsvc: &str, mbs: Vec<(&str, Xmd)>) -> KnownModule {
        let entries = mbs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let mut document = ModuleStream::default();
        document.xmd.set("mbs", Xmd::Map(entries));
        KnownModule { nsvc: id(nsvc), tag: None, document: Arc::new(document), is_ready: true }
    }

    fn resolver(modules: Vec<KnownModule>) -> MemoryResolver {
        MemoryResolver::new(modules).unwrap()
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let resolver = resolver(vec![known("perl:5:1:a", vec![])]);
        let again = resolver.add(known("perl:5:1:a", vec![]));
        assert!(matches!(again, Err(ResolverError::Conflict { .. })));
        let document = ModuleStream { stream: Some("6".into()), ..ModuleStream::default() };
        let liar = KnownModule { document: Arc::new(document), ..known("perl:5:2:a", vec![]) };
        assert!(matches!(resolver.add(liar), Err(ResolverError::Conflict { .. })));
        let unknown = now_or_panic(resolver.compatible_bases(&id("platform:f1:1:c"), Retired::Included));
        assert!(matches!(unknown, Err(ResolverError::NotFound { .. })));
        assert!(matches!(resolver.tag(&id("t"), &id("x:1:1:a")), Err(ResolverError::NotFound { .. })));
    }

    #[test]
    fn an_outage_ends_every_question_until_it_is_over() {
        let resolver = resolver(vec![]);
        let error = ResolverError::Unavailable { reason: "no route".into() };
        resolver.set_outage(Some(error.clone()));
        assert_eq!(now_or_panic(resolver.streams(&[])), Err(error));
        resolver.set_outage(None);
        assert_eq!(now_or_panic(resolver.streams(&[])), Ok(BTreeMap::new()));
    }
}
