//! `figures` and `standing`.

use super::bench::{Bench, enter, fail, finish, take_slots, wait_in_line, worker};
use crate::bus::Hint;
use crate::contract::promise::{Verdict, equal, holds};
use crate::contract::samples::{id, new_build};
use crate::ident::BuildId;
use crate::model::{Failure, ModuleBuild, NewBuild, State};
use crate::plan::Why;
use crate::store::{Figures, Save, Settings, Sink, Standing};

async fn figures(bench: &Bench<'_>) -> Verdict<Figures> {
    Ok(bench.store.figures().await?)
}

fn fail_by(failure: Failure) -> impl FnOnce(&mut ModuleBuild) {
    move |build| {
        let failed = build.life.fail("no space".into(), failure, crate::contract::samples::at(1));
        failed.expect("suites follow the arrows");
    }
}

/// [`Figures`]: states, settings, slots, line, what is due; all states and kinds of failure are there.
pub(super) async fn figures_tell_states_slots_and_what_is_due(bench: &Bench<'_>) -> Verdict {
    let before = bench.store.now().await?;
    let empty = figures(bench).await?;
    equal("all states", empty.by_state.values().copied().collect::<Vec<_>>(), [0; 7])?;
    equal("all kinds of failure", empty.failed.values().copied().collect::<Vec<_>>(), [0; 3])?;
    equal(
        "what an empty store has",
        (empty.oldest_unfinished, empty.pending.len(), empty.due),
        (None, 0, 0),
    )?;
    bench.set(Settings { limit: Some(7), paused: true, draining: true }).await?;
    let running = bench.create_asleep("a:1:1:a").await?;
    bench.look(running, |build| take_slots(build, 2)).await?;
    let waiting = bench.create_asleep("a:1:1:b").await?;
    let wait = |build: &mut ModuleBuild| {
        enter(build, State::Wait, 1);
        wait_in_line(build, 1);
    };
    bench.look(waiting, wait).await?;
    bench.create("a:1:1:c").await?;
    bench.create("a:1:1:d").await?;
    equal("a lease", bench.claim(1).await?.len(), 1)?;
    let now = figures(bench).await?;
    let of = |state| now.by_state.get(&state).copied();
    equal("the states", (of(State::Init), of(State::Wait), of(State::Ready)), (Some(3), Some(1), Some(0)))?;
    equal("the limits", (now.configured_limit, now.limit), (Some(7), Some(7)))?;
    equal("what operators set", (now.paused, now.draining), (true, true))?;
    equal("slots, line, and what is due", (now.in_use, now.in_line, now.due), (2, 1, 1))?;
    holds(before <= now.at && now.at <= bench.store.now().await?, "figures tell their time")?;
    bench.pass_of_a_lease(100).await;
    equal("what is due when a lease has ended", figures(bench).await?.due, 2)
}

/// [`Figures::failed`], [`Figures::succeeded`]: what ended here, by who has to act; builds that go on stay counted.
pub(super) async fn endings_are_counted_and_never_forgotten(bench: &Bench<'_>) -> Verdict {
    let ready = bench.create_asleep("a:1:1:a").await?;
    bench.look(ready, |build| finish(build, 1)).await?;
    let scratch = bench.create_as(NewBuild { scratch: true, ..new_build("a:1:1:b_1") }.into()).await?;
    bench.put_to_sleep(scratch).await?;
    for state in [State::Wait, State::Build, State::Done] {
        bench.look(scratch, |build| enter(build, state, 1)).await?;
    }
    for (nsvc, failure) in
        [("b:1:1:a", Failure::User), ("b:1:1:b", Failure::Infra), ("b:1:1:c", Failure::Unspec)]
    {
        let build = bench.create_asleep(nsvc).await?;
        bench.look(build, fail_by(failure)).await?;
        bench.look(build, |build| enter(build, State::Init, 2)).await?;
    }
    bench.look(ready, |build| enter(build, State::Garbage, 3)).await?;
    let again = bench.create("b:1:1:d").await?;
    bench.amend(again, fail_by(Failure::User)).await?;
    bench.amend(again, |build| enter(build, State::Init, 2)).await?;
    bench.amend(again, fail_by(Failure::Infra)).await?;
    let now = figures(bench).await?;
    equal("what succeeded", now.succeeded, 2)?;
    let wanted = [(Failure::User, 2), (Failure::Infra, 2), (Failure::Unspec, 1)];
    equal("what failed", now.failed, wanted.into())
}

/// [`Figures::pending`]: what each sink lacks, whether it has a number yet or not.
pub(super) async fn figures_tell_what_each_sink_lacks(bench: &Bench<'_>) -> Verdict {
    for nsvc in ["a:1:1:a", "a:1:1:b", "a:1:1:c"] {
        bench.create(nsvc).await?;
    }
    let all = bench.take("one", 9).await?;
    bench.take("two", 9).await?;
    // Out of order: what lies between is lacking.
    bench.ack("one", &all[..1]).await?;
    bench.ack("one", &all[2..]).await?;
    bench.create("a:1:1:d").await?;
    let pending = figures(bench).await?.pending;
    equal("what is pending", pending, [(Sink("one".into()), 2), (Sink("two".into()), 4)].into())
}

/// [`Figures::oldest_unfinished`], `standing`: builds under way by their last progress, which is a change of the record.
pub(super) async fn what_stands_still_is_known_longest_first(bench: &Bench<'_>) -> Verdict {
    let mut builds = Vec::new();
    for nsvc in ["a:1:1:a", "a:1:1:b", "a:1:1:c", "a:1:1:d"] {
        builds.push(bench.create_asleep(nsvc).await?);
        bench.pass_the_gap().await;
    }
    let [first, second, third, fourth] = builds[..] else { return holds(false, "four builds are made") };
    bench.look(third, |build| finish(build, 1)).await?;
    bench.look(second, fail).await?;
    // A look that only tells something is no progress; an amendment is.
    bench.wake(Hint::Build(fourth)).await?;
    bench.pass_the_gap().await;
    let lease = bench.claim_only(fourth).await?;
    let draft = bench.draft(&lease, |_| {}).await?;
    bench.store.save(Save { notes: vec!["still here".into()], ..draft }).await?;
    bench.pass_the_gap().await;
    bench.amend(first, |build| build.koji_tag = Some(id("module-a"))).await?;
    bench.pass_the_gap().await;
    let now = bench.store.now().await?;
    let standing = bench.store.standing(now, 9).await?;
    let ids = |standing: &[Standing]| standing.iter().map(|standing| standing.id).collect::<Vec<BuildId>>();
    equal("what stands", ids(&standing), [fourth, second, first])?;
    let told = &standing[0];
    equal("who looks", &told.leased_by, &Some(worker("w")))?;
    equal("its identity", (&told.nsvc, told.state), (&id("a:1:1:d"), State::Init))?;
    equal("why it is not further", &told.why, &Some(Why::GoingOn))?;
    holds(told.progressed_at < standing[1].progressed_at, "they tell since when")?;
    let of_first = &standing[2];
    equal("when it is due", of_first.due.map(|due| due <= now), Some(true))?;
    equal("nobody else", (&of_first.leased_by, standing[1].due), (&None, None))?;
    equal("the first", ids(&bench.store.standing(now, 1).await?), [fourth])?;
    let earlier = bench.store.standing(of_first.progressed_at, 9).await?;
    equal("without the last progress", ids(&earlier), [fourth, second])?;
    equal("the oldest", figures(bench).await?.oldest_unfinished, Some((fourth, told.progressed_at)))
}
