//! Events on their way out: each sink has its own position.
//!
//! Events get their numbers when somebody first asks for them, one by one under a lock: what a reader saw up to a number is all
//! there is up to it. Of one build they come in the order of its changes.

use std::time::Duration;

use async_trait::async_trait;
use mbs_core::store::checks::rejected;
use mbs_core::store::{Delivery, EventNumber, Outbox, Sink, StateChange, StoreError, WorkerId};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::PostgresStore;
use crate::error::Failure;
use crate::text::checked;

#[async_trait]
impl Outbox for PostgresStore {
    async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError> {
        let name = checked("the name of a sink", &sink.0)?;
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        self.retried(|| async {
            let mut transaction = self.pool.begin().await?;
            number_events(&mut transaction).await?;
            know(&mut transaction, name).await?;
            let events = undelivered(&mut transaction, name, n).await?;
            transaction.commit().await?;
            Ok(events)
        })
        .await
    }

    async fn ack(&self, sink: &Sink, events: &[EventNumber]) -> Result<(), StoreError> {
        let name = checked("the name of a sink", &sink.0)?;
        let numbers: Vec<i64> = events.iter().map(|event| signed(event.0)).collect();
        self.retried(|| async {
            let mut transaction = self.pool.begin().await?;
            let last = sqlx::query_scalar!("SELECT last_number FROM publication")
                .fetch_one(&mut *transaction)
                .await?;
            if let Some(unknown) = numbers.iter().find(|number| **number > last) {
                return Err(rejected(format!("there is no event {unknown}")).into());
            }
            know(&mut transaction, name).await?;
            acknowledge(&mut transaction, name, &numbers).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn hold_seat(
        &self,
        sink: &Sink,
        worker: &WorkerId,
        how_long: Duration,
    ) -> Result<bool, StoreError> {
        let (sink, worker) =
            (checked("the name of a sink", &sink.0)?, checked("the name of a worker", &worker.0)?);
        self.retried(|| async {
            let held = sqlx::query_scalar!(
                r#"INSERT INTO seats (sink, worker, held_until)
                   VALUES ($1, $2, store_now() + make_interval(secs => $3))
                   ON CONFLICT (sink) DO UPDATE SET worker = excluded.worker, held_until = excluded.held_until
                   WHERE seats.worker = excluded.worker OR seats.held_until <= store_now()
                   RETURNING true AS "is_held!""#,
                sink,
                worker,
                how_long.as_secs_f64(),
            );
            Ok(held.fetch_optional(&self.pool).await?.is_some())
        })
        .await
    }

    async fn published(&self, after: EventNumber, n: usize) -> Result<Vec<Delivery>, StoreError> {
        let (after, n) = (signed(after.0), i64::try_from(n).unwrap_or(i64::MAX));
        self.retried(|| async {
            self.number_all().await?;
            let events = sqlx::query_as!(
                Numbered,
                r#"SELECT number AS "number!", record AS "record: Json<StateChange>" FROM events
                   WHERE number > $1 ORDER BY number LIMIT $2"#,
                after,
                n,
            );
            Ok(deliveries(events.fetch_all(&self.pool).await?))
        })
        .await
    }

    async fn last_published(&self) -> Result<EventNumber, StoreError> {
        self.retried(|| async {
            self.number_all().await?;
            let last =
                sqlx::query_scalar!("SELECT last_number FROM publication").fetch_one(&self.pool).await?;
            Ok(EventNumber(u64::try_from(last).unwrap_or_default()))
        })
        .await
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An event with its number.
struct Numbered {
    number: i64,
    record: Json<StateChange>,
}

fn deliveries(events: Vec<Numbered>) -> Vec<Delivery> {
    let delivery = |event: Numbered| Delivery {
        number: EventNumber(u64::try_from(event.number).unwrap_or_default()),
        event: event.record.0,
    };
    events.into_iter().map(delivery).collect()
}

impl PostgresStore {
    /// Gives numbers to events that have none, for readers without a position: while all have one, nothing is written.
    async fn number_all(&self) -> Result<(), Failure> {
        if !are_unnumbered(&mut *self.pool.acquire().await?).await? {
            return Ok(());
        }
        let mut transaction = self.pool.begin().await?;
        number_events(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn are_unnumbered(connection: &mut PgConnection) -> Result<bool, Failure> {
    let are_there =
        sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM events WHERE number IS NULL) AS "is!""#);
    Ok(are_there.fetch_one(connection).await?)
}

/// So many events are numbered at once; what is left waits for the next to ask.
const NUMBERED_AT_ONCE: i64 = 10_000;

/// Gives numbers to events that have none, the oldest first.
async fn number_events(connection: &mut PgConnection) -> Result<(), Failure> {
    if !are_unnumbered(connection).await? {
        return Ok(());
    }
    // Who waited here sees, in the next query, what the one before it numbered.
    sqlx::query!("SELECT last_number FROM publication FOR UPDATE").fetch_one(&mut *connection).await?;
    let numbered = sqlx::query!(
        "WITH new AS (
             SELECT build_id, seq, last_number + row_number() OVER (ORDER BY events.id) AS number
             FROM events, publication WHERE number IS NULL ORDER BY events.id LIMIT $1
         ), numbered AS (
             UPDATE events SET number = new.number FROM new
             WHERE events.build_id = new.build_id AND events.seq = new.seq
             RETURNING events.number
         )
         UPDATE publication SET last_number = greatest(last_number, (SELECT max(number) FROM numbered))",
        NUMBERED_AT_ONCE,
    );
    numbered.execute(connection).await?;
    Ok(())
}

/// Begins a position for a sink that is new: from now on events are kept until it, too, has them.
async fn know(connection: &mut PgConnection, sink: &str) -> Result<(), Failure> {
    let known = sqlx::query!(
        "INSERT INTO sinks (sink, floor)
         SELECT $1, coalesce((SELECT min(number) FROM events), last_number + 1) - 1 FROM publication
         WHERE NOT EXISTS (SELECT FROM sinks WHERE sink = $1)
         ON CONFLICT DO NOTHING",
        sink,
    );
    known.execute(connection).await?;
    Ok(())
}

/// Returns per build the oldest event that a sink does not have, by number.
async fn undelivered(connection: &mut PgConnection, sink: &str, n: i64) -> Result<Vec<Delivery>, Failure> {
    let events = sqlx::query_as!(
        Numbered,
        r#"
        SELECT e.number AS "number!", e.record AS "record: Json<StateChange>"
        FROM sinks s JOIN events e ON e.number > (SELECT floor FROM sinks WHERE sink = $1)
        WHERE s.sink = $1
          AND NOT EXISTS (SELECT FROM acknowledged a WHERE a.sink = s.sink AND a.number = e.number)
          AND NOT EXISTS (
              SELECT FROM events o
              WHERE o.build_id = e.build_id AND o.seq < e.seq AND o.number > s.floor
                AND NOT EXISTS (SELECT FROM acknowledged a WHERE a.sink = s.sink AND a.number = o.number)
          )
        ORDER BY e.number
        LIMIT $2
        "#,
        sink,
        n,
    );
    Ok(deliveries(events.fetch_all(connection).await?))
}

/// Notes that a sink has events, and moves its floor up to the first that it lacks.
async fn acknowledge(connection: &mut PgConnection, sink: &str, numbers: &[i64]) -> Result<(), Failure> {
    sqlx::query!("SELECT floor FROM sinks WHERE sink = $1 FOR UPDATE", sink)
        .fetch_one(&mut *connection)
        .await?;
    let noted = sqlx::query!(
        "INSERT INTO acknowledged (sink, number)
         SELECT $1, number FROM unnest($2::bigint[]) AS new (number), sinks
         WHERE sinks.sink = $1 AND number > sinks.floor
         ON CONFLICT DO NOTHING",
        sink,
        numbers,
    );
    noted.execute(&mut *connection).await?;
    // Numbers that were trimmed away leave gaps, so the next event counts, not the next number.
    let moved = sqlx::query_scalar!(
        r#"
        UPDATE sinks SET floor = greatest(floor, coalesce(
            (
                SELECT min(number) - 1 FROM (
                    SELECT e.number FROM events e
                    WHERE e.number > sinks.floor
                      AND NOT EXISTS (SELECT FROM acknowledged a WHERE a.sink = $1 AND a.number = e.number)
                    ORDER BY e.number LIMIT 1
                ) AS lacking
            ),
            (SELECT max(number) FROM acknowledged WHERE sink = $1),
            floor
        ))
        WHERE sink = $1 RETURNING floor
        "#,
        sink,
    );
    let floor = moved.fetch_one(&mut *connection).await?;
    let passed = sqlx::query!("DELETE FROM acknowledged WHERE sink = $1 AND number <= $2", sink, floor);
    passed.execute(connection).await?;
    Ok(())
}
