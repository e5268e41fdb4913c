//! `take` and `ack`.

use super::bench::{Bench, enter};
use crate::contract::promise::{Verdict, equal, holds};
use crate::ident::BuildId;
use crate::model::State;
use crate::store::Delivery;

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
