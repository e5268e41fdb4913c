//! `import` and `restore`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bench::{Bench, enter, fail, take_slots};
use crate::bus::Hint;
use crate::contract::promise::{Verdict, equal, holds, refused, there};
use crate::contract::samples::{at, component, id, new_build, running};
use crate::ident::{BuildId, ComponentId, TaskId};
use crate::model::{BuildState, Lifecycle, ModuleBuild, NewBuild, Past, RebuildStrategy, State, Transition};
use crate::modulemd::{ModuleStream, Xmd};
use crate::plan::Why;
use crate::store::{ComponentTransition, Import, Logged, Page, Restored, StoreError};

type Change = fn(&mut ModuleBuild);
type Spoil = Box<dyn Fn(&mut [Restored; 3]) + Send>;

fn import(nsvc: &str) -> Import {
    let document = new_build(nsvc).document;
    Import { document, nsvc: id(nsvc), koji_tag: Some(id("module-elsewhere")), by: "op".into() }
}

/// `import`: `ready` at once with all times now, no trace, no event, not due; with an audit row; others find it.
pub(super) async fn an_import_is_ready_at_once_and_nobody_is_told(bench: &Bench<'_>) -> Verdict {
    let before = bench.store.now().await?;
    let mut import = import("platform:f31:7:c");
    let entry = [("stream", "f30"), ("version", "1"), ("context", "a")]
        .map(|(key, value)| (key.to_owned(), Xmd::from(value)));
    let requires = Xmd::Map(vec![("platform".to_owned(), Xmd::Map(entry.into()))]);
    let mbs = Xmd::Map(vec![("buildrequires".to_owned(), requires)]);
    import.document =
        Arc::new(ModuleStream { xmd: Xmd::Map(vec![("mbs".to_owned(), mbs)]), ..(*import.document).clone() });
    let imported = bench.store.import(import.clone()).await?;
    let build = imported.build;
    holds(!imported.was_there, "it was not there")?;
    equal("what is loaded", &bench.load(build.id).await?.build, &build)?;
    equal("the document", build.document(), &import.document)?;
    equal("the state", (build.state(), build.new.strategy), (State::Ready, RebuildStrategy::All))?;
    equal("the tag", &build.koji_tag, &import.koji_tag)?;
    equal("the owner", &*build.new.owner, "mbs_import")?;
    let (submitted, modified) = (build.submitted_at, build.life.changed_at());
    equal("its times", (modified, build.life.completed_at()), (submitted, Some(submitted)))?;
    holds(before <= submitted && submitted <= bench.store.now().await?, "they are the store's")?;
    equal("the base modules", build.new.base_modules, [id("platform:f30:1:a")])?;
    equal("the trace", bench.store.trace(build.id).await?, [])?;
    equal("the events", bench.drain_events("s", build.id).await?, [])?;
    let audit = bench.store.audit(build.id).await?;
    let told: Vec<_> = audit.iter().map(|entry| (entry.by.as_str(), entry.what.as_str())).collect();
    equal("the audit", told, [("op", "imported it")])?;
    equal("why it is not further", bench.store.explain(build.id).await?, Some(Why::Finished))?;
    bench.due_are(&[]).await?;
    equal("when it is due", bench.store.next_due().await?, None)?;
    equal(
        "what is found",
        bench.store.find(&[id("platform:f31:7:c")]).await?,
        [(id("platform:f31:7:c"), build.id)].into(),
    )?;
    let next = bench.create("app:1:1:a").await?;
    holds(next > build.id, "ids go on")
}

/// `import`: what is there is overwritten and keeps its id; what comes next is told with a number of its own.
pub(super) async fn an_import_overwrites_what_is_finished_and_keeps_its_id(bench: &Bench<'_>) -> Verdict {
    let build = bench.create_asleep("app:1:1:a").await?;
    let end = |build: &mut ModuleBuild| {
        fail(build);
        build.life.settle();
        build.components = vec![component("liba").into()];
        build.batch = crate::ident::Batch(2);
    };
    bench.look(build, end).await?;
    bench.drain_events("s", build).await?;
    let before = bench.load(build).await?;
    let liba = there("component", before.build.components[0].id)?;
    let imported = bench.store.import(import("app:1:1:a")).await?;
    equal("the build", (imported.build.id, imported.was_there), (build, true))?;
    let after = bench.load(build).await?;
    equal("what is loaded", &after.build, &imported.build)?;
    holds(after.revision > before.revision, "who loaded it before is stale")?;
    equal("the components", after.build.components.len(), 0)?;
    equal("the trace", bench.store.trace(build).await?, [])?;
    equal("the trace of the component", bench.store.component_traces(&[liba]).await?, BTreeMap::new())?;
    equal("the events", bench.drain_events("s", build).await?, [])?;
    bench.look(build, |build| enter(build, State::Garbage, 2)).await?;
    let events = bench.drain_events("s", build).await?;
    let told: Vec<_> = events.iter().map(|event| (event.event.seq > 2, event.event.transition.to)).collect();
    equal("the event after it", told, [(true, State::Garbage)])?;
    equal("its trace", bench.store.trace(build).await?.len(), 1)?;
    let scratch = bench.create_as(NewBuild { scratch: true, ..new_build("b:1:1:a") }.into()).await?;
    bench.put_to_sleep(scratch).await?;
    let done = |build: &mut ModuleBuild| {
        for state in [State::Wait, State::Build, State::Done] {
            enter(build, state, 1);
        }
    };
    bench.look(scratch, done).await?;
    let taken = bench.store.import(import("b:1:1:a")).await?.build;
    equal("what was a try", (taken.id, taken.new.scratch, taken.dist_index), (scratch, false, scratch))?;
    equal("what is loaded of it", bench.load(scratch).await?.build, taken)
}

/// `import`, errors: `UnderWay` with the state, and nothing is changed; a look that holds a lease ends in vain.
pub(super) async fn an_import_never_overwrites_what_is_under_way(bench: &Bench<'_>) -> Verdict {
    let build = bench.create_asleep("app:1:1:a").await?;
    let changes: [(State, Change); 4] = [
        (State::Init, |_| {}),
        (State::Wait, |build| enter(build, State::Wait, 1)),
        (State::Build, |build| enter(build, State::Build, 1)),
        (State::Failed, fail),
    ];
    for (state, change) in changes {
        bench.look(build, change).await?;
        let before = bench.load(build).await?;
        let outcome = bench.store.import(import("app:1:1:a")).await;
        let is_so = |error: &StoreError| *error == StoreError::UnderWay(id("app:1:1:a"), state);
        refused("an import over it", outcome, is_so)?;
        equal("what is stored", bench.load(build).await?, before)?;
    }
    bench.look(build, |build| build.life.settle()).await?;
    bench.wake(Hint::Build(build)).await?;
    bench.pass_the_gap().await;
    let lease = bench.claim_only(build).await?;
    let draft = bench.draft(&lease, |build| build.cg_tag = Some(id("late"))).await?;
    bench.store.import(import("app:1:1:a")).await?;
    refused("a save of before", bench.store.save(draft).await, |error| {
        matches!(error, StoreError::LeaseLost(_) | StoreError::Stale(_))
    })
}

const FIRST: i64 = 500;

/// Records of another service: a base module, a build in progress, one that failed long ago.
fn records() -> [Restored; 3] {
    let past = |state, failure| Past {
        state,
        reason: Some("as it was".into()),
        failure,
        settled: true,
        failed_in: None,
        changed_at: at(-500),
        completed_at: Some(at(-600)),
    };
    let record = |place: i64, nsvc: &str, past: Past| {
        let id = BuildId(FIRST + place);
        let mut build = ModuleBuild::begin(new_build(nsvc), id, id, at(-1_000));
        build.life = Lifecycle::restored(past);
        build.is_target_removed = true;
        Restored {
            build,
            trace: Vec::new(),
            component_traces: BTreeMap::new(),
            log: Vec::new(),
            bases: Vec::new(),
        }
    };
    let base = record(1, "platform:f30:1:a", past(State::Ready, None));
    let mut building = record(2, "app:1:1:a", past(State::Build, None));
    let liba = ComponentId(70);
    building.build.components =
        vec![crate::model::ComponentBuild { id: Some(liba), ..running("liba", Some(7)) }.into()];
    let change = |from, to, when| Transition { from, to, at: at(when), reason: None };
    building.trace = vec![
        change(None, State::Init, -1_000),
        change(Some(State::Init), State::Wait, -900),
        change(Some(State::Wait), State::Build, -500),
    ];
    let of_liba =
        |state, when| ComponentTransition { at: at(when), state, reason: None, task: Some(TaskId(7)) };
    building.component_traces =
        [(liba, vec![of_liba(None, -900), of_liba(Some(BuildState::Building), -500)])].into();
    building.log = vec![(None, at(-900), "one".into()), (Some(liba), at(-800), "two".into())];
    building.bases = vec![base.build.id];
    let failed = record(5, "app:1:0:a", past(State::Failed, Some(crate::model::Failure::Infra)));
    [base, building, failed]
}

/// `restore`: records and all beside them as they are, ids kept; no events; those due that have something left to do.
pub(super) async fn restored_records_are_as_they_were_and_nobody_is_told(bench: &Bench<'_>) -> Verdict {
    let [base, building, failed] = records();
    bench.store.restore(records().into()).await?;
    let ids = [base.build.id, building.build.id, failed.build.id];
    for (record, id_of) in [&base, &building, &failed].into_iter().zip(ids) {
        let loaded = bench.load(id_of).await?.build;
        let base_modules = if record.bases.is_empty() { vec![] } else { vec![id("platform:f30:1:a")] };
        let new = NewBuild { base_modules, ..record.build.new.clone() };
        equal("the record", loaded, ModuleBuild { new, ..record.build.clone() })?;
        equal("the trace", bench.store.trace(id_of).await?, &record.trace[..])?;
        equal("the events", bench.drain_events(&format!("s{id_of}"), id_of).await?, [])?;
        equal("the audit", bench.store.audit(id_of).await?, [])?;
    }
    let log = bench.store.log(ids[1]).await?;
    let lines: Vec<_> = log.into_iter().map(|line| (line.component, line.at, line.text)).collect();
    equal("the log", lines, building.log)?;
    let of_component = bench.store.log_page(Logged::Component(ComponentId(70)), Page::first(9)).await?;
    equal("the log of the component", of_component.len(), 1)?;
    equal("the traces", bench.store.component_traces(&[ComponentId(70)]).await?, building.component_traces)?;
    let details = there("detail", bench.store.details(&[ids[1]]).await?.remove(&ids[1]))?;
    equal("the base modules", details.bases.iter().map(|base| base.id).collect::<Vec<_>>(), [ids[0]])?;
    equal("the slots in use", bench.load(ids[0]).await?.slots.in_use, 1)?;
    bench.due_are(&ids[1..]).await
}

/// `restore`: what is new afterwards counts on from the largest ids; a restored build goes on, and is told of from then on.
pub(super) async fn after_a_restoration_ids_and_changes_count_on(bench: &Bench<'_>) -> Verdict {
    let early = bench.create_asleep("early:1:1:a").await?;
    bench.look(early, |build| take_slots(build, 1)).await?;
    bench.store.restore(records().into()).await?;
    let building = BuildId(FIRST + 2);
    let lease =
        there("lease", bench.leases("w", 9).await?.into_iter().find(|lease| lease.build == building))?;
    let saved = bench
        .save(&lease, |build| {
            enter(build, State::Done, 1);
            build.components.push(component("libb").into());
        })
        .await?;
    holds(saved.build.components[1].id > Some(ComponentId(70)), "component ids go on")?;
    let events = bench.drain_events("s", building).await?;
    equal("the event", events.iter().map(|event| event.event.seq).collect::<Vec<_>>(), [4])?;
    equal("the trace", bench.store.trace(building).await?.len(), 4)?;
    let next = bench.create("app:2:1:a").await?;
    holds(next.0 > FIRST + 5, "ids of builds go on")?;
    let more = bench.store.import(import("platform:f31:1:a")).await?.build.id;
    holds(more > next, "those of imports, too")
}

/// `restore`, errors: `Taken`, `Rejected`; all of it or nothing.
pub(super) async fn a_restoration_that_meets_something_restores_nothing(bench: &Bench<'_>) -> Verdict {
    bench.store.import(import("platform:f29:1:a")).await?;
    let there_already = bench.create_asleep("app:1:1:b").await?;
    bench.look(there_already, |build| build.components = vec![component("liba").into()]).await?;
    let known = there("component", bench.load(there_already).await?.build.components[0].id)?;
    let cases: [(&str, Spoil); 8] = [
        ("an identity that exists", Box::new(|r| r[2].build.new.nsvc = id("app:1:1:b"))),
        ("an identity twice", Box::new(|r| r[2].build.new.nsvc = id("app:1:1:a"))),
        ("an id that exists", Box::new(move |r| r[2].build.id = there_already)),
        ("an id twice", Box::new(|r| r[2].build.id = r[1].build.id)),
        (
            "a component id that exists",
            Box::new(move |r| {
                r[2].build.components =
                    vec![crate::model::ComponentBuild { id: Some(known), ..component("liba") }.into()];
            }),
        ),
        ("a component without an id", Box::new(|r| r[2].build.components = vec![component("liba").into()])),
        ("a base module that is missing", Box::new(|r| r[2].bases = vec![BuildId(FIRST + 900)])),
        (
            "a line of a component that it does not have",
            Box::new(|r| r[2].log = vec![(Some(ComponentId(70)), at(0), "x".into())]),
        ),
    ];
    for (number, (what, spoil)) in cases.into_iter().enumerate() {
        let mut spoiled = records();
        spoil(&mut spoiled);
        let outcome = bench.store.restore(spoiled.into()).await;
        refused(what, outcome, |error| match error {
            StoreError::Taken(_) => number < 2,
            StoreError::Rejected { .. } => number >= 2,
            _ => false,
        })?;
        let left = bench.store.load(BuildId(FIRST + 1)).await;
        refused("a part of it", left, |error| matches!(error, StoreError::NotFound(_)))?;
    }
    let [base, building, _] = records();
    bench.store.restore(vec![base]).await?;
    equal("what is right", bench.store.restore(vec![building]).await, Ok(()))
}
