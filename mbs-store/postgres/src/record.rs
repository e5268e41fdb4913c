//! From rows to records.

use std::collections::BTreeMap;
use std::sync::Arc;

use mbs_core::ident::{BuildId, Revision};
use mbs_core::model::{Attempt, ComponentBuild, ModuleBuild};
use mbs_core::modulemd::ModuleStream;
use mbs_core::store::StoreError;
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::error::Failure;
use crate::line::SlotsNow;

/// A build as its rows have it, with the number of its last event and the slots at the same moment.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) build: ModuleBuild,
    pub(crate) revision: Revision,
    pub(crate) last_seq: i64,
    pub(crate) slots: SlotsNow,
}

/// A component with the attempts that stand in another table.
#[derive(Debug, Deserialize)]
struct StoredComponent {
    record: ComponentBuild,
    attempts: Vec<Attempt>,
}

impl From<StoredComponent> for ComponentBuild {
    fn from(StoredComponent { record, attempts }: StoredComponent) -> Self {
        Self { attempts, ..record }
    }
}

/// Whether the slots are read with a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum With {
    Slots,
    Nothing,
}

/// A build whose document is still to be read.
#[derive(Debug)]
struct Undocumented {
    stored: Stored,
    digest: String,
}

impl PostgresStore {
    /// Reads one consistent state of a build and of the slots.
    pub(crate) async fn read(&self, connection: &mut PgConnection, id: BuildId) -> Result<Stored, Failure> {
        let stored = self.read_rows(connection, &[id.0], With::Slots).await?.pop();
        Ok(stored.ok_or(StoreError::NotFound(id))?)
    }

    /// Reads several builds whole, in no particular order; unknown ones are missing.
    pub(crate) async fn read_all(
        &self,
        connection: &mut PgConnection,
        ids: &[i64],
    ) -> Result<Vec<Arc<ModuleBuild>>, Failure> {
        let stored = self.read_rows(connection, ids, With::Nothing).await?;
        Ok(stored.into_iter().map(|stored| Arc::new(stored.build)).collect())
    }

    /// Reads builds in one query; in another those documents that are not known yet.
    async fn read_rows(
        &self,
        connection: &mut PgConnection,
        ids: &[i64],
        with: With,
    ) -> Result<Vec<Stored>, Failure> {
        loop {
            let rows = without_documents(connection, ids, with).await?;
            let mut documents = BTreeMap::new();
            let mut unknown = Vec::new();
            for row in &rows {
                let id = row.stored.build.id;
                match self.documents.kept(&(id, row.digest.clone())) {
                    Some(document) => drop(documents.insert(id, (row.digest.clone(), document))),
                    None => unknown.push(id.0),
                }
            }
            if !unknown.is_empty() {
                documents.extend(self.read_documents(connection, &unknown).await?);
            }
            let with_document = |Undocumented { mut stored, digest }: Undocumented| {
                let (of, document) = documents.get(&stored.build.id)?;
                stored.build.new.document = document.clone();
                (*of == digest).then_some(stored)
            };
            // None if a document changed between the two queries: once more, then.
            if let Some(stored) = rows.into_iter().map(with_document).collect() {
                return Ok(stored);
            }
        }
    }

    /// Reads the documents of builds with their digests; unknown ones are missing.
    pub(crate) async fn read_documents(
        &self,
        connection: &mut PgConnection,
        ids: &[i64],
    ) -> Result<BTreeMap<BuildId, (String, Arc<ModuleStream>)>, Failure> {
        let rows = sqlx::query!("SELECT build_id, digest, text FROM documents WHERE build_id = ANY($1)", ids);
        let mut documents = BTreeMap::new();
        for row in rows.fetch_all(connection).await? {
            let key = (BuildId(row.build_id), row.digest);
            let document = match self.documents.kept(&key) {
                Some(document) => document,
                None => self.documents.parse(&key, &row.text)?,
            };
            documents.insert(key.0, (key.1, document));
        }
        Ok(documents)
    }
}

async fn without_documents(
    connection: &mut PgConnection,
    ids: &[i64],
    with: With,
) -> Result<Vec<Undocumented>, Failure> {
    let rows = sqlx::query!(
        r#"
        SELECT b.revision, b.last_seq, b.record AS "record: Json<ModuleBuild>", d.digest,
            CASE WHEN $2 THEN slots_now(false) END AS "slots: Json<SlotsNow>",
            (
                SELECT coalesce(json_agg(
                    json_build_object('record', c.record, 'attempts', coalesce(a.attempts, '[]')) ORDER BY c.position
                ), '[]')
                FROM components c LEFT JOIN LATERAL (
                    SELECT json_agg(record ORDER BY position) AS attempts FROM attempts WHERE component_id = c.id
                ) a ON true
                WHERE c.build_id = b.id
            ) AS "components!: Json<Vec<StoredComponent>>"
        FROM module_builds b JOIN documents d ON d.build_id = b.id
        WHERE b.id = ANY($1)
        "#,
        ids,
        with == With::Slots,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let components = row.components.0.into_iter().map(|stored| ComponentBuild::from(stored).into());
        let stored = Stored {
            build: ModuleBuild { components: components.collect(), ..row.record.0 },
            revision: Revision(u64::try_from(row.revision).unwrap_or_default()),
            last_seq: row.last_seq,
            slots: row.slots.map(|slots| slots.0).unwrap_or_default(),
        };
        Undocumented { stored, digest: row.digest }
    });
    Ok(rows.collect())
}
