//! Questions about many builds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use super::MemoryStore;
use super::tables::{Row, Tables};
use crate::ident::{BuildId, NameStream, Nsvc, Version};
use crate::model::{ModuleBuild, State, Transition};
use crate::store::{
    AuditEntry, Catalogue, Filter, ListedBuild, LogLine, Page, ReuseQuestion, StoreError, Summary,
};

#[async_trait]
impl Catalogue for MemoryStore {
    async fn list(&self, filter: &Filter, page: Page) -> Result<Vec<ListedBuild>, StoreError> {
        self.transact(|tables, _| {
            let rows = tables.rows.all().rev().map(|row| &row.build);
            let below = rows.filter(|build| page.before.is_none_or(|before| build.id < before));
            let passing = below.filter(|build| passes(build, filter)).take(page.limit);
            Ok(passing.map(|build| ListedBuild { id: build.id, summary: Summary::of(build) }).collect())
        })
    }

    async fn find(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, BuildId>, StoreError> {
        self.transact(|tables, _| {
            let known = |nsvc: &Nsvc| Some((nsvc.clone(), *tables.index.by_nsvc.get(nsvc)?));
            Ok(nsvcs.iter().filter_map(known).collect())
        })
    }

    async fn of_stream(
        &self,
        module: &NameStream,
        states: &[State],
    ) -> Result<Vec<Arc<ModuleBuild>>, StoreError> {
        self.transact(|tables, _| {
            let builds = tables.rows_of(module).rev().map(|row| &row.build);
            Ok(builds.filter(|build| states.contains(&build.state())).cloned().collect())
        })
    }

    async fn reuse_candidates(&self, question: &ReuseQuestion) -> Result<Vec<Arc<ModuleBuild>>, StoreError> {
        self.transact(|tables, _| Ok(tables.reuse_candidates(question)))
    }

    async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError> {
        self.transact(|tables, _| Ok(tables.beside(id, |row| &row.trace)))
    }

    async fn log(&self, id: BuildId) -> Result<Vec<LogLine>, StoreError> {
        self.transact(|tables, _| Ok(tables.beside(id, |row| &row.log)))
    }

    async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError> {
        self.transact(|tables, _| Ok(tables.beside(id, |row| &row.audit)))
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

fn passes(build: &ModuleBuild, filter: &Filter) -> bool {
    (filter.states.is_empty() || filter.states.contains(&build.state()))
        && filter.name.as_ref().is_none_or(|name| *name == build.nsvc().name)
        && filter.stream.as_ref().is_none_or(|stream| *stream == build.nsvc().stream)
        && filter.owner.as_ref().is_none_or(|owner| *owner == build.new.owner)
}

impl Tables {
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

    fn beside<T: Clone>(&self, id: BuildId, part: impl Fn(&Row) -> &Vec<T>) -> Vec<T> {
        self.rows.row(id).map(|row| part(row).clone()).unwrap_or_default()
    }
}
