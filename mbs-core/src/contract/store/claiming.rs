//! `claim`, `renew`, `void_leases`, `next_due`, `now`.

use super::bench::{Bench, worker};
use crate::contract::promise::{Verdict, equal, holds, refused};
use crate::store::{Lease, StoreError};

/// Design, section 5, `claim`: no other claim returns it before the lease expires by the store's clock. I8.
pub(super) async fn nobody_else_claims_a_build_before_its_lease_expires(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    bench.claim_only(build).await?;
    bench.due_are(&[]).await?;
    bench.pass_of_a_lease(90).await;
    bench.due_are(&[]).await?;
    bench.pass_of_a_lease(10).await;
    bench.due_are(&[build]).await
}

/// `claim`: oldest due first, whether or not it was claimed before; up to `n`.
pub(super) async fn the_oldest_due_is_claimed_first_and_no_more_than_asked(bench: &Bench<'_>) -> Verdict {
    let mut made = Vec::new();
    for nsvc in ["a:1:1:a", "b:1:1:a", "c:1:1:a"] {
        made.push(bench.create(nsvc).await?);
        bench.pass_the_gap().await;
    }
    equal("none asked for", bench.claim(0).await?, [])?;
    equal("two asked for", bench.claim(2).await?, &made[..2])?;
    bench.pass_of_a_lease(100).await;
    equal("one, after all leases expired", bench.claim(1).await?, &made[..1])?;
    equal("the others", bench.claim(9).await?, &made[1..])
}

/// [`Claim`](crate::store::Claim) and [`Lease`]: the store's time at the claim; later tokens are larger.
pub(super) async fn a_claim_tells_the_time_of_the_store_and_a_later_token(bench: &Bench<'_>) -> Verdict {
    bench.create("app:1:1:a").await?;
    let mut claims = Vec::new();
    for name in ["w", "v"] {
        let before = bench.store.now().await?;
        let claim = bench.store.claim(&worker(name), 1).await?;
        equal("the number of claims", claim.len(), 1)?;
        let is_timed = before <= claim[0].store_now && claim[0].store_now <= bench.store.now().await?;
        holds(is_timed, "a claim tells the store's time")?;
        equal("whose lease it is", &claim[0].lease.worker, &worker(name))?;
        claims.extend(claim);
        bench.pass_of_a_lease(100).await;
    }
    holds(claims[1].lease.token > claims[0].lease.token, "the later lease has the larger token")?;
    holds(claims[1].store_now > claims[0].store_now, "the store's time goes on")
}

/// `renew`: prolongs a lease by its full length; `LeaseLost` once it expired.
pub(super) async fn a_renewed_lease_lives_its_full_length_again(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    bench.pass_of_a_lease(60).await;
    bench.store.renew(&lease).await?;
    bench.pass_of_a_lease(60).await;
    bench.due_are(&[]).await?;
    bench.store.renew(&lease).await?;
    bench.pass_of_a_lease(100).await;
    let renewed = bench.store.renew(&lease).await;
    refused("an expired lease", renewed, |error| *error == StoreError::LeaseLost(build))?;
    bench.due_are(&[build]).await
}

/// [`Lease`]: the right to save one build, told apart by its token.
pub(super) async fn a_lease_is_good_for_its_worker_and_token_only(bench: &Bench<'_>) -> Verdict {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let is_lost = |error: &StoreError| *error == StoreError::LeaseLost(build);
    for (what, other) in [
        ("another worker", Lease { worker: worker("v"), ..lease.clone() }),
        ("another token", Lease { token: lease.token + 1, ..lease.clone() }),
    ] {
        refused(what, bench.store.renew(&other).await, is_lost)?;
        bench.release(&other, None).await?;
    }
    Ok(bench.store.renew(&lease).await?)
}

/// `void_leases`: all leases of a worker; its builds are due at once.
pub(super) async fn a_worker_that_restarts_voids_its_own_leases_only(bench: &Bench<'_>) -> Verdict {
    let mine = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(mine).await?;
    bench.create("app:1:1:b").await?;
    equal("claims of another", bench.leases("v", 1).await?.len(), 1)?;
    equal("how many were void", bench.store.void_leases(&worker("w")).await?, 1)?;
    let renewed = bench.store.renew(&lease).await;
    refused("a void lease", renewed, |error| *error == StoreError::LeaseLost(mine))?;
    bench.due_are(&[mine]).await?;
    equal("of an unknown worker", bench.store.void_leases(&worker("x")).await?, 0)
}

/// `next_due`: when the next build becomes due without a wake; `None` if none does.
pub(super) async fn the_next_due_is_known_and_counts_leases_that_may_be_abandoned(
    bench: &Bench<'_>,
) -> Verdict {
    equal("of an empty store", bench.store.next_due().await?, None)?;
    let build = bench.create("app:1:1:a").await?;
    let now = bench.store.now().await?;
    holds(bench.store.next_due().await?.is_some_and(|due| due <= now), "a new build is due by now")?;
    let lease = bench.claim_only(build).await?;
    let end = bench.store.now().await? + bench.ground.policy().lease;
    let next = bench.store.next_due().await?;
    holds(next.is_some_and(|due| now < due && due <= end), "a claimed build is due when its lease expires")?;
    let wake_at = bench.in_secs(30).await?;
    bench.release(&lease, Some(wake_at)).await?;
    equal("of a released build", bench.store.next_due().await?, Some(wake_at))
}
