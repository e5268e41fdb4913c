//! `amend`.

use super::bench::{Bench, enter, fail, take_slots};
use crate::contract::promise::{Verdict, equal, holds, refused};
use crate::model::State;
use crate::store::{Amend, Loaded, StoreError};

/// Design, section 5, `amend`: the same as a save, plus an audit row and due at once.
pub(super) async fn an_amendment_is_saved_with_trace_event_and_audit_and_is_due_at_once(
    bench: &Bench<'_>,
) -> Verdict {
    let build = bench.create_asleep("app:1:1:a").await?;
    let before = bench.load(build).await?.revision;
    let from = bench.store.now().await?;
    let saved = bench.amend(build, fail).await?;
    equal("the revision", saved.revision.0, before.0 + 1)?;
    equal("what is loaded", bench.load(build).await?.build, saved.build)?;
    let trace = bench.store.trace(build).await?;
    equal("the trace", trace.last().map(|row| row.to), Some(State::Failed))?;
    let events = bench.drain_events("s", build).await?;
    equal("the last event", events.last().map(|e| e.event.summary.state), Some(State::Failed))?;
    let audit = bench.store.audit(build).await?;
    let kept: Vec<_> = audit.iter().map(|entry| (entry.by.as_str(), entry.what.as_str())).collect();
    equal("the audit", kept, [("mary", "cancelled it")])?;
    holds(
        from <= audit[0].at && audit[0].at <= bench.store.now().await?,
        "the audit tells the store's time",
    )?;
    bench.due_are(&[build]).await
}

/// `amend`: `Stale`: load, apply again. I8.
pub(super) async fn after_another_save_nothing_is_amended(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let Loaded { build: mut now, revision, .. } = bench.load(build).await?;
    bench.save(&lease, |build| enter(build, State::Wait, 1)).await?;
    let before = bench.everything(build, "before").await?;
    fail(&mut now);
    let amend = Amend { now, revision, by: "mary".into(), what: "cancelled it".into() };
    let outcome = bench.store.amend(amend).await;
    refused("a stale record", outcome, |error| *error == StoreError::Stale(build))?;
    equal("what is stored", bench.everything(build, "after").await?, before)
}

/// `amend`: may not raise the slots held.
pub(super) async fn an_amendment_may_not_raise_the_slots_held(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let outcome = bench.try_amend(build, |build| take_slots(build, 1)).await?;
    refused("a new attempt", outcome, |error| matches!(error, StoreError::Rejected { .. }))?;
    equal("the components", bench.load(build).await?.build.components, [])
}

/// `amend`: due at once; under a lease that means after the gap, once the look has ended.
pub(super) async fn an_amendment_during_a_look_is_looked_at_soon(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    bench.amend(build, fail).await?;
    bench.due_are(&[]).await?;
    bench.release(&lease, None).await?;
    bench.pass_the_gap().await;
    bench.due_are(&[build]).await
}
