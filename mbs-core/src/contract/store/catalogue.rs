//! Questions about many builds.

use std::sync::Arc;

use super::bench::{Bench, enter, fail, finish};
use super::listing::providing;
use crate::contract::promise::{Verdict, equal};
use crate::contract::samples::{id, new_build};
use crate::ident::BuildId;
use crate::model::{ModuleBuild, NewBuild, State};
use crate::store::{ModuleRow, ModulesAsked, ReuseQuestion};

fn ids(builds: &[Arc<ModuleBuild>]) -> Vec<BuildId> {
    builds.iter().map(|build| build.id).collect()
}

/// Makes sleeping builds of these names.
pub(super) async fn create_all<const N: usize>(bench: &Bench<'_>, nsvcs: [&str; N]) -> Verdict<[BuildId; N]> {
    let mut made = [BuildId(0); N];
    for (place, nsvc) in made.iter_mut().zip(nsvcs) {
        *place = bench.create_asleep(nsvc).await?;
    }
    Ok(made)
}

/// `find`: unknown ones are missing.
pub(super) async fn known_builds_are_found_by_identity(bench: &Bench<'_>) -> Verdict {
    let [known] = create_all(bench, ["a:1:1:a"]).await?;
    let found = bench.store.find(&[id("a:1:1:a"), id("a:1:1:b"), id("a:1:2:a")]).await?;
    equal("what is found", found, [(id("a:1:1:a"), known)].into())
}

/// `modules`: `ready` builds of a name:stream or a tag; of whole names and by identity retired ones, too; by identity.
pub(super) async fn modules_are_found_by_stream_name_identity_and_tag(bench: &Bench<'_>) -> Verdict {
    let names = ["a:1:1:a", "a:1:2:a", "a:2:1:a", "b:1:1:a", "platform:f30:1:a"];
    let [tagged, init, other, retired, base] = create_all(bench, names).await?;
    for build in [tagged, other, retired, base] {
        bench.look(build, |build| finish(build, 1)).await?;
    }
    bench.look(retired, |build| enter(build, State::Garbage, 2)).await?;
    bench.look(tagged, |build| build.koji_tag = Some(id("module-a"))).await?;
    let ask = async |asked: ModulesAsked| {
        let rows = bench.store.modules(&asked).await?;
        Verdict::Ok(rows.into_iter().map(|row| (row.id, row.is_ready)).collect::<Vec<_>>())
    };
    let none = ModulesAsked::default;
    equal("nothing", ask(none()).await?, [])?;
    let streams = vec![id("a:1"), id("b:1")];
    equal("of two streams", ask(ModulesAsked { streams, ..none() }).await?, [(tagged, true)])?;
    let names = vec![id("b"), id("a")];
    let wanted = [(tagged, true), (other, true), (retired, false)];
    equal("of two names", ask(ModulesAsked { names, ..none() }).await?, wanted)?;
    let exactly = vec![id("b:1:1:a"), id("a:1:2:a"), id("z:1:1:a")];
    equal("exactly", ask(ModulesAsked { exactly, ..none() }).await?, [(retired, false)])?;
    let tag = Some(id("module-a"));
    equal("of a tag", ask(ModulesAsked { tag, ..none() }).await?, [(tagged, true)])?;
    let documents = bench.store.documents(&[base, init, BuildId(init.0 + 1000)]).await?;
    let wanted = [init, base].map(|id| async move { Ok((id, bench.load(id).await?.build.new.document)) });
    let wanted: Verdict<Vec<_>> = futures_util::future::join_all(wanted).await.into_iter().collect();
    equal("the documents", documents, wanted?.into_iter().collect())
}

/// [`ModuleRow`]: what a base module provides, the base modules that a build was made with.
pub(super) async fn module_rows_tell_virtual_streams_and_base_modules(bench: &Bench<'_>) -> Verdict {
    let new = NewBuild { base_modules: vec![id("platform:f30:2:b"), id("platform:f30:1:a")], ..providing() };
    let build = bench.create_as(new.into()).await?;
    bench.put_to_sleep(build).await?;
    bench.look(build, |build| finish(build, 1)).await?;
    let asked = ModulesAsked { names: vec![id("platform")], ..ModulesAsked::default() };
    let row = ModuleRow {
        id: build,
        nsvc: id("platform:f31:1:a"),
        is_ready: true,
        tag: None,
        virtual_streams: vec!["f".into(), "g".into()],
        bases: vec![id("platform:f30:1:a"), id("platform:f30:2:b")],
    };
    equal("the row", bench.store.modules(&asked).await?, [row])
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
