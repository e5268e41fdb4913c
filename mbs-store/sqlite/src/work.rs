//! Leases, wakes, and when the next look is due.

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::bus::Hint;
use mbs_core::ident::{BuildId, Revision};
use mbs_core::plan::Why;
use mbs_core::store::{Claim, Lease, Signal, StoreError, Work, WorkerId, destinations};
use sqlx::SqliteConnection;

use crate::SqliteStore;
use crate::error::Outcome;
use crate::record::{parse_of, unsigned};
use crate::text::{checked, json};
use crate::time::{kept, later, micros};
use crate::write::Write;

/// What errors call a worker's name.
const WORKER: &str = "the name of a worker";

#[async_trait]
impl Work for SqliteStore {
    async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError> {
        self.told(self.claim_due(worker, n).await)
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        self.told(self.renew_lease(lease).await)
    }

    async fn release(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: Why,
        signal: Signal,
    ) -> Result<(), StoreError> {
        self.told(self.release_build(lease, wake_at, &why, signal).await)
    }

    async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError> {
        self.told(self.wake_named(hints).await)
    }

    async fn void_leases(&self, worker: &WorkerId) -> Result<usize, StoreError> {
        self.told(self.void_leases_of(worker).await)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.told(self.next_claimable().await)
    }

    async fn explain(&self, id: BuildId) -> Result<Option<Why>, StoreError> {
        self.told(self.why(id).await)
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(self.wall())
    }
}

/// What a build's row and its lease say.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) revision: Revision,
    /// The number of its last event.
    pub(crate) last_seq: u64,
    worker: Option<String>,
    token: Option<i64>,
    until: Option<i64>,
}

impl Held {
    pub(crate) async fn read(connection: &mut SqliteConnection, id: BuildId) -> Outcome<Self> {
        let row = sqlx::query!(
            "SELECT revision, last_seq, lease_worker, lease_token, lease_until
            FROM module_builds JOIN work ON build_id = id WHERE id = ?1",
            id.0,
        );
        let row = row.fetch_optional(connection).await?.ok_or(StoreError::NotFound(id))?;
        Ok(Self {
            revision: Revision(unsigned(row.revision)),
            last_seq: unsigned(row.last_seq),
            worker: row.lease_worker,
            token: row.lease_token,
            until: row.lease_until,
        })
    }

    /// Says whether this very lease lives.
    pub(crate) fn honours(&self, lease: &Lease, now: i64) -> bool {
        self.token == Some(token(lease))
            && self.worker.as_deref() == Some(&*lease.worker.0)
            && self.until.is_some_and(|until| until > now)
    }
}

/// Tokens are counted in the file, so none is beyond what it counts to.
fn token(lease: &Lease) -> i64 {
    i64::try_from(lease.token).unwrap_or(-1)
}

impl SqliteStore {
    async fn claim_due(&self, worker: &WorkerId, n: usize) -> Outcome<Vec<Claim>> {
        let name = checked(WORKER, &worker.0)?;
        let mut write = self.write().await?;
        let tokens = write.lease_next(name, n).await?;
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        write.count_on("lease", tokens.len()).await?;
        let store_now = write.now;
        write.commit().await?;
        let claim = |(token, build)| Claim {
            lease: Lease { build: BuildId(build), worker: worker.clone(), token },
            store_now,
        };
        Ok(tokens.into_iter().map(claim).collect())
    }

    async fn renew_lease(&self, lease: &Lease) -> Outcome<()> {
        let mut write = self.write().await?;
        let (now, until) = (write.micros(), later(write.now, self.rules.lease));
        let (worker, token) = (&lease.worker.0, token(lease));
        let renewed = sqlx::query!(
            "UPDATE work SET lease_until = ?5
            WHERE build_id = ?1 AND lease_worker = ?2 AND lease_token = ?3 AND lease_until > ?4",
            lease.build.0,
            worker,
            token,
            now,
            until,
        );
        if renewed.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::LeaseLost(lease.build).into());
        }
        write.commit().await
    }

    async fn release_build(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: &Why,
        signal: Signal,
    ) -> Outcome<()> {
        let (why, wake_at) = (json(why)?, wake_at.map(micros));
        let mut write = self.write().await?;
        let (now, soon) = (write.micros(), later(write.now, self.rules.min_gap));
        let (worker, token) = (&lease.worker.0, token(lease));
        let released = sqlx::query!(
            "UPDATE work SET due = iif(woken, min(coalesce(?5, ?6), ?6), ?5), lease_worker = NULL, lease_token = NULL,
                lease_until = NULL, woken = 0, looked_at = ?4, why = ?7
            WHERE build_id = ?1 AND lease_worker = ?2 AND lease_token = ?3 AND lease_until > ?4",
            lease.build.0,
            worker,
            token,
            now,
            wake_at,
            soon,
            why,
        );
        if released.execute(write.connection()).await?.rows_affected() == 0 {
            return Ok(());
        }
        write.adapt(signal).await?;
        // This look has seen what was free; a slot that became free since then has woken it.
        write.wake_line(Some(lease.build)).await?;
        write.commit().await
    }

    async fn wake_named(&self, hints: &[Hint]) -> Outcome<usize> {
        if hints.is_empty() {
            return Ok(0);
        }
        let mut write = self.write().await?;
        let named = Named::by(hints).builds(write.connection()).await?;
        write.wake_all(&named).await?;
        write.commit().await?;
        Ok(named.len())
    }

    async fn void_leases_of(&self, worker: &WorkerId) -> Outcome<usize> {
        let name = checked(WORKER, &worker.0)?;
        let mut write = self.write().await?;
        let now = write.micros();
        let voided = sqlx::query!(
            "UPDATE work SET lease_worker = NULL, lease_token = NULL, lease_until = NULL, woken = 0,
                due = min(coalesce(due, ?2), ?2)
            WHERE lease_until IS NOT NULL AND lease_worker = ?1",
            name,
            now,
        );
        let voided = voided.execute(write.connection()).await?.rows_affected();
        write.commit().await?;
        Ok(usize::try_from(voided).unwrap_or(usize::MAX))
    }

    async fn next_claimable(&self) -> Outcome<Option<Timestamp>> {
        let next = sqlx::query_scalar!(
            r#"SELECT min(at) AS "at: i64" FROM (
                SELECT * FROM (
                    SELECT due AS at FROM main.work WHERE due IS NOT NULL AND lease_until IS NULL ORDER BY due LIMIT 1
                )
                UNION ALL SELECT max(due, lease_until) FROM work WHERE lease_until IS NOT NULL AND due IS NOT NULL
            )"#,
        );
        let next = next.fetch_one(&self.readers).await?;
        Ok(next.map(|next| kept(next, "the time of the next look")).transpose()?)
    }

    async fn why(&self, id: BuildId) -> Outcome<Option<Why>> {
        let why = sqlx::query_scalar!("SELECT why FROM work WHERE build_id = ?1", id.0);
        let why = why.fetch_optional(&self.readers).await?.ok_or(StoreError::NotFound(id))?;
        Ok(why.map(|why| parse_of(&why, "explanation", id.0)).transpose()?)
    }
}

impl Write<'_> {
    /// Gives out leases on up to `n` due builds, and returns their tokens and builds, oldest due first.
    async fn lease_next(&mut self, worker: &str, n: usize) -> Outcome<Vec<(u64, i64)>> {
        let base = self.count_on("lease", 0).await?;
        let (now, until) = (self.micros(), later(self.now, self.store.rules.lease));
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let leased = sqlx::query!(
            r#"WITH next AS (
                SELECT build_id AS id, row_number() OVER (ORDER BY due, build_id) AS place FROM work
                WHERE due <= ?1 AND (lease_until IS NULL OR lease_until <= ?1)
                ORDER BY due, build_id LIMIT ?2
            )
            UPDATE work SET lease_worker = ?3, lease_token = ?4 + place, lease_until = ?5, woken = 0
            FROM next WHERE build_id = id
            RETURNING build_id AS "build_id!", lease_token AS "token!""#,
            now,
            n,
            worker,
            base,
            until,
        );
        let leased = leased.fetch_all(self.connection()).await?.into_iter();
        let mut tokens: Vec<_> = leased.map(|row| (unsigned(row.token), row.build_id)).collect();
        tokens.sort_unstable();
        Ok(tokens)
    }
}

/// What hints name, sorted out.
#[derive(Debug, Default)]
struct Named {
    builds: Vec<i64>,
    tags: Vec<String>,
    tasks: Vec<i64>,
    everything: bool,
}

impl Named {
    fn by(hints: &[Hint]) -> Self {
        let mut named = Self::default();
        for hint in hints {
            match hint {
                Hint::Build(id) => named.builds.push(id.0),
                Hint::Tag(tag) => named.tags.extend(destinations(tag).map(|tag| tag.to_string())),
                Hint::Task(task) => named.tasks.push(task.0),
                Hint::Everything => named.everything = true,
            }
        }
        named
    }

    async fn builds(&self, connection: &mut SqliteConnection) -> Outcome<Vec<i64>> {
        let (builds, tags, tasks) = (json(&self.builds)?, json(&self.tags)?, json(&self.tasks)?);
        let named = sqlx::query_scalar!(
            r#"SELECT id AS "id!: i64" FROM module_builds WHERE id IN (SELECT value FROM json_each(?1))
            UNION SELECT id FROM module_builds WHERE under_way AND koji_tag IN (SELECT value FROM json_each(?2))
            UNION SELECT id FROM repo_tasks JOIN module_builds ON id = build_id AND under_way
                WHERE task IN (SELECT value FROM json_each(?3))
            UNION SELECT module_builds.id FROM attempts
                JOIN components ON components.id = component_id
                JOIN module_builds ON module_builds.id = build_id AND under_way
                WHERE attempts.task IN (SELECT value FROM json_each(?3))
            UNION SELECT id FROM module_builds WHERE under_way AND ?4"#,
            builds,
            tags,
            tasks,
            self.everything,
        );
        Ok(named.fetch_all(connection).await?)
    }
}
