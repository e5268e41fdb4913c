//! `release` and `explain`.

use std::time::Duration;

use super::bench::Bench;
use crate::bus::Hint;
use crate::contract::promise::{Verdict, equal};
use crate::ident::BuildId;
use crate::plan::Why;
use crate::store::{Lease, Signal};

/// Design, section 5, `release`: due at `wake_at`.
pub(super) async fn a_released_build_is_due_when_it_said(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let wake_at = bench.in_secs(30).await?;
    bench.release(&lease, Some(wake_at)).await?;
    bench.ground.pass(Duration::from_secs(25)).await;
    bench.due_are(&[]).await?;
    bench.ground.pass(Duration::from_secs(6)).await;
    bench.due_are(&[build]).await
}

/// `release`: `None`: only when woken.
pub(super) async fn a_release_without_a_time_sleeps_until_woken(bench: &Bench<'_>) -> Verdict {
    let build = bench.create_asleep("app:1:1:a").await?;
    bench.ground.pass(Duration::from_secs(30 * 24 * 3600)).await;
    bench.due_are(&[]).await?;
    equal("how many were woken", bench.wake(Hint::Build(build)).await?, 1)?;
    bench.due_are(&[build]).await
}

/// `release`: `why` is what `explain` reads, `None` before the first; no new revision.
pub(super) async fn a_release_says_why_and_makes_no_revision(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    equal("why before the first look", bench.store.explain(build).await?, None)?;
    let before = bench.load(build).await?;
    let lease = bench.claim_only(build).await?;
    let since = bench.in_secs(0).await?;
    let why = Why::WaitingForTags { packages: Vec::new(), since };
    bench.store.release(&lease, None, why.clone(), Signal::Strained).await?;
    equal("why", bench.store.explain(build).await?, Some(why))?;
    equal("the revision", bench.load(build).await?.revision, before.revision)
}

/// `release`: lease alive, else nothing happens.
pub(super) async fn a_release_without_the_lease_does_nothing(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lost = bench.claim_only(build).await?;
    bench.pass_of_a_lease(100).await;
    let lease = bench.claim_only(build).await?;
    bench.release(&lost, None).await?;
    equal("why", bench.store.explain(build).await?, None)?;
    bench.store.renew(&lease).await?;
    let unknown = Lease { build: BuildId(build.0 + 1000), ..lease };
    bench.release(&unknown, None).await?;
    bench.pass_of_a_lease(100).await;
    bench.due_are(&[build]).await
}
