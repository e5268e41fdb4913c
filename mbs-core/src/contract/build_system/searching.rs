//! Searches for what an earlier attempt left: without them components would be built twice.

use super::bench::{Bench, Built};
use crate::contract::promise::{Verdict, equal};
use crate::contract::samples::id;
use crate::ident::TagName;

/// [`Found::live`](crate::build_system::Found): live tasks that build a package for its target. I2.
pub(super) async fn a_live_task_is_found_by_package_and_target(bench: &Bench<'_>) -> Verdict {
    bench.ensure().await?;
    equal("before it is submitted", bench.search("libc").await?.live, [])?;
    let task = bench.submit("libc").await?;
    let found = bench.search("libc").await?;
    equal("live tasks", found.live, [(id("libc"), task)])?;
    equal("builds of a live task", found.builds, [])?;
    equal("live tasks of another package", bench.search("liba").await?.live, [])?;
    equal("live tasks in another target", bench.search_in("libc", &bench.unknown()).await?.live, [])?;
    bench.system.cancel(&[task]).await?;
    equal("after it is cancelled", bench.search("libc").await?.live, [])
}

/// Searches, and returns each build with its task and the tag it was found in.
async fn found(bench: &Bench<'_>, built: &Built) -> Verdict<Vec<(bool, Option<TagName>)>> {
    let builds = bench.search("liba").await?.builds;
    Ok(builds.into_iter().map(|b| (b.nvr == built.nvr && b.task == Some(built.task), b.tag)).collect())
}

/// [`Found::builds`](crate::build_system::Found): untagged ones with our dist tag.
pub(super) async fn a_finished_build_is_found_by_its_dist_tag(bench: &Bench<'_>) -> Verdict {
    let built = bench.built("liba").await?;
    equal("the build, untagged", found(bench, &built).await?, [(true, None)])?;
    equal("live tasks", bench.search("liba").await?.live, [])?;
    equal("builds of another package", bench.search("libz").await?.builds, [])
}

/// [`Search::tags`](crate::build_system::Search): tags whose newest build of the package counts, in their order.
pub(super) async fn the_first_of_the_tags_that_has_a_build_decides(bench: &Bench<'_>) -> Verdict {
    let built = bench.built("liba").await?;
    // The order of the search is build tag, tag.
    for tag in [&bench.spec.tag, &bench.spec.build_tag] {
        bench.tag(tag, &built.nvr).await?;
        equal("the build", found(bench, &built).await?, [(true, Some(tag.clone()))])?;
    }
    Ok(())
}
