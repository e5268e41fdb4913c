//! Modules that were built or imported here: the resolver over a store.
//!
//! Every question costs the store one query for what there is to choose from and one for the documents of what was chosen,
//! however many modules are asked about.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::choice;
use super::{Against, KnownModule, ModuleResolver, ResolverError, Retired};
use crate::ident::{Name, NameStream, Nsvc, Stream, TagName};
use crate::store::{ModuleRow, ModulesAsked, Store, StoreError};

/// Finds the modules of a store. When streams end their life it does not know.
#[derive(Debug, Clone)]
pub struct StoreResolver {
    store: Arc<dyn Store>,
}

impl StoreResolver {
    /// Makes a resolver over a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    async fn rows(&self, asked: ModulesAsked) -> Result<Vec<ModuleRow>, ResolverError> {
        self.store.modules(&asked).await.map_err(|error| of_store(&error))
    }

    async fn of_names(&self, names: impl Iterator<Item = Name>) -> Result<Vec<ModuleRow>, ResolverError> {
        let mut names: Vec<Name> = names.collect();
        names.sort();
        names.dedup();
        self.rows(ModulesAsked { names, ..ModulesAsked::default() }).await
    }

    /// Adds the documents to what was chosen. A build that went meanwhile is missing.
    async fn known<K: Ord>(
        &self,
        chosen: BTreeMap<K, Vec<&ModuleRow>>,
    ) -> Result<BTreeMap<K, Vec<KnownModule>>, ResolverError> {
        let mut ids: Vec<_> = chosen.values().flatten().map(|row| row.id).collect();
        ids.sort();
        ids.dedup();
        let documents = self.store.documents(&ids).await.map_err(|error| of_store(&error))?;
        let known = |row: &ModuleRow| {
            Some(KnownModule {
                nsvc: row.nsvc.clone(),
                tag: row.tag.clone(),
                document: documents.get(&row.id)?.clone(),
                is_ready: row.is_ready,
            })
        };
        let with_documents =
            chosen.into_iter().map(|(key, rows)| (key, rows.into_iter().filter_map(known).collect()));
        Ok(with_documents.filter(|(_, rows): &(K, Vec<_>)| !rows.is_empty()).collect())
    }
}

#[async_trait]
impl ModuleResolver for StoreResolver {
    async fn streams(&self, names: &[Name]) -> Result<BTreeMap<Name, Vec<Stream>>, ResolverError> {
        let rows = self.of_names(names.iter().cloned()).await?;
        let mut streams: BTreeMap<Name, Vec<Stream>> = BTreeMap::new();
        // Rows come by identity, so doubles are neighbours.
        for row in rows.into_iter().filter(|row| row.is_ready) {
            let of_name = streams.entry(row.nsvc.name).or_default();
            of_name.push(row.nsvc.stream);
            of_name.dedup();
        }
        Ok(streams)
    }

    async fn latest(
        &self,
        modules: &[NameStream],
        against: &Against,
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let rows = self.rows(ModulesAsked { streams: modules.to_vec(), ..ModulesAsked::default() }).await?;
        let mut of_stream: BTreeMap<NameStream, Vec<&ModuleRow>> = BTreeMap::new();
        for row in &rows {
            of_stream.entry(row.nsvc.name_stream()).or_default().push(row);
        }
        let latest = of_stream.into_iter().map(|(module, rows)| (module, choice::latest(&rows, against)));
        self.known(latest.collect()).await
    }

    async fn builds(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, KnownModule>, ResolverError> {
        let rows = self.rows(ModulesAsked { exactly: nsvcs.to_vec(), ..ModulesAsked::default() }).await?;
        let chosen = rows.iter().map(|row| (row.nsvc.clone(), vec![row])).collect();
        let known = self.known(chosen).await?;
        Ok(known.into_iter().filter_map(|(nsvc, mut build)| Some((nsvc, build.pop()?))).collect())
    }

    async fn compatible_bases(
        &self,
        bases: &[Nsvc],
        retired: Retired,
    ) -> Result<BTreeMap<Nsvc, Vec<KnownModule>>, ResolverError> {
        let rows = self.of_names(bases.iter().map(|base| base.name.clone())).await?;
        let compatible = bases.iter().filter_map(|base| {
            let own = rows.iter().find(|row| row.nsvc == *base)?;
            let of_name: Vec<_> = rows.iter().filter(|row| row.nsvc.name == base.name).collect();
            Some((base.clone(), choice::compatible(&of_name, own, retired)))
        });
        self.known(compatible.collect()).await
    }

    async fn providers(
        &self,
        virtual_streams: &[NameStream],
    ) -> Result<BTreeMap<NameStream, Vec<KnownModule>>, ResolverError> {
        let rows = self.of_names(virtual_streams.iter().map(|asked| asked.name.clone())).await?;
        let providers = virtual_streams.iter().map(|asked| {
            let of_name: Vec<_> = rows.iter().filter(|row| row.nsvc.name == asked.name).collect();
            (asked.clone(), choice::providers(&of_name, &asked.stream))
        });
        self.known(providers.collect()).await
    }

    async fn in_tag(&self, tag: &TagName) -> Result<Vec<KnownModule>, ResolverError> {
        let rows = self.rows(ModulesAsked { tag: Some(tag.clone()), ..ModulesAsked::default() }).await?;
        let known = self.known(BTreeMap::from([((), rows.iter().collect())])).await?;
        Ok(known.into_values().flatten().collect())
    }

    async fn is_end_of_life(&self, _: &NameStream) -> Result<bool, ResolverError> {
        Err(ResolverError::Unsupported { what: "the end of life of streams" })
    }
}

fn of_store(error: &StoreError) -> ResolverError {
    let is_transient = error.is_transient();
    let reason = error.to_string();
    if is_transient {
        ResolverError::Unavailable { reason }
    } else {
        ResolverError::Conflict { what: reason }
    }
}
