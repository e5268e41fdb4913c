//! Questions about many builds, each in one query or a few.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::ident::{BuildId, ComponentId, InvalidIdent, Nsvc};
use mbs_core::model::{ModuleBuild, State};
use mbs_core::modulemd::ModuleStream;
use mbs_core::store::checks::rejected;
use mbs_core::store::{
    BuildDetails, Catalogue, Column, ComponentColumn, ComponentFilter, ComponentTransition, Filter,
    ListedBuild, ListedComponent, LogLine, Logged, ModuleRow, ModulesAsked, Order, Page, ReuseQuestion,
    Standing, StoreError, sortable,
};
use serde::Deserialize;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::error::Failure;
use crate::listing;
use crate::text::bounded;

#[async_trait]
impl Catalogue for PostgresStore {
    async fn list(
        &self,
        filter: &Filter,
        order: &Order<Column>,
        page: Page,
    ) -> Result<Vec<ListedBuild>, StoreError> {
        self.retried(|| async {
            listing::builds(&mut *self.pool.acquire().await?, filter, order, page).await
        })
        .await
    }

    async fn count(&self, filter: &Filter) -> Result<u64, StoreError> {
        let count =
            self.retried(|| async { listing::count_builds(&mut *self.pool.acquire().await?, filter).await });
        Ok(u64::try_from(count.await?).unwrap_or_default())
    }

    async fn list_components(
        &self,
        filter: &ComponentFilter,
        order: &Order<ComponentColumn>,
        page: Page,
    ) -> Result<Vec<ListedComponent>, StoreError> {
        self.retried(|| async {
            listing::components(&mut *self.pool.acquire().await?, filter, order, page).await
        })
        .await
    }

    async fn count_components(&self, filter: &ComponentFilter) -> Result<u64, StoreError> {
        let count = self
            .retried(|| async { listing::count_components(&mut *self.pool.acquire().await?, filter).await });
        Ok(u64::try_from(count.await?).unwrap_or_default())
    }

    async fn find(&self, nsvcs: &[Nsvc]) -> Result<BTreeMap<Nsvc, BuildId>, StoreError> {
        let [names, streams, versions, contexts] = parts(nsvcs);
        self.retried(|| async {
            let rows = sqlx::query!(
                r#"SELECT id, place AS "place!" FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                       WITH ORDINALITY AS asked (name, stream, version, context, place)
                   JOIN module_builds b USING (name, stream, version, context)"#,
                &names,
                &streams,
                &versions,
                &contexts,
            );
            let rows = rows.fetch_all(&self.pool).await?.into_iter();
            let found = |(place, id): (i64, i64)| Some((asked(nsvcs, place)?.clone(), BuildId(id)));
            Ok(rows.filter_map(|row| found((row.place, row.id))).collect())
        })
        .await
    }

    async fn modules(&self, asked: &ModulesAsked) -> Result<Vec<ModuleRow>, StoreError> {
        self.retried(|| self.modules_once(asked)).await
    }

    async fn documents(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, Arc<ModuleStream>>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        self.retried(|| async {
            let documents = self.read_documents(&mut *self.pool.acquire().await?, &ids).await?;
            Ok(documents.into_iter().map(|(id, (_, document))| (id, document)).collect())
        })
        .await
    }

    async fn details(&self, ids: &[BuildId]) -> Result<BTreeMap<BuildId, BuildDetails>, StoreError> {
        self.retried(|| self.details_of(ids)).await
    }

    async fn component_traces(
        &self,
        ids: &[ComponentId],
    ) -> Result<BTreeMap<ComponentId, Vec<ComponentTransition>>, StoreError> {
        self.retried(|| self.component_traces_of(ids)).await
    }

    async fn log_page(&self, of: Logged, page: Page) -> Result<Vec<LogLine>, StoreError> {
        self.retried(|| self.log_page_of(of, page)).await
    }

    async fn count_log(&self, of: Logged) -> Result<u64, StoreError> {
        self.retried(|| self.count_log_of(of)).await
    }

    async fn standing(&self, since: Timestamp, n: usize) -> Result<Vec<Standing>, StoreError> {
        self.retried(|| self.standing_since(since, n)).await
    }

    async fn reuse_candidates(&self, question: &ReuseQuestion) -> Result<Vec<Arc<ModuleBuild>>, StoreError> {
        self.retried(|| self.reuse_once(question)).await
    }

    async fn scratch_count(&self, of: &Nsvc) -> Result<u32, StoreError> {
        self.retried(|| async {
            let count = sqlx::query_scalar!(
                r#"SELECT count(*) AS "count!" FROM module_builds
                   WHERE name = $1 AND stream = $2 AND version = $3 AND scratch AND starts_with(context, $4)"#,
                of.name.as_str(),
                of.stream.as_str(),
                sortable(of.version),
                of.context.as_str(),
            );
            Ok(u32::try_from(count.fetch_one(&self.pool).await?).unwrap_or(u32::MAX))
        })
        .await
    }

    async fn unfinished(&self, of: &[Nsvc]) -> Result<Vec<(Nsvc, State)>, StoreError> {
        let [names, streams, versions, _] = parts(of);
        self.retried(|| async {
            let rows = sqlx::query!(
                r#"SELECT DISTINCT name AS "name!", stream AS "stream!", version AS "version!", context, state
                   FROM unnest($1::text[], $2::text[], $3::text[]) AS asked (name, stream, version)
                   JOIN module_builds b USING (name, stream, version)
                   WHERE NOT scratch AND state IN (0, 1, 2, 3)"#,
                &names,
                &streams,
                &versions,
            );
            let mut found = Vec::new();
            for row in rows.fetch_all(&self.pool).await? {
                let state = State::ALL.into_iter().find(|state| i16::from(state.number()) == row.state);
                let nsvc = nsvc((row.name, row.stream, row.version, row.context))?;
                found.extend(state.map(|state| (nsvc, state)));
            }
            found.sort();
            Ok(found)
        })
        .await
    }
}

/// A base module build in a relation.
#[derive(Debug, Deserialize)]
struct Base {
    name: String,
    stream: String,
    version: String,
    context: String,
}

impl PostgresStore {
    async fn modules_once(&self, asked: &ModulesAsked) -> Result<Vec<ModuleRow>, Failure> {
        let names: Vec<String> = asked.names.iter().map(|name| name.to_string()).collect();
        let streams = |part: fn(&mbs_core::ident::NameStream) -> String| -> Vec<String> {
            asked.streams.iter().map(part).collect()
        };
        let [of_name, of_stream] = [streams(|of| of.name.to_string()), streams(|of| of.stream.to_string())];
        let [exact_names, exact_streams, exact_versions, exact_contexts] = parts(&asked.exactly);
        let rows = sqlx::query!(
            r#"
            WITH asked AS (
                SELECT id FROM unnest($1::text[], $2::text[]) AS of (name, stream)
                    JOIN module_builds b USING (name, stream) WHERE state = 5
                UNION SELECT id FROM module_builds WHERE name = ANY($3) AND state IN (5, 6)
                UNION SELECT id FROM unnest($4::text[], $5::text[], $6::text[], $7::text[])
                        AS exactly (name, stream, version, context)
                    JOIN module_builds b USING (name, stream, version, context) WHERE state IN (5, 6)
                UNION SELECT id FROM module_builds WHERE koji_tag = $8 AND state = 5
            )
            SELECT id AS "id!", name, stream, version, context, state, koji_tag,
                ARRAY(SELECT v.stream FROM virtual_streams v WHERE v.build_id = id ORDER BY v.stream) AS "provided!",
                (
                    SELECT coalesce(json_agg(json_build_object(
                        'name', m.name, 'stream', m.stream, 'version', m.version, 'context', m.context
                    )), '[]') FROM base_modules m WHERE m.build_id = id
                ) AS "bases!: Json<Vec<Base>>"
            FROM asked JOIN module_builds USING (id)
            "#,
            &of_name,
            &of_stream,
            &names,
            &exact_names,
            &exact_streams,
            &exact_versions,
            &exact_contexts,
            asked.tag.as_ref().map(|tag| tag.as_str()),
        );
        let mut found = Vec::new();
        for row in rows.fetch_all(&self.pool).await? {
            let base = |base: Base| nsvc((base.name, base.stream, base.version, base.context));
            let mut bases = row.bases.0.into_iter().map(base).collect::<Result<Vec<_>, _>>()?;
            bases.sort();
            found.push(ModuleRow {
                id: BuildId(row.id),
                nsvc: nsvc((row.name, row.stream, row.version, row.context))?,
                is_ready: row.state == i16::from(State::Ready.number()),
                tag: row
                    .koji_tag
                    .map(mbs_core::ident::TagName::new)
                    .transpose()
                    .map_err(|error| unreadable(&error))?,
                virtual_streams: row.provided,
                bases,
            });
        }
        found.sort_by(|one, other| one.nsvc.cmp(&other.nsvc));
        Ok(found)
    }

    async fn reuse_once(&self, question: &ReuseQuestion) -> Result<Vec<Arc<ModuleBuild>>, Failure> {
        let states: Vec<i16> = question.states.iter().map(|state| state.number().into()).collect();
        let mut connection = self.pool.acquire().await?;
        let ids = match question.exactly {
            Some(exactly) => vec![exactly.0],
            None => {
                let ids = sqlx::query_scalar!(
                    "SELECT id FROM module_builds
                     WHERE name = $1 AND stream = $2 AND id <> $3 AND NOT scratch AND state = ANY($4)
                       AND (cardinality($5::text[]) = 0 OR coalesce(build_context, '') = ANY($5))",
                    question.module.name.as_str(),
                    question.module.stream.as_str(),
                    question.build.0,
                    &states,
                    &question.contexts.iter().map(|context| bounded(context)).collect::<Vec<_>>(),
                );
                ids.fetch_all(&mut *connection).await?
            }
        };
        let mut builds = self.read_all(&mut connection, &ids).await?;
        // `None` is smaller than any time, so a build that never ended comes last.
        builds.sort_by_key(|build| std::cmp::Reverse((build.life.completed_at(), build.id)));
        Ok(builds)
    }
}

/// Returns names, streams, versions and contexts as columns have them.
pub(crate) fn parts(nsvcs: &[Nsvc]) -> [Vec<String>; 4] {
    let part = |part: fn(&Nsvc) -> String| nsvcs.iter().map(part).collect();
    [
        part(|nsvc| nsvc.name.to_string()),
        part(|nsvc| nsvc.stream.to_string()),
        part(|nsvc| sortable(nsvc.version)),
        part(|nsvc| nsvc.context.to_string()),
    ]
}

/// Returns what was asked at a place, which counts from 1.
fn asked(nsvcs: &[Nsvc], place: i64) -> Option<&Nsvc> {
    nsvcs.get(usize::try_from(place).ok()?.checked_sub(1)?)
}

pub(crate) fn nsvc(
    (name, stream, version, context): (String, String, String, String),
) -> Result<Nsvc, StoreError> {
    let version = version.trim_start_matches('0');
    let version = if version.is_empty() { "0" } else { version };
    format!("{name}:{stream}:{version}:{context}").parse().map_err(|error| unreadable(&error))
}

fn unreadable(error: &InvalidIdent) -> StoreError {
    rejected(format!("a stored identity cannot be read: {error}"))
}
