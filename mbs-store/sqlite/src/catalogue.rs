//! Questions about many builds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::ident::{BuildId, ComponentId, Nsvc};
use mbs_core::model::{ModuleBuild, State};
use mbs_core::modulemd::ModuleStream;
use mbs_core::store::{
    BuildDetails, Catalogue, Column, ComponentColumn, ComponentFilter, ComponentTransition, Filter,
    ListedBuild, ListedComponent, LogLine, Logged, ModuleRow, ModulesAsked, Order, Page, ReuseQuestion,
    Standing, StoreError, sortable,
};
use sqlx::SqliteConnection;

use crate::SqliteStore;
use crate::error::Outcome;
use crate::listing;
use crate::page;
use crate::record::{parse_of, records, unsigned};
use crate::text::json;

#[async_trait]
impl Catalogue for SqliteStore {
    async fn list(
        &self,
        filter: &Filter,
        order: &Order<Column>,
        page: Page,
    ) -> Result<Vec<ListedBuild>, StoreError> {
        self.told(self.list_builds(filter, order, page).await)
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        let mut query = listing::count_of_builds(filter);
        let count = query.build_query_scalar::<i64>().fetch_one(&self.readers).await;
        self.told(count.map(unsigned).map_err(Into::into))
    }

    async fn list_components(
        &self,
        filter: &ComponentFilter,
        order: &Order<ComponentColumn>,
        page: Page,
    ) -> Result<Vec<ListedComponent>, StoreError> {
        let mut query = listing::components(filter, order, page);
        let rows = query.build_query_as::<(i64, i64, String)>().fetch_all(&self.readers).await;
        let rows = self.told(rows.map_err(Into::into))?;
        rows.iter().map(|(id, build, record)| page::listed_component(*id, *build, record)).collect()
    }

    async fn count_components(&self, filter: &ComponentFilter) -> Result<u64, StoreError> {
        let mut query = listing::count_of_components(filter);
        let count = query.build_query_scalar::<i64>().fetch_one(&self.readers).await;
        self.told(count.map(unsigned).map_err(Into::into))
    }

    async fn find(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, BuildId>, StoreError> {
        self.told(self.find_builds(nsvcs).await)
    }

    async fn modules(&self, asked: &ModulesAsked) -> Result<Vec<ModuleRow>, StoreError> {
        self.told(self.modules_asked(asked).await)
    }

    async fn documents(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, Arc<ModuleStream>>, StoreError> {
        self.told(self.documents_of(ids).await)
    }

    async fn details(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, BuildDetails>, StoreError> {
        self.told(self.details_of(ids).await)
    }

    async fn component_traces(
        &self,
        ids: &[ComponentId],
    ) -> Result<BTreeMap<ComponentId, Vec<ComponentTransition>>, StoreError> {
        self.told(self.component_traces_of(ids).await)
    }

    async fn log_page(&self, of: Logged, page: Page) -> Result<Vec<LogLine>, StoreError> {
        self.told(self.log_page_of(of, page).await)
    }

    async fn count_log(&self, of: Logged) -> Result<u64, StoreError> {
        self.told(self.count_log_of(of).await)
    }

    async fn standing(&self, since: Timestamp, n: usize) -> Result<Vec<Standing>, StoreError> {
        self.told(self.standing_since(since, n).await)
    }

    async fn reuse_candidates(&self, question: &ReuseQuestion) -> Result<Vec<Arc<ModuleBuild>>, StoreError> {
        self.told(self.candidates(question).await)
    }

    async fn scratch_count(&self, of: &Nsvc) -> Result<u32, StoreError> {
        self.told(self.count_scratch(of).await)
    }

    async fn unfinished(&self, of: &[Nsvc]) -> Result<Vec<(Nsvc, State)>, StoreError> {
        self.told(self.unfinished_of(of).await)
    }
}

/// Writes identities as SQLite takes them apart: lists of name, stream, version as twenty digits, and context.
fn identities<'n>(nsvcs: impl IntoIterator<Item = &'n Nsvc>) -> Result<String, StoreError> {
    let parts = nsvcs.into_iter().map(|nsvc| {
        let version = sortable(nsvc.version);
        [nsvc.name.to_string(), nsvc.stream.to_string(), version, nsvc.context.to_string()]
    });
    json(&parts.collect::<Vec<_>>())
}

/// What a query tells of a module: texts that are parsed, and lists as JSON.
struct ModuleParts {
    id: i64,
    state: i64,
    koji_tag: Option<String>,
    nsvc: String,
    bases: String,
    provided: String,
}

impl ModuleParts {
    fn row(self) -> Result<ModuleRow, StoreError> {
        let mut bases: Vec<Nsvc> = parse_of(&self.bases, "base modules", self.id)?;
        bases.sort();
        let mut virtual_streams: Vec<String> = parse_of(&self.provided, "virtual streams", self.id)?;
        virtual_streams.sort();
        Ok(ModuleRow {
            id: BuildId(self.id),
            nsvc: parse_of(&json(&self.nsvc)?, "identity", self.id)?,
            is_ready: self.state == i64::from(State::Ready.number()),
            tag: parse_of(&json(&self.koji_tag)?, "tag", self.id)?,
            virtual_streams,
            bases,
        })
    }
}

impl SqliteStore {
    async fn list_builds(
        &self,
        filter: &Filter,
        order: &Order<Column>,
        page: Page,
    ) -> Outcome<Vec<ListedBuild>> {
        let mut read = self.read().await?;
        let mut query = listing::builds(filter, order, page);
        let ids = query.build_query_scalar::<i64>().fetch_all(&mut *read).await?;
        page::of_builds(&mut read, &ids).await
    }

    async fn find_builds(&self, nsvcs: &[Nsvc]) -> Outcome<BTreeMap<Nsvc, BuildId>> {
        let asked = identities(nsvcs)?;
        let rows = sqlx::query!(
            r#"SELECT key + 0 AS "place!: i64", m.id AS "id!" FROM json_each(?1) JOIN module_builds m
            ON name = value ->> 0 AND stream = value ->> 1 AND version = value ->> 2 AND context = value ->> 3"#,
            asked,
        );
        let rows = rows.fetch_all(&self.readers).await?.into_iter();
        let nsvc = |place: i64| nsvcs.get(usize::try_from(place).ok()?).cloned();
        Ok(rows.filter_map(|row| Some((nsvc(row.place)?, BuildId(row.id)))).collect())
    }

    /// `+state` keeps SQLite from going by the state, which half of all builds share.
    async fn modules_asked(&self, asked: &ModulesAsked) -> Outcome<Vec<ModuleRow>> {
        let streams: Vec<_> = asked.streams.iter().map(|of| [of.name.as_str(), of.stream.as_str()]).collect();
        let (streams, names, exactly) = (json(&streams)?, json(&asked.names)?, identities(&asked.exactly)?);
        let tag = asked.tag.as_ref().map(ToString::to_string);
        let rows = sqlx::query_as!(
            ModuleParts,
            r#"SELECT id, state, koji_tag, record ->> '$.new.nsvc' AS "nsvc!: String",
                record -> '$.new.base_modules' AS "bases!: String",
                (SELECT json_group_array(stream) FROM virtual_streams WHERE build_id = id) AS "provided!: String"
            FROM module_builds WHERE id IN (
                SELECT id FROM module_builds
                    WHERE +state IN (5, 6) AND name IN (SELECT value FROM json_each(?1))
                UNION SELECT m.id FROM json_each(?2) JOIN module_builds m ON +state IN (5, 6) AND name = value ->> 0
                    AND stream = value ->> 1 AND version = value ->> 2 AND context = value ->> 3
                UNION SELECT m.id FROM json_each(?3) JOIN module_builds m
                    ON +state = 5 AND name = value ->> 0 AND stream = value ->> 1
                UNION SELECT id FROM module_builds WHERE +state = 5 AND koji_tag = ?4
            )"#,
            names,
            exactly,
            streams,
            tag,
        );
        let rows = rows.fetch_all(&self.readers).await?;
        let mut modules = rows.into_iter().map(ModuleParts::row).collect::<Result<Vec<_>, _>>()?;
        modules.sort_by(|one, other| one.nsvc.cmp(&other.nsvc));
        Ok(modules)
    }

    async fn documents_of(&self, ids: &[BuildId]) -> Outcome<BTreeMap<BuildId, Arc<ModuleStream>>> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let mut read = self.read().await?;
        let documents = self.documents.of(&mut read, &ids).await?;
        Ok(documents.into_iter().map(|(id, document)| (BuildId(id), document)).collect())
    }

    async fn candidates(&self, question: &ReuseQuestion) -> Outcome<Vec<Arc<ModuleBuild>>> {
        let mut read = self.read().await?;
        let ids = match question.exactly {
            Some(exactly) => vec![exactly.0],
            None => candidate_ids(&mut read, question).await?,
        };
        let records = records(&mut read, &self.documents, &ids).await?;
        let mut builds: Vec<_> = records.into_values().map(|stored| Arc::new(stored.build)).collect();
        // `None` is smaller than any time, so a build that never ended comes last.
        builds.sort_by_key(|build| Reverse((build.life.completed_at(), build.id)));
        Ok(builds)
    }

    async fn count_scratch(&self, of: &Nsvc) -> Outcome<u32> {
        let (name, stream, context) = (of.name.as_str(), of.stream.as_str(), of.context.as_str());
        let version = sortable(of.version);
        let count = sqlx::query_scalar!(
            "SELECT count(*) FROM module_builds WHERE name = ?1 AND stream = ?2 AND version = ?3 AND scratch
            AND substr(context, 1, length(?4)) = ?4",
            name,
            stream,
            version,
            context,
        );
        Ok(u32::try_from(count.fetch_one(&self.readers).await?).unwrap_or(u32::MAX))
    }

    async fn unfinished_of(&self, of: &[Nsvc]) -> Outcome<Vec<(Nsvc, State)>> {
        let asked = identities(of)?;
        let rows = sqlx::query!(
            r#"SELECT DISTINCT m.id AS "id!", state, record ->> '$.new.nsvc' AS "nsvc!: String"
            FROM json_each(?1) JOIN module_builds m
            ON name = value ->> 0 AND stream = value ->> 1 AND version = value ->> 2
            WHERE +state IN (0, 1, 2, 3) AND NOT scratch"#,
            asked,
        );
        let mut found = BTreeSet::new();
        for row in rows.fetch_all(&self.readers).await? {
            let nsvc: Nsvc = parse_of(&json(&row.nsvc)?, "identity", row.id)?;
            let state = State::ALL.into_iter().find(|state| i64::from(state.number()) == row.state);
            found.extend(state.filter(|state| state.is_unfinished()).map(|state| (nsvc, state)));
        }
        Ok(found.into_iter().collect())
    }
}

async fn candidate_ids(connection: &mut SqliteConnection, question: &ReuseQuestion) -> Outcome<Vec<i64>> {
    let (name, stream) = (question.module.name.as_str(), question.module.stream.as_str());
    let states = json(&question.states.iter().map(|state| state.number()).collect::<Vec<_>>())?;
    let (any_context, contexts) = (question.contexts.is_empty(), json(&question.contexts)?);
    let ids = sqlx::query_scalar!(
        "SELECT id FROM module_builds
        WHERE name = ?1 AND stream = ?2 AND id <> ?3 AND NOT scratch AND +state IN (SELECT value FROM json_each(?4))
            AND (?5 OR coalesce(build_context, '') IN (SELECT value FROM json_each(?6)))",
        name,
        stream,
        question.build.0,
        states,
        any_context,
        contexts,
    );
    Ok(ids.fetch_all(connection).await?)
}
