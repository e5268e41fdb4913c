//! A resolver over a list of module builds in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use crate::ident::{Context, Name, NameStream, Nsvc, Stream, TagName, Version};
use crate::resolver::choice;
use crate::resolver::{Against, KnownModule, ModuleResolver, ResolverError, Retired};

/// Knows the module builds it was told, and nothing else.
///
/// Virtual streams and what a build was built against are read from `xmd.mbs` of its document. It refuses a build whose
/// document names another module, and a second build of one identity.
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
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let shelf = self.reach()?;
        let mut latest = BTreeMap::new();
        for asked in modules {
            let builds: Vec<&KnownModule> = shelf.ready_of(asked).collect();
            let found = choice::latest(&builds, against);
            if !found.is_empty() {
                latest.insert(asked.clone(), found.into_iter().cloned().collect());
            }
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
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        let shelf = self.reach()?;
        let known = bases.iter().filter_map(|base| shelf.modules.get(base));
        Ok(known.map(|base| (base.nsvc.clone(), shelf.compatible_with(base, retired))).collect())
    }

    async fn providers(
        &self,
        virtual_streams: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let shelf = self.reach()?;
        let mut providers = BTreeMap::new();
        for asked in virtual_streams {
            let of_name: Vec<_> = shelf.of_name(&asked.name).collect();
            let highest = choice::providers(&of_name, &asked.stream);
            if !highest.is_empty() {
                providers.insert(asked.clone(), highest.into_iter().cloned().collect());
            }
        }
        Ok(providers)
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

    /// Returns the builds of a name:stream that can be required, by version and context.
    fn ready_of(&self, module: &NameStream) -> impl Iterator<Item = &KnownModule> {
        let lowest = Nsvc {
            name: module.name.clone(),
            stream: module.stream.clone(),
            version: Version(0),
            context: Context::new("!").expect("the lowest of all signs is a valid context"),
        };
        let module = module.clone();
        let builds = self.modules.range(lowest..).map(|(_, build)| build);
        builds.take_while(move |build| build.nsvc.name_stream() == module).filter(|build| build.is_ready)
    }

    fn of_name(&self, name: &Name) -> impl Iterator<Item = &KnownModule> {
        self.modules.values().filter(move |module| module.nsvc.name == *name)
    }

    fn compatible_with(&self, base: &KnownModule, retired: Retired) -> Vec<KnownModule> {
        let of_name: Vec<_> = self.of_name(&base.nsvc.name).collect();
        choice::compatible(&of_name, base, retired).into_iter().cloned().collect()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::memory::samples::{id, now_or_panic};
    use crate::modulemd::{ModuleStream, Xmd};

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
