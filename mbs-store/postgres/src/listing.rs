//! Lists: which ids a page has, then their rows.
//!
//! Queries for ids are put together of constant pieces, with every value bound. Each column has an index with the id, which
//! serves a filter on the column and either order by it. Long texts are indexed by their beginning, which filters name; they
//! are sorted by their first 200 characters, then by id. These queries are planned anew each time, with the values they have:
//! a plan that suits one owner may not suit another. They read nothing but ids, so what a page leaves out costs little.

use std::collections::BTreeMap;

use mbs_core::ident::{BuildId, ComponentId, InvalidIdent, Nvr, Package, TaskId};
use mbs_core::model::{BuildState, ComponentBuild, ModuleBuild};
use mbs_core::store::{
    Column, ComponentColumn, ComponentFilter, ComponentSummary, Detail, Filter, ListedBuild, ListedComponent,
    Order, Page, StoreError, Summary,
};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::error::Failure;

mod conditions;
mod page;

use conditions::{Query, push_condition};

/// Lists builds: one query for the ids, one for their rows, one for components, one for siblings.
pub(crate) async fn builds(
    connection: &mut PgConnection,
    filter: &Filter,
    order: &Order<Column>,
    page: Page,
) -> Result<Vec<ListedBuild>, Failure> {
    let mut query = page::of_builds(filter, order, page);
    let ids: Vec<i64> = query.build_query_scalar().persistent(false).fetch_all(&mut *connection).await?;
    let rows = build_rows(connection, &ids).await?;
    let mut components = components_of(connection, &ids).await?;
    let mut siblings = siblings_of(connection, &rows).await?;
    let listed = rows.into_iter().map(|row| {
        let id = BuildId(row.id);
        let mut summary = Summary::of(&row.record.0);
        summary.buildrequires = row.buildrequires.0;
        summary.components = components.remove(&id).unwrap_or_default();
        ListedBuild { id, summary, siblings: siblings.remove(&id).unwrap_or_default() }
    });
    Ok(listed.collect())
}

/// Counts the builds that pass.
pub(crate) async fn count_builds(connection: &mut PgConnection, filter: &Filter) -> Result<i64, Failure> {
    let mut query = Query::new("SELECT count(*)");
    page::push_counted(&mut query, filter);
    Ok(query.build_query_scalar().persistent(false).fetch_one(connection).await?)
}

/// Lists components: one query for the ids, one for their rows.
pub(crate) async fn components(
    connection: &mut PgConnection,
    filter: &ComponentFilter,
    order: &Order<ComponentColumn>,
    page: Page,
) -> Result<Vec<ListedComponent>, Failure> {
    let mut query = page::of_components(filter, order, page);
    let ids: Vec<i64> = query.build_query_scalar().persistent(false).fetch_all(&mut *connection).await?;
    let rows = sqlx::query_as!(
        ComponentRow,
        r#"SELECT c.id, c.build_id, c.record AS "record: Json<ComponentBuild>"
           FROM unnest($1::bigint[]) WITH ORDINALITY AS page (id, place) JOIN components c USING (id) ORDER BY page.place"#,
        &ids,
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(ListedComponent::from).collect())
}

/// Counts the components that pass.
pub(crate) async fn count_components(
    connection: &mut PgConnection,
    filter: &ComponentFilter,
) -> Result<i64, Failure> {
    let mut query = Query::new("SELECT count(*) FROM components c WHERE true");
    filter.columns.iter().for_each(|condition| push_condition(&mut query, condition));
    Ok(query.build_query_scalar().persistent(false).fetch_one(connection).await?)
}

#[derive(Debug)]
struct BuildRow {
    id: i64,
    dist_index: i64,
    record: Json<ModuleBuild>,
    buildrequires: Json<BTreeMap<String, BTreeMap<String, Detail>>>,
}

#[derive(Debug)]
struct ComponentRow {
    id: i64,
    build_id: i64,
    record: Json<ComponentBuild>,
}

impl From<ComponentRow> for ListedComponent {
    fn from(ComponentRow { id, build_id, record: Json(record) }: ComponentRow) -> Self {
        Self {
            id: ComponentId(id),
            build: BuildId(build_id),
            package: record.package,
            source: record.source,
            state: record.state,
            reason: record.reason,
            nvr: record.nvr,
            task: record.task,
            batch: record.batch,
            weight: record.weight,
        }
    }
}

/// Reads the rows of builds, in the order of the ids.
async fn build_rows(connection: &mut PgConnection, ids: &[i64]) -> Result<Vec<BuildRow>, Failure> {
    let rows = sqlx::query_as!(
        BuildRow,
        r#"SELECT b.id, b.dist_index, b.record AS "record: Json<ModuleBuild>",
               d.buildrequires AS "buildrequires: Json<BTreeMap<String, BTreeMap<String, Detail>>>"
           FROM unnest($1::bigint[]) WITH ORDINALITY AS page (id, place)
               JOIN module_builds b USING (id) JOIN documents d ON d.build_id = b.id
           ORDER BY page.place"#,
        ids,
    );
    Ok(rows.fetch_all(connection).await?)
}

async fn components_of(
    connection: &mut PgConnection,
    builds: &[i64],
) -> Result<BTreeMap<BuildId, Vec<ComponentSummary>>, Failure> {
    let rows = sqlx::query!(
        "SELECT build_id, id, package, state, state_reason AS reason, task, nvr FROM components
         WHERE build_id = ANY($1) ORDER BY build_id, position",
        builds,
    );
    let mut components: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows.fetch_all(connection).await? {
        let summary = ComponentSummary {
            id: Some(ComponentId(row.id)),
            package: Package::new(row.package).map_err(|error| unreadable(&error))?,
            state: row.state.and_then(state),
            reason: row.reason,
            task: row.task.map(TaskId),
            nvr: row.nvr.map(|nvr| nvr.parse::<Nvr>()).transpose().map_err(|error| unreadable(&error))?,
        };
        components.entry(BuildId(row.build_id)).or_default().push(summary);
    }
    Ok(components)
}

async fn siblings_of(
    connection: &mut PgConnection,
    builds: &[BuildRow],
) -> Result<BTreeMap<BuildId, Vec<BuildId>>, Failure> {
    let indexes: Vec<i64> = builds.iter().map(|build| build.dist_index).collect();
    let rows = sqlx::query!(
        "SELECT dist_index, array_agg(id ORDER BY id) AS \"ids!\" FROM module_builds
         WHERE dist_index = ANY($1) GROUP BY dist_index",
        &indexes,
    );
    let families = rows.fetch_all(connection).await?.into_iter().map(|row| (row.dist_index, row.ids));
    let families: BTreeMap<i64, Vec<i64>> = families.collect();
    let siblings = |build: &BuildRow| {
        let family = families.get(&build.dist_index).into_iter().flatten();
        (BuildId(build.id), family.filter(|id| **id != build.id).map(|id| BuildId(*id)).collect())
    };
    Ok(builds.iter().map(siblings).collect())
}

fn state(number: i16) -> Option<BuildState> {
    BuildState::ALL.into_iter().find(|state| i16::from(state.number()) == number)
}

fn unreadable(error: &InvalidIdent) -> StoreError {
    mbs_core::store::checks::rejected(format!("a stored component cannot be read: {error}"))
}
