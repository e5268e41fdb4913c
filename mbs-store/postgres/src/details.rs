//! What is told of builds where all of it is shown: one query for any number of them.

use std::collections::BTreeMap;

use mbs_core::ident::BuildId;
use mbs_core::model::{ModuleBuild, State, Transition};
use mbs_core::store::{BaseBuild, BuildDetails, StoreError};
use serde::Deserialize;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::catalogue::nsvc;
use crate::error::Failure;

/// A base module build as its columns have it.
#[derive(Debug, Deserialize)]
struct Base {
    id: BuildId,
    name: String,
    stream: String,
    version: String,
    context: String,
    state: u8,
    stream_version: Option<f64>,
}

impl Base {
    fn build(self) -> Result<Option<BaseBuild>, StoreError> {
        let Self { id, stream_version, .. } = self;
        let state = State::ALL.into_iter().find(|state| state.number() == self.state);
        let nsvc = nsvc((self.name, self.stream, self.version, self.context))?;
        Ok(state.map(|state| BaseBuild { id, nsvc, state, stream_version }))
    }
}

impl PostgresStore {
    pub(crate) async fn details_of(
        &self,
        ids: &[BuildId],
    ) -> Result<BTreeMap<BuildId, BuildDetails>, Failure> {
        let rows = sqlx::query!(
            r#"
            SELECT b.id, b.record AS "record: Json<ModuleBuild>", b.stream_version, d.text,
                ARRAY(SELECT v.stream FROM virtual_streams v WHERE v.build_id = b.id ORDER BY v.stream) AS "provided!",
                (
                    SELECT coalesce(json_agg(t.record ORDER BY t.seq), '[]') FROM traces t WHERE t.build_id = b.id
                ) AS "trace!: Json<Vec<Transition>>",
                (
                    SELECT coalesce(json_agg(json_build_object(
                        'id', o.id, 'name', o.name, 'stream', o.stream, 'version', o.version, 'context', o.context,
                        'state', o.state, 'stream_version', o.stream_version
                    ) ORDER BY o.id), '[]')
                    FROM base_modules m JOIN module_builds o USING (name, stream, version, context)
                    WHERE m.build_id = b.id
                ) AS "bases!: Json<Vec<Base>>"
            FROM module_builds b JOIN documents d ON d.build_id = b.id
            WHERE b.id = ANY($1)
            "#,
            &ids.iter().map(|id| id.0).collect::<Vec<_>>(),
        );
        let mut details = BTreeMap::new();
        for row in rows.fetch_all(&self.pool).await? {
            let build = row.record.0;
            let bases = row.bases.0.into_iter().filter_map(|base| base.build().transpose());
            let of = BuildDetails {
                document: row.text,
                arches: build.arches,
                contexts: build.new.contexts,
                reuse_from: build.new.reuse_from,
                trace: row.trace.0,
                stream_version: row.stream_version,
                virtual_streams: row.provided,
                bases: bases.collect::<Result<_, _>>()?,
            };
            details.insert(BuildId(row.id), of);
        }
        Ok(details)
    }
}
