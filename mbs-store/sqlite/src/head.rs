//! The row of a module build: its record, and the columns that builds are found by.
//!
//! Columns are read off the record by [`mbs_core::store::BuildColumns`] and are written with it, never alone.

use mbs_core::ident::Revision;
use mbs_core::model::ModuleBuild;
use mbs_core::store::{BuildColumns, StoreError, is_under_way};

use crate::error::Outcome;
use crate::text::json;
use crate::time::micros;
use crate::write::Write;

/// Writes a record without what tables of their own have.
fn head(build: &ModuleBuild) -> Result<String, StoreError> {
    json(&build.clone().into_parts().0)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Write<'_> {
    /// Adds the row of a new build, whose last event has this number.
    pub(crate) async fn insert_head(&mut self, build: &ModuleBuild, last_seq: u64) -> Outcome<()> {
        let of = BuildColumns::of(build, &self.store.rules);
        let (record, under_way, last_seq) = (head(build)?, is_under_way(build), signed(last_seq));
        let (state, batch) = (i64::from(of.state.number()), i64::from(of.batch));
        let (submitted_at, modified_at) = (micros(of.submitted_at), micros(of.modified_at));
        let completed_at = of.completed_at.map(micros);
        let (repo_task, reuse_from) = (of.repo_task.map(|task| task.0), of.reuse_from.map(|build| build.0));
        let now = self.micros();
        let insert = sqlx::query!(
            "INSERT INTO module_builds (id, revision, dist_index, name, stream, version, context, build_context,
                build_context_no_bases, runtime_context, state, state_reason, koji_tag, cg_tag, scmurl, scratch, srpms,
                owner, submitted_at, modified_at, completed_at, repo_task, strategy, reuse_from, batch, stream_version,
                under_way, last_seq, record, progressed_at)
            VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)",
            of.id.0,
            build.dist_index.0,
            of.name,
            of.stream,
            of.version,
            of.context,
            of.build_context,
            of.build_context_no_bases,
            of.runtime_context,
            state,
            of.state_reason,
            of.koji_tag,
            of.cg_tag,
            of.scmurl,
            of.scratch,
            of.srpms,
            of.owner,
            submitted_at,
            modified_at,
            completed_at,
            repo_task,
            of.strategy,
            reuse_from,
            batch,
            of.stream_version,
            under_way,
            last_seq,
            record,
            now,
        );
        insert.execute(self.connection()).await?;
        Ok(())
    }

    /// Writes the row of a build: the record always, its columns if one of them changed.
    pub(crate) async fn update_head(
        &mut self,
        was: &ModuleBuild,
        build: &ModuleBuild,
        (revision, last_seq): (Revision, u64),
    ) -> Outcome<()> {
        let (id, record, under_way) = (build.id.0, head(build)?, is_under_way(build));
        let (revision, last_seq) = (signed(revision.0), signed(last_seq));
        let progressed_at = (was != build).then(|| self.micros());
        let update = sqlx::query!(
            "UPDATE module_builds SET revision = ?2, last_seq = ?3, record = ?4, progressed_at = coalesce(?5, progressed_at)
            WHERE id = ?1",
            id,
            revision,
            last_seq,
            record,
            progressed_at,
        );
        update.execute(self.connection()).await?;
        if is_under_way(was) != under_way {
            let update = sqlx::query!("UPDATE module_builds SET under_way = ?2 WHERE id = ?1", id, under_way);
            update.execute(self.connection()).await?;
        }
        let columns = BuildColumns::of(build, &self.store.rules);
        if columns != BuildColumns::of(was, &self.store.rules) {
            self.update_columns(&columns).await?;
        }
        Ok(())
    }

    /// Writes the columns of an identity that change when a build is overwritten by an import.
    pub(crate) async fn update_origin(&mut self, build: &ModuleBuild) -> Outcome<()> {
        let of = BuildColumns::of(build, &self.store.rules);
        let submitted_at = micros(of.submitted_at);
        let update = sqlx::query!(
            "UPDATE module_builds SET dist_index = ?2, scratch = ?3, submitted_at = ?4 WHERE id = ?1",
            of.id.0,
            build.dist_index.0,
            of.scratch,
            submitted_at,
        );
        update.execute(self.connection()).await?;
        Ok(())
    }

    /// Writes all columns but those of the identity, which never change.
    async fn update_columns(&mut self, of: &BuildColumns) -> Outcome<()> {
        let (state, batch) = (i64::from(of.state.number()), i64::from(of.batch));
        let (modified_at, completed_at) = (micros(of.modified_at), of.completed_at.map(micros));
        let (repo_task, reuse_from) = (of.repo_task.map(|task| task.0), of.reuse_from.map(|build| build.0));
        let update = sqlx::query!(
            "UPDATE module_builds SET build_context = ?2, build_context_no_bases = ?3, runtime_context = ?4, state = ?5,
                state_reason = ?6, koji_tag = ?7, cg_tag = ?8, scmurl = ?9, srpms = ?10, owner = ?11, modified_at = ?12,
                completed_at = ?13, repo_task = ?14, strategy = ?15, reuse_from = ?16, batch = ?17, stream_version = ?18
            WHERE id = ?1",
            of.id.0,
            of.build_context,
            of.build_context_no_bases,
            of.runtime_context,
            state,
            of.state_reason,
            of.koji_tag,
            of.cg_tag,
            of.scmurl,
            of.srpms,
            of.owner,
            modified_at,
            completed_at,
            repo_task,
            of.strategy,
            reuse_from,
            batch,
            of.stream_version,
        );
        update.execute(self.connection()).await?;
        Ok(())
    }
}
