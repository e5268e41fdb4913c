//! `take`, `ack`, `published` and `hold_seat`.

use std::time::Duration;

use super::bench::{Bench, enter, fail};
use crate::contract::promise::{Verdict, equal, holds};
use crate::ident::BuildId;
use crate::model::State;
use crate::store::{Delivery, EventNumber, Sink, WorkerId};

/// Two builds; the first has two events.
async fn two(bench: &Bench<'_>) -> Verdict<(BuildId, BuildId)> {
    let first = bench.create_asleep("a:1:1:a").await?;
    bench.look(first, |build| enter(build, State::Wait, 1)).await?;
    Ok((first, bench.create("b:1:1:a").await?))
}

/// Returns whose events they are, and their numbers there.
fn told(deliveries: &[Delivery]) -> Vec<(BuildId, u64)> {
    deliveries.iter().map(|delivery| (delivery.event.build, delivery.event.seq)).collect()
}

/// Design, section 5, `take`: oldest unacknowledged of a build only; by number. I15.
pub(super) async fn of_each_build_the_oldest_unacknowledged_event_is_given(bench: &Bench<'_>) -> Verdict {
    let (a, b) = two(bench).await?;
    let first = bench.take("bus", 9).await?;
    equal("the first", told(&first), [(a, 1), (b, 1)])?;
    holds(first.is_sorted_by(|one, next| one.number < next.number), "events come by their numbers")?;
    equal("taken again", bench.take("bus", 9).await?, &first[..])?;
    equal("only one of them", bench.take("bus", 1).await?, &first[..1])?;
    bench.ack("bus", &first[..1]).await?;
    let mut second = told(&bench.take("bus", 9).await?);
    second.sort();
    equal("after the first is acknowledged", second, [(a, 2), (b, 1)])
}

/// `take`: per sink its own position; a dead sink blocks no other. A sink that comes late gets what is kept.
pub(super) async fn each_sink_has_its_own_position(bench: &Bench<'_>) -> Verdict {
    let (a, b) = two(bench).await?;
    equal("events of a", bench.drain_events("bus", a).await?.len(), 2)?;
    equal("left for that sink", bench.take("bus", 9).await?, [])?;
    equal("for another", told(&bench.take("pdc", 9).await?), [(a, 1), (b, 1)])
}

/// `ack`: those already noted are fine.
pub(super) async fn acknowledging_twice_or_out_of_order_is_fine(bench: &Bench<'_>) -> Verdict {
    let (a, _) = two(bench).await?;
    let first = bench.take("bus", 9).await?;
    bench.ack("bus", &first[1..]).await?;
    bench.ack("bus", &[first[1].clone(), first[0].clone()]).await?;
    let next = bench.take("bus", 9).await?;
    equal("what is left", told(&next), [(a, 2)])?;
    bench.ack("bus", &[next[0].clone(), first[0].clone()]).await?;
    equal("in the end", bench.take("bus", 9).await?, [])
}

/// `published`, `last_published`: all events in the order of their numbers, whoever has acknowledged them.
pub(super) async fn published_events_come_by_their_numbers_to_any_reader(bench: &Bench<'_>) -> Verdict {
    equal("of an empty store", bench.store.last_published().await?, EventNumber(0))?;
    equal("of an empty store", bench.store.published(EventNumber(0), 9).await?, [])?;
    let [one, other] = [bench.create("a:1:1:a").await?, bench.create("a:1:1:b").await?];
    bench.amend(one, fail).await?;
    let events = bench.store.published(EventNumber(0), 9).await?;
    let told: Vec<_> = events.iter().map(|e| (e.event.build, e.event.transition.to)).collect();
    let wanted = [(one, State::Init), (other, State::Init), (one, State::Failed)];
    equal("the events", told, wanted)?;
    holds(events.is_sorted_by(|one, next| one.number < next.number), "numbers grow")?;
    equal("the last", Some(bench.store.last_published().await?), events.last().map(|event| event.number))?;
    bench.drain_events("s", one).await?;
    equal("a part", bench.store.published(events[0].number, 1).await?, &events[1..2])?;
    bench.amend(other, fail).await?;
    let last = bench.store.last_published().await?;
    let news = bench.store.published(events[2].number, 9).await?;
    equal("the news", news.iter().map(|e| (e.number, e.event.build)).collect::<Vec<_>>(), [(last, other)])?;
    equal("beyond the last", bench.store.published(last, 9).await?, [])?;
    equal("far beyond", bench.store.published(EventNumber(u64::MAX), 9).await?, [])
}

/// `hold_seat`: one worker at a time has it; it is free again when its time is over or given up.
pub(super) async fn one_worker_at_a_time_has_the_seat_of_a_sink(bench: &Bench<'_>) -> Verdict {
    let long = bench.ground.policy().lease;
    let hold = async |sink: &str, worker: &str, how_long| {
        bench.store.hold_seat(&Sink(sink.into()), &WorkerId(worker.into()), how_long).await
    };
    equal("a free seat", hold("bus", "one", long).await?, true)?;
    equal("for another", hold("bus", "other", long).await?, false)?;
    equal("of another sink", hold("pdc", "other", long).await?, true)?;
    equal("kept", hold("bus", "one", long).await?, true)?;
    equal("given up by who has it not", hold("bus", "other", Duration::ZERO).await?, false)?;
    equal("given up", hold("bus", "one", Duration::ZERO).await?, true)?;
    equal("free again", hold("bus", "other", long).await?, true)?;
    bench.ground.pass(long).await;
    equal("when its time is over", hold("bus", "one", long).await?, true)
}
