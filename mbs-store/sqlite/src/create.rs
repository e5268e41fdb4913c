//! Submissions: all of one is checked, then all of it is written.

use std::collections::BTreeSet;

use mbs_core::ident::{BuildId, Nsvc};
use mbs_core::model::{ModuleBuild, NewBuild};
use mbs_core::store::checks::{self, rejected};
use mbs_core::store::{Create, Created, IdempotencyKey, Note, StateChange, StoreError, sortable};
use sqlx::SqliteConnection;

use crate::SqliteStore;
use crate::documents::Documents;
use crate::error::Outcome;
use crate::record::{Stored, parse, records};
use crate::text::{checked, json};
use crate::write::Write;

impl SqliteStore {
    pub(crate) async fn create_builds(&self, create: Create) -> Outcome<Created> {
        let mut write = self.write().await?;
        let known = match &create.key {
            Some(key) => builds_of_key(write.connection(), key).await?,
            None => None,
        };
        if let Some(builds) = known {
            return created(write.connection(), &self.documents, &builds).await;
        }
        let resumed = write.check_create(&create).await?;
        let builds = write.create(create, &resumed).await?;
        let created = created(write.connection(), &self.documents, &builds).await?;
        write.commit().await?;
        Ok(created)
    }

    pub(crate) async fn created_before(&self, key: &IdempotencyKey) -> Outcome<Option<Created>> {
        let mut read = self.read().await?;
        match builds_of_key(&mut read, key).await? {
            Some(builds) => created(&mut read, &self.documents, &builds).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Returns the builds that a key stands for already.
async fn builds_of_key(connection: &mut SqliteConnection, key: &IdempotencyKey) -> Outcome<Option<Vec<i64>>> {
    let name = checked("an idempotency key", &key.key)?;
    let row = sqlx::query!("SELECT content, builds FROM idempotency_keys WHERE key = ?1", name);
    match row.fetch_optional(connection).await? {
        Some(row) if row.content == key.content => {
            Ok(Some(parse(&row.builds, || format!("what is stored of the idempotency key {name:?}"))?))
        }
        Some(_) => Err(StoreError::KeyReused(key.key.clone()).into()),
        None => Ok(None),
    }
}

/// Reads the builds of a submission, in the order given.
async fn created(
    connection: &mut SqliteConnection,
    documents: &Documents,
    builds: &[i64],
) -> Outcome<Created> {
    let records = records(connection, documents, builds).await?;
    let record = |id: &i64| {
        let stored = records.get(id).ok_or(StoreError::NotFound(BuildId(*id)))?;
        Ok(stored.build.clone())
    };
    Ok(Created::new(builds.iter().map(record).collect::<Result<_, StoreError>>()?))
}

impl Write<'_> {
    /// Checks in the order of the contract, and returns the resumed builds as they are stored.
    async fn check_create(&mut self, create: &Create) -> Outcome<Vec<Stored>> {
        if create.new.is_empty() && create.resumed.is_empty() {
            return Err(rejected("a submission must make or resume a build").into());
        }
        for id in &create.existing {
            self.check_existing(*id).await?;
        }
        let mut nsvcs = BTreeSet::new();
        for new in &create.new {
            if !nsvcs.insert(&new.nsvc) || self.of_identity(&new.nsvc).await?.is_some() {
                return Err(StoreError::Taken(new.nsvc.clone()).into());
            }
        }
        let (mut ids, mut resumed) = (BTreeSet::new(), Vec::new());
        for (build, revision) in &create.resumed {
            if !ids.insert(build.id) {
                return Err(rejected(format!("module build {} is resumed twice", build.id)).into());
            }
            let stored = self.record(build.id).await?;
            if stored.revision != *revision {
                return Err(StoreError::Stale(build.id).into());
            }
            checks::by_hand(&stored.build, build)?;
            resumed.push(stored);
        }
        Ok(resumed)
    }

    async fn check_existing(&mut self, id: BuildId) -> Outcome<()> {
        let found = sqlx::query_scalar!("SELECT id FROM module_builds WHERE id = ?1", id.0);
        match found.fetch_optional(self.connection()).await? {
            Some(_) => Ok(()),
            None => Err(StoreError::NotFound(id).into()),
        }
    }

    /// Returns the build of an identity; nobody else can take it before this transaction ends.
    pub(crate) async fn of_identity(&mut self, nsvc: &Nsvc) -> Outcome<Option<BuildId>> {
        let (name, stream, context) = (nsvc.name.as_str(), nsvc.stream.as_str(), nsvc.context.as_str());
        let version = sortable(nsvc.version);
        let found = sqlx::query_scalar!(
            "SELECT id FROM module_builds WHERE name = ?1 AND stream = ?2 AND version = ?3 AND context = ?4",
            name,
            stream,
            version,
            context,
        );
        Ok(found.fetch_optional(self.connection()).await?.map(BuildId))
    }

    async fn create(&mut self, create: Create, resumed: &[Stored]) -> Outcome<Vec<i64>> {
        let mut builds = Vec::new();
        let mut last = self.count_on("build", create.new.len()).await?;
        for new in create.new {
            last += 1;
            self.begin(new, BuildId(last), &create.notes).await?;
            builds.push(last);
        }
        for ((build, _), stored) in create.resumed.into_iter().zip(resumed) {
            builds.push(build.id.0);
            self.change_by_hand(stored, build, (&create.by, "resubmitted it")).await?;
        }
        builds.extend(create.existing.iter().map(|id| id.0));
        if let Some(key) = create.key {
            self.keep_key(&key, &builds).await?;
        }
        Ok(builds)
    }

    /// Writes a new build: its record, first trace row and event, log lines; it is due at once.
    async fn begin(&mut self, new: NewBuild, id: BuildId, notes: &[Note]) -> Outcome<()> {
        let dist_index = self.smallest_sibling(&new.nsvc, new.scratch, id).await?;
        let mut build = ModuleBuild::begin(new, id, dist_index, self.now);
        let transitions = build.life.take_unsaved();
        let events = StateChange::all_of(&build, 0, None, &transitions);
        let last_seq = events.last().map_or(0, |event| event.seq);
        self.insert_head(&build, last_seq).await?;
        let now = self.micros();
        let due = sqlx::query!("INSERT INTO work (build_id, due) VALUES (?1, ?2)", id.0, now);
        due.execute(self.connection()).await?;
        self.write_parts(None, &build).await?;
        self.announce(&events).await?;
        self.log(id, &Note::lines(notes, &build, self.now)).await
    }

    /// Returns the smallest id among builds of the same name, stream, version and scratch-ness, `id` being one of them.
    pub(crate) async fn smallest_sibling(
        &mut self,
        nsvc: &Nsvc,
        scratch: bool,
        id: BuildId,
    ) -> Outcome<BuildId> {
        let (name, stream) = (nsvc.name.as_str(), nsvc.stream.as_str());
        let version = sortable(nsvc.version);
        let smallest = sqlx::query_scalar!(
            r#"SELECT min(id) AS "id: i64" FROM module_builds
            WHERE name = ?1 AND stream = ?2 AND version = ?3 AND scratch = ?4"#,
            name,
            stream,
            version,
            scratch,
        );
        let smallest = smallest.fetch_one(self.connection()).await?;
        Ok(smallest.map_or(id, |smallest| id.min(BuildId(smallest))))
    }

    async fn keep_key(&mut self, key: &IdempotencyKey, builds: &[i64]) -> Outcome<()> {
        let (builds, now) = (json(builds)?, self.micros());
        let insert = sqlx::query!(
            "INSERT INTO idempotency_keys (key, content, builds, at) VALUES (?1, ?2, ?3, ?4)",
            key.key,
            key.content,
            builds,
            now,
        );
        insert.execute(self.connection()).await?;
        Ok(())
    }
}
