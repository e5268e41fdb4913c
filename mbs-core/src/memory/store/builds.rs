//! Making, loading and saving.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;
use super::tables::{KeptKey, Row, Tables, WorkRow};
use crate::ident::{BuildId, Nsvc, Revision};
use crate::model::{ModuleBuild, NewBuild, Transition};
use crate::store::checks::{self, rejected};
use crate::store::{
    Amend, AuditEntry, Builds, Create, Created, IdempotencyKey, Import, Imported, Loaded, LogLine, Note,
    Restored, Save, Saved, StoreError,
};

#[async_trait]
impl Builds for MemoryStore {
    async fn create(&self, create: Create) -> Result<Created, StoreError> {
        self.transact(|tables, now| {
            let known = match &create.key {
                Some(key) => tables.builds_of_key(key)?,
                None => None,
            };
            match known {
                Some(builds) => tables.created(&builds),
                None => {
                    tables.check_create(&create)?;
                    let builds = tables.create(create, now);
                    tables.created(&builds)
                }
            }
        })
    }

    async fn created_with(&self, key: &IdempotencyKey) -> Result<Option<Created>, StoreError> {
        self.transact(|tables, _| match tables.builds_of_key(key)? {
            Some(builds) => tables.created(&builds).map(Some),
            None => Ok(None),
        })
    }

    async fn load(&self, id: BuildId) -> Result<Loaded, StoreError> {
        self.transact(|tables, _| {
            let row = tables.row(id)?;
            Ok(Loaded { build: (*row.build).clone(), revision: row.revision, slots: tables.slots() })
        })
    }

    async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        self.transact(|tables, now| {
            tables.check_save(&save, now)?;
            let id = save.now.id;
            tables.waking_line(Some(id), now, |tables| {
                tables.commit(save.now, save.notes, now);
                tables.adapt(save.signal, now);
            });
            tables.saved(id)
        })
    }

    async fn amend(&self, amend: Amend) -> Result<Saved, StoreError> {
        self.transact(|tables, now| {
            tables.check_by_hand(&amend.now, amend.revision)?;
            let id = amend.now.id;
            tables.commit_by_hand(amend.now, AuditEntry { at: now, by: amend.by, what: amend.what });
            tables.saved(id)
        })
    }

    async fn import(&self, import: Import) -> Result<Imported, StoreError> {
        self.transact(|tables, now| tables.import(&import, now))
    }

    async fn restore(&self, records: Vec<Restored>) -> Result<(), StoreError> {
        self.transact(|tables, now| tables.restore(records, now))
    }

    async fn trace(&self, id: BuildId) -> Result<Vec<Transition>, StoreError> {
        self.transact(|tables, _| Ok(tables.beside(id, |row| &row.trace)))
    }

    async fn log(&self, id: BuildId) -> Result<Vec<LogLine>, StoreError> {
        self.transact(|tables, _| Ok(tables.beside(id, |row| &row.log)))
    }

    async fn audit(&self, id: BuildId) -> Result<Vec<AuditEntry>, StoreError> {
        self.transact(|tables, _| Ok(tables.beside(id, |row| &row.audit)))
    }
}

impl Tables {
    /// Checks in the order of the contract: lease, revision, slots; what only a defective caller does comes between.
    fn check_save(&self, save: &Save, now: Timestamp) -> Result<(), StoreError> {
        let id = save.lease.build;
        if save.now.id != id {
            return Err(rejected(format!(
                "the lease is on module build {id}, the record is of {}",
                save.now.id
            )));
        }
        let row = self.row(id)?;
        if !row.work.honours(&save.lease, now) {
            return Err(StoreError::LeaseLost(id));
        }
        let row = self.row_at(id, save.revision)?;
        if save.was != row.build {
            return Err(rejected(format!("module build {id} was not loaded as this revision")));
        }
        checks::successor(&row.build, &save.now)?;
        checks::slots(&row.build, &save.now, &self.slots_without_line())
    }

    /// Returns the builds that a key stands for already.
    fn builds_of_key(&self, key: &IdempotencyKey) -> Result<Option<Vec<BuildId>>, StoreError> {
        match self.keys.get(&key.key) {
            Some(kept) if kept.content == key.content => Ok(Some(kept.builds.clone())),
            Some(_) => Err(StoreError::KeyReused(key.key.clone())),
            None => Ok(None),
        }
    }

    fn check_create(&self, create: &Create) -> Result<(), StoreError> {
        if create.new.is_empty() && create.resumed.is_empty() {
            return Err(rejected("a submission must make or resume a build"));
        }
        for id in &create.existing {
            self.row(*id)?;
        }
        let mut nsvcs = BTreeSet::new();
        for new in &create.new {
            if self.index.by_nsvc.contains_key(&new.nsvc) || !nsvcs.insert(&new.nsvc) {
                return Err(StoreError::Taken(new.nsvc.clone()));
            }
        }
        let mut resumed = BTreeSet::new();
        for (build, revision) in &create.resumed {
            if !resumed.insert(build.id) {
                return Err(rejected(format!("module build {} is resumed twice", build.id)));
            }
            self.check_by_hand(build, *revision)?;
        }
        Ok(())
    }

    fn create(&mut self, create: Create, now: Timestamp) -> Vec<BuildId> {
        let notes = create.notes;
        let mut builds: Vec<BuildId> =
            create.new.into_iter().map(|new| self.begin(new, notes.clone(), now)).collect();
        for (build, _) in create.resumed {
            builds.push(build.id);
            let audit = AuditEntry { at: now, by: create.by.clone(), what: "resubmitted it".to_owned() };
            self.commit_by_hand(build, audit);
        }
        builds.extend(create.existing);
        if let Some(IdempotencyKey { key, content }) = create.key {
            self.keys.insert(key, KeptKey { content, builds: builds.clone(), at: now });
        }
        builds
    }

    fn begin(&mut self, new: NewBuild, notes: Vec<Note>, now: Timestamp) -> BuildId {
        let id = self.next_build();
        let dist_index = self.smallest_sibling(&new.nsvc, new.scratch, id);
        let mut build = ModuleBuild::begin(new, id, dist_index, now);
        let trace = build.life.take_unsaved();
        self.announce(&build, &trace);
        let log = self.lines(notes, &build, now);
        self.insert(Row {
            revision: Revision(0),
            work: WorkRow { due: Some(now), ..WorkRow::default() },
            last_seq: trace.len() as u64,
            trace,
            component_traces: BTreeMap::new(),
            log,
            audit: Vec::new(),
            progressed_at: now,
            build: Arc::new(build),
        });
        id
    }

    pub(super) fn next_build(&mut self) -> BuildId {
        self.last_build += 1;
        BuildId(self.last_build)
    }

    /// Returns the smallest id among builds of the same name, stream, version and scratch-ness, `id` being one of them.
    pub(super) fn smallest_sibling(&self, nsvc: &Nsvc, scratch: bool, id: BuildId) -> BuildId {
        let is_sibling =
            |row: &&Row| row.build.nsvc().version == nsvc.version && row.build.new.scratch == scratch;
        let siblings = self.rows_of(&nsvc.name_stream()).filter(is_sibling).map(|row| row.build.id);
        siblings.chain([id]).min().unwrap_or(id)
    }

    fn created(&self, builds: &[BuildId]) -> Result<Created, StoreError> {
        let records = builds.iter().map(|id| Ok((*self.row(*id)?.build).clone()));
        Ok(Created::new(records.collect::<Result<_, StoreError>>()?))
    }

    fn beside<T: Clone>(&self, id: BuildId, part: impl Fn(&Row) -> &Vec<T>) -> Vec<T> {
        self.rows.row(id).map(|row| part(row).clone()).unwrap_or_default()
    }
}
