//! Questions about many builds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use super::listing;
use super::tables::{Row, Tables};
use crate::ident::{BuildId, ComponentId, NameStream, Nsvc, Version};
use crate::model::{ModuleBuild, State};
use crate::modulemd::ModuleStream;
use crate::store::{
    BaseBuild, BuildDetails, Catalogue, Column, ComponentColumn, ComponentFilter, ComponentTransition,
    Filter, ListedBuild, ListedComponent, LogLine, Logged, ModuleRow, ModulesAsked, Order, Page,
    ReuseQuestion, Standing, StoreError, Summary, virtual_streams,
};

#[async_trait]
impl Catalogue for MemoryStore {
    async fn list(
        &self,
        filter: &Filter,
        order: &Order<Column>,
        page: Page,
    ) -> Result<Vec<ListedBuild>, StoreError> {
        self.transact(|tables, _| {
            let mut rows = listing::builds(tables.rows.all(), filter, &tables.rules);
            listing::sort(&mut rows, order);
            let rows = rows.into_iter().map(|row| row.of).filter(|build| is_before(&page, build.id));
            let listed = rows.skip(skipped(&page)).take(page.size()).map(|build| ListedBuild {
                id: build.id,
                summary: Summary::of(build),
                siblings: tables.siblings(build),
            });
            Ok(listed.collect())
        })
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        self.transact(|tables, _| Ok(listing::builds(tables.rows.all(), filter, &tables.rules).len() as u64))
    }

    async fn list_components(
        &self,
        filter: &ComponentFilter,
        order: &Order<ComponentColumn>,
        page: Page,
    ) -> Result<Vec<ListedComponent>, StoreError> {
        self.transact(|tables, _| {
            let mut rows = listing::components(tables.rows.all(), filter);
            listing::sort(&mut rows, order);
            let rows = rows.into_iter().map(|row| row.of).filter(|listed| is_before(&page, listed.build));
            Ok(rows.skip(skipped(&page)).take(page.size()).collect())
        })
    }

    async fn count_components(&self, filter: &ComponentFilter) -> Result<u64, StoreError> {
        self.transact(|tables, _| Ok(listing::components(tables.rows.all(), filter).len() as u64))
    }

    async fn find(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, BuildId>, StoreError> {
        self.transact(|tables, _| {
            let known = |nsvc: &Nsvc| Some((nsvc.clone(), *tables.index.by_nsvc.get(nsvc)?));
            Ok(nsvcs.iter().filter_map(known).collect())
        })
    }

    async fn modules(&self, asked: &ModulesAsked) -> Result<Vec<ModuleRow>, StoreError> {
        self.transact(|tables, _| {
            let builds = tables.rows.all().map(|row| &row.build);
            let mut rows: Vec<_> = builds.filter(|build| is_asked(build, asked)).map(module_row).collect();
            rows.sort_by(|one, other| one.nsvc.cmp(&other.nsvc));
            Ok(rows)
        })
    }

    async fn documents(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, Arc<ModuleStream>>, StoreError> {
        self.transact(|tables, _| {
            let document = |id: &BuildId| Some((*id, tables.rows.row(*id)?.build.document().clone()));
            Ok(ids.iter().filter_map(document).collect())
        })
    }

    async fn details(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, BuildDetails>, StoreError> {
        self.transact(|tables, _| Ok(ids.iter().filter_map(|id| Some((*id, tables.details(*id)?))).collect()))
    }

    async fn component_traces(
        &self,
        ids: &[ComponentId],
    ) -> Result<BTreeMap<ComponentId, Vec<ComponentTransition>>, StoreError> {
        self.transact(|tables, _| {
            Ok(ids.iter().filter_map(|id| Some((*id, tables.component_trace(*id)?))).collect())
        })
    }

    async fn log_page(&self, of: Logged, page: Page) -> Result<Vec<LogLine>, StoreError> {
        self.transact(|tables, _| Ok(tables.log_page(of, page)))
    }

    async fn count_log(&self, of: Logged) -> Result<u64, StoreError> {
        self.transact(|tables, _| Ok(tables.count_log(of)))
    }

    async fn standing(&self, since: Timestamp, n: usize) -> Result<Vec<Standing>, StoreError> {
        self.transact(|tables, now| Ok(tables.standing(since, n, now)))
    }

    async fn reuse_candidates(&self, question: &ReuseQuestion) -> Result<Vec<Arc<ModuleBuild>>, StoreError> {
        self.transact(|tables, _| Ok(tables.reuse_candidates(question)))
    }

    async fn scratch_count(&self, of: &Nsvc) -> Result<u32, StoreError> {
        self.transact(|tables, _| {
            let is_counted = |row: &&Row| {
                let nsvc = row.build.nsvc();
                row.build.new.scratch
                    && nsvc.version == of.version
                    && nsvc.context.as_str().starts_with(of.context.as_str())
            };
            let count = tables.rows_of(&of.name_stream()).filter(is_counted).count();
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        })
    }

    async fn unfinished(&self, of: &[Nsvc]) -> Result<Vec<(Nsvc, State)>, StoreError> {
        let asked: BTreeSet<(NameStream, Version)> =
            of.iter().map(|nsvc| (nsvc.name_stream(), nsvc.version)).collect();
        self.transact(|tables, _| {
            let mut found = Vec::new();
            for (module, version) in &asked {
                let builds = tables.rows_of(module).map(|row| &row.build);
                let of_version =
                    builds.filter(|build| !build.new.scratch && build.nsvc().version == *version);
                let open = of_version.filter(|build| build.state().is_unfinished());
                found.extend(open.map(|build| (build.nsvc().clone(), build.state())));
            }
            found.sort();
            Ok(found)
        })
    }
}

fn is_before(page: &Page, build: BuildId) -> bool {
    page.before.is_none_or(|before| build < before)
}

fn skipped(page: &Page) -> usize {
    usize::try_from(page.skip).unwrap_or(usize::MAX)
}

fn is_asked(build: &ModuleBuild, asked: &ModulesAsked) -> bool {
    let (nsvc, is_ready) = (build.nsvc(), build.state() == State::Ready);
    let is_of_stream = || asked.streams.iter().any(|of| of.name == nsvc.name && of.stream == nsvc.stream);
    let is_tagged = || asked.tag.is_some() && build.koji_tag == asked.tag;
    let is_named = || asked.names.contains(&nsvc.name) || asked.exactly.contains(nsvc);
    match build.state() {
        State::Ready | State::Garbage => is_named() || (is_ready && (is_of_stream() || is_tagged())),
        State::Init | State::Wait | State::Build | State::Done | State::Failed => false,
    }
}

fn module_row(build: &Arc<ModuleBuild>) -> ModuleRow {
    let mut bases = build.new.base_modules.clone();
    bases.sort();
    ModuleRow {
        id: build.id,
        nsvc: build.nsvc().clone(),
        is_ready: build.state() == State::Ready,
        tag: build.koji_tag.clone(),
        virtual_streams: virtual_streams(build.document()).into_iter().collect(),
        bases,
    }
}

impl Tables {
    fn details(&self, id: BuildId) -> Option<BuildDetails> {
        let row = self.rows.row(id)?;
        let (build, document) = (&row.build, row.build.document());
        let base = |nsvc: &Nsvc| {
            let base = &self.rows.row(*self.index.by_nsvc.get(nsvc)?)?.build;
            let stream_version = self.rules.stream_version(nsvc);
            Some(BaseBuild { id: base.id, nsvc: nsvc.clone(), state: base.state(), stream_version })
        };
        let mut bases: Vec<BaseBuild> = build.new.base_modules.iter().filter_map(base).collect();
        bases.sort_by_key(|base| base.id);
        bases.dedup_by_key(|base| base.id);
        Some(BuildDetails {
            document: document.to_yaml(),
            arches: build.arches.clone(),
            contexts: build.new.contexts.clone(),
            reuse_from: build.new.reuse_from,
            trace: row.trace.clone(),
            stream_version: self.rules.stream_version(build.nsvc()),
            virtual_streams: virtual_streams(document).into_iter().collect(),
            bases,
        })
    }

    fn siblings(&self, build: &ModuleBuild) -> Vec<BuildId> {
        let rows = self.rows_of(&build.nsvc().name_stream());
        let is_sibling = |row: &&Row| row.build.dist_index == build.dist_index && row.build.id != build.id;
        rows.filter(is_sibling).map(|row| row.build.id).collect()
    }

    fn reuse_candidates(&self, question: &ReuseQuestion) -> Vec<Arc<ModuleBuild>> {
        if let Some(exactly) = question.exactly {
            return self.rows.row(exactly).map(|row| row.build.clone()).into_iter().collect();
        }
        let is_candidate = |row: &&Row| {
            let build = &row.build;
            build.id != question.build
                && !build.new.scratch
                && question.states.contains(&build.state())
                && (question.contexts.is_empty() || question.contexts.contains(&build.new.contexts.build))
        };
        let rows = self.rows_of(&question.module).filter(is_candidate);
        let mut builds: Vec<_> = rows.map(|row| row.build.clone()).collect();
        // `None` is smaller than any time, so a build that never ended comes last.
        builds.sort_by_key(|build| Reverse((build.life.completed_at(), build.id)));
        builds
    }
}
