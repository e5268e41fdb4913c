//! What a page of a list shows of each row, read for all of them at once. No document is read.

use std::collections::BTreeMap;

use mbs_core::ident::{BuildId, ComponentId};
use mbs_core::model::{ComponentBuild, ModuleBuild};
use mbs_core::shared::Shared;
use mbs_core::store::{Detail, ListedBuild, ListedComponent, StoreError, Summary};
use sqlx::SqliteConnection;

use crate::error::Outcome;
use crate::record::{missing_document, parse_of};
use crate::text::json;

/// What the documents say of the modules that builds are built with.
type Requires = BTreeMap<String, BTreeMap<String, Detail>>;

/// Reads the builds of a page, in the order of their ids there.
pub(crate) async fn of_builds(connection: &mut SqliteConnection, ids: &[i64]) -> Outcome<Vec<ListedBuild>> {
    let asked = json(ids)?;
    let mut components = components(connection, &asked).await?;
    let families = families(connection, &asked).await?;
    let rows = sqlx::query!(
        r#"SELECT id, dist_index, record, buildrequires AS "buildrequires?" FROM module_builds
        LEFT JOIN documents ON build_id = id WHERE id IN (SELECT value FROM json_each(?1))"#,
        asked,
    );
    let mut listed = BTreeMap::new();
    for row in rows.fetch_all(connection).await? {
        let mut build: ModuleBuild = parse_of(&row.record, "record", row.id)?;
        build.components = components.remove(&row.id).unwrap_or_default();
        let requires = row.buildrequires.ok_or_else(|| missing_document(row.id))?;
        let buildrequires: Requires = parse_of(&requires, "document", row.id)?;
        let summary = Summary { buildrequires, ..Summary::of(&build) };
        let family = families.get(&row.dist_index).into_iter().flatten();
        let siblings = family.filter(|id| **id != row.id).map(|id| BuildId(*id)).collect();
        listed.insert(row.id, ListedBuild { id: BuildId(row.id), summary, siblings });
    }
    Ok(ids.iter().filter_map(|id| listed.remove(id)).collect())
}

/// Reads the components of builds, in order, without their attempts.
async fn components(
    connection: &mut SqliteConnection,
    asked: &str,
) -> Outcome<BTreeMap<i64, Vec<Shared<ComponentBuild>>>> {
    let rows = sqlx::query!(
        "SELECT build_id, record FROM components WHERE build_id IN (SELECT value FROM json_each(?1))
        ORDER BY build_id, position",
        asked,
    );
    let mut components: BTreeMap<i64, Vec<Shared<ComponentBuild>>> = BTreeMap::new();
    for row in rows.fetch_all(connection).await? {
        let component: ComponentBuild = parse_of(&row.record, "component", row.build_id)?;
        components.entry(row.build_id).or_default().push(component.into());
    }
    Ok(components)
}

/// Reads the builds of each family that one of these belongs to, smallest id first.
async fn families(connection: &mut SqliteConnection, asked: &str) -> Outcome<BTreeMap<i64, Vec<i64>>> {
    let rows = sqlx::query!(
        "SELECT dist_index, id FROM module_builds WHERE dist_index IN (
            SELECT dist_index FROM module_builds WHERE id IN (SELECT value FROM json_each(?1))
        )
        ORDER BY dist_index, id",
        asked,
    );
    let mut families: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in rows.fetch_all(connection).await? {
        families.entry(row.dist_index).or_default().push(row.id);
    }
    Ok(families)
}

/// Makes the row of a list from a component's record.
pub(crate) fn listed_component(id: i64, build: i64, record: &str) -> Result<ListedComponent, StoreError> {
    let component: ComponentBuild = parse_of(record, "component", build)?;
    Ok(ListedComponent {
        id: ComponentId(id),
        build: BuildId(build),
        package: component.package,
        source: component.source,
        state: component.state,
        reason: component.reason,
        nvr: component.nvr,
        task: component.task,
        batch: component.batch,
        weight: component.weight,
    })
}
