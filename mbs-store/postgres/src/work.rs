//! Leases, wakes, and when the next look is due.

use async_trait::async_trait;
use jiff::Timestamp;
use mbs_core::bus::Hint;
use mbs_core::ident::BuildId;
use mbs_core::plan::Why;
use mbs_core::store::{Claim, Lease, Signal, StoreError, Work, WorkerId, destinations};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::error::Failure;
use crate::line::{Moved, Reach, SlotsNow, tell};
use crate::text::{checked, json};
use crate::time::sql;

#[async_trait]
impl Work for PostgresStore {
    async fn claim(&self, worker: &WorkerId, n: usize) -> Result<Vec<Claim>, StoreError> {
        let name = checked("the name of a worker", &worker.0)?;
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let claimed = self.retried(|| self.claim_once(name, n)).await?;
        let claim = |(build, token, store_now)| Claim {
            lease: Lease { build: BuildId(build), worker: worker.clone(), token },
            store_now,
        };
        Ok(claimed.into_iter().map(claim).collect())
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        let renewed = self.retried(|| async {
            let renewed = sqlx::query!(
                "UPDATE work SET lease_until = store_now() + make_interval(secs => $4)
                 WHERE build_id = $1 AND lease_worker = $2 AND lease_token = $3 AND lease_until > store_now()",
                lease.build.0,
                checked("the name of a worker", &lease.worker.0)?,
                token(lease),
                self.lease(),
            );
            Ok(renewed.execute(&self.apart).await?.rows_affected())
        });
        match renewed.await? {
            0 => Err(StoreError::LeaseLost(lease.build)),
            _ => Ok(()),
        }
    }

    async fn release(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: Why,
        signal: Signal,
    ) -> Result<(), StoreError> {
        let why = json(&why)?;
        self.retried(|| self.release_once(lease, wake_at, &why, signal)).await
    }

    async fn wake(&self, hints: &[Hint]) -> Result<usize, StoreError> {
        if hints.is_empty() {
            return Ok(0);
        }
        let named = Named::by(hints);
        self.retried(|| async {
            let mut transaction = self.pool.begin().await?;
            let builds = named.builds(&mut transaction).await?;
            self.wake_builds(&mut transaction, &builds).await?;
            transaction.commit().await?;
            Ok(builds.len())
        })
        .await
    }

    async fn void_leases(&self, worker: &WorkerId) -> Result<usize, StoreError> {
        self.retried(|| async {
            let mut transaction = self.pool.begin().await?;
            let voided = sqlx::query!(
                "WITH theirs AS (
                     SELECT build_id FROM work WHERE lease_until IS NOT NULL AND lease_worker = $1
                     ORDER BY build_id FOR UPDATE
                 )
                 UPDATE work SET lease_worker = NULL, lease_token = NULL, lease_until = NULL, woken = false,
                     due = least(due, store_now())
                 FROM theirs WHERE work.build_id = theirs.build_id",
                checked("the name of a worker", &worker.0)?,
            );
            let voided = voided.execute(&mut *transaction).await?.rows_affected();
            tell(&mut transaction).await?;
            transaction.commit().await?;
            Ok(usize::try_from(voided).unwrap_or(usize::MAX))
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.retried(|| async {
            let next = sqlx::query_scalar!(
                "SELECT least(
                     (SELECT min(due) FROM work WHERE due IS NOT NULL AND lease_until IS NULL),
                     (SELECT min(greatest(due, lease_until)) FROM work WHERE lease_until IS NOT NULL)
                 )"
            );
            Ok(next.fetch_one(&self.pool).await?.map(jiff_sqlx::Timestamp::to_jiff))
        })
        .await
    }

    async fn explain(&self, id: BuildId) -> Result<Option<Why>, StoreError> {
        self.retried(|| async {
            let row = sqlx::query!(r#"SELECT why AS "why: Json<Why>" FROM work WHERE build_id = $1"#, id.0);
            let row = row.fetch_optional(&self.pool).await?.ok_or(StoreError::NotFound(id))?;
            Ok(row.why.map(|why| why.0))
        })
        .await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.retried(|| async {
            let now = sqlx::query_scalar!(r#"SELECT store_now() AS "now!""#).fetch_one(&self.pool).await?;
            Ok(now.to_jiff())
        })
        .await
    }
}

/// Tokens come from a sequence of the database, so none is beyond what it counts to.
pub(crate) fn token(lease: &Lease) -> i64 {
    i64::try_from(lease.token).unwrap_or(-1)
}

impl PostgresStore {
    async fn claim_once(&self, worker: &str, n: i64) -> Result<Vec<(i64, u64, Timestamp)>, Failure> {
        let claimed = sqlx::query!(
            r#"
            WITH next AS (
                SELECT build_id, due, store_now() AS now FROM work
                WHERE due <= (SELECT store_now()) AND (lease_until IS NULL OR lease_until <= (SELECT store_now()))
                ORDER BY due, build_id
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            ), claimed AS (
                UPDATE work SET lease_worker = $1, lease_token = nextval('lease_tokens'), woken = false,
                    lease_until = next.now + make_interval(secs => $3)
                FROM next WHERE work.build_id = next.build_id
                RETURNING work.build_id, lease_token, next.due, next.now
            )
            SELECT build_id, lease_token AS "token!", now AS "now!" FROM claimed ORDER BY due, build_id
            "#,
            worker,
            n,
            self.lease(),
        );
        let rows = claimed.fetch_all(&self.apart).await?.into_iter();
        let token = |token: i64| u64::try_from(token).unwrap_or_default();
        Ok(rows.map(|row| (row.build_id, token(row.token), row.now.to_jiff())).collect())
    }

    async fn release_once(
        &self,
        lease: &Lease,
        wake_at: Option<Timestamp>,
        why: &str,
        signal: Signal,
    ) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        let connection = &mut *transaction;
        let honoured = self.leased(connection, lease).await?.filter(Leased::is_honoured);
        let Some(Leased { now, mut slots, .. }) = honoured else { return Ok(()) };
        let moved = self.adapt(connection, (signal, now), &slots).await?;
        if moved == Moved::Yes {
            slots = SlotsNow::read(connection, Reach::Head).await?;
        }
        let woken = slots.may_take(Some(lease.build));
        if !woken.is_empty() {
            lock_work(connection, &[lease.build.0], &woken).await?;
        }
        if self.give_back(connection, lease, (wake_at, why)).await? {
            self.wake_builds(connection, &woken).await?;
            transaction.commit().await?;
            if moved == Moved::Yes {
                self.look_again(None).await;
            }
        }
        Ok(())
    }

    /// Reads what a lease and the slots are like at this moment, and locks nothing; `None`: the build is unknown.
    pub(crate) async fn leased(
        &self,
        connection: &mut PgConnection,
        lease: &Lease,
    ) -> Result<Option<Leased>, Failure> {
        let row = sqlx::query!(
            r#"SELECT store_now() AS "now!", slots_now(false) AS "slots!: Json<SlotsNow>",
                   coalesce(lease_worker = $2 AND lease_token = $3, false) AS "is_theirs!", lease_until
               FROM work WHERE build_id = $1"#,
            lease.build.0,
            &lease.worker.0,
            token(lease),
        );
        let Some(row) = row.fetch_optional(connection).await? else { return Ok(None) };
        let until = row.lease_until.filter(|_| row.is_theirs).map(jiff_sqlx::Timestamp::to_jiff);
        Ok(Some(Leased { now: row.now.to_jiff(), until, slots: row.slots.0 }))
    }

    /// Ends a lease that lives, and says whether it did.
    async fn give_back(
        &self,
        connection: &mut PgConnection,
        lease: &Lease,
        (wake_at, why): (Option<Timestamp>, &str),
    ) -> Result<bool, Failure> {
        let given_back = sqlx::query!(
            "UPDATE work SET
                 due = least($4, CASE WHEN woken THEN store_now() + make_interval(secs => $5) END),
                 lease_worker = NULL, lease_token = NULL, lease_until = NULL,
                 woken = false, looked_at = store_now(), why = $6::text::json
             WHERE build_id = $1 AND lease_worker = $2 AND lease_token = $3 AND lease_until > store_now()",
            lease.build.0,
            checked("the name of a worker", &lease.worker.0)?,
            token(lease),
            wake_at.map(sql) as _,
            self.min_gap(),
            why,
        );
        Ok(given_back.execute(connection).await?.rows_affected() > 0)
    }

    pub(crate) fn lease(&self) -> f64 {
        self.rules.lease.as_secs_f64()
    }
}

/// A lease and the slots, at one moment.
#[derive(Debug)]
pub(crate) struct Leased {
    pub(crate) now: Timestamp,
    /// The end of the lease; `None` if it is another's, or given back.
    until: Option<Timestamp>,
    pub(crate) slots: SlotsNow,
}

impl Leased {
    pub(crate) fn is_honoured(&self) -> bool {
        self.until.is_some_and(|until| until > self.now)
    }
}

/// Says whether a lease lives at this moment; nothing is locked.
pub(crate) async fn is_honoured(connection: &mut PgConnection, lease: &Lease) -> Result<bool, Failure> {
    let lives = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM work
               WHERE build_id = $1 AND lease_worker = $2 AND lease_token = $3 AND lease_until > store_now()
           ) AS "lives!""#,
        lease.build.0,
        &lease.worker.0,
        token(lease),
    );
    Ok(lives.fetch_one(connection).await?)
}

/// Locks the rows of work of some builds and of others, so that no two transactions wait for each other.
pub(crate) async fn lock_work(
    connection: &mut PgConnection,
    own: &[i64],
    others: &[i64],
) -> Result<(), Failure> {
    let builds = [own, others].concat();
    let locked = sqlx::query!(
        "SELECT build_id FROM work WHERE build_id = ANY($1) ORDER BY build_id FOR UPDATE",
        &builds,
    );
    locked.fetch_all(connection).await?;
    Ok(())
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

    async fn builds(&self, connection: &mut PgConnection) -> Result<Vec<i64>, Failure> {
        let named = sqlx::query_scalar!(
            r#"
            SELECT id AS "id!" FROM module_builds WHERE id = ANY($1)
            UNION SELECT id FROM module_builds WHERE under_way AND koji_tag = ANY($2)
            UNION SELECT id FROM module_builds WHERE under_way AND repo_tasks && $3
            UNION SELECT b.id FROM attempts a
                JOIN components c ON c.id = a.component_id
                JOIN module_builds b ON b.id = c.build_id AND b.under_way
                WHERE a.task = ANY($3)
            UNION SELECT id FROM module_builds WHERE under_way AND $4
            "#,
            &self.builds,
            &self.tags,
            &self.tasks,
            self.everything,
        );
        Ok(named.fetch_all(connection).await?)
    }
}
