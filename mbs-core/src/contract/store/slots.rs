//! The limit and the line.

use super::bench::{Bench, fail, free_slots, take_slots, wait_in_line};
use crate::contract::promise::{Verdict, equal, refused};
use crate::contract::samples::{at, id, new_build};
use crate::model::NewBuild;
use crate::store::{Settings, StoreError};

/// Design, section 5, `save`: `NoSlot { in_use, limit }`, counted over all builds. I1.
pub(super) async fn the_limit_holds_over_all_builds(bench: &Bench<'_>) -> Verdict {
    bench.limit(2).await?;
    let (a, b) = (bench.create_asleep("a:1:1:a").await?, bench.create_asleep("b:1:1:a").await?);
    equal("in use", bench.look(a, |build| take_slots(build, 1)).await?.slots.in_use, 1)?;
    let too_many = bench.try_look(b, |build| take_slots(build, 2)).await?;
    refused("two more", too_many, |error| *error == StoreError::NoSlot { in_use: 1, limit: 2 })?;
    equal("in use", bench.look(b, |build| take_slots(build, 1)).await?.slots.in_use, 2)?;
    let slots = bench.load(a).await?.slots;
    equal("in use and limit", (slots.in_use, slots.limit), (2, Some(2)))
}

/// I1: live attempts of failed modules count.
pub(super) async fn a_failed_build_counts_until_its_attempts_end(bench: &Bench<'_>) -> Verdict {
    bench.limit(1).await?;
    let (a, b) = (bench.create_asleep("a:1:1:a").await?, bench.create_asleep("b:1:1:a").await?);
    bench.look(a, |build| take_slots(build, 1)).await?;
    bench.look(a, fail).await?;
    let refusal = bench.try_look(b, |build| take_slots(build, 1)).await?;
    refused("one more", refusal, |error| *error == StoreError::NoSlot { in_use: 1, limit: 1 })?;
    bench.look(a, free_slots).await?;
    equal("in use", bench.look(b, |build| take_slots(build, 1)).await?.slots.in_use, 1)
}

/// Design, section 3: lowering a limit cancels nothing; a save that takes nothing more is never refused.
pub(super) async fn a_lowered_limit_refuses_more_and_nothing_else(bench: &Bench<'_>) -> Verdict {
    bench.limit(3).await?;
    let a = bench.create_asleep("a:1:1:a").await?;
    bench.look(a, |build| take_slots(build, 3)).await?;
    bench.limit(1).await?;
    bench.look(a, |build| build.arches = vec![id("x86_64")]).await?;
    let more = bench.try_look(a, |build| take_slots(build, 4)).await?;
    refused("one more", more, |error| *error == StoreError::NoSlot { in_use: 3, limit: 1 })
}

/// [`Settings::limit`](crate::store::Settings::limit): `None`: no limit.
pub(super) async fn without_a_limit_nothing_is_refused(bench: &Bench<'_>) -> Verdict {
    let a = bench.create_asleep("a:1:1:a").await?;
    let slots = bench.look(a, |build| take_slots(build, 200)).await?.slots;
    equal("limit and in use", (slots.limit, slots.in_use), (None, 200))
}

/// Design, section 3: a save that frees k slots makes the first k in line due in the same transaction. I12.
pub(super) async fn freed_slots_make_as_many_in_line_due_and_nobody_else(bench: &Bench<'_>) -> Verdict {
    bench.limit(2).await?;
    let holder = bench.create_asleep("a:1:1:a").await?;
    bench.look(holder, |build| take_slots(build, 2)).await?;
    let line = bench.line(&[30, 10, 20]).await?;
    bench.create_asleep("sleeper:1:1:a").await?;
    bench.look(holder, free_slots).await?;
    bench.due_are(&[line[1], line[2]]).await
}

/// The same: who cannot use a slot is not woken.
pub(super) async fn slots_freed_beyond_a_lowered_limit_make_nobody_due(bench: &Bench<'_>) -> Verdict {
    bench.limit(2).await?;
    let holder = bench.create_asleep("a:1:1:a").await?;
    bench.look(holder, |build| take_slots(build, 2)).await?;
    bench.line(&[0]).await?;
    bench.limit(0).await?;
    bench.look(holder, free_slots).await?;
    bench.due_are(&[]).await
}

/// I12: a slot meant for a build that ends before it takes it does not stay free.
pub(super) async fn who_leaves_the_line_hands_its_slot_on(bench: &Bench<'_>) -> Verdict {
    bench.limit(0).await?;
    let line = bench.line(&[10, 20, 30]).await?;
    bench.limit(1).await?;
    let lease = bench.claim_only(line[0]).await?;
    let cancelled = bench.amend(line[0], |build| {
        fail(build);
        build.line = None;
    });
    cancelled.await?;
    bench.due_are(&[line[1]]).await?;
    bench.release(&lease, None).await?;
    bench.pass_the_gap().await;
    bench.due_are(&[line[0]]).await
}

/// The same: its own look has just seen what is free.
pub(super) async fn who_frees_a_slot_is_not_made_due_by_it(bench: &Bench<'_>) -> Verdict {
    bench.limit(2).await?;
    let holder = bench.create_asleep("a:1:1:a").await?;
    bench.look(holder, |build| take_slots(build, 2)).await?;
    let freed = bench.look(holder, |build| {
        free_slots(build);
        wait_in_line(build, 10);
    });
    freed.await?;
    bench.pass_the_gap().await;
    bench.due_are(&[]).await
}

/// Design, section 3: priority, highest first; turn = since when it waits + τ · slots held; id.
pub(super) async fn the_line_goes_by_priority_then_turn_and_held_slots_cost_time(
    bench: &Bench<'_>,
) -> Verdict {
    bench.set(Settings { limit: Some(9), paused: true, draining: false }).await?;
    let line = bench.line(&[10, 20, 20]).await?;
    let urgent = NewBuild { priority: 1, ..new_build("urgent:1:1:a") };
    let urgent = bench.create_as(urgent.into()).await?;
    bench.put_to_sleep(urgent).await?;
    bench.look(urgent, |build| wait_in_line(build, 900)).await?;
    let saved = bench.look(line[0], |build| take_slots(build, 1)).await?;
    let tau = bench.ground.policy().tau;
    let mut wanted = vec![(at(10) + tau, line[0]), (at(20), line[1]), (at(20), line[2])];
    wanted.sort();
    wanted.insert(0, (at(900), urgent));
    let places: Vec<_> = saved.slots.head.iter().map(|place| (place.turn, place.build)).collect();
    equal("the line", places, wanted)
}

/// `amend`: who is given another priority stands elsewhere in line at once.
pub(super) async fn a_priority_that_a_person_gives_counts_in_line(bench: &Bench<'_>) -> Verdict {
    bench.set(Settings { limit: Some(9), paused: true, draining: false }).await?;
    let line = bench.line(&[10, 20]).await?;
    let saved = bench.amend(line[1], |build| build.new.priority = 1).await?;
    let places: Vec<_> = saved.slots.head.iter().map(|place| place.build).collect();
    equal("the line", places, [line[1], line[0]])
}
