//! Events on their way out: each sink has its own position.
//!
//! An event gets its number when it is first asked for, in the order of the commits; nobody sees one before its commit.

use std::time::Duration;

use async_trait::async_trait;
use mbs_core::store::checks::rejected;
use mbs_core::store::{Delivery, EventNumber, Outbox, Sink, StoreError, WorkerId};

use crate::SqliteStore;
use crate::error::Outcome;
use crate::record::{parse_of, unsigned};
use crate::text::{checked, json};
use crate::write::Write;

#[async_trait]
impl Outbox for SqliteStore {
    async fn take(&self, sink: &Sink, n: usize) -> Result<Vec<Delivery>, StoreError> {
        self.told(self.take_events(sink, n).await)
    }

    async fn ack(&self, sink: &Sink, events: &[EventNumber]) -> Result<(), StoreError> {
        self.told(self.acknowledge(sink, events).await)
    }

    async fn hold_seat(
        &self,
        sink: &Sink,
        worker: &WorkerId,
        how_long: Duration,
    ) -> Result<bool, StoreError> {
        self.told(self.hold_seat_of(sink, worker, how_long).await)
    }

    async fn published(&self, after: EventNumber, n: usize) -> Result<Vec<Delivery>, StoreError> {
        self.told(self.events_beyond(after, n).await)
    }

    async fn last_published(&self) -> Result<EventNumber, StoreError> {
        self.told(self.last_number().await)
    }
}

/// An event with its number.
struct Numbered {
    number: i64,
    build_id: i64,
    record: String,
}

impl Numbered {
    fn delivery(self) -> Result<Delivery, StoreError> {
        let event = parse_of(&self.record, "event", self.build_id)?;
        Ok(Delivery { number: EventNumber(unsigned(self.number)), event })
    }
}

impl SqliteStore {
    async fn take_events(&self, sink: &Sink, n: usize) -> Outcome<Vec<Delivery>> {
        let name = checked("the name of a sink", &sink.0)?;
        if self.has_news(name).await? {
            let mut write = self.write().await?;
            write.know(name).await?;
            write.number_events().await?;
            write.commit().await?;
        }
        self.undelivered(name, n).await
    }

    /// Says whether a sink is new, or an event has no number yet.
    async fn has_news(&self, sink: &str) -> Outcome<bool> {
        let news = sqlx::query_scalar!(
            r#"SELECT NOT EXISTS (SELECT 1 FROM sinks WHERE sink = ?1)
                OR EXISTS (SELECT 1 FROM events WHERE number IS NULL) AS "news!: bool""#,
            sink,
        );
        Ok(news.fetch_one(&self.readers).await?)
    }

    /// Returns per build the oldest event that a sink has not acknowledged, by number.
    async fn undelivered(&self, sink: &str, n: usize) -> Outcome<Vec<Delivery>> {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let rows = sqlx::query_as!(
            Numbered,
            r#"SELECT number AS "number!", build_id, record FROM sinks JOIN events ON number > floor
            WHERE sinks.sink = ?1
                AND NOT EXISTS (SELECT 1 FROM acknowledged a WHERE a.sink = ?1 AND a.number = events.number)
                AND NOT EXISTS (
                    SELECT 1 FROM events o WHERE o.build_id = events.build_id AND o.seq < events.seq AND o.number > floor
                        AND NOT EXISTS (SELECT 1 FROM acknowledged a WHERE a.sink = ?1 AND a.number = o.number)
                )
            ORDER BY number LIMIT ?2"#,
            sink,
            n,
        );
        let rows = rows.fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(Numbered::delivery).collect::<Result<_, _>>()?)
    }

    async fn events_beyond(&self, after: EventNumber, n: usize) -> Outcome<Vec<Delivery>> {
        self.number_all().await?;
        let (after, n) = (i64::try_from(after.0).unwrap_or(i64::MAX), i64::try_from(n).unwrap_or(i64::MAX));
        let rows = sqlx::query_as!(
            Numbered,
            r#"SELECT number AS "number!", build_id, record FROM events
            WHERE number > ?1 ORDER BY number LIMIT ?2"#,
            after,
            n,
        );
        let rows = rows.fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(Numbered::delivery).collect::<Result<_, _>>()?)
    }

    async fn last_number(&self) -> Outcome<EventNumber> {
        self.number_all().await?;
        let last = sqlx::query_scalar!("SELECT last_number FROM main.publication");
        Ok(EventNumber(unsigned(last.fetch_one(&self.readers).await?)))
    }

    /// Gives numbers to events that have none, for readers without a position: while all have one, nothing is written.
    async fn number_all(&self) -> Outcome<()> {
        let are_there = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM main.events WHERE number IS NULL) AS "are!: bool""#
        );
        if are_there.fetch_one(&self.readers).await? {
            let mut write = self.write().await?;
            write.number_events().await?;
            write.commit().await?;
        }
        Ok(())
    }

    async fn hold_seat_of(&self, sink: &Sink, worker: &WorkerId, how_long: Duration) -> Outcome<bool> {
        let (sink, worker) =
            (checked("the name of a sink", &sink.0)?, checked("the name of a worker", &worker.0)?);
        let mut write = self.write().await?;
        let now = write.micros();
        let until = now.saturating_add(i64::try_from(how_long.as_micros()).unwrap_or(i64::MAX));
        let held = sqlx::query!(
            "INSERT INTO seats (sink, worker, held_until) VALUES (?1, ?2, ?3)
            ON CONFLICT (sink) DO UPDATE SET worker = excluded.worker, held_until = excluded.held_until
            WHERE seats.worker = excluded.worker OR seats.held_until <= ?4",
            sink,
            worker,
            until,
            now,
        );
        let held = held.execute(write.connection()).await?.rows_affected();
        write.commit().await?;
        Ok(held > 0)
    }

    async fn acknowledge(&self, sink: &Sink, events: &[EventNumber]) -> Outcome<()> {
        let name = checked("the name of a sink", &sink.0)?;
        let mut write = self.write().await?;
        let last = sqlx::query_scalar!("SELECT last_number FROM main.publication");
        let last = unsigned(last.fetch_one(write.connection()).await?);
        if let Some(unknown) = events.iter().find(|number| number.0 > last) {
            return Err(rejected(format!("there is no event {}", unknown.0)).into());
        }
        write.know(name).await?;
        let numbers = json(events)?;
        let insert = sqlx::query!(
            "INSERT OR IGNORE INTO acknowledged (sink, number)
            SELECT ?1, value FROM json_each(?2) WHERE value > (SELECT floor FROM sinks WHERE sink = ?1)",
            name,
            numbers,
        );
        insert.execute(write.connection()).await?;
        write.raise_floor(name).await?;
        write.commit().await
    }
}

impl Write<'_> {
    /// Begins a position for a sink that is new: from now on events are kept until it, too, has them.
    async fn know(&mut self, sink: &str) -> Outcome<()> {
        let insert = sqlx::query!(
            "INSERT INTO sinks (sink, floor)
            SELECT ?1, coalesce((SELECT min(number) FROM events) - 1, last_number) FROM publication
            WHERE true ON CONFLICT (sink) DO NOTHING",
            sink,
        );
        insert.execute(self.connection()).await?;
        Ok(())
    }

    async fn number_events(&mut self) -> Outcome<()> {
        let numbered = sqlx::query!(
            "WITH new AS (SELECT id AS event, row_number() OVER (ORDER BY id) AS place FROM main.events WHERE number IS NULL)
            UPDATE events SET number = (SELECT last_number FROM publication) + place FROM new WHERE id = event",
        );
        let numbered = numbered.execute(self.connection()).await?.rows_affected();
        let numbered = i64::try_from(numbered).unwrap_or(i64::MAX);
        let publication = sqlx::query!("UPDATE publication SET last_number = last_number + ?1", numbered);
        publication.execute(self.connection()).await?;
        Ok(())
    }

    /// Numbers that were trimmed away leave gaps, so the next event counts, not the next number.
    async fn raise_floor(&mut self, sink: &str) -> Outcome<()> {
        let raise = sqlx::query!(
            "UPDATE sinks SET floor = coalesce(
                (SELECT max(number) FROM events WHERE number > floor AND number < coalesce(
                    (SELECT number FROM events e WHERE number > floor AND NOT EXISTS (
                        SELECT 1 FROM acknowledged a WHERE a.sink = ?1 AND a.number = e.number
                    ) ORDER BY number LIMIT 1),
                    (SELECT last_number + 1 FROM publication)
                )),
                floor
            )
            WHERE sink = ?1",
            sink,
        );
        raise.execute(self.connection()).await?;
        let below = sqlx::query!(
            "DELETE FROM acknowledged WHERE sink = ?1 AND number <= (SELECT floor FROM sinks WHERE sink = ?1)",
            sink,
        );
        below.execute(self.connection()).await?;
        Ok(())
    }
}
