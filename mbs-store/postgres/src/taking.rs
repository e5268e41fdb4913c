//! What was built elsewhere: single modules, and the record of another service.
//!
//! While records are restored nobody else writes builds: ids that others drew are written by then, and new ones are drawn
//! after the counters were set. Leases go on meanwhile, for they stand in a table of their own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mbs_core::ident::{BuildId, ComponentId, Nsvc};
use mbs_core::model::{ModuleBuild, Transition};
use mbs_core::plan::Why;
use mbs_core::store::{AuditEntry, Import, Imported, Present, Restored, StoreError, is_under_way, sortable};
use sqlx::PgConnection;

use crate::PostgresStore;
use crate::builds::{database_time, lock_record};
use crate::catalogue::{nsvc, parts};
use crate::create::{is_taken, lock_text, next_build, smallest_sibling};
use crate::error::Failure;
use crate::history::{write_audit, write_component_traces, write_log};
use crate::line::tell;
use crate::text::json;
use crate::time::sql;
use crate::write::Step;

impl PostgresStore {
    pub(crate) async fn import_once(&self, import: &Import) -> Result<Imported, Failure> {
        let mut transaction = self.pool.begin().await?;
        let connection = &mut *transaction;
        lock_text(connection, "stream", &import.nsvc.name_stream().to_string()).await?;
        let there = find(connection, &import.nsvc).await?;
        let build = match there {
            Some(id) => self.overwrite(connection, import, id).await?,
            None => self.add(connection, import).await?,
        };
        let entry =
            AuditEntry { at: build.submitted_at, by: import.by.clone(), what: "imported it".to_owned() };
        write_audit(connection, Some(build.id), &entry).await?;
        tell(connection).await?;
        transaction.commit().await?;
        Ok(Imported { build, was_there: there.is_some() })
    }

    async fn add(&self, connection: &mut PgConnection, import: &Import) -> Result<ModuleBuild, Failure> {
        let id = next_build(connection).await?;
        let build = self.imported(connection, import, id).await?;
        let at = build.submitted_at;
        let step =
            Step { was: None, now: &build, last_seq: 1, revision: 0, transitions: &[], notes: &[], at };
        let taken = |failure| {
            if is_taken(&failure) { StoreError::Taken(import.nsvc.clone()).into() } else { failure }
        };
        self.write_record(connection, &step).await.map_err(taken)?;
        write_work(connection, id, None).await?;
        Ok(build)
    }

    async fn overwrite(
        &self,
        connection: &mut PgConnection,
        import: &Import,
        id: BuildId,
    ) -> Result<ModuleBuild, Failure> {
        let locked = lock_record(connection, id).await?;
        let was = self.read(connection, id).await?.build;
        if is_under_way(&was) {
            return Err(StoreError::UnderWay(import.nsvc.clone(), was.state()).into());
        }
        let build = self.imported(connection, import, id).await?;
        let step = Step {
            was: Some(&was),
            now: &build,
            last_seq: locked.last_seq + 1,
            revision: locked.revision + 1,
            transitions: &[],
            notes: &[],
            at: build.submitted_at,
        };
        self.write_record(connection, &step).await?;
        sqlx::query!("DELETE FROM traces WHERE build_id = $1", id.0).execute(&mut *connection).await?;
        write_work(connection, id, None).await?;
        Ok(build)
    }

    async fn imported(
        &self,
        connection: &mut PgConnection,
        import: &Import,
        id: BuildId,
    ) -> Result<ModuleBuild, Failure> {
        let dist_index = smallest_sibling(connection, (&import.nsvc, false), id).await?;
        let at = database_time(connection).await?;
        Ok(import.record(id, dist_index, &self.rules, at))
    }

    pub(crate) async fn restore_once(&self, records: &[Restored]) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        let connection = &mut *transaction;
        sqlx::query!("LOCK TABLE module_builds IN EXCLUSIVE MODE").execute(&mut *connection).await?;
        let present = present(connection, records).await?;
        let records = Restored::check_all(records.to_vec(), &present)?;
        let at = database_time(connection).await?;
        for record in &records {
            self.take_over(connection, record, at).await?;
        }
        count_on(connection, &records).await?;
        tell(connection).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn take_over(
        &self,
        connection: &mut PgConnection,
        record: &Restored,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let build = &record.build;
        let last_seq = i64::try_from(record.last_seq()).unwrap_or(i64::MAX);
        let step = Step { was: None, now: build, last_seq, revision: 0, transitions: &[], notes: &[], at };
        self.write_record(connection, &step).await?;
        write_work(connection, build.id, record.needs_look().then_some(at)).await?;
        write_trace(connection, build.id, &record.trace).await?;
        write_component_traces(connection, &record.component_changes()).await?;
        write_log(connection, build.id, &record.log).await
    }
}

async fn find(connection: &mut PgConnection, nsvc: &Nsvc) -> Result<Option<BuildId>, Failure> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM module_builds WHERE name = $1 AND stream = $2 AND version = $3 AND context = $4",
        nsvc.name.as_str(),
        nsvc.stream.as_str(),
        sortable(nsvc.version),
        nsvc.context.as_str(),
    );
    Ok(found.fetch_optional(connection).await?.map(BuildId))
}

/// Writes when a build is to be looked at; `None`: not before it is woken, for it is finished.
async fn write_work(
    connection: &mut PgConnection,
    build: BuildId,
    due: Option<Timestamp>,
) -> Result<(), Failure> {
    let why = due.is_none().then(|| json(&Why::Finished)).transpose()?;
    let written = sqlx::query!(
        "INSERT INTO work (build_id, due, why) VALUES ($1, $2, $3::text::json)
         ON CONFLICT (build_id) DO UPDATE SET
             due = excluded.due, why = excluded.why, woken = false, looked_at = NULL,
             lease_worker = NULL, lease_token = NULL, lease_until = NULL",
        build.0,
        due.map(sql) as _,
        why,
    );
    written.execute(connection).await?;
    Ok(())
}

/// Writes a trace of which nobody is told.
async fn write_trace(
    connection: &mut PgConnection,
    build: BuildId,
    trace: &[Transition],
) -> Result<(), Failure> {
    if trace.is_empty() {
        return Ok(());
    }
    let records = trace.iter().map(json).collect::<Result<Vec<_>, _>>()?;
    let written = sqlx::query!(
        "INSERT INTO traces (build_id, seq, at, state, record)
         SELECT $1, place, at, state, change::json
         FROM unnest($2::timestamptz[], $3::smallint[], $4::text[]) WITH ORDINALITY AS new (at, state, change, place)",
        build.0,
        &trace.iter().map(|change| sql(change.at)).collect::<Vec<_>>() as _,
        &trace.iter().map(|change| i16::from(change.to.number())).collect::<Vec<_>>(),
        &records,
    );
    written.execute(connection).await?;
    Ok(())
}

/// Reads what there is of what records mention.
async fn present(connection: &mut PgConnection, records: &[Restored]) -> Result<Present, Failure> {
    let ids: Vec<i64> = Restored::mentioned(records).into_iter().map(|id| id.0).collect();
    let builds =
        sqlx::query!("SELECT id, name, stream, version, context FROM module_builds WHERE id = ANY($1)", &ids);
    let builds = builds.fetch_all(&mut *connection).await?.into_iter();
    let build = |row: (i64, [String; 4])| {
        let (id, [name, stream, version, context]) = row;
        Ok((BuildId(id), nsvc((name, stream, version, context))?))
    };
    let builds = builds.map(|row| build((row.id, [row.name, row.stream, row.version, row.context])));
    let builds = builds.collect::<Result<BTreeMap<_, _>, StoreError>>()?;
    let ids: Vec<i64> = records.iter().flat_map(Restored::component_ids).map(|id| id.0).collect();
    let components = sqlx::query_scalar!("SELECT id FROM components WHERE id = ANY($1)", &ids);
    let components = components.fetch_all(&mut *connection).await?.into_iter().map(ComponentId).collect();
    Ok(Present { builds, taken: taken(connection, records).await?, components })
}

async fn taken(connection: &mut PgConnection, records: &[Restored]) -> Result<BTreeSet<Nsvc>, Failure> {
    let nsvcs: Vec<Nsvc> = records.iter().map(|record| record.build.nsvc().clone()).collect();
    let [names, streams, versions, contexts] = parts(&nsvcs);
    let rows = sqlx::query!(
        r#"SELECT name AS "name!", stream AS "stream!", version AS "version!", context AS "context!"
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS asked (name, stream, version, context)
           JOIN module_builds b USING (name, stream, version, context)"#,
        &names,
        &streams,
        &versions,
        &contexts,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    let taken = rows.map(|row| nsvc((row.name, row.stream, row.version, row.context)));
    Ok(taken.collect::<Result<_, _>>()?)
}

/// Lets new builds and components count on from the largest ids.
async fn count_on(connection: &mut PgConnection, records: &[Restored]) -> Result<(), Failure> {
    if let Some(last) = records.iter().map(|record| record.build.id.0).max() {
        sqlx::query!(
            "SELECT setval('module_builds_id_seq', $1) FROM module_builds_id_seq
             WHERE last_value < $1 OR NOT is_called",
            last,
        )
        .fetch_optional(&mut *connection)
        .await?;
    }
    if let Some(last) = records.iter().flat_map(Restored::component_ids).map(|id| id.0).max() {
        sqlx::query!(
            "SELECT setval('components_id_seq', $1) FROM components_id_seq WHERE last_value < $1 OR NOT is_called",
            last,
        )
        .fetch_optional(&mut *connection)
        .await?;
    }
    Ok(())
}
