//! `observe`: what was asked is answered, nothing else.

use std::collections::BTreeSet;

use super::bench::{Bench, Built};
use crate::build_system::{AskedRepo, BuildAnswers, BuildQuestions, BuildSystemError, BuildrootSpec, Search};
use crate::contract::Unable;
use crate::contract::promise::{Verdict, equal, holds, there};
use crate::contract::samples::id;
use crate::ident::{Nevra, Nvr, TagEvent, TagName, TaskId};

/// Questions about what does not exist, all parts.
fn about_nothing(bench: &Bench<'_>) -> BuildQuestions {
    let tag = bench.unknown();
    let search = Search {
        packages: [(id("nothing"), tag.clone())].into(),
        module_target: tag.clone(),
        tags: vec![tag.clone()],
        dist_suffix: ".contract".into(),
    };
    BuildQuestions {
        tasks: [UNKNOWN].into(),
        tags: [tag.clone()].into(),
        repo_of: Some(tag.clone()),
        repo_asked: Some(AskedRepo { tag: tag.clone(), shows: TagEvent(0) }),
        search: Some(search),
        failures: [UNKNOWN].into(),
        rpms_of_builds: [id("nothing-1-1.contract")].into(),
        tag_arches: [tag.clone()].into(),
        tag_rpms: [tag].into(),
        arches: bench.spec.arches.iter().cloned().collect(),
        weights: [id("nothing")].into(),
    }
}

/// A task that no build system gave.
const UNKNOWN: TaskId = TaskId(1 << 30);

/// Says which parts are answered, in the order of the fields.
fn answered(answers: &BuildAnswers) -> [bool; 9] {
    [
        answers.tasks.is_some(),
        answers.tags.is_some(),
        answers.repo.is_some(),
        answers.search.is_some(),
        answers.failures.is_some(),
        answers.rpms_of_builds.is_some(),
        answers.tag_arches.is_some(),
        answers.tag_rpms.is_some(),
        answers.weights.is_some(),
    ]
}

/// [`BuildAnswers`]: `None`: not asked. `observe`: every part that was asked is `Some`.
pub(super) async fn only_what_was_asked_is_answered(bench: &Bench<'_>) -> Verdict {
    let all = about_nothing(bench);
    equal("no question", answered(&bench.observe(BuildQuestions::default()).await?), [false; 9])?;
    equal("all questions", answered(&bench.observe(all.clone()).await?), [true; 9])?;
    let none = BuildQuestions::default;
    let one_each = [
        BuildQuestions { tasks: all.tasks, ..none() },
        BuildQuestions { tags: all.tags, ..none() },
        BuildQuestions { repo_of: all.repo_of, ..none() },
        BuildQuestions { search: all.search, ..none() },
        BuildQuestions { failures: all.failures, ..none() },
        BuildQuestions { rpms_of_builds: all.rpms_of_builds, ..none() },
        BuildQuestions { tag_arches: all.tag_arches, ..none() },
        BuildQuestions { tag_rpms: all.tag_rpms, arches: all.arches, ..none() },
        BuildQuestions { weights: all.weights, ..none() },
    ];
    for (part, question) in one_each.into_iter().enumerate() {
        let wanted: [bool; 9] = std::array::from_fn(|other| other == part);
        equal("one question", answered(&bench.observe(question).await?), wanted)?;
    }
    Ok(())
}

/// [`BuildAnswers`]: a task, tag or architectures of which nothing is known are `None`, all else is missing.
pub(super) async fn what_is_unknown_is_answered_so(bench: &Bench<'_>) -> Verdict {
    let answers = bench.observe(about_nothing(bench)).await?;
    let tag = bench.unknown();
    equal("the task", answers.tasks, Some([(UNKNOWN, None)].into()))?;
    equal("the tag", answers.tags, Some([(tag.clone(), None)].into()))?;
    equal("the repository", answers.repo, Some(None))?;
    equal("what is done for one that nobody asked for", answers.repo_tries, None)?;
    let found = answers.search.unwrap_or_default();
    equal("what the search found", (found.live, found.builds), (Vec::new(), Vec::new()))?;
    equal("the failures", answers.failures, Some([].into()))?;
    equal("the RPMs of the build", answers.rpms_of_builds, Some([].into()))?;
    equal("the architectures", answers.tag_arches, Some([(tag, None)].into()))?;
    equal("the RPMs of the tag", answers.tag_rpms, Some([].into()))
}

async fn rpms_of(bench: &Bench<'_>, nvr: &Nvr) -> Verdict<Vec<Nevra>> {
    let questions = BuildQuestions { rpms_of_builds: [nvr.clone()].into(), ..Default::default() };
    let rpms = bench.observe(questions).await?.rpms_of_builds;
    there("answer about the RPMs of the build", rpms.and_then(|mut rpms| rpms.remove(nvr)))
}

/// [`BuildAnswers::rpms_of_builds`]: its RPMs, source RPM included.
pub(super) async fn a_build_has_its_source_and_what_was_made_of_it(bench: &Bench<'_>) -> Verdict {
    let Built { nvr, .. } = bench.built("liba").await?;
    let rpms = rpms_of(bench, &nvr).await?;
    let sources: Vec<_> = rpms.iter().filter(|rpm| rpm.arch.as_str() == "src").collect();
    equal("the number of source RPMs", sources.len(), 1)?;
    let source = (&*sources[0].name, &*sources[0].version, &*sources[0].release);
    equal("the source RPM", source, (nvr.name(), nvr.version(), nvr.release()))?;
    holds(rpms.len() > 1, "something was made of the source")
}

async fn rpms_of_tag(bench: &Bench<'_>, tag: &TagName) -> Verdict<Vec<Nevra>> {
    let arches = bench.spec.arches.iter().cloned().collect();
    let questions = BuildQuestions { tag_rpms: [tag.clone()].into(), arches, ..Default::default() };
    let rpms = bench.observe(questions).await?.tag_rpms;
    there("answer about the RPMs of the tag", rpms.and_then(|mut rpms| rpms.remove(tag)))
}

/// Returns RPMs by name, in no other order.
fn names(rpms: &[Nevra]) -> BTreeSet<String> {
    rpms.iter().map(ToString::to_string).collect()
}

/// [`BuildAnswers::tag_rpms`]: the latest RPMs of a tag.
pub(super) async fn the_rpms_of_a_tag_are_those_of_its_builds(bench: &Bench<'_>) -> Verdict {
    let Built { nvr, .. } = bench.built("liba").await?;
    let tag = &bench.spec.tag;
    equal("the RPMs of an empty tag", rpms_of_tag(bench, tag).await?, [])?;
    bench.tag(tag, &nvr).await?;
    equal("the RPMs", names(&rpms_of_tag(bench, tag).await?), names(&rpms_of(bench, &nvr).await?))
}

/// [`BuildAnswers::tag_rpms`]: inherited ones included. [`BuildrootSpec::inherits`].
pub(super) async fn the_rpms_of_a_tag_include_inherited_ones(bench: &Bench<'_>) -> Verdict {
    let Built { nvr, .. } = bench.built("liba").await?;
    bench.tag(&bench.spec.tag, &nvr).await?;
    let name = |part: &str| id(&format!("{}-heir{part}", bench.spec.tag));
    let heir = BuildrootSpec {
        tag: name(""),
        build_tag: name("-build"),
        target: name(""),
        inherits: vec![bench.spec.tag.clone()],
        ..bench.spec.clone()
    };
    bench.system.ensure_buildroot(&heir).await?;
    let rpms = rpms_of_tag(bench, &heir.build_tag).await?;
    equal("the RPMs", names(&rpms), names(&rpms_of(bench, &nvr).await?))?;
    equal("the builds, inheritance off", bench.nvrs_in(&heir.build_tag).await?, [])
}

/// `tags_of_rpm`, where it is supported: by the RPM's file name; empty if it is in none or unknown.
pub(super) async fn the_tags_of_an_rpm_are_those_of_its_build(bench: &Bench<'_>) -> Verdict {
    let unknown = match bench.system.tags_of_rpm("nothing-1-1.contract.noarch.rpm").await {
        Err(BuildSystemError::Unsupported { .. }) => {
            return Err(Unable("ask for the tags of an RPM: it is unsupported").into());
        }
        outcome => outcome?,
    };
    equal("of an unknown RPM", unknown, [])?;
    let Built { nvr, .. } = bench.built("liba").await?;
    let rpm = there("RPM", rpms_of(bench, &nvr).await?.into_iter().find(|rpm| rpm.arch.as_str() != "src"))?;
    let file = format!("{}-{}-{}.{}.rpm", rpm.name, rpm.version, rpm.release, rpm.arch);
    equal("before it is tagged", bench.system.tags_of_rpm(&file).await?, [])?;
    bench.tag(&bench.spec.tag, &nvr).await?;
    equal("after it", bench.system.tags_of_rpm(&file).await?, std::slice::from_ref(&bench.spec.tag))
}
