//! Questions about many builds.

use std::sync::Arc;

use super::bench::{Bench, fail, finish};
use crate::contract::promise::{Verdict, equal};
use crate::contract::samples::{id, new_build};
use crate::ident::BuildId;
use crate::model::{ModuleBuild, NewBuild, State};
use crate::store::{Filter, Page, ReuseQuestion};

const ALL: Page = Page { before: None, limit: 100 };

async fn list(bench: &Bench<'_>, filter: &Filter, page: Page) -> Verdict<Vec<BuildId>> {
    Ok(bench.store.list(filter, page).await?.into_iter().map(|build| build.id).collect())
}

fn ids(builds: &[Arc<ModuleBuild>]) -> Vec<BuildId> {
    builds.iter().map(|build| build.id).collect()
}

async fn create_all<const N: usize>(bench: &Bench<'_>, nsvcs: [&str; N]) -> Verdict<[BuildId; N]> {
    let mut made = [BuildId(0); N];
    for (place, nsvc) in made.iter_mut().zip(nsvcs) {
        *place = bench.create_asleep(nsvc).await?;
    }
    Ok(made)
}

/// `list`: newest id first. [`Page`]: only ids below, at most so many.
pub(super) async fn builds_are_listed_newest_first_page_by_page(bench: &Bench<'_>) -> Verdict {
    let [a, b, c] = create_all(bench, ["a:1:1:a", "a:2:1:a", "b:1:1:a"]).await?;
    equal("all", list(bench, &Filter::default(), ALL).await?, [c, b, a])?;
    equal("a page of two", list(bench, &Filter::default(), Page { limit: 2, ..ALL }).await?, [c, b])?;
    let rest = Page { before: Some(b), limit: 2 };
    equal("the page after it", list(bench, &Filter::default(), rest).await?, [a])?;
    let listed = bench.store.list(&Filter::default(), Page { limit: 1, ..ALL }).await?;
    let summary = crate::store::Summary::of(&bench.load(c).await?.build);
    equal("the summary", listed.into_iter().map(|build| build.summary).collect::<Vec<_>>(), [summary])
}

/// [`Filter`]: everything given must hold; empty states: in any.
pub(super) async fn everything_that_a_filter_says_must_hold(bench: &Bench<'_>) -> Verdict {
    let [ready, other, _] = create_all(bench, ["a:1:1:a", "a:2:1:a", "b:1:1:a"]).await?;
    bench.look(ready, |build| finish(build, 1)).await?;
    let name = Filter { name: Some(id("a")), ..Filter::default() };
    equal("by name", list(bench, &name, ALL).await?, [other, ready])?;
    let states = Filter { states: vec![State::Ready, State::Done], ..name.clone() };
    equal("by name and states", list(bench, &states, ALL).await?, [ready])?;
    let stream = Filter { stream: Some(id("2")), ..name.clone() };
    equal("by name and stream", list(bench, &stream, ALL).await?, [other])?;
    let owner = Filter { owner: Some("john".into()), ..name.clone() };
    equal("by name and another owner", list(bench, &owner, ALL).await?, [])?;
    let owner = Filter { owner: Some("mary".into()), ..name };
    equal("by name and owner", list(bench, &owner, ALL).await?, [other, ready])
}

/// `find`: unknown ones are missing.
pub(super) async fn known_builds_are_found_by_identity(bench: &Bench<'_>) -> Verdict {
    let [known] = create_all(bench, ["a:1:1:a"]).await?;
    let found = bench.store.find(&[id("a:1:1:a"), id("a:1:1:b"), id("a:1:2:a")]).await?;
    equal("what is found", found, [(id("a:1:1:a"), known)].into())
}

/// `of_stream`: whole builds in these states, newest id first.
pub(super) async fn the_builds_of_a_stream_come_newest_first_in_the_states_asked(
    bench: &Bench<'_>,
) -> Verdict {
    let [a, init, _, b] = create_all(bench, ["a:1:1:a", "a:1:2:a", "a:2:1:a", "a:1:3:a"]).await?;
    bench.look(a, |build| finish(build, 2)).await?;
    bench.look(b, |build| finish(build, 1)).await?;
    let stream = id("a:1");
    let ready = bench.store.of_stream(&stream, &[State::Ready]).await?;
    equal("ready", ids(&ready), [b, a])?;
    equal("a whole build", (*ready[0]).clone(), bench.load(b).await?.build)?;
    let both = bench.store.of_stream(&stream, &[State::Ready, State::Init]).await?;
    equal("ready and init", ids(&both), [b, init, a])?;
    equal("in no state", ids(&bench.store.of_stream(&stream, &[]).await?), [])
}

/// `reuse_candidates`: last completed first. Not the asking build, no scratch build, only the states asked.
pub(super) async fn reuse_candidates_are_others_of_the_stream_last_completed_first(
    bench: &Bench<'_>,
) -> Verdict {
    let names = ["a:1:1:a", "a:1:2:a", "a:1:3:a", "a:1:4:a", "a:1:5:a", "a:2:1:a"];
    let [last, middle, failed, init, asking, other] = create_all(bench, names).await?;
    let scratch = NewBuild { scratch: true, ..new_build("a:1:6:a_1") };
    let scratch = bench.create_as(scratch.into()).await?;
    bench.put_to_sleep(scratch).await?;
    // Failed at 1.
    bench.look(failed, fail).await?;
    for (build, when) in [(last, 90), (middle, 80), (asking, 85), (other, 95)] {
        bench.look(build, |build| finish(build, when)).await?;
    }
    let states = vec![State::Ready, State::Failed, State::Init];
    let question =
        ReuseQuestion { build: asking, module: id("a:1"), states, exactly: None, contexts: Vec::new() };
    let found = bench.store.reuse_candidates(&question).await?;
    equal("in three states", ids(&found), [last, middle, failed, init])?;
    let question = ReuseQuestion { states: vec![State::Ready], ..question };
    equal("ready", ids(&bench.store.reuse_candidates(&question).await?), [last, middle])?;
    let own = bench.load(last).await?.build.new.contexts.build;
    let with = |contexts: Vec<String>| ReuseQuestion { contexts, ..question.clone() };
    let found = bench.store.reuse_candidates(&with(vec!["other".into(), own])).await?;
    equal("of two contexts", ids(&found), [last, middle])?;
    let found = bench.store.reuse_candidates(&with(vec!["other".into()])).await?;
    equal("of another context", ids(&found), [])
}

/// [`ReuseQuestion::exactly`]: exactly this build, without any other condition.
pub(super) async fn a_reuse_candidate_that_is_named_is_the_only_one(bench: &Bench<'_>) -> Verdict {
    let [asking, other] = create_all(bench, ["a:1:1:a", "b:1:1:a"]).await?;
    let question = |exactly: BuildId| ReuseQuestion {
        build: asking,
        module: id("a:1"),
        states: vec![State::Ready],
        exactly: Some(exactly),
        contexts: vec!["other".into()],
    };
    equal("the one", ids(&bench.store.reuse_candidates(&question(other)).await?), [other])?;
    let unknown = question(BuildId(other.0 + 1000));
    equal("an unknown one", ids(&bench.store.reuse_candidates(&unknown).await?), [])
}

/// `scratch_count`: of a name, stream and version whose context begins with a text.
pub(super) async fn scratch_builds_are_counted_by_the_beginning_of_their_context(
    bench: &Bench<'_>,
) -> Verdict {
    for (nsvc, scratch) in
        [("a:1:1:c0_1", true), ("a:1:1:c0_2", true), ("a:1:1:c0", false), ("a:1:2:c0_1", true)]
    {
        bench.create_as(NewBuild { scratch, ..new_build(nsvc) }.into()).await?;
    }
    for (nsvc, wanted) in [("a:1:1:c0", 2), ("a:1:1:c1", 0), ("a:1:2:c0", 1), ("b:1:1:c0", 0)] {
        equal(nsvc, bench.store.scratch_count(&id(nsvc)).await?, wanted)?;
    }
    Ok(())
}

/// `unfinished`: of the same name, stream and version, in `init`, `wait`, `build` or `done`, sorted, scratch builds left out.
pub(super) async fn unfinished_builds_are_found_by_name_stream_and_version(bench: &Bench<'_>) -> Verdict {
    let names = ["a:1:1:b", "a:1:1:a", "a:1:1:r", "a:1:1:f", "a:1:2:a", "a:2:1:a", "b:1:1:a"];
    let [_, _, ready, failed, ..] = create_all(bench, names).await?;
    bench.look(ready, |build| finish(build, 2)).await?;
    bench.look(failed, fail).await?;
    let scratch = NewBuild { scratch: true, ..new_build("a:1:1:c_1") };
    bench.create_as(scratch.into()).await?;
    let asked = [id("a:1:1:r"), id("a:1:1:z"), id("c:1:1:a"), id("b:1:1:x")];
    let wanted = ["a:1:1:a", "a:1:1:b", "b:1:1:a"].map(|nsvc| (id(nsvc), State::Init));
    equal("the unfinished", bench.store.unfinished(&asked).await?, wanted)?;
    equal("of nothing", bench.store.unfinished(&[]).await?, [])
}

/// `trace`, `log`, `audit`: empty for an unknown one.
pub(super) async fn of_an_unknown_build_there_is_no_trace_log_or_audit(bench: &Bench<'_>) -> Verdict {
    let unknown = BuildId(bench.create("a:1:1:a").await?.0 + 1000);
    equal("the trace", bench.store.trace(unknown).await?, [])?;
    equal("the log", bench.store.log(unknown).await?, [])?;
    equal("the audit", bench.store.audit(unknown).await?, [])
}
