//! Logs and the traces of components.

use super::bench::Bench;
use crate::contract::promise::{Verdict, equal, holds, there};
use crate::contract::samples::{component, id, new_build};
use crate::ident::{BuildId, ComponentId, TaskId};
use crate::model::{BuildState, ModuleBuild};
use crate::store::{Create, Lease, LogLine, Logged, Note, Page};

/// Makes a build with `liba` and `libb`, under a lease.
async fn with_components(bench: &Bench<'_>) -> Verdict<(BuildId, Lease, [ComponentId; 2])> {
    let build = bench.create("app:1:1:a").await?;
    let lease = bench.claim_only(build).await?;
    let add =
        |build: &mut ModuleBuild| build.components = ["liba", "libb"].map(|p| component(p).into()).into();
    let saved = bench.save(&lease, add).await?.build;
    let of =
        |package| there("id of the component", saved.component(package).and_then(|component| component.id));
    Ok((build, lease, [of("liba")?, of("libb")?]))
}

async fn note(bench: &Bench<'_>, lease: &Lease, notes: Vec<Note>) -> Verdict {
    let save = bench.draft(lease, |_| {}).await?;
    bench.store.save(crate::store::Save { notes, ..save }).await?;
    Ok(())
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

/// [`Note::component`]: lines are those of the component, if the build has it, and of the build in any case.
pub(super) async fn a_line_belongs_to_the_component_it_speaks_of_and_to_its_build(
    bench: &Bench<'_>,
) -> Verdict {
    let (build, lease, [liba, libb]) = with_components(bench).await?;
    let of = |package: &str, text: &str| Note::of(&id(package), text.into());
    note(bench, &lease, vec![of("liba", "one"), "two".into(), of("libb", "three"), of("none", "four")])
        .await?;
    let log = bench.store.log(build).await?;
    let told: Vec<_> = log.iter().map(|line| (line.component, line.text.as_str())).collect();
    equal("the log", told, [(Some(liba), "one"), (None, "two"), (Some(libb), "three"), (None, "four")])?;
    holds(log.is_sorted_by(|one, next| one.id < next.id), "later lines have larger numbers")?;
    for (component, text) in [(liba, "one"), (libb, "three")] {
        let lines = bench.store.log_page(Logged::Component(component), Page::first(9)).await?;
        equal("the log of a component", texts(&lines), [text])?;
    }
    bench.save(&lease, |build| drop(build.components.remove(0))).await?;
    equal("the log without the component", bench.store.log(build).await?.len(), 4)
}

/// `log_page`, `count_log`: newest first, in parts; nothing of what is unknown.
pub(super) async fn logs_are_given_newest_first_page_by_page(bench: &Bench<'_>) -> Verdict {
    let (build, lease, [liba, _]) = with_components(bench).await?;
    for text in ["a", "b", "c"] {
        note(bench, &lease, vec![text.into(), Note::of(&id("liba"), text.to_uppercase())]).await?;
    }
    let other =
        bench.create_as(Create { notes: vec!["other".into()], ..new_build("app:1:1:b").into() }).await?;
    let page = async |of: Logged, skip: u64, limit: usize| {
        Verdict::Ok(bench.store.log_page(of, Page { before: None, skip, limit }).await?)
    };
    let (of_build, of_component) = (Logged::Build(build), Logged::Component(liba));
    equal("the newest", texts(&page(of_build, 0, 2).await?), ["C", "c"])?;
    equal("those before", texts(&page(of_build, 2, 3).await?), ["B", "b", "A"])?;
    equal("beyond the end", page(of_build, 6, 3).await?, [])?;
    equal("the second of the component", texts(&page(of_component, 1, 1).await?), ["B"])?;
    let mut log = bench.store.log(build).await?;
    log.reverse();
    equal("all of it", page(of_build, 0, 9).await?, log)?;
    let (no_build, no_component) = (BuildId(other.0 + 1000), ComponentId(liba.0 + 1000));
    for (of, count) in [
        (of_build, 6),
        (of_component, 3),
        (Logged::Build(other), 1),
        (Logged::Build(no_build), 0),
        (Logged::Component(no_component), 0),
    ] {
        equal("the number of lines", bench.store.count_log(of).await?, count)?;
        equal("the lines", page(of, 0, 9).await?.len() as u64, count)?;
    }
    Ok(())
}

/// `component_traces`: each change of state and the first appearance, by the store's clock; written by amendments, too.
pub(super) async fn every_change_of_a_components_state_is_kept(bench: &Bench<'_>) -> Verdict {
    let (build, lease, [liba, libb]) = with_components(bench).await?;
    bench.pass_the_gap().await;
    bench
        .save(&lease, |build| {
            let liba = &mut build.components[0];
            (liba.state, liba.task) = (Some(BuildState::Building), Some(TaskId(7)));
        })
        .await?;
    bench.save(&lease, |build| build.components[0].tagged = true).await?;
    bench
        .amend(build, |build| {
            let liba = &mut build.components[0];
            (liba.state, liba.reason) = (Some(BuildState::Canceled), Some("cancelled".into()));
        })
        .await?;
    let unknown = ComponentId(libb.0 + 1000);
    let traces = bench.store.component_traces(&[libb, liba, unknown]).await?;
    let told = |of: &ComponentId| {
        let trace = traces.get(of).into_iter().flatten();
        trace
            .map(|change| (change.state, change.reason.clone(), change.task.map(|task| task.0)))
            .collect::<Vec<_>>()
    };
    let wanted = [
        (None, None, None),
        (Some(BuildState::Building), None, Some(7)),
        (Some(BuildState::Canceled), Some("cancelled".into()), Some(7)),
    ];
    equal("the trace", told(&liba), wanted)?;
    equal("of what only appeared", told(&libb), [(None, None, None)])?;
    equal("the number of traces", traces.len(), 2)?;
    let times: Vec<_> = traces.get(&liba).into_iter().flatten().map(|change| change.at).collect();
    let submitted = bench.load(build).await?.build.submitted_at;
    let is_timed = submitted <= times[0] && times[0] < times[1] && times[2] <= bench.store.now().await?;
    holds(is_timed, "changes tell their time")?;
    bench.amend(build, |build| drop(build.components.remove(0))).await?;
    equal("of one that is gone", bench.store.component_traces(&[liba]).await?, [].into())
}
