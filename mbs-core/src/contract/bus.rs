//! The suite of [`MessageBus`].

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::future::join;

use super::promise::{Promise, Verdict, equal, promises, refused, run};
use super::samples::{at, id, new_build};
use super::{Broken, Kept, Unable};
use crate::bus::{BusError, Hint, MessageBus};
use crate::ident::{BuildId, TaskId};
use crate::model::{ModuleBuild, State};
use crate::store::StateChange;

/// A bus, and its other end.
///
/// Methods that answer [`Unable`] unless written are optional; promises that need them are then left out.
#[async_trait]
pub trait MessageBusGround: Send + Sync + 'static {
    /// The bus under test, the same each time. Nothing was published and no hint waits.
    fn bus(&self) -> &dyn MessageBus;

    /// Everything that listeners got so far, in order, repetitions included.
    async fn published(&self) -> Vec<StateChange>;

    /// Has hints come in.
    async fn push(&self, hints: Vec<Hint>);

    /// Closes the bus for good.
    async fn close(&self) -> Result<(), Unable> {
        Err(Unable("close the bus"))
    }

    /// Begins an outage.
    async fn break_down(&self) -> Result<(), Unable> {
        Err(Unable("break the bus"))
    }

    /// Ends the outage.
    async fn repair(&self) -> Result<(), Unable> {
        Err(Unable("repair the bus"))
    }
}

/// Tries every promise of [`MessageBus`], each on what `make` gives.
///
/// # Errors
/// `Broken` names the promises that were broken.
pub async fn message_bus<G: MessageBusGround, F: Future<Output = G>>(
    make: impl Fn() -> F,
) -> Result<Kept, Broken> {
    run("MessageBus", PROMISES, make, |ground: &G| ground as &dyn MessageBusGround).await
}

const PROMISES: &[Promise<dyn MessageBusGround>] = promises![Bench:
    keeping::events_are_published_in_order,
    keeping::an_event_may_be_published_again,
    keeping::who_listens_gets_the_hints,
    keeping::a_closed_bus_gives_no_hints,
    keeping::an_outage_is_told_and_passes,
];

struct Bench<'a> {
    ground: &'a dyn MessageBusGround,
    bus: &'a dyn MessageBus,
}

impl<'a> Bench<'a> {
    fn on(ground: &'a dyn MessageBusGround) -> Self {
        Self { ground, bus: ground.bus() }
    }

    /// Listens until all these hints have come, in any order.
    async fn hear(&self, wanted: &[Hint]) -> Verdict {
        let wanted: BTreeSet<Hint> = wanted.iter().cloned().collect();
        let mut heard = BTreeSet::new();
        while !heard.is_superset(&wanted) {
            let hints = self.bus.hints().await?;
            equal("whether the bus closed", hints.is_empty(), false)?;
            heard.extend(hints);
        }
        equal("the hints", heard, wanted)
    }
}

/// The first three events of a build.
fn events(build: i64) -> Vec<StateChange> {
    let mut record = ModuleBuild::begin(new_build("app:1:1:a"), BuildId(build), BuildId(build), at(0));
    for state in [State::Wait, State::Build] {
        record.enter(state, None, at(1)).expect("suites follow the arrows");
    }
    let transitions = record.life.take_unsaved();
    StateChange::all_of(&record, 0, None, &transitions)
}

mod keeping {
    use super::{Bench, BusError, Hint, TaskId, Verdict, equal, events, id, join, refused};

    /// `publish`: in order. I15.
    pub(super) async fn events_are_published_in_order(bench: &Bench<'_>) -> Verdict {
        let (a, b) = (events(7), events(8));
        bench.bus.publish(&[a[0].clone(), b[0].clone(), a[1].clone()]).await?;
        bench.bus.publish(&a[2..]).await?;
        bench.bus.publish(&[]).await?;
        let wanted = [&a[0], &b[0], &a[1], &a[2]].map(Clone::clone);
        equal("what was published", bench.ground.published().await, wanted)
    }

    /// `publish`: they may have been there before.
    pub(super) async fn an_event_may_be_published_again(bench: &Bench<'_>) -> Verdict {
        let events = events(7);
        bench.bus.publish(&events[..2]).await?;
        bench.bus.publish(&events[..]).await?;
        let mut seen = bench.ground.published().await;
        seen.sort_by_key(|event| event.seq);
        seen.dedup();
        equal("what was published, without doubles", seen, events)
    }

    /// `hints`: waits for the next hints and returns them; those that came before are not lost.
    pub(super) async fn who_listens_gets_the_hints(bench: &Bench<'_>) -> Verdict {
        let first = [Hint::Everything, Hint::Tag(id("module-app"))];
        let (heard, ()) = join(bench.hear(&first), bench.ground.push(first.to_vec())).await;
        heard?;
        let later = [Hint::Task(TaskId(7))];
        bench.ground.push(later.to_vec()).await;
        bench.hear(&later).await
    }

    /// `hints`: empty when the bus is closed for good.
    pub(super) async fn a_closed_bus_gives_no_hints(bench: &Bench<'_>) -> Verdict {
        bench.ground.close().await?;
        for _ in 0..2 {
            equal("the hints of a closed bus", bench.bus.hints().await?, [])?;
        }
        Ok(())
    }

    /// `publish` and `hints`, errors: `Unavailable`: ask again later.
    pub(super) async fn an_outage_is_told_and_passes(bench: &Bench<'_>) -> Verdict {
        bench.ground.break_down().await?;
        let is_told =
            |error: &BusError| matches!(error, BusError::Unavailable { .. }) && error.is_transient();
        refused("publishing", bench.bus.publish(&events(7)).await, is_told)?;
        refused("listening", bench.bus.hints().await, is_told)?;
        bench.ground.repair().await?;
        bench.bus.publish(&events(7)).await?;
        bench.ground.push(vec![Hint::Everything]).await;
        bench.hear(&[Hint::Everything]).await
    }
}
