//! What stands beside the row of a build: its document, base modules, tasks, components, attempts, and its place in line.
//!
//! What differs is told by [`mbs_core::store::Changes`]; nothing else is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use mbs_core::ident::Nsvc;
use mbs_core::model::ModuleBuild;
use mbs_core::share::place_in_line;
use mbs_core::store::{Changes, buildrequires, document_digest, sortable, virtual_streams};

use crate::error::Outcome;
use crate::rows;
use crate::text::json;
use crate::time::micros;
use crate::write::Write;

impl Write<'_> {
    /// Writes what differs between two records beside their row; `None`: there was none.
    pub(crate) async fn write_parts(
        &mut self,
        was: Option<&ModuleBuild>,
        build: &ModuleBuild,
    ) -> Outcome<()> {
        let is_same_document = |was: &ModuleBuild| {
            Arc::ptr_eq(was.document(), build.document()) || was.document() == build.document()
        };
        if !was.is_some_and(is_same_document) {
            self.write_document(build).await?;
        }
        if was.map_or(&[][..], |was| &was.new.base_modules) != build.new.base_modules {
            self.write_base_modules(build).await?;
        }
        let repo_tasks = |build: &ModuleBuild| build.repo_tasks().collect::<BTreeSet<_>>();
        if was.map(repo_tasks).unwrap_or_default() != repo_tasks(build) {
            self.write_repo_tasks(build).await?;
        }
        self.write_components(&Changes::between(was, build), build.id.0).await?;
        self.write_place(was, build).await
    }

    async fn write_document(&mut self, build: &ModuleBuild) -> Outcome<()> {
        let (id, document) = (build.id.0, build.document());
        let text = document.to_yaml();
        let (digest, requires) = (document_digest(&text), json(&buildrequires(document))?);
        let insert = sqlx::query!(
            "INSERT INTO documents (build_id, digest, text, buildrequires) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (build_id) DO UPDATE
            SET digest = excluded.digest, text = excluded.text, buildrequires = excluded.buildrequires",
            id,
            digest,
            text,
            requires,
        );
        insert.execute(self.connection()).await?;
        let delete = sqlx::query!("DELETE FROM virtual_streams WHERE build_id = ?1", id);
        delete.execute(self.connection()).await?;
        for stream in virtual_streams(document) {
            let insert =
                sqlx::query!("INSERT INTO virtual_streams (build_id, stream) VALUES (?1, ?2)", id, stream);
            insert.execute(self.connection()).await?;
        }
        Ok(())
    }

    async fn write_base_modules(&mut self, build: &ModuleBuild) -> Outcome<()> {
        let delete = sqlx::query!("DELETE FROM base_modules WHERE build_id = ?1", build.id.0);
        delete.execute(self.connection()).await?;
        for nsvc in &build.new.base_modules {
            let Nsvc { name, stream, version, context } = nsvc;
            let (name, stream, context) = (name.as_str(), stream.as_str(), context.as_str());
            let (version, number) = (sortable(*version), self.store.rules.stream_version(nsvc));
            let insert = sqlx::query!(
                "INSERT OR IGNORE INTO base_modules (build_id, name, stream, version, context, stream_version)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                build.id.0,
                name,
                stream,
                version,
                context,
                number,
            );
            insert.execute(self.connection()).await?;
        }
        Ok(())
    }

    async fn write_repo_tasks(&mut self, build: &ModuleBuild) -> Outcome<()> {
        let delete = sqlx::query!("DELETE FROM repo_tasks WHERE build_id = ?1", build.id.0);
        delete.execute(self.connection()).await?;
        for task in build.repo_tasks() {
            let insert = sqlx::query!(
                "INSERT OR IGNORE INTO repo_tasks (build_id, task) VALUES (?1, ?2)",
                build.id.0,
                task.0,
            );
            insert.execute(self.connection()).await?;
        }
        Ok(())
    }

    async fn write_components(&mut self, changes: &Changes, build: i64) -> Outcome<()> {
        for gone in &changes.gone {
            let delete = sqlx::query!("DELETE FROM components WHERE id = ?1", gone.0);
            delete.execute(self.connection()).await?;
        }
        if !changes.components.is_empty() {
            let components = rows::components(&changes.components)?;
            self.upsert_components(build, &components).await?;
        }
        if !changes.attempts.is_empty() {
            let attempts = rows::attempts(&changes.attempts)?;
            self.upsert_attempts(&attempts).await?;
        }
        for (component, length) in &changes.shorter {
            let length = i64::try_from(*length).unwrap_or(i64::MAX);
            let delete = sqlx::query!(
                "DELETE FROM attempts WHERE component_id = ?1 AND position >= ?2",
                component.0,
                length,
            );
            delete.execute(self.connection()).await?;
        }
        Ok(())
    }

    async fn upsert_components(&mut self, build: i64, rows: &str) -> Outcome<()> {
        let upsert = sqlx::query!(
            r#"INSERT INTO components (id, build_id, position, package, scmurl, task, "commit", state, state_reason, nvr,
                tagged, tagged_in_final, build_time_only, buildonly, batch, reused_from, weight, record)
            SELECT value ->> 'id', ?1, value ->> 'position', value ->> 'package', value ->> 'scmurl', value ->> 'task',
                value ->> 'commit', value ->> 'state', value ->> 'state_reason', value ->> 'nvr', value ->> 'tagged',
                value ->> 'tagged_in_final', value ->> 'build_time_only', value ->> 'buildonly', value ->> 'batch',
                value ->> 'reused_from', value ->> 'weight', value ->> 'record'
            FROM json_each(?2) WHERE true
            ON CONFLICT (id) DO UPDATE SET position = excluded.position, package = excluded.package,
                scmurl = excluded.scmurl, task = excluded.task, "commit" = excluded."commit", state = excluded.state,
                state_reason = excluded.state_reason, nvr = excluded.nvr, tagged = excluded.tagged,
                tagged_in_final = excluded.tagged_in_final, build_time_only = excluded.build_time_only,
                buildonly = excluded.buildonly, batch = excluded.batch, reused_from = excluded.reused_from,
                weight = excluded.weight, record = excluded.record"#,
            build,
            rows,
        );
        upsert.execute(self.connection()).await?;
        Ok(())
    }

    async fn upsert_attempts(&mut self, rows: &str) -> Outcome<()> {
        let upsert = sqlx::query!(
            "INSERT INTO attempts (component_id, position, task, is_live, record)
            SELECT value ->> 'component_id', value ->> 'position', value ->> 'task', value ->> 'is_live', value ->> 'record'
            FROM json_each(?1) WHERE true
            ON CONFLICT (component_id, position) DO UPDATE
            SET task = excluded.task, is_live = excluded.is_live, record = excluded.record",
            rows,
        );
        upsert.execute(self.connection()).await?;
        Ok(())
    }

    /// Writes the slots that a build holds and its place in line.
    async fn write_place(&mut self, was: Option<&ModuleBuild>, build: &ModuleBuild) -> Outcome<()> {
        let tau = self.store.rules.tau;
        let of = |build: &ModuleBuild| {
            (build.slots_held(), build.line.map(|line| place_in_line(build, line, tau)))
        };
        let (held, place) = of(build);
        if was.map(of) == Some((held, place)) {
            return Ok(());
        }
        let (priority, turn) = (place.map(|place| place.priority.0), place.map(|place| micros(place.turn)));
        let wants = place.map(|place| place.wants);
        let upsert = sqlx::query!(
            "INSERT INTO slots (build_id, held, priority, turn, wants) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (build_id) DO UPDATE
            SET held = excluded.held, priority = excluded.priority, turn = excluded.turn, wants = excluded.wants",
            build.id.0,
            held,
            priority,
            turn,
            wants,
        );
        upsert.execute(self.connection()).await?;
        Ok(())
    }
}
