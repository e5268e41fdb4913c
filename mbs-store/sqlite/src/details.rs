//! What is told of builds where all of it is shown: a few queries for any number of them.

use std::collections::BTreeMap;

use mbs_core::ident::BuildId;
use mbs_core::model::{ModuleBuild, State, Transition};
use mbs_core::store::{BaseBuild, BuildDetails};
use sqlx::SqliteConnection;

use crate::SqliteStore;
use crate::error::Outcome;
use crate::record::parse_of;
use crate::text::json;

impl SqliteStore {
    pub(crate) async fn details_of(&self, ids: &[BuildId]) -> Outcome<BTreeMap<BuildId, BuildDetails>> {
        let asked = json(ids)?;
        let mut read = self.read().await?;
        let (mut traces, mut bases) = (traces(&mut read, &asked).await?, bases(&mut read, &asked).await?);
        let rows = sqlx::query!(
            r#"SELECT id, record, stream_version, text,
                (SELECT json_group_array(stream) FROM virtual_streams v WHERE v.build_id = id) AS "provided!: String"
            FROM module_builds JOIN documents d ON d.build_id = id
            WHERE id IN (SELECT value FROM json_each(?1))"#,
            asked,
        );
        let mut details = BTreeMap::new();
        for row in rows.fetch_all(&mut *read).await? {
            let build: ModuleBuild = parse_of(&row.record, "record", row.id)?;
            let mut virtual_streams: Vec<String> = parse_of(&row.provided, "virtual streams", row.id)?;
            virtual_streams.sort();
            let of = BuildDetails {
                document: row.text,
                arches: build.arches,
                contexts: build.new.contexts,
                reuse_from: build.new.reuse_from,
                trace: traces.remove(&row.id).unwrap_or_default(),
                stream_version: row.stream_version,
                virtual_streams,
                bases: bases.remove(&row.id).unwrap_or_default(),
            };
            details.insert(BuildId(row.id), of);
        }
        Ok(details)
    }
}

async fn traces(connection: &mut SqliteConnection, asked: &str) -> Outcome<BTreeMap<i64, Vec<Transition>>> {
    let rows = sqlx::query!(
        "SELECT build_id, record FROM traces WHERE build_id IN (SELECT value FROM json_each(?1)) ORDER BY build_id, seq",
        asked,
    );
    let mut traces: BTreeMap<i64, Vec<Transition>> = BTreeMap::new();
    for row in rows.fetch_all(connection).await? {
        traces.entry(row.build_id).or_default().push(parse_of(&row.record, "trace", row.build_id)?);
    }
    Ok(traces)
}

/// Reads the base module builds that builds buildrequire, by id.
async fn bases(connection: &mut SqliteConnection, asked: &str) -> Outcome<BTreeMap<i64, Vec<BaseBuild>>> {
    let rows = sqlx::query!(
        r#"SELECT m.build_id, o.id, o.record ->> '$.new.nsvc' AS "nsvc!: String", o.state, o.stream_version
        FROM base_modules m JOIN module_builds o
            ON o.name = m.name AND o.stream = m.stream AND o.version = m.version AND o.context = m.context
        WHERE m.build_id IN (SELECT value FROM json_each(?1))
        ORDER BY m.build_id, o.id"#,
        asked,
    );
    let mut bases: BTreeMap<i64, Vec<BaseBuild>> = BTreeMap::new();
    for row in rows.fetch_all(connection).await? {
        let nsvc = parse_of(&json(&row.nsvc)?, "identity", row.id)?;
        let state = State::ALL.into_iter().find(|state| i64::from(state.number()) == row.state);
        let base = |state| BaseBuild { id: BuildId(row.id), nsvc, state, stream_version: row.stream_version };
        bases.entry(row.build_id).or_default().extend(state.map(base));
    }
    Ok(bases)
}
