//! `wake`.

use super::bench::{Bench, fail, finish};
use crate::bus::Hint;
use crate::contract::promise::{Verdict, equal};
use crate::contract::samples::{at, component, id, running};
use crate::ident::{BuildId, TagEvent, TaskId};
use crate::model::RepoWait;

/// Design, section 5, `wake`: those builds due now, not before `min_gap` after their last look.
pub(super) async fn a_wake_makes_due_but_not_before_the_gap(bench: &Bench<'_>) -> Verdict {
    let build = bench.create_asleep("app:1:1:a").await?;
    bench.wake(Hint::Build(build)).await?;
    bench.due_are(&[]).await?;
    bench.pass_the_gap().await;
    let lease = bench.claim_only(build).await?;
    let later = bench.in_secs(1000).await?;
    bench.release(&lease, Some(later)).await?;
    bench.pass_the_gap().await;
    bench.wake(Hint::Build(build)).await?;
    bench.due_are(&[build]).await
}

/// `wake`: makes due; what is due sooner stays so.
pub(super) async fn a_wake_never_postpones_a_look(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let now = bench.store.now().await?;
    bench.release(&lease, Some(now)).await?;
    bench.wake(Hint::Build(build)).await?;
    bench.due_are(&[build]).await
}

/// `release`: after `min_gap` if a wake came since the claim.
pub(super) async fn a_wake_during_a_look_is_worth_one_look_after_the_gap(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    bench.wake(Hint::Build(build)).await?;
    bench.wake(Hint::Build(build)).await?;
    let later = bench.in_secs(1000).await?;
    bench.release(&lease, Some(later)).await?;
    bench.due_are(&[]).await?;
    bench.pass_the_gap().await;
    let lease = bench.claim_only(build).await?;
    bench.release(&lease, Some(later)).await?;
    bench.pass_the_gap().await;
    bench.due_are(&[]).await
}

/// `wake`: how many; unknown ones are ignored. [`Hint`]: a build, the build that owns a tag or a task.
pub(super) async fn hints_name_builds_by_id_tag_build_tag_and_task(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let set_up = bench.save(&lease, |build| {
        build.koji_tag = Some(id("module-app"));
        build.components = vec![running("liba", Some(7)).into(), component("libb").into()];
        build.repo = Some(RepoWait { asked_at: at(0), task: Some(TaskId(8)), shows: TagEvent(0) });
    });
    set_up.await?;
    bench.release(&lease, None).await?;
    let other = bench.create_asleep("app:1:1:b").await?;
    for (hint, wanted) in [
        (Hint::Build(build), 1),
        (Hint::Tag(id("module-app")), 1),
        (Hint::Tag(id("module-app-build")), 1),
        (Hint::Task(TaskId(7)), 1),
        (Hint::Task(TaskId(8)), 1),
        (Hint::Task(TaskId(9)), 0),
        (Hint::Tag(id("module-ap")), 0),
        (Hint::Tag(id("module-app-build-build")), 0),
        (Hint::Build(BuildId(build.0.max(other.0) + 1000)), 0),
    ] {
        bench.pass_the_gap().await;
        equal(&format!("woken by {hint:?}"), bench.wake(hint.clone()).await?, wanted)?;
        for lease in bench.leases("w", 9).await? {
            equal(&format!("woken by {hint:?}"), lease.build, build)?;
            bench.release(&lease, None).await?;
        }
    }
    let all = [Hint::Task(TaskId(7)), Hint::Tag(id("module-app")), Hint::Build(build)];
    equal("woken by three hints at one build", bench.store.wake(&all).await?, 1)?;
    equal("woken by no hint", bench.store.wake(&[]).await?, 0)
}

/// [`Hint::Everything`]: what is retired, ready or settled has no news.
pub(super) async fn everything_is_what_is_under_way(bench: &Bench<'_>) -> Verdict {
    let (init, unsettled) = (bench.create_asleep("a:1:1:a").await?, bench.create_asleep("b:1:1:a").await?);
    let (settled, ready) = (bench.create_asleep("c:1:1:a").await?, bench.create_asleep("d:1:1:a").await?);
    bench.look(unsettled, fail).await?;
    let settle = bench.look(settled, |build| {
        fail(build);
        build.life.settle();
    });
    settle.await?;
    bench.look(ready, |build| finish(build, 1)).await?;
    bench.pass_the_gap().await;
    equal("how many were woken", bench.wake(Hint::Everything).await?, 2)?;
    bench.due_are(&[init, unsettled]).await
}
