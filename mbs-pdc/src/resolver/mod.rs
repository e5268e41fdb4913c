//! Modules from PDC: the [`ModuleResolver`] over its entries.
//!
//! Each name:stream, and each name where all streams are wanted, costs one request: PDC has no filter for several at once. They
//! are asked at the same time, as many as the server allows. Which builds are meant is decided in
//! [`mbs_core::resolver::choice`]; entries that make no sense are told with their uid and left out.
//!
//! | the core asks for | PDC is asked for |
//! | --- | --- |
//! | latest builds of a name:stream | its active entries; the greatest version as a number counts |
//! | streams of a name | its active entries |
//! | base modules, compatible ones and those that provide a virtual stream | all entries of the name |
//! | one build | the entries of its name, stream and version, active or not |
//! | builds in a tag | active entries with that tag; inheritance is Koji's affair |
//! | the end of life of a name:stream | `component-branches` |
//!
//! Source: behaviour, section 3; PDC, sections 3, 4 and 10.

mod module;
mod shelf;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use mbs_core::ident::{Name, NameStream, Nsvc, Stream, TagName};
use mbs_core::resolver::{Against, KnownModule, ModuleResolver, ResolverError, Retired, choice};

pub use module::{Broken, identity, known};

use crate::api::{Entries, Filter, branch_request, branches};
use crate::client::PdcError;
use shelf::{Build, Question, Shelf};

/// Finds modules in a PDC. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PdcResolver {
    entries: Entries,
    /// What an expansion has asked; `None`: every question is asked anew.
    shelf: Option<Arc<Shelf>>,
}

impl PdcResolver {
    /// Makes a resolver over the entries of a PDC, which it asks anew each time.
    pub fn new(entries: Entries) -> Self {
        Self { entries, shelf: None }
    }

    fn shelf(&self) -> Arc<Shelf> {
        self.shelf.clone().unwrap_or_default()
    }

    /// Returns the builds of each of these names, whatever their state.
    async fn of_names(
        &self,
        names: BTreeSet<&Name>,
        active: Option<bool>,
    ) -> Result<BTreeMap<Name, Vec<Arc<Build>>>, ResolverError> {
        let shelf = self.shelf();
        let asked = names.into_iter().map(async |name| {
            let question = Question { name: name.clone(), stream: None, active };
            Ok::<_, PdcError>((name.clone(), shelf.builds(&self.entries, &question).await?))
        });
        Ok(try_join_all(asked).await.map_err(unanswered)?.into_iter().collect())
    }

    /// Returns the entries of these builds of one version of a stream, active or not; others of it may be among them.
    async fn of_version(&self, shelf: &Shelf, wanted: &BTreeSet<&Nsvc>) -> Result<Vec<Arc<Build>>, PdcError> {
        let nsvc = wanted.first().expect("no version is there without a build");
        let all = Question { name: nsvc.name.clone(), stream: Some(nsvc.stream.clone()), active: None };
        if let Some(known) = shelf.known(&all) {
            return Ok(known);
        }
        // Active ones are enough if they are all that is wanted.
        let holds =
            |known: &Vec<Arc<Build>>| wanted.iter().all(|nsvc| known.iter().any(|one| one.nsvc == **nsvc));
        if let Some(known) = shelf.known(&Question { active: Some(true), ..all }).filter(holds) {
            return Ok(known);
        }
        let filter = Filter {
            name: Some(nsvc.name.to_string()),
            stream: Some(nsvc.stream.to_string()),
            version: Some(nsvc.version.to_string()),
            ..Filter::default()
        };
        let found = self.entries.find(&filter).await?;
        Ok(found.into_iter().filter_map(Build::of).map(Arc::new).collect())
    }
}

/// Returns the modules whose documents can be read.
fn readable<'b>(builds: impl IntoIterator<Item = &'b Arc<Build>>) -> Vec<&'b KnownModule> {
    builds.into_iter().filter_map(|build| build.known()).collect()
}

fn owned(chosen: Vec<&KnownModule>) -> Vec<KnownModule> {
    chosen.into_iter().cloned().collect()
}

/// Chooses the latest of a name:stream; documents of older versions are read only if what counts stands in them.
fn latest(mut builds: Vec<Arc<Build>>, against: &Against) -> Vec<KnownModule> {
    if let Against::FirstOf(_) = against {
        return owned(choice::latest(&readable(&builds), against));
    }
    builds.sort_by_key(|build| Reverse(build.nsvc.version));
    let of_versions = builds.chunk_by(|a, b| a.nsvc.version == b.nsvc.version).map(readable);
    let newest = of_versions.into_iter().find(|readable| !readable.is_empty());
    owned(choice::latest(&newest.unwrap_or_default(), against))
}

#[async_trait]
impl ModuleResolver for PdcResolver {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        let found = self.of_names(names.iter().collect(), Some(true)).await?;
        let streams = found.into_iter().filter_map(|(name, mut builds)| {
            builds.sort_by(|a, b| (&a.nsvc.stream, &b.nsvc).cmp(&(&b.nsvc.stream, &a.nsvc)));
            let mut of_streams = builds.chunk_by(|a, b| a.nsvc.stream == b.nsvc.stream);
            let of_streams =
                of_streams.by_ref().filter(|builds| builds.iter().any(|one| one.known().is_some()));
            let streams: Vec<Stream> = of_streams.map(|builds| builds[0].nsvc.stream.clone()).collect();
            (!streams.is_empty()).then_some((name, streams))
        });
        Ok(streams.collect())
    }

    async fn latest(
        &self,
        modules: &[NameStream],
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let shelf = self.shelf();
        let wanted: BTreeSet<&NameStream> = modules.iter().collect();
        let asked = wanted.into_iter().map(async |module| {
            let (name, stream) = (module.name.clone(), Some(module.stream.clone()));
            let question = Question { name, stream, active: Some(true) };
            Ok::<_, PdcError>((module.clone(), shelf.builds(&self.entries, &question).await?))
        });
        let found = try_join_all(asked).await.map_err(unanswered)?.into_iter();
        let chosen = found.map(|(module, builds)| (module, latest(builds, against)));
        Ok(chosen.filter(|(_, builds)| !builds.is_empty()).collect())
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        let shelf = self.shelf();
        let mut of_versions: BTreeMap<(&Name, &Stream, u64), BTreeSet<&Nsvc>> = BTreeMap::new();
        for nsvc in nsvcs {
            of_versions.entry((&nsvc.name, &nsvc.stream, nsvc.version.0)).or_default().insert(nsvc);
        }
        let asked = of_versions.into_values().map(async |wanted| {
            let found = self.of_version(&shelf, &wanted).await?;
            let found = found.iter().filter(|build| wanted.contains(&build.nsvc));
            Ok::<_, PdcError>(owned(readable(found)))
        });
        let found = try_join_all(asked).await.map_err(unanswered)?.into_iter().flatten();
        Ok(found.map(|build| (build.nsvc.clone(), build)).collect())
    }

    async fn compatible_bases(
        &self,
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        let found = self.of_names(bases.iter().map(|base| &base.name).collect(), None).await?;
        let readable: BTreeMap<&Name, Vec<&KnownModule>> =
            found.iter().map(|(name, builds)| (name, readable(builds))).collect();
        let compatible = bases.iter().filter_map(|base| {
            let of_name = &readable[&base.name];
            let own = of_name.iter().find(|build| build.nsvc == *base)?;
            Some((base.clone(), owned(choice::compatible(of_name, own, retired))))
        });
        Ok(compatible.collect())
    }

    async fn providers(
        &self,
        virtual_streams: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let found = self.of_names(virtual_streams.iter().map(|asked| &asked.name).collect(), None).await?;
        let readable: BTreeMap<&Name, Vec<&KnownModule>> =
            found.iter().map(|(name, builds)| (name, readable(builds))).collect();
        let providers = virtual_streams
            .iter()
            .map(|asked| (asked.clone(), owned(choice::providers(&readable[&asked.name], &asked.stream))));
        Ok(providers.filter(|(_, builds)| !builds.is_empty()).collect())
    }

    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        let filter = Filter { koji_tag: Some(tag.to_string()), active: Some(true), ..Filter::default() };
        let found = self.entries.find(&filter).await.map_err(unanswered)?;
        let builds: Vec<Build> = found.into_iter().filter_map(Build::of).collect();
        let mut found: Vec<KnownModule> = builds.iter().filter_map(Build::known).cloned().collect();
        found.retain(|build| build.tag.as_ref() == Some(tag));
        found.sort_by(|a, b| a.nsvc.cmp(&b.nsvc));
        Ok(found)
    }

    async fn is_end_of_life(&self, module: &NameStream) -> Result<bool, ResolverError> {
        let pdc = self.entries.pdc();
        let request = branch_request("module", module.name.as_str(), module.stream.as_str());
        let found = branches(pdc, &request).await.map_err(unanswered)?;
        match found.first() {
            Some(branch) => Ok(!branch.active),
            None => {
                let place = pdc.address(&request).map_err(unanswered)?;
                Err(ResolverError::NotFound { what: format!("module {module}, looked for at {place},") })
            }
        }
    }

    fn for_one_expansion(&self) -> Option<Arc<dyn ModuleResolver>> {
        Some(Arc::new(Self { entries: self.entries.clone(), shelf: Some(self.shelf()) }))
    }
}

fn unanswered(error: PdcError) -> ResolverError {
    match error {
        PdcError::Unavailable { .. } => ResolverError::Unavailable { reason: error.to_string() },
        PdcError::Protocol { .. } => ResolverError::Protocol { what: error.to_string() },
        error => ResolverError::Conflict { what: error.to_string() },
    }
}
