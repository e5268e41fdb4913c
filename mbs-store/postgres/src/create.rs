//! Recording submissions.
//!
//! Submissions of one name:stream wait for each other, so that the smallest sibling id is the same to all of them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mbs_core::ident::{BuildId, Nsvc};
use mbs_core::model::{ModuleBuild, NewBuild};
use mbs_core::store::checks::rejected;
use mbs_core::store::{Create, Created, IdempotencyKey, Note, StoreError, sortable};
use sqlx::PgConnection;

use crate::PostgresStore;
use crate::builds::{database_time, lock_record};
use crate::error::Failure;
use crate::line::tell;
use crate::text::checked;
use crate::time::sql;
use crate::write::Step;

/// The constraint that keeps identities apart.
const IDENTITY: &str = "module_builds_nsvc";

impl PostgresStore {
    pub(crate) async fn create_once(&self, create: &Create) -> Result<Created, Failure> {
        let mut transaction = self.pool.begin().await?;
        let connection = &mut *transaction;
        if let Some(key) = &create.key {
            lock_text(connection, "key", checked("an idempotency key", &key.key)?).await?;
            if let Some(known) = builds_of_key(connection, key).await? {
                return self.created(connection, &known).await;
            }
        }
        check(create)?;
        let streams: BTreeSet<String> =
            create.new.iter().map(|new| new.nsvc.name_stream().to_string()).collect();
        for stream in streams {
            lock_text(connection, "stream", &stream).await?;
        }
        let builds = self.record(connection, create).await?;
        let created = self.created(connection, &builds).await?;
        transaction.commit().await?;
        Ok(created)
    }

    pub(crate) async fn created_once(&self, key: &IdempotencyKey) -> Result<Option<Created>, Failure> {
        checked("an idempotency key", &key.key)?;
        let mut connection = self.pool.acquire().await?;
        match builds_of_key(&mut connection, key).await? {
            Some(known) => self.created(&mut connection, &known).await.map(Some),
            None => Ok(None),
        }
    }

    /// Records everything, or fails half-way, and then the transaction is undone.
    async fn record(&self, connection: &mut PgConnection, create: &Create) -> Result<Vec<i64>, Failure> {
        let missing = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM unnest($1::bigint[]) WITH ORDINALITY AS asked (id, place)
               WHERE NOT EXISTS (SELECT FROM module_builds WHERE module_builds.id = asked.id) ORDER BY place LIMIT 1"#,
            &create.existing.iter().map(|build| build.0).collect::<Vec<_>>(),
        );
        if let Some(missing) = missing.fetch_optional(&mut *connection).await? {
            return Err(StoreError::NotFound(BuildId(missing)).into());
        }
        let at = database_time(connection).await?;
        let mut builds = Vec::new();
        for new in &create.new {
            builds.push(self.begin(connection, new, (&create.notes, at)).await?);
        }
        let resumed = self.resume(connection, create).await?;
        builds.extend(resumed.iter().map(|build| build.0));
        if !resumed.is_empty() {
            self.wake_after_hand(connection, &resumed).await?;
        }
        builds.extend(create.existing.iter().map(|build| build.0));
        if let Some(key) = &create.key {
            let kept = sqlx::query!(
                "INSERT INTO idempotency_keys (key, content, builds, at) VALUES ($1, $2, $3, $4)",
                key.key,
                key.content,
                &builds,
                sql(at) as _,
            );
            kept.execute(&mut *connection).await?;
        }
        tell(connection).await?;
        Ok(builds)
    }

    async fn begin(
        &self,
        connection: &mut PgConnection,
        new: &NewBuild,
        (notes, at): (&[Note], Timestamp),
    ) -> Result<i64, Failure> {
        let nsvc = &new.nsvc;
        let id = next_build(connection).await?;
        let first = smallest_sibling(connection, (nsvc, new.scratch), id).await?;
        let mut build = ModuleBuild::begin(new.clone(), id, first, at);
        let transitions = build.life.take_unsaved();
        let step =
            Step { was: None, now: &build, last_seq: 0, revision: 0, transitions: &transitions, notes, at };
        let taken =
            |failure| if is_taken(&failure) { StoreError::Taken(nsvc.clone()).into() } else { failure };
        self.write(connection, &step).await.map_err(taken)?;
        let work = sqlx::query!("INSERT INTO work (build_id, due) VALUES ($1, $2)", id.0, sql(at) as _);
        work.execute(connection).await?;
        Ok(id.0)
    }

    /// Writes the resumed builds, in the order of their ids; returns them in the order given.
    async fn resume(&self, connection: &mut PgConnection, create: &Create) -> Result<Vec<BuildId>, Failure> {
        let mut resumed: Vec<_> = create.resumed.clone();
        resumed.sort_by_key(|(build, _)| build.id);
        for (build, _) in &resumed {
            lock_record(connection, build.id).await?;
        }
        for (mut build, revision) in resumed {
            let audit = (&*create.by, "resubmitted it");
            self.commit_by_hand(connection, (&mut build, revision), audit).await?;
        }
        Ok(create.resumed.iter().map(|(build, _)| build.id).collect())
    }

    async fn created(&self, connection: &mut PgConnection, ids: &[i64]) -> Result<Created, Failure> {
        let read = self.read_all(connection, ids).await?;
        let of =
            |id: &i64| read.iter().find(|build| build.id.0 == *id).ok_or(StoreError::NotFound(BuildId(*id)));
        let builds = ids.iter().map(|id| of(id).map(|build| (**build).clone()));
        Ok(Created::new(builds.collect::<Result<_, _>>()?))
    }
}

/// Draws the id of a new build. Who restores records holds all back, so that ids drawn before are written before, too.
pub(crate) async fn next_build(connection: &mut PgConnection) -> Result<BuildId, Failure> {
    sqlx::query!("LOCK TABLE module_builds IN ROW EXCLUSIVE MODE").execute(&mut *connection).await?;
    let id = sqlx::query_scalar!(r#"SELECT nextval('module_builds_id_seq') AS "id!""#);
    Ok(BuildId(id.fetch_one(connection).await?))
}

/// Returns the smallest id among builds of the same name, stream, version and scratch-ness, `id` being one of them.
pub(crate) async fn smallest_sibling(
    connection: &mut PgConnection,
    (nsvc, scratch): (&Nsvc, bool),
    id: BuildId,
) -> Result<BuildId, Failure> {
    let smallest = sqlx::query_scalar!(
        r#"SELECT least(min(id), $5) AS "id!" FROM module_builds
           WHERE name = $1 AND stream = $2 AND version = $3 AND scratch = $4"#,
        nsvc.name.as_str(),
        nsvc.stream.as_str(),
        sortable(nsvc.version),
        scratch,
        id.0,
    );
    Ok(BuildId(smallest.fetch_one(connection).await?))
}

/// Refuses what cannot be recorded whatever is stored.
fn check(create: &Create) -> Result<(), StoreError> {
    if create.new.is_empty() && create.resumed.is_empty() {
        return Err(rejected("a submission must make or resume a build"));
    }
    let mut nsvcs = BTreeSet::new();
    if let Some(twice) = create.new.iter().find(|new| !nsvcs.insert(&new.nsvc)) {
        return Err(StoreError::Taken(twice.nsvc.clone()));
    }
    let mut resumed = BTreeSet::new();
    match create.resumed.iter().find(|(build, _)| !resumed.insert(build.id)) {
        Some((twice, _)) => Err(rejected(format!("module build {} is resumed twice", twice.id))),
        None => Ok(()),
    }
}

pub(crate) fn is_taken(failure: &Failure) -> bool {
    match failure {
        Failure::Database(sqlx::Error::Database(error)) => error.constraint() == Some(IDENTITY),
        Failure::Database(_) | Failure::Refused(_) => false,
    }
}

/// Waits until nobody else holds a text of this kind, and holds it until the transaction ends.
pub(crate) async fn lock_text(connection: &mut PgConnection, kind: &str, text: &str) -> Result<(), Failure> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))", kind, text)
        .fetch_one(connection)
        .await?;
    Ok(())
}

/// Returns the builds that a key stands for already.
async fn builds_of_key(
    connection: &mut PgConnection,
    key: &IdempotencyKey,
) -> Result<Option<Vec<i64>>, Failure> {
    let kept = sqlx::query!("SELECT content, builds FROM idempotency_keys WHERE key = $1", key.key);
    match kept.fetch_optional(connection).await? {
        Some(kept) if kept.content == key.content => Ok(Some(kept.builds)),
        Some(_) => Err(StoreError::KeyReused(key.key.clone()).into()),
        None => Ok(None),
    }
}
