//! `save`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bench::{Bench, enter, fail, take_slots};
use crate::contract::promise::{Verdict, equal, holds, refused};
use crate::contract::samples::{at, component, new_build};
use crate::ident::{ComponentId, Revision, TaskId, Weight};
use crate::model::{AttemptEnd, ModuleBuild, State};
use crate::modulemd::ModuleStream;
use crate::store::{Lease, StoreError};

type Change = fn(&mut ModuleBuild);

/// Design, section 5, `save`: the record, revision + 1.
pub(super) async fn a_save_keeps_the_record_and_raises_the_revision_by_one(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let before = bench.load(build).await?.revision;
    let saved = bench.save(&lease, |build| enter(build, State::Wait, 1)).await?;
    equal("the revision", saved.revision, Revision(before.0 + 1))?;
    equal("the state", saved.build.state(), State::Wait)?;
    equal("the unsaved changes", saved.build.life.unsaved(), [])?;
    let loaded = bench.load(build).await?;
    equal("what is loaded", (loaded.build, loaded.revision), (saved.build, saved.revision))
}

/// [`Saved::build`](crate::store::Saved::build): new components with their ids.
pub(super) async fn components_get_ids_of_their_own_and_keep_them(bench: &Bench<'_>) -> Verdict {
    let mut ids = Vec::new();
    for nsvc in ["app:1:1:a", "app:1:1:b"] {
        let build = bench.create(nsvc).await?;
        let lease = bench.claim_only(build).await?;
        let first = bench
            .save(&lease, |build| build.components = vec![component("liba").into(), component("libb").into()])
            .await?
            .build;
        let second = bench.save(&lease, |build| build.components.push(component("libc").into())).await?.build;
        let of = |build: &ModuleBuild| build.components.iter().map(|c| c.id).collect::<Vec<_>>();
        equal("the ids after another save", &of(&second)[..2], &of(&first)[..])?;
        ids.extend(of(&second));
    }
    let distinct: BTreeSet<ComponentId> = ids.iter().copied().flatten().collect();
    equal("the number of different ids", distinct.len(), 6)
}

/// `save`: the record as it is after many changes, of components and attempts that were stored before, too.
pub(super) async fn what_changes_in_a_record_is_kept_and_what_goes_is_gone(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let changes: [(&str, Change); 7] = [
        ("components", |build| take_slots(build, 3)),
        ("a task of an attempt", |build| {
            build.components[1].attempts[0].task = Some(TaskId(9));
        }),
        ("the end of an attempt, and another", |build| {
            let mut next = build.components[1].attempts[0].clone();
            build.components[1].attempts[0].end = Some(AttemptEnd::Aborted("gone".into()));
            (next.number, next.task) = (2, None);
            build.components[1].attempts.push(next);
        }),
        ("a component", |build| build.components[0].tagged = true),
        ("the order of components", |build| build.components.swap(0, 2)),
        ("fewer components and attempts", |build| {
            build.components.remove(0);
            build.components[0].attempts.pop();
        }),
        ("a weight and the document", |build| {
            build.components[0].weight = Weight::new(0.1 + 0.2);
            let document = ModuleStream { summary: "Another".into(), ..(**build.document()).clone() };
            build.new.document = Arc::new(document);
        }),
    ];
    for (what, change) in changes {
        let saved = bench.save(&lease, change).await?;
        equal(what, bench.load(build).await?.build, saved.build)?;
    }
    Ok(())
}

/// `save`: traces, events (seq per build). Each event shows the state it led to.
pub(super) async fn transitions_go_to_the_trace_and_become_events_in_order(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    bench
        .save(&lease, |build| {
            enter(build, State::Wait, 2);
            enter(build, State::Build, 3);
        })
        .await?;
    bench.save(&lease, fail).await?;
    let trace = bench.store.trace(build).await?;
    let rows: Vec<_> = trace.iter().map(|row| (row.from, row.to)).collect();
    let (init, wait, building, failed) = (State::Init, State::Wait, State::Build, State::Failed);
    equal(
        "the trace",
        rows,
        [(None, init), (Some(init), wait), (Some(wait), building), (Some(building), failed)],
    )?;
    equal("the time of a change", trace[1].at, at(2))?;
    let events = bench.drain_events("s", build).await?;
    let told: Vec<_> = events.iter().map(|e| (e.event.seq, e.event.summary.state)).collect();
    equal("the events", told, [(1, init), (2, wait), (3, building), (4, failed)])?;
    let changes: Vec<_> = events.into_iter().map(|e| e.event.transition).collect();
    equal("the changes that events tell", changes, trace)
}

/// `save`: log lines.
pub(super) async fn log_lines_are_kept_in_order_with_the_time_of_the_store(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    for notes in [vec!["one".into(), "two".into()], vec!["three".into()]] {
        bench.pass_the_gap().await;
        let mut save = bench.draft(&lease, |_| {}).await?;
        save.notes = notes;
        bench.store.save(save).await?;
    }
    let log = bench.store.log(build).await?;
    equal("the log", log.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["one", "two", "three"])?;
    let submitted = bench.load(build).await?.build.submitted_at;
    let (first, last) = (log[0].at, log[2].at);
    holds(submitted < first && first < last && last <= bench.store.now().await?, "lines tell their time")
}

/// `save`: nothing at all on `LeaseLost`. I8.
pub(super) async fn without_the_lease_nothing_is_saved(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let before = bench.everything(build, "before").await?;
    let mut draft = bench.draft(&lease, |build| enter(build, State::Wait, 1)).await?;
    draft.notes = vec!["went on".into()];
    let other_token = Lease { token: lease.token + 1, ..lease.clone() };
    let other_worker = Lease { worker: super::bench::worker("v"), ..lease.clone() };
    let is_lost = |error: &StoreError| *error == StoreError::LeaseLost(build);
    for (what, lease) in [("a token never given", other_token), ("another's lease", other_worker)] {
        let mut save = draft.clone();
        save.lease = lease;
        refused(what, bench.store.save(save).await, is_lost)?;
    }
    bench.pass_of_a_lease(100).await;
    refused("an expired lease", bench.store.save(draft.clone()).await, is_lost)?;
    bench.claim_only(build).await?;
    refused("a lease that another has", bench.store.save(draft).await, is_lost)?;
    equal("what is stored", bench.everything(build, "after").await?, before)
}

/// `save`: nothing at all on `Stale`, a person was faster. I8.
pub(super) async fn after_a_person_nothing_is_saved(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let mut save = bench.draft(&lease, |build| enter(build, State::Wait, 1)).await?;
    save.notes = vec!["went on".into()];
    bench.amend(build, fail).await?;
    let before = bench.everything(build, "before").await?;
    let outcome = bench.store.save(save).await;
    refused("a stale record", outcome, |error| *error == StoreError::Stale(build))?;
    equal("what is stored", bench.everything(build, "after").await?, before)
}

/// `save`: nothing at all on `NoSlot`. I1.
pub(super) async fn beyond_the_limit_nothing_is_saved(bench: &Bench<'_>) -> Verdict {
    bench.limit(1).await?;
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let before = bench.everything(build, "before").await?;
    let mut save = bench
        .draft(&lease, |build| {
            enter(build, State::Wait, 1);
            take_slots(build, 2);
        })
        .await?;
    save.notes = vec!["went on".into()];
    let outcome = bench.store.save(save).await;
    let full = StoreError::NoSlot { in_use: 0, limit: 1 };
    refused("a slot too many", outcome, |error| *error == full)?;
    equal("what is stored", bench.everything(build, "after").await?, before)
}

/// `save`, errors: who lost the lease must drop its work, whatever else is wrong; a stale record says nothing about slots.
pub(super) async fn the_lease_is_checked_first_then_the_revision_then_the_slots(
    bench: &Bench<'_>,
) -> Verdict {
    bench.limit(0).await?;
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let mut stale = bench.draft(&lease, |build| take_slots(build, 1)).await?;
    bench.amend(build, |_| {}).await?;
    let mut lost = stale.clone();
    lost.lease.token += 1;
    refused("no lease", bench.store.save(lost).await, |e| *e == StoreError::LeaseLost(build))?;
    refused("a stale record", bench.store.save(stale.clone()).await, |e| *e == StoreError::Stale(build))?;
    stale = bench.draft(&lease, |build| take_slots(build, 1)).await?;
    let full = StoreError::NoSlot { in_use: 0, limit: 0 };
    refused("a slot too many", bench.store.save(stale).await, |error| *error == full)
}

/// `save`, errors: `Rejected`. I7.
pub(super) async fn a_record_that_cannot_come_from_the_loaded_one_is_refused(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    bench.save(&lease, |build| build.components = vec![component("liba").into()]).await?;
    let before = bench.everything(build, "before").await?;
    let changes: [(&str, Change); 4] = [
        ("another identity", |build| build.new.nsvc = new_build("app:2:1:a").nsvc),
        ("a component twice", |build| build.components.push(component("liba").into())),
        ("a component id never given", |build| build.components[0].id = Some(ComponentId(i64::MAX))),
        ("a change of state without a trace", |build| {
            enter(build, State::Wait, 1);
            build.life.take_unsaved();
        }),
    ];
    for (what, change) in changes {
        let outcome = bench.try_save(&lease, change).await?;
        refused(what, outcome, |error| matches!(error, StoreError::Rejected { .. }))?;
    }
    equal("what is stored", bench.everything(build, "after").await?, before)
}
