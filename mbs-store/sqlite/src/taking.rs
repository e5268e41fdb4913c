//! What was built elsewhere: single modules, and the record of another service.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::ident::{BuildId, ComponentId, Nsvc, Revision};
use mbs_core::model::ModuleBuild;
use mbs_core::plan::Why;
use mbs_core::store::{AuditEntry, Import, Imported, Present, Restored, StoreError, is_under_way};

use crate::SqliteStore;
use crate::error::Outcome;
use crate::record::parse_of;
use crate::text::json;
use crate::write::Write;

impl SqliteStore {
    pub(crate) async fn import_build(&self, import: &Import) -> Outcome<Imported> {
        let mut write = self.write().await?;
        let there = write.of_identity(&import.nsvc).await?;
        let build = match there {
            Some(id) => write.overwrite(import, id).await?,
            None => write.add(import).await?,
        };
        write.write_work(build.id, None).await?;
        let entry = AuditEntry { at: write.now, by: import.by.clone(), what: "imported it".to_owned() };
        write.audit(Some(build.id), &entry).await?;
        write.commit().await?;
        Ok(Imported { build, was_there: there.is_some() })
    }

    pub(crate) async fn restore_builds(&self, records: Vec<Restored>) -> Outcome<()> {
        let mut write = self.write().await?;
        let present = write.present(&records).await?;
        let records = Restored::check_all(records, &present)?;
        for record in &records {
            write.take_over(record).await?;
        }
        let builds = records.iter().map(|record| record.build.id.0).max();
        let components = records.iter().flat_map(Restored::component_ids).map(|id| id.0).max();
        write.count_from("build", builds).await?;
        write.count_from("component", components).await?;
        write.commit().await
    }
}

impl Write<'_> {
    async fn add(&mut self, import: &Import) -> Outcome<ModuleBuild> {
        let id = BuildId(self.count_on("build", 1).await? + 1);
        let build = self.imported(import, id).await?;
        self.insert_head(&build, 1).await?;
        self.write_parts(None, &build).await?;
        Ok(build)
    }

    async fn overwrite(&mut self, import: &Import, id: BuildId) -> Outcome<ModuleBuild> {
        let stored = self.record(id).await?;
        if is_under_way(&stored.build) {
            return Err(StoreError::UnderWay(import.nsvc.clone(), stored.build.state()).into());
        }
        let build = self.imported(import, id).await?;
        let numbers = (Revision(stored.revision.0 + 1), stored.last_seq + 1);
        self.update_head(&stored.build, &build, numbers).await?;
        self.update_origin(&build).await?;
        self.write_parts(Some(&stored.build), &build).await?;
        let delete = sqlx::query!("DELETE FROM traces WHERE build_id = ?1", id.0);
        delete.execute(self.connection()).await?;
        Ok(build)
    }

    async fn imported(&mut self, import: &Import, id: BuildId) -> Outcome<ModuleBuild> {
        let dist_index = self.smallest_sibling(&import.nsvc, false, id).await?;
        Ok(import.record(id, dist_index, &self.store.rules, self.now))
    }

    /// Writes when a build is to be looked at, at once or not before it is woken, for it is finished; a lease on it ends.
    async fn write_work(&mut self, id: BuildId, due: Option<i64>) -> Outcome<()> {
        let why = due.is_none().then(|| json(&Why::Finished)).transpose()?;
        let written = sqlx::query!(
            "INSERT INTO work (build_id, due, why) VALUES (?1, ?2, ?3)
            ON CONFLICT (build_id) DO UPDATE SET due = excluded.due, why = excluded.why, woken = 0, looked_at = NULL,
                lease_worker = NULL, lease_token = NULL, lease_until = NULL",
            id.0,
            due,
            why,
        );
        written.execute(self.connection()).await?;
        Ok(())
    }

    async fn take_over(&mut self, record: &Restored) -> Outcome<()> {
        let build = &record.build;
        self.insert_head(build, record.last_seq()).await?;
        self.write_parts(None, build).await?;
        let due = record.needs_look().then(|| self.micros());
        self.write_work(build.id, due).await?;
        self.trace(build.id, (1..).zip(&record.trace)).await?;
        self.add_to_traces(&record.component_changes()).await?;
        self.log(build.id, &record.log).await
    }

    /// Reads what there is of what records mention.
    async fn present(&mut self, records: &[Restored]) -> Outcome<Present> {
        let builds = self.identities(&Restored::mentioned(records)).await?;
        let mut taken = BTreeSet::new();
        for record in records {
            let nsvc = record.build.nsvc();
            taken.extend(self.of_identity(nsvc).await?.map(|_| nsvc.clone()));
        }
        let ids: Vec<ComponentId> = records.iter().flat_map(Restored::component_ids).collect();
        let ids = json(&ids)?;
        let components = sqlx::query_scalar!(
            "SELECT id FROM components WHERE id IN (SELECT value FROM json_each(?1))",
            ids,
        );
        let components = components.fetch_all(self.connection()).await?;
        Ok(Present { builds, taken, components: components.into_iter().map(ComponentId).collect() })
    }

    async fn identities(&mut self, ids: &BTreeSet<BuildId>) -> Outcome<BTreeMap<BuildId, Nsvc>> {
        let ids = json(ids)?;
        let rows = sqlx::query!(
            r#"SELECT id, record ->> '$.new.nsvc' AS "nsvc!: String" FROM module_builds
            WHERE id IN (SELECT value FROM json_each(?1))"#,
            ids,
        );
        let rows = rows.fetch_all(self.connection()).await?.into_iter();
        let identity = |id: i64, nsvc: &str| Ok((BuildId(id), parse_of(&json(nsvc)?, "identity", id)?));
        Ok(rows.map(|row| identity(row.id, &row.nsvc)).collect::<Result<_, StoreError>>()?)
    }

    /// Lets a counter count on from an id at least.
    async fn count_from(&mut self, counter: &str, last: Option<i64>) -> Outcome<()> {
        let raise = sqlx::query!(
            "UPDATE counters SET last = max(last, coalesce(?2, 0)) WHERE name = ?1",
            counter,
            last,
        );
        raise.execute(self.connection()).await?;
        Ok(())
    }
}
