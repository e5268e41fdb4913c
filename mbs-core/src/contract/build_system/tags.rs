//! Buildroots, tags, repositories, targets, imports.

use std::sync::Arc;

use super::bench::{Bench, Built};
use crate::build_system::{
    BuildQuestions, BuildSystemError, BuildrootSpec, Effect, FinishedModule, TagRequest,
};
use crate::contract::promise::{Verdict, equal, holds, refused, there};
use crate::contract::samples::{at, component, id, new_build};
use crate::ident::BuildId;
use crate::model::{BuildState, ModuleBuild, State};

fn is_missing(error: &BuildSystemError) -> bool {
    matches!(error, BuildSystemError::NotFound { .. })
}

/// `ensure_buildroot`: after `Ok` tags are as described. [`BuildAnswers::tag_arches`](crate::build_system::BuildAnswers).
pub(super) async fn a_buildroot_has_its_tags_and_architectures(bench: &Bench<'_>) -> Verdict {
    equal("the tag before it is made", bench.builds_in(&bench.spec.tag).await?, None)?;
    bench.ensure().await?;
    for tag in [&bench.spec.tag, &bench.spec.build_tag] {
        equal("the builds in a new tag", bench.builds_in(tag).await?, Some(Vec::new()))?;
    }
    let tag = bench.spec.build_tag.clone();
    let questions = BuildQuestions { tag_arches: [tag.clone()].into(), ..Default::default() };
    let arches = bench.observe(questions).await?.tag_arches;
    equal("the architectures", arches, Some([(tag, Some(bench.spec.arches.clone()))].into()))
}

/// Ensures: doing one twice is doing it once. The event is that of the last change, or a later one; it never goes back.
pub(super) async fn a_buildroot_ensured_twice_is_ensured_once(bench: &Bench<'_>) -> Verdict {
    let first = bench.ensure().await?;
    equal("the event of the same buildroot", bench.ensure().await?, first)?;
    let mut wider = bench.spec.clone();
    wider.build_group.push("zz-contract".into());
    let changed = bench.system.ensure_buildroot(&wider).await?;
    holds(changed >= first, "the event of a changed buildroot is not older")?;
    equal("the event of the changed one, again", bench.system.ensure_buildroot(&wider).await?, changed)
}

/// `ensure_buildroot`: the event is one that a request for a repository will reach.
pub(super) async fn a_repository_that_is_asked_for_reaches_the_buildroot(bench: &Bench<'_>) -> Verdict {
    let event = bench.ensure().await?;
    holds(bench.new_repo().await? >= event, "the repository reaches the event of the buildroot")?;
    let mut wider = bench.spec.clone();
    wider.build_group.push("zz-contract".into());
    let event = bench.system.ensure_buildroot(&wider).await?;
    holds(bench.new_repo().await? >= event, "the next repository reaches the changed buildroot")
}

/// `ensure_buildroot`, errors: `Conflict` if a target of that name has other tags.
pub(super) async fn a_target_with_other_tags_is_a_conflict(bench: &Bench<'_>) -> Verdict {
    bench.ensure().await?;
    let other = BuildrootSpec { tag: bench.unknown(), ..bench.spec.clone() };
    let outcome = bench.system.ensure_buildroot(&other).await;
    refused("another tag", outcome, |error| matches!(error, BuildSystemError::Conflict { .. }))?;
    equal("the builds in that tag", bench.builds_in(&other.tag).await?, None)
}

/// `ensure_tagged`: an ensure. [`TaggedBuild`](crate::build_system::TaggedBuild): package, NVR, task, event.
pub(super) async fn a_tagged_build_is_seen_once_with_the_event_of_its_tagging(bench: &Bench<'_>) -> Verdict {
    let Built { task, nvr } = bench.built("liba").await?;
    let tag = &bench.spec.tag;
    bench.tag(tag, &nvr).await?;
    let first = bench.builds_in(tag).await?.unwrap_or_default();
    let seen: Vec<_> = first.iter().map(|b| (b.package.as_str(), &b.nvr, b.task)).collect();
    equal("the builds in the tag", seen, [("liba", &nvr, Some(task))])?;
    bench.tag(tag, &nvr).await?;
    equal("the same, tagged again", bench.builds_in(tag).await?, Some(first))?;
    equal("the builds in the other tag", bench.nvrs_in(&bench.spec.build_tag).await?, [])
}

/// [`BuildAnswers::tags`](crate::build_system::BuildAnswers): per asked tag its builds, newest last.
pub(super) async fn builds_in_a_tag_come_newest_tagging_last(bench: &Bench<'_>) -> Verdict {
    let (a, b) = (bench.built("liba").await?.nvr, bench.built("libb").await?.nvr);
    let tag = &bench.spec.tag;
    bench.tag(tag, &b).await?;
    bench.tag(tag, &a).await?;
    equal("the builds", bench.nvrs_in(tag).await?, [b, a])?;
    let builds = bench.builds_in(tag).await?.unwrap_or_default();
    holds(builds.is_sorted_by(|one, next| one.event < next.event), "the later tagging has the later event")
}

/// [`RepoSeen::event`](crate::build_system::RepoSeen): the moment whose tag content it shows. I3 rests on this.
pub(super) async fn a_repository_shows_what_was_tagged_before_it_was_asked_for(bench: &Bench<'_>) -> Verdict {
    for package in ["liba", "libb"] {
        let Built { nvr, .. } = bench.built(package).await?;
        let before = bench.new_repo().await?;
        let tag = &bench.spec.build_tag;
        bench.tag(tag, &nvr).await?;
        let builds = bench.builds_in(tag).await?.unwrap_or_default();
        let tagged = there("tagged build", builds.into_iter().find(|build| build.nvr == nvr))?.event;
        holds(before < tagged, "an earlier repository does not show a later tagging")?;
        let after = bench.new_repo().await?;
        holds(after >= tagged, "a repository shows what was tagged before it was asked for")?;
    }
    Ok(())
}

/// `ensure_tagged`, errors: `BuildsGone` names every build that does not exist.
pub(super) async fn builds_that_do_not_exist_are_all_named(bench: &Bench<'_>) -> Verdict {
    let Built { nvr, .. } = bench.built("liba").await?;
    let tag = &bench.spec.tag;
    let ghosts = ["liba-0-0.contract", "libb-0-0.contract"].map(id);
    let all = [&ghosts[0], &nvr, &ghosts[1]].map(|nvr| bench.request(tag, nvr));
    let outcome = bench.system.ensure_tagged(&all).await;
    refused("builds that do not exist", outcome, |error| match error {
        BuildSystemError::BuildsGone { builds } => {
            builds.len() == 2 && ghosts.iter().all(|ghost| builds.contains(ghost))
        }
        _ => false,
    })?;
    bench.tag(tag, &nvr).await?;
    equal("the builds in the tag", bench.nvrs_in(tag).await?, [nvr])
}

/// `ensure_tagged` and `request_repo`, errors: `NotFound`, so that the plan makes the buildroot again.
pub(super) async fn what_needs_an_unknown_tag_is_not_found(bench: &Bench<'_>) -> Verdict {
    let Built { nvr, .. } = bench.built("liba").await?;
    let tag = bench.unknown();
    let request = TagRequest { tag: tag.clone(), package: id("liba"), nvr };
    refused("tagging", bench.system.ensure_tagged(&[request]).await, is_missing)?;
    refused("a repository", bench.system.request_repo(&tag).await, is_missing)
}

/// `ensure_untagged`: takes builds out of tags; those that are not there are fine.
pub(super) async fn untagging_takes_out_and_may_be_repeated(bench: &Bench<'_>) -> Verdict {
    let (a, b) = (bench.built("liba").await?.nvr, bench.built("libb").await?.nvr);
    let tag = &bench.spec.tag;
    bench.tag(tag, &a).await?;
    bench.tag(tag, &b).await?;
    let ghost = id("libb-0-0.contract");
    let requests = [
        bench.request(&bench.unknown(), &a),
        bench.request(&bench.spec.build_tag, &a),
        bench.request(tag, &ghost),
        bench.request(tag, &a),
    ];
    for _ in 0..2 {
        bench.system.ensure_untagged(&requests).await?;
        equal("the builds in the tag", bench.nvrs_in(tag).await?, std::slice::from_ref(&b))?;
    }
    bench.tag(tag, &a).await?;
    equal("the builds after tagging again", bench.nvrs_in(tag).await?, [b, a])
}

/// `remove_target`: one that does not exist is fine.
pub(super) async fn a_removed_target_is_gone_until_it_is_ensured_again(bench: &Bench<'_>) -> Verdict {
    bench.ensure().await?;
    for _ in 0..2 {
        bench.system.remove_target(&bench.spec.target).await?;
    }
    let job = bench.ground.job(&id("liba"));
    let outcome = bench.system.submit(&job).await;
    refused("a job for the target", outcome, is_missing)?;
    bench.ensure().await?;
    let task = bench.system.submit(&job).await?;
    Ok(bench.system.cancel(&[task]).await?)
}

/// [`BuildAnswers::tags`](crate::build_system::BuildAnswers): `None` for a tag that does not exist.
pub(super) async fn a_removed_tag_is_unknown_until_it_is_ensured_again(bench: &Bench<'_>) -> Verdict {
    bench.ensure().await?;
    let tag = &bench.spec.build_tag;
    bench.ground.remove_tag(tag).await?;
    equal("the tag", bench.builds_in(tag).await?, None)?;
    let outcome = bench.system.submit(&bench.ground.job(&id("liba"))).await;
    refused("a job for its target", outcome, is_missing)?;
    bench.ensure().await?;
    equal("the tag", bench.builds_in(tag).await?, Some(Vec::new()))
}

/// `ensure_tagged`, errors: `BuildsGone`, also for what existed once.
pub(super) async fn a_deleted_build_is_in_no_tag_and_gone(bench: &Bench<'_>) -> Verdict {
    let Built { nvr, .. } = bench.built("liba").await?;
    let tag = &bench.spec.tag;
    bench.tag(tag, &nvr).await?;
    bench.ground.delete_build(&nvr).await?;
    equal("the builds in the tag", bench.nvrs_in(tag).await?, [])?;
    let outcome = bench.system.ensure_tagged(&[bench.request(tag, &nvr)]).await;
    let gone = BuildSystemError::BuildsGone { builds: vec![nvr.clone()] };
    refused("tagging it", outcome, |error| *error == gone && error.effect() == Effect::None)?;
    equal("what is found", bench.search("liba").await?.builds, [])
}

/// `import_module`: "exists already" is `Ok`.
pub(super) async fn a_module_is_imported_once(bench: &Bench<'_>) -> Verdict {
    let Built { task, nvr } = bench.built("liba").await?;
    bench.tag(&bench.spec.tag, &nvr).await?;
    let mut build = ModuleBuild::begin(new_build("contract:1:1:c0ffee00"), BuildId(1), BuildId(1), at(0));
    build.koji_tag = Some(bench.spec.tag.clone());
    build.arches = bench.spec.arches.clone();
    for state in [State::Wait, State::Build] {
        build.enter(state, None, at(1))?;
    }
    build.life.complete(at(2));
    Arc::make_mut(&mut build.new.document).rpms.insert("liba".into(), Default::default());
    let mut liba = component("liba");
    (liba.nvr, liba.task, liba.state) = (Some(nvr), Some(task), Some(BuildState::Complete));
    build.components = vec![liba.into()];
    let module = FinishedModule { build: Box::new(build), log: vec!["it began".into()] };
    bench.system.import_module(&module).await?;
    Ok(bench.system.import_module(&module).await?)
}
