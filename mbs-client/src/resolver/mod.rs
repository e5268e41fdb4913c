//! Modules looked up at another service: the [`ModuleResolver`] over its REST interface, be it ours or the original.
//!
//! | the core asks for | the service is asked for |
//! | --- | --- |
//! | latest builds of a name:stream | its ready builds, highest version first, as far as that version goes |
//! | those on base modules | the same; if there are more, those on each base module build in turn until there are some |
//! | streams of a name | its ready builds, without documents |
//! | base modules, compatible ones and those that provide a virtual stream | all builds of the name, once |
//! | one build | the builds of its version, unless an answer held it |
//! | builds in a tag | those with that tag; inheritance is Koji's affair |
//! | the end of life of a name:stream | nobody knows |
//!
//! Each question costs one request where its answer fits on a page; some are under way at a time. Which builds are meant is
//! decided in [`mbs_core::resolver::choice`]; what makes no sense is told and left out.
//!
//! Source: the original's resolver for local builds, which asked for each build, each base module and each page apart.

mod module;
mod shelf;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use mbs_core::ident::{Name, NameStream, Nsvc, Stream, TagName, Version};
use mbs_core::resolver::{Against, KnownModule, ModuleResolver, ResolverError, Retired, choice};

pub use module::{Broken, known};

use crate::client::{Client, ClientError};
use module::Build;
use shelf::{Question, Shelf};

/// So many questions are under way at a time.
const AT_ONCE: usize = 4;

/// Finds modules at a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MbsResolver {
    client: Client,
    /// What an expansion has asked; `None`: every question is asked anew.
    shelf: Option<Arc<Shelf>>,
}

impl MbsResolver {
    /// Makes a resolver over a service, which it asks anew each time.
    pub fn new(client: Client) -> Self {
        Self { client, shelf: None }
    }

    /// Returns the resolver as one expansion asks it: what was answered once is not asked again.
    #[must_use]
    pub fn remembering(&self) -> Self {
        Self { client: self.client.clone(), shelf: Some(self.shelf()) }
    }

    fn shelf(&self) -> Arc<Shelf> {
        self.shelf.clone().unwrap_or_default()
    }

    /// Returns all builds of each of these names, ready or retired.
    async fn of_names<'n>(
        &self,
        names: impl Iterator<Item = &'n Name>,
    ) -> Result<BTreeMap<Name, Vec<Arc<Build>>>, ResolverError> {
        let (shelf, names) = (self.shelf(), names.cloned().collect::<BTreeSet<Name>>());
        each(names, async |name| {
            let answer = shelf.answer(&self.client, Question::OfName(name.clone())).await?;
            Ok((name, answer.builds.clone()))
        })
        .await
    }

    async fn latest_of(
        &self,
        shelf: &Shelf,
        module: &NameStream,
        against: &Against,
    ) -> Result<Vec<KnownModule>, ClientError> {
        let newest = shelf.answer(&self.client, Question::Newest(module.clone())).await?;
        match against {
            Against::Anything => {
                let chosen = highest(&newest.builds);
                if !chosen.is_empty() || newest.is_all {
                    return Ok(chosen);
                }
                // The highest version makes no sense: one before it counts.
                Ok(highest(&shelf.answer(&self.client, Question::All(module.clone())).await?.builds))
            }
            Against::FirstOf(_) if newest.is_all => {
                Ok(owned(choice::latest(&readable(&newest.builds), against)))
            }
            Against::FirstOf(lists) => {
                let mut found = Vec::new();
                for bases in lists {
                    found.extend(self.first_on(shelf, module, bases).await?);
                }
                Ok(owned(choice::latest(&readable(&found), against)))
            }
        }
    }

    /// Returns the builds on the first base module build that has some.
    async fn first_on(
        &self,
        shelf: &Shelf,
        module: &NameStream,
        bases: &[Nsvc],
    ) -> Result<Vec<Arc<Build>>, ClientError> {
        for base in bases {
            let answer = shelf.answer(&self.client, Question::On(module.clone(), base.clone())).await?;
            if !answer.builds.is_empty() {
                return Ok(answer.builds.clone());
            }
        }
        Ok(Vec::new())
    }

    /// Returns the builds of a version; others than the wanted ones may be among them.
    async fn of_version(
        &self,
        shelf: &Shelf,
        (stream, version): &(NameStream, Version),
        wanted: &BTreeSet<Nsvc>,
    ) -> Result<Vec<Arc<Build>>, ClientError> {
        let held: Option<Vec<Arc<Build>>> = wanted.iter().map(|nsvc| shelf.build(nsvc)).collect();
        if let Some(held) = held {
            return Ok(held);
        }
        let answer = shelf.answer(&self.client, Question::Version(stream.clone(), *version)).await?;
        Ok(answer.builds.clone())
    }
}

/// Asks about each, some at a time, and returns the answers by what they are about.
async fn each<A, K: Ord, V, F: Future<Output = Result<(K, V), ClientError>>>(
    about: impl IntoIterator<Item = A>,
    ask: impl Fn(A) -> F,
) -> Result<BTreeMap<K, V>, ResolverError> {
    stream::iter(about).map(ask).buffer_unordered(AT_ONCE).try_collect().await.map_err(unanswered)
}

/// Returns the modules whose documents can be read.
fn readable(builds: &[Arc<Build>]) -> Vec<&KnownModule> {
    builds.iter().filter_map(|build| build.known()).collect()
}

fn owned(chosen: Vec<&KnownModule>) -> Vec<KnownModule> {
    chosen.into_iter().cloned().collect()
}

/// Returns the builds of the highest version of which any can be read; documents of older ones are not.
fn highest(builds: &[Arc<Build>]) -> Vec<KnownModule> {
    let mut builds = builds.to_vec();
    builds.sort_by_key(|build| Reverse(build.nsvc.version));
    let of_versions = builds.chunk_by(|a, b| a.nsvc.version == b.nsvc.version).map(readable);
    let highest = of_versions.into_iter().find(|readable| !readable.is_empty()).unwrap_or_default();
    owned(choice::latest(&highest, &Against::Anything))
}

#[async_trait]
impl ModuleResolver for MbsResolver {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        let (shelf, names) = (self.shelf(), names.iter().cloned().collect::<BTreeSet<Name>>());
        let found: BTreeMap<Name, BTreeSet<Stream>> = each(names, async |name| {
            let answer = match shelf.known(&Question::OfName(name.clone())) {
                Some(answer) => answer,
                None => shelf.answer(&self.client, Question::Streams(name.clone())).await?,
            };
            let ready = answer.builds.iter().filter(|build| build.is_ready);
            Ok((name, ready.map(|build| build.nsvc.stream.clone()).collect()))
        })
        .await?;
        let streams =
            found.into_iter().map(|(name, streams)| (name, streams.into_iter().collect::<Vec<_>>()));
        Ok(streams.filter(|(_, streams)| !streams.is_empty()).collect())
    }

    async fn latest(
        &self,
        modules: &[NameStream],
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let (shelf, wanted) = (self.shelf(), modules.iter().cloned().collect::<BTreeSet<NameStream>>());
        let mut latest = each(wanted, async |module| {
            let found = self.latest_of(&shelf, &module, against).await?;
            Ok((module, found))
        })
        .await?;
        latest.retain(|_, builds| !builds.is_empty());
        Ok(latest)
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        let shelf = self.shelf();
        let mut of_versions: BTreeMap<(NameStream, Version), BTreeSet<Nsvc>> = BTreeMap::new();
        for nsvc in nsvcs {
            of_versions.entry((nsvc.name_stream(), nsvc.version)).or_default().insert(nsvc.clone());
        }
        let found = each(of_versions, async |(of, wanted)| {
            let builds = self.of_version(&shelf, &of, &wanted).await?;
            let meant = builds.iter().filter(|build| wanted.contains(&build.nsvc));
            let known: Vec<KnownModule> = meant.filter_map(|build| build.known()).cloned().collect();
            Ok((of, known))
        })
        .await?;
        Ok(found.into_values().flatten().map(|build| (build.nsvc.clone(), build)).collect())
    }

    async fn compatible_bases(
        &self,
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        let found = self.of_names(bases.iter().map(|base| &base.name)).await?;
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
        let found = self.of_names(virtual_streams.iter().map(|asked| &asked.name)).await?;
        let readable: BTreeMap<&Name, Vec<&KnownModule>> =
            found.iter().map(|(name, builds)| (name, readable(builds))).collect();
        let providers = virtual_streams
            .iter()
            .map(|asked| (asked.clone(), owned(choice::providers(&readable[&asked.name], &asked.stream))));
        Ok(providers.filter(|(_, builds)| !builds.is_empty()).collect())
    }

    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        let answer =
            self.shelf().answer(&self.client, Question::Tag(tag.clone())).await.map_err(unanswered)?;
        let mut found = owned(readable(&answer.builds));
        found.sort_by(|a, b| a.nsvc.cmp(&b.nsvc));
        Ok(found)
    }

    async fn is_end_of_life(&self, _: &NameStream) -> Result<bool, ResolverError> {
        Err(ResolverError::Unsupported { what: "the end of life of streams" })
    }

    fn for_one_expansion(&self) -> Option<Arc<dyn ModuleResolver>> {
        Some(Arc::new(self.remembering()))
    }
}

fn unanswered(error: ClientError) -> ResolverError {
    if error.is_transient() {
        return ResolverError::Unavailable { reason: error.to_string() };
    }
    match error {
        ClientError::Odd { .. } => ResolverError::Protocol { what: error.to_string() },
        error => ResolverError::Conflict { what: error.to_string() },
    }
}
