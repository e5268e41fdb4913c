//! From records to rows: what a save writes, and nothing that is there already.

use jiff::Timestamp;
use mbs_core::ident::ComponentId;
use mbs_core::model::{ModuleBuild, Transition};
use mbs_core::share::place_in_line;
use mbs_core::store::{
    BuildColumns, Changes, Note, buildrequires, document_digest, is_under_way, sortable, virtual_streams,
};
use sqlx::PgConnection;

use crate::PostgresStore;
use crate::error::Failure;
use crate::history::write_history;
use crate::text::{bounded, json, plain, plain_or_none};
use crate::time::sql;

/// A record that is written over another, or first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    /// What is stored; `None`: nothing.
    pub(crate) was: Option<&'a ModuleBuild>,
    /// What shall be; its components have ids, its transitions are taken.
    pub(crate) now: &'a ModuleBuild,
    /// The number of the last event before.
    pub(crate) last_seq: i64,
    pub(crate) revision: i64,
    pub(crate) transitions: &'a [Transition],
    pub(crate) notes: &'a [Note],
    pub(crate) at: Timestamp,
}

impl PostgresStore {
    /// Writes a record with everything beside it.
    pub(crate) async fn write(&self, connection: &mut PgConnection, step: &Step<'_>) -> Result<(), Failure> {
        self.write_record(connection, step).await?;
        write_history(connection, step).await
    }

    /// Writes a record, and nothing of how it came about.
    pub(crate) async fn write_record(
        &self,
        connection: &mut PgConnection,
        step: &Step<'_>,
    ) -> Result<(), Failure> {
        self.write_build(connection, step).await?;
        let (was, now) = (step.was, step.now);
        if was.is_none_or(|was| was.document() != now.document()) {
            self.write_document(connection, now).await?;
        }
        if was.is_none_or(|was| was.new.base_modules != now.new.base_modules) {
            self.write_bases(connection, now).await?;
        }
        write_components(connection, &Changes::between(was, now)).await?;
        self.write_slots(connection, was, now).await
    }

    async fn write_build(&self, connection: &mut PgConnection, step: &Step<'_>) -> Result<(), Failure> {
        let build = step.now;
        let columns = BuildColumns::of(build, &self.rules);
        let (head, ..) = build.clone().into_parts();
        let repo_tasks: Vec<i64> = build.repo_tasks().map(|task| task.0).collect();
        let last_seq = step.last_seq + i64::try_from(step.transitions.len()).unwrap_or(i64::MAX);
        let [state_reason, scmurl] =
            [&columns.state_reason, &columns.scmurl].map(|text| plain_or_none(text.as_ref()));
        let written = sqlx::query!(
            r#"
            INSERT INTO module_builds (
                id, revision, dist_index, name, stream, version, context, build_context, build_context_no_bases,
                runtime_context, state, state_reason, koji_tag, cg_tag, scmurl, scratch, srpms, owner, submitted_at,
                modified_at, completed_at, repo_task, strategy, reuse_from, batch, stream_version, under_way, repo_tasks,
                last_seq, record, progressed_at
            ) VALUES (
                $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
                $24, $25, $26, $27, $28, $29, $30::text::json, $31
            ) ON CONFLICT (id) DO UPDATE SET
                revision = excluded.revision, dist_index = excluded.dist_index, scratch = excluded.scratch,
                submitted_at = excluded.submitted_at, stream_version = excluded.stream_version, build_context = excluded.build_context,
                build_context_no_bases = excluded.build_context_no_bases, runtime_context = excluded.runtime_context,
                state = excluded.state, state_reason = excluded.state_reason, koji_tag = excluded.koji_tag,
                cg_tag = excluded.cg_tag, scmurl = excluded.scmurl, srpms = excluded.srpms, owner = excluded.owner,
                modified_at = excluded.modified_at, completed_at = excluded.completed_at,
                repo_task = excluded.repo_task, strategy = excluded.strategy, reuse_from = excluded.reuse_from,
                batch = excluded.batch, under_way = excluded.under_way, repo_tasks = excluded.repo_tasks,
                last_seq = excluded.last_seq, record = excluded.record,
                progressed_at = coalesce(excluded.progressed_at, module_builds.progressed_at)
            "#,
            columns.id.0,
            step.revision,
            build.dist_index.0,
            columns.name,
            columns.stream,
            columns.version,
            columns.context,
            columns.build_context.as_deref().map(bounded),
            columns.build_context_no_bases.as_deref().map(bounded),
            columns.runtime_context.as_deref().map(bounded),
            i16::from(columns.state.number()),
            state_reason.as_deref(),
            columns.koji_tag,
            columns.cg_tag,
            scmurl.as_deref(),
            columns.scratch,
            columns.srpms,
            &*plain(&columns.owner),
            sql(columns.submitted_at) as _,
            sql(columns.modified_at) as _,
            columns.completed_at.map(sql) as _,
            columns.repo_task.map(|task| task.0),
            columns.strategy,
            columns.reuse_from.map(|build| build.0),
            i64::from(columns.batch),
            columns.stream_version,
            is_under_way(build),
            &repo_tasks,
            last_seq,
            json(&head)?,
            (step.was != Some(build)).then(|| sql(step.at)) as _,
        );
        written.execute(connection).await?;
        Ok(())
    }

    async fn write_document(
        &self,
        connection: &mut PgConnection,
        build: &ModuleBuild,
    ) -> Result<(), Failure> {
        let text = build.document().to_yaml();
        let digest = document_digest(&text);
        let requires = json(&buildrequires(build.document()))?;
        let document = sqlx::query!(
            "INSERT INTO documents (build_id, digest, text, buildrequires) VALUES ($1, $2, $3, $4::text::json)
             ON CONFLICT (build_id) DO UPDATE SET
                 digest = excluded.digest, text = excluded.text, buildrequires = excluded.buildrequires",
            build.id.0,
            digest,
            text,
            requires,
        );
        document.execute(&mut *connection).await?;
        self.documents.keep((build.id, digest), build.document().clone());
        let streams: Vec<String> =
            virtual_streams(build.document()).iter().map(|stream| bounded(stream)).collect();
        sqlx::query!("DELETE FROM virtual_streams WHERE build_id = $1", build.id.0)
            .execute(&mut *connection)
            .await?;
        if !streams.is_empty() {
            let streams = sqlx::query!(
                "INSERT INTO virtual_streams (build_id, stream) SELECT $1, * FROM unnest($2::text[])
                 ON CONFLICT DO NOTHING",
                build.id.0,
                &streams,
            );
            streams.execute(connection).await?;
        }
        Ok(())
    }

    async fn write_bases(&self, connection: &mut PgConnection, build: &ModuleBuild) -> Result<(), Failure> {
        sqlx::query!("DELETE FROM base_modules WHERE build_id = $1", build.id.0)
            .execute(&mut *connection)
            .await?;
        for base in &build.new.base_modules {
            let base = sqlx::query!(
                "INSERT INTO base_modules (build_id, name, stream, version, context, stream_version)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                build.id.0,
                base.name.as_str(),
                base.stream.as_str(),
                sortable(base.version),
                base.context.as_str(),
                self.rules.stream_version(base),
            );
            base.execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn write_slots(
        &self,
        connection: &mut PgConnection,
        was: Option<&ModuleBuild>,
        now: &ModuleBuild,
    ) -> Result<(), Failure> {
        let place = |build: &ModuleBuild| build.line.map(|line| place_in_line(build, line, self.rules.tau));
        let held = now.slots_held();
        if was.is_some_and(|was| (was.slots_held(), place(was)) == (held, place(now))) {
            return Ok(());
        }
        let place = place(now);
        let slots = sqlx::query!(
            "INSERT INTO slots (build_id, held, priority, turn, wants) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (build_id) DO UPDATE SET
                 held = excluded.held, priority = excluded.priority, turn = excluded.turn, wants = excluded.wants",
            now.id.0,
            i64::from(held),
            place.map(|place| place.priority.0),
            place.map(|place| sql(place.turn)) as _,
            place.map(|place| i64::from(place.wants)),
        );
        slots.execute(connection).await?;
        Ok(())
    }
}

/// Gives ids to components that have none.
pub(crate) async fn number_components(
    connection: &mut PgConnection,
    build: &mut ModuleBuild,
) -> Result<(), Failure> {
    let count = build.components.iter().filter(|component| component.id.is_none()).count();
    if count == 0 {
        return Ok(());
    }
    let ids = sqlx::query_scalar!(
        r#"SELECT nextval('components_id_seq') AS "id!" FROM generate_series(1, $1)"#,
        i32::try_from(count).unwrap_or(i32::MAX),
    );
    let mut ids = ids.fetch_all(connection).await?.into_iter();
    for component in build.components.iter_mut().filter(|component| component.id.is_none()) {
        component.id = ids.next().map(ComponentId);
    }
    Ok(())
}

async fn write_components(connection: &mut PgConnection, changes: &Changes) -> Result<(), Failure> {
    let gone: Vec<i64> = changes.gone.iter().map(|id| id.0).collect();
    if !gone.is_empty() {
        sqlx::query!("DELETE FROM components WHERE id = ANY($1)", &gone).execute(&mut *connection).await?;
    }
    if !changes.components.is_empty() {
        upsert_components(connection, changes).await?;
    }
    if !changes.attempts.is_empty() {
        upsert_attempts(connection, changes).await?;
    }
    for (component, count) in &changes.shorter {
        let count = i32::try_from(*count).unwrap_or(i32::MAX);
        let beyond = sqlx::query!(
            "DELETE FROM attempts WHERE component_id = $1 AND position >= $2",
            component.0,
            count,
        );
        beyond.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn upsert_components(connection: &mut PgConnection, changes: &Changes) -> Result<(), Failure> {
    let rows = &changes.components;
    let records = rows.iter().map(|row| json(&row.record)).collect::<Result<Vec<_>, _>>()?;
    macro_rules! column {
        ($row:ident => $value:expr) => {
            &rows.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    let written = sqlx::query!(
        r#"
        INSERT INTO components (
            id, build_id, position, package, scmurl, task, commit, state, state_reason, nvr, tagged, tagged_in_final,
            build_time_only, buildonly, batch, reused_from, weight, record
        ) SELECT id, build_id, position, package, scmurl, task, commit, state, state_reason, nvr, tagged,
            tagged_in_final, build_time_only, buildonly, batch, reused_from, weight, record::json
        FROM unnest(
            $1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::bigint[], $7::text[],
            $8::smallint[], $9::text[], $10::text[], $11::boolean[], $12::boolean[], $13::boolean[], $14::boolean[],
            $15::bigint[], $16::bigint[], $17::double precision[], $18::text[]
        ) AS new (
            id, build_id, position, package, scmurl, task, commit, state, state_reason, nvr, tagged, tagged_in_final,
            build_time_only, buildonly, batch, reused_from, weight, record
        ) ON CONFLICT (id) DO UPDATE SET
            position = excluded.position, package = excluded.package, scmurl = excluded.scmurl, task = excluded.task,
            commit = excluded.commit, state = excluded.state, state_reason = excluded.state_reason,
            nvr = excluded.nvr, tagged = excluded.tagged, tagged_in_final = excluded.tagged_in_final,
            build_time_only = excluded.build_time_only, buildonly = excluded.buildonly, batch = excluded.batch,
            reused_from = excluded.reused_from, weight = excluded.weight, record = excluded.record
        "#,
        column!(row => row.id.0),
        column!(row => row.build_id.0),
        column!(row => i32::try_from(row.position).unwrap_or(i32::MAX)),
        column!(row => row.columns.package.clone()),
        column!(row => plain_or_none(row.columns.scmurl.as_ref()).map(Into::into)) as &[Option<String>],
        column!(row => row.columns.task.map(|task| task.0)) as &[Option<i64>],
        column!(row => row.columns.commit.clone()) as &[Option<String>],
        column!(row => row.columns.state.map(i16::from)) as &[Option<i16>],
        column!(row => plain_or_none(row.columns.state_reason.as_ref()).map(Into::into))
            as &[Option<String>],
        column!(row => row.columns.nvr.clone()) as &[Option<String>],
        column!(row => row.columns.tagged),
        column!(row => row.columns.tagged_in_final),
        column!(row => row.columns.build_time_only),
        column!(row => row.columns.buildonly),
        column!(row => i64::from(row.columns.batch)),
        column!(row => row.columns.reused_from) as &[Option<i64>],
        column!(row => row.columns.weight),
        &records,
    );
    written.execute(connection).await?;
    Ok(())
}

async fn upsert_attempts(connection: &mut PgConnection, changes: &Changes) -> Result<(), Failure> {
    let rows = &changes.attempts;
    let records = rows.iter().map(|row| json(&row.record)).collect::<Result<Vec<_>, _>>()?;
    let positions = rows.iter().map(|row| i32::try_from(row.position).unwrap_or(i32::MAX));
    let written = sqlx::query!(
        "INSERT INTO attempts (component_id, position, task, is_live, record)
         SELECT component_id, position, task, is_live, record::json
         FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::boolean[], $5::text[])
             AS new (component_id, position, task, is_live, record)
         ON CONFLICT (component_id, position) DO UPDATE SET
             task = excluded.task, is_live = excluded.is_live, record = excluded.record",
        &rows.iter().map(|row| row.component_id.0).collect::<Vec<_>>(),
        &positions.collect::<Vec<_>>(),
        &rows.iter().map(|row| row.task).collect::<Vec<_>>() as &[Option<i64>],
        &rows.iter().map(|row| row.is_live).collect::<Vec<_>>(),
        &records,
    );
    written.execute(connection).await?;
    Ok(())
}
