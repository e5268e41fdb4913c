//! Modules from a Koji tag: the module builds tagged there, or inherited.
//!
//! Which of them are candidates is decided in [`choose`], without a hub: inheritance says which builds are compatible. Their
//! documents, and all else about modules, come from another resolver, usually the store. Source: behaviour, section 4, "Modules
//! from a Koji tag".

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use mbs_core::ident::{Name, NameStream, Nsvc, Stream, TagName};
use mbs_core::resolver::{Against, KnownModule, ModuleResolver, ResolverError, Retired};

use crate::api::{Odd, build, tag};
use crate::hub::{Hub, HubError};
use crate::xmlrpc::{Fault, Value};

mod choose;
mod row;

pub use choose::{StrangeTag, choose, without_twins};
pub use row::{NotAModule, TaggedModule};

/// The kind of builds that modules are to a hub.
const KIND: &str = "module";

/// Finds modules in Koji tags, and asks another resolver about all else.
pub struct KojiResolver {
    hub: Hub,
    known: Arc<dyn ModuleResolver>,
}

impl KojiResolver {
    /// Makes a resolver; `known` has the documents of the modules that are found in tags.
    pub fn new(hub: Hub, known: Arc<dyn ModuleResolver>) -> Self {
        Self { hub, known }
    }

    /// Returns the candidates in a tag, in one request. An unknown tag has none.
    async fn tagged(&self, name: &TagName) -> Result<Vec<TaggedModule>, ResolverError> {
        let calls =
            [tag::tag(name), tag::full_inheritance(name), build::kinds(), build::reached_by_tag(name, KIND)];
        let answers = self.hub.read_all(&calls).await.map_err(unanswered)?;
        let [known, inherited, kinds, rows] = &answers[..] else {
            return Err(odd(&Odd::new("multiCall", format_args!("{} answers to 4 calls", answers.len()))));
        };
        if read(known, tag::read)?.is_none()
            || !read(kinds, build::read_kinds)?.iter().any(|kind| kind == KIND)
        {
            return Ok(Vec::new());
        }
        let inherited = read(inherited, tag::read_inheritance)?.into_iter().map(|row| row.name);
        let order: Vec<TagName> = std::iter::once(name.clone()).chain(inherited).collect();
        let modules = read(rows, modules)?;
        let chosen = choose(without_twins(&modules), &order);
        let chosen = chosen.map_err(|error| ResolverError::Unavailable { reason: error.to_string() })?;
        Ok(chosen.into_iter().cloned().collect())
    }
}

/// Reads modules from the rows of `listTagged`. What cannot be understood is told and left out: one import that somebody made
/// by hand must not stop all others.
fn modules(rows: &Value) -> Result<Vec<TaggedModule>, Odd> {
    let mut modules = Vec::new();
    for row in crate::api::array("listTagged", rows)? {
        match TaggedModule::read(row, row) {
            Ok(module) => modules.push(module),
            Err(error) => tracing::warn!(%error, "left out"),
        }
    }
    Ok(modules)
}

fn read<T>(
    answer: &Result<Value, Fault>,
    read: impl FnOnce(&Value) -> Result<T, Odd>,
) -> Result<T, ResolverError> {
    let value = answer.as_ref().map_err(|fault| unanswered(HubError::Fault(fault.clone())))?;
    read(value).map_err(|error| odd(&error))
}

fn odd(odd: &Odd) -> ResolverError {
    ResolverError::Protocol { what: odd.to_string() }
}

fn unanswered(error: HubError) -> ResolverError {
    match error {
        HubError::Protocol { .. } | HubError::TooLarge { .. } | HubError::Fault(_) => {
            ResolverError::Protocol { what: error.to_string() }
        }
        error => ResolverError::Unavailable { reason: error.to_string() },
    }
}

#[async_trait]
impl ModuleResolver for KojiResolver {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        self.known.streams(names).await
    }

    async fn latest(
        &self,
        modules: &[NameStream],
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        self.known.latest(modules, against).await
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        self.known.builds(nsvcs).await
    }

    async fn compatible_bases(
        &self,
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        self.known.compatible_bases(bases, retired).await
    }

    async fn providers(
        &self,
        virtual_streams: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        self.known.providers(virtual_streams).await
    }

    /// A build that is tagged and that nobody else knows is a `Conflict`.
    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        let tagged = self.tagged(tag).await?;
        let nsvcs: Vec<Nsvc> = tagged.into_iter().map(|module| module.nsvc).collect();
        let mut known = self.known.builds(&nsvcs).await?;
        let unknown: Vec<String> =
            nsvcs.iter().filter(|nsvc| !known.contains_key(*nsvc)).map(ToString::to_string).collect();
        if !unknown.is_empty() {
            let what = format!("tagged in {tag}, but not known here: {}", unknown.join(", "));
            return Err(ResolverError::Conflict { what });
        }
        Ok(nsvcs.iter().filter_map(|nsvc| known.remove(nsvc)).collect())
    }

    async fn is_end_of_life(&self, module: &NameStream) -> Result<bool, ResolverError> {
        self.known.is_end_of_life(module).await
    }

    fn for_one_expansion(&self) -> Option<Arc<dyn ModuleResolver>> {
        let known = self.known.for_one_expansion()?;
        Some(Arc::new(Self { hub: self.hub.clone(), known }))
    }
}

impl fmt::Debug for KojiResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KojiResolver").field("known", &self.known).finish_non_exhaustive()
    }
}
