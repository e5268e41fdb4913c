//! `create` and `load`.

use super::bench::{Bench, enter, fail};
use crate::contract::promise::{Verdict, equal, holds, refused, there};
use crate::contract::samples::{id, new_build};
use crate::ident::{BuildId, Nsvc};
use crate::model::{NewBuild, State};
use crate::store::{Create, Created, IdempotencyKey, Loaded, StoreError};

fn keyed(nsvc: &str, key: &str, content: &str) -> Create {
    let key = IdempotencyKey { key: key.into(), content: content.into() };
    Create { key: Some(key), ..new_build(nsvc).into() }
}

fn both(first: &str, second: &str) -> Create {
    Create { new: vec![new_build(first), new_build(second)], ..Create::default() }
}

fn ids(created: &Created) -> Vec<BuildId> {
    created.builds.iter().map(|build| build.id).collect()
}

/// `created_with`: `None` if there was none, `KeyReused` with another content; [`Create::existing`] belongs to the answer.
pub(super) async fn what_a_key_got_is_known_with_what_existed_before(bench: &Bench<'_>) -> Verdict {
    let before = bench.create("app:1:1:b").await?;
    let create = Create { existing: vec![before], ..keyed("app:1:1:a", "k", "one") };
    let key = IdempotencyKey { key: "k".into(), content: "one".into() };
    equal("nothing yet", bench.store.created_with(&key).await?, None)?;
    let created = bench.store.create(create).await?;
    equal("the last", ids(&created).last(), Some(&before))?;
    equal("what it got", bench.store.created_with(&key).await?.map(|c| ids(&c)), Some(ids(&created)))?;
    let other = IdempotencyKey { content: "two".into(), ..key };
    let reused = bench.store.created_with(&other).await;
    refused("another content", reused, |error| matches!(error, StoreError::KeyReused(_)))
}

/// [`Create::notes`]: log lines of each new build.
pub(super) async fn notes_are_the_first_log_lines_of_new_builds(bench: &Bench<'_>) -> Verdict {
    let notes = vec!["one".into(), "two".into()];
    let created = bench.store.create(Create { notes, ..both("app:1:1:a", "app:1:1:b") }).await?;
    for build in ids(&created) {
        let log = bench.store.log(build).await?;
        equal("the log", log.iter().map(|line| &*line.text).collect::<Vec<_>>(), ["one", "two"])?;
    }
    Ok(())
}

/// Design, section 5, `create`: each new one with id, first trace, first event, due at once.
pub(super) async fn a_new_build_has_its_first_trace_row_and_event_and_is_due_at_once(
    bench: &Bench<'_>,
) -> Verdict {
    let before = bench.store.now().await?;
    let build = bench.create("app:1:1:a").await?;
    let loaded = bench.load(build).await?.build;
    equal("the state", loaded.state(), State::Init)?;
    equal("the unsaved changes", loaded.life.unsaved(), [])?;
    let is_timed = before <= loaded.submitted_at && loaded.submitted_at <= bench.store.now().await?;
    holds(is_timed, "it was submitted by the store's clock")?;
    let trace = bench.store.trace(build).await?;
    equal("the trace", trace.iter().map(|t| (t.from, t.to)).collect::<Vec<_>>(), [(None, State::Init)])?;
    let events = bench.drain_events("s", build).await?;
    let told: Vec<_> = events.iter().map(|e| (e.event.seq, e.event.transition.to)).collect();
    equal("the events", told, [(1, State::Init)])?;
    bench.due_are(&[build]).await
}

/// `create`: new ones in the order given, with growing ids of their own.
pub(super) async fn the_builds_of_a_submission_come_in_the_order_given(bench: &Bench<'_>) -> Verdict {
    let created = bench.store.create(both("app:1:1:b", "app:1:1:a")).await?;
    let names: Vec<String> = created.builds.iter().map(|build| build.nsvc().to_string()).collect();
    equal("the builds", names, ["app:1:1:b", "app:1:1:a"])?;
    holds(ids(&created).is_sorted_by(|a, b| a < b), "later builds have larger ids")?;
    for build in created.builds {
        equal("the build as loaded", bench.load(build.id).await?.build, build)?;
    }
    Ok(())
}

/// `create`: all or none; `Taken` if a build of an identity exists, or comes twice.
pub(super) async fn a_submission_that_is_taken_creates_nothing(bench: &Bench<'_>) -> Verdict {
    bench.create("app:1:1:b").await?;
    for (create, taken) in
        [(both("app:1:1:a", "app:1:1:b"), "app:1:1:b"), (both("app:1:1:c", "app:1:1:c"), "app:1:1:c")]
    {
        let outcome = bench.store.create(create).await;
        refused("a taken identity", outcome, |error| *error == StoreError::Taken(id(taken)))?;
    }
    let found = bench.store.find(&[id::<Nsvc>("app:1:1:a"), id("app:1:1:c")]).await?;
    equal("what was created", found, Default::default())
}

/// `create`: the same key gives the same builds.
pub(super) async fn the_same_key_and_content_give_the_same_builds(bench: &Bench<'_>) -> Verdict {
    let first = bench.store.create(keyed("app:1:1:a", "k", "x")).await?;
    let again = bench.store.create(keyed("app:1:1:a", "k", "x")).await?;
    equal("the builds", ids(&again), ids(&first))?;
    equal("the events", bench.drain_events("s", first.builds[0].id).await?.len(), 1)
}

/// `create`, errors: `KeyReused`.
pub(super) async fn a_key_that_comes_with_other_content_is_refused(bench: &Bench<'_>) -> Verdict {
    bench.store.create(keyed("app:1:1:a", "k", "x")).await?;
    let reused = bench.store.create(keyed("app:1:1:b", "k", "y")).await;
    refused("other content", reused, |error| *error == StoreError::KeyReused("k".into()))?;
    equal("what was created", bench.store.find(&[id("app:1:1:b")]).await?, Default::default())?;
    let taken = bench.store.create(keyed("app:1:1:a", "k2", "x")).await;
    refused("another key", taken, |error| matches!(error, StoreError::Taken(_)))
}

/// [`ModuleBuild::dist_index`](crate::model::ModuleBuild::dist_index): fixed at creation.
pub(super) async fn the_dist_index_is_the_smallest_id_of_the_same_version_and_scratchness(
    bench: &Bench<'_>,
) -> Verdict {
    let mut made = Vec::new();
    for (nsvc, scratch) in [
        ("app:1:1:a", false),
        ("app:1:1:b", false),
        ("app:1:1:b_1", true),
        ("app:1:2:a", false),
        ("app:2:1:a", false),
        ("app:1:1:c_1", true),
        ("app:1:1:d", false),
    ] {
        let created = bench.store.create(NewBuild { scratch, ..new_build(nsvc) }.into()).await?;
        made.push(there("new build", created.builds.into_iter().next())?);
    }
    let wanted = [0, 0, 2, 3, 4, 2, 0].map(|sibling: usize| made[sibling].id);
    equal("the indexes", made.iter().map(|build| build.dist_index).collect::<Vec<_>>(), wanted)
}

/// A build that failed and is asleep, and how it would go on.
async fn failed(bench: &Bench<'_>) -> Verdict<Loaded> {
    let build = bench.create_asleep("app:1:1:a").await?;
    bench.look(build, fail).await?;
    let mut loaded = bench.load(build).await?;
    enter(&mut loaded.build, State::Init, 2);
    Ok(loaded)
}

/// `create`: all contexts of one submission, new and resumed; each is due at once.
pub(super) async fn a_resumed_build_goes_on_with_trace_event_and_audit(bench: &Bench<'_>) -> Verdict {
    let Loaded { build, revision, .. } = failed(bench).await?;
    let resumed = build.id;
    let create = Create {
        resumed: vec![(build, revision)],
        by: "john".into(),
        new: vec![new_build("app:1:1:b")],
        ..Create::default()
    };
    let created = bench.store.create(create).await?;
    let new = bench.store.find(&[id("app:1:1:b")]).await?;
    let new = *there("new build", new.values().next())?;
    equal("the builds, new ones first", ids(&created), [new, resumed])?;
    let trace = bench.store.trace(resumed).await?;
    let states: Vec<_> = trace.iter().map(|transition| transition.to).collect();
    equal("the trace", states, [State::Init, State::Failed, State::Init])?;
    equal("the events", bench.drain_events("s", resumed).await?.len(), 3)?;
    let audit = bench.store.audit(resumed).await?;
    equal("who did it", audit.last().map(|entry| entry.by.as_str()), Some("john"))?;
    bench.due_are(&[resumed, new]).await
}

/// `create`: all or none; `Stale` if a resumed one was saved since it was loaded.
pub(super) async fn a_stale_resumption_creates_nothing(bench: &Bench<'_>) -> Verdict {
    let Loaded { build, revision, .. } = failed(bench).await?;
    let resumed = build.id;
    bench.amend(resumed, |build| build.life.settle()).await?;
    let create = Create {
        resumed: vec![(build, revision)],
        by: "john".into(),
        new: vec![new_build("app:1:1:b")],
        ..Create::default()
    };
    let outcome = bench.store.create(create).await;
    refused("a stale record", outcome, |error| *error == StoreError::Stale(resumed))?;
    equal("what was created", bench.store.find(&[id("app:1:1:b")]).await?, Default::default())?;
    equal("the state", bench.load(resumed).await?.build.state(), State::Failed)
}

/// `load` and `explain`, errors: `NotFound`.
pub(super) async fn what_is_unknown_is_not_found(bench: &Bench<'_>) -> Verdict {
    let unknown = BuildId(bench.create("app:1:1:a").await?.0 + 1000);
    let is_missing = |error: &StoreError| *error == StoreError::NotFound(unknown);
    refused("load", bench.store.load(unknown).await, is_missing)?;
    refused("explain", bench.store.explain(unknown).await, is_missing)
}

/// `trace`, `log`, `audit`: empty for an unknown one.
pub(super) async fn of_an_unknown_build_there_is_no_trace_log_or_audit(bench: &Bench<'_>) -> Verdict {
    let unknown = BuildId(bench.create("a:1:1:a").await?.0 + 1000);
    equal("the trace", bench.store.trace(unknown).await?, [])?;
    equal("the log", bench.store.log(unknown).await?, [])?;
    equal("the audit", bench.store.audit(unknown).await?, [])
}
